"""The page: self-contained, escaped, the same bytes for the same results."""

import base64
import gzip
import hashlib
import html
import io
import re
from dataclasses import replace
from math import inf
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from report_frames import audit_of, inputs, run

from synaptree import SynaptreeError, load, make_spec, train_replicas
from synaptree.analysis.settings import short_views
from synaptree.claims.base import Evidence, Outcome
from synaptree.report import registrations
from synaptree.report.board import lines
from synaptree.report.inputs import Inputs
from synaptree.report.page import render, write_report
from synaptree.report.tables import errors, failures, health
from synaptree.report.tables.errors import steps_to_learn
from synaptree.report.tables.runs import COLUMNS, state
from synaptree.report.tables.settings import settings
from synaptree.reproduction import judged
from synaptree.results.journal import Journal
from synaptree.results.row import failed_row, row_of

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "steps": 4, "tests": 16}
OPEN = Evidence("test error of dfa", "any", 0.5, 0.4, 0.6, 3, "<=", 0.5, None)
OUTCOMES = [Outcome(1, "A claim", "undecided", ("an effect",), (OPEN,))]
AUDITS = {(rule, "{}"): audit_of(rule) for rule in ("backprop", "dfa", "clapp")}


def unpacked(link):
    """The CSV in a link."""
    return gzip.decompress(base64.b64decode(link.split(",")[1])).decode()


def links(page):
    """The compressed CSV files that a page holds, by name."""
    found = re.findall(r'download="(\w+).csv.gz"[^>]* href="([^"]*)"', page)
    return {name: unpacked(link) for name, link in found}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    journal = Journal(folder)
    for given in (
        {"rule": "backprop"},
        {"rule": "dfa"},
        {"rule": "clapp", "views": ["same_class"]},
    ):
        for result in train_replicas(make_spec(**TINY, **given).replicate(2)):
            journal.append(row_of(result))
    journal.append(failed_row(make_spec(rule="dfa", **TINY | {"P": 65}), "ValueError: <b>planted"))
    return folder


def test_the_page_is_drawn_again_byte_for_byte(folder):
    path = write_report(folder, OUTCOMES, AUDITS)
    first = path.read_bytes()
    assert write_report(folder, OUTCOMES, AUDITS).read_bytes() == first
    assert [p.name for p in folder.iterdir() if p.is_file()] == ["report.html"]


@pytest.mark.parametrize("comparison", ["<=", ">=", "within ±"])
def test_every_comparison_has_a_sign(folder, comparison):
    shown = Evidence("exponent", "any", 0.2, 0.1, inf, 5, comparison, 0.5, None)
    page = render(load(folder), [Outcome(4, "data", "undecided", (), (shown,))], {})
    sign = {"<=": "≤", ">=": "≥"}.get(comparison, comparison)
    assert f">{sign} 0.5</td>" in page
    assert "0.2000 [0.1000, ?]" in page


def test_the_data_of_a_figure_are_what_it_draws(folder):
    csv = links(render(load(folder), [], AUDITS))
    matrix = pd.read_csv(io.StringIO(csv["locality"]), index_col="rule")
    weights = {"backprop": "yes", "dfa": "no", "clapp": "no"}
    assert matrix["weights_above"].to_dict() == weights
    bits = pd.read_csv(io.StringIO(csv["budget_and_probe"]))
    assert (bits["label"] == "clapp").all()
    assert (bits["bits"] > 0).all()


def test_the_page_needs_nothing_from_outside(folder):
    page = render(load(folder), OUTCOMES, AUDITS)
    assert "default-src 'none'" in page
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{known}'" in page  # this script, and no other
    targets = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert targets
    assert all(target.startswith(("data:", "#")) for target in targets)
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_says_everything(folder):
    frame = load(folder)
    page = render(frame, OUTCOMES, AUDITS)
    for text in ("backprop", "dfa", "clapp", "undecided", "Learning curves", "Exact configuration",
                 "How it was made", "standard", "ValueError: &lt;b&gt;planted"):  # fmt: skip
        assert text in page
    error = frame[frame["rule"] == "dfa"]["test_error"].dropna()
    assert f"{100 * error.mean():.1f}%" in page


def test_what_users_name_is_no_markup(folder):
    frame = load(folder)
    frame["label"] = "<script>alert(1)</script>"
    evil = Evidence("<i>x", "<i>g", 0.5, 0.4, 0.6, 3, "<=", 0.5, None)
    page = render(frame, [Outcome(1, "<b>claim", "undecided", ("<u>effect",), (evil,))], AUDITS)
    for markup in ("<script>alert", "<i>", "<b>", "<u>"):
        assert markup not in page
    assert page.count("</script>") == 1


def test_all_runs_are_in_the_table_of_runs(folder):
    frame = load(folder)
    csv = links(render(frame, [], {}))["runs"]
    table = pd.read_csv(io.StringIO(csv), keep_default_na=False)
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == len(frame) == 7
    shown = sorted(float(e) for e in table["test error"] if e)
    assert shown == pytest.approx(sorted(frame["test_error"].dropna()), abs=1e-6)
    assert table["state"].tolist().count("failed") == 1
    assert set(zip(table["rule"], table["views"], strict=True)) == {
        ("backprop", ""), ("dfa", ""), ("clapp", "same_class × 2")
    }  # fmt: skip


def test_settings_are_said_once_and_each_configuration_exactly(folder):
    said = settings(Inputs.of(load(folder), {}))
    assert said.shared["width"] == "8"
    assert said.shared["batch"] == "16"
    rows = [dict(zip(said.heads, row, strict=True)) for row in said.rows]
    assert {(r["label"], r["views"], r["P"]) for r in rows} == {
        ("backprop", "", "64"), ("dfa", "", "64, 65"), ("clapp", "same_class,same_class", "64")
    }  # fmt: skip
    assert not set(said.shared) & set(said.heads)


def test_failures_are_said_with_their_grammar_and_error(folder):
    (row,) = failures.rows(Inputs.of(load(folder), {}))
    assert row.head == "dfa"
    assert row.cells == ("v=4 n=4 m=4 s=2 L=2 P=65 seed=0", "ValueError: <b>planted")


def test_what_became_of_a_run_is_said():
    done = {"status": "done", "stopped": True, "diverged": True, "collapsed": [1, 3]}
    assert state(done) == "diverged, stopped, collapsed in layer 1, 3"
    assert state({"status": "done", "stopped": False, "collapsed": None}) == "done"
    assert state({"status": "failed", "collapsed": [1]}) == "failed"


def test_who_made_it_is_said(folder):
    about = {"command": "synaptree x", "wall_s": 7200.0, "workers": 2, "cores": 2, "gpu": None}
    page = render(load(folder), [], {}, [about, about])
    assert page.count("synaptree x\n") == 1
    assert "2.0 h on 2 workers" in page


def test_steps_to_learn_are_the_median_over_replicas():
    def run(errors):
        return {"n": 8, "curve_step": [100, 200, 400], "curve_test_error": errors}

    crossing = 0.1 * 7 / 8
    rows = [run([0.8, crossing, 0.0]), run([0.8, 0.8, crossing]), run([crossing, 0.0, 0.0])]
    assert steps_to_learn(pd.DataFrame(rows)) == pytest.approx(200)
    assert steps_to_learn(pd.DataFrame([run([0.8] * 3)] * 2 + rows[:1])) == np.inf


def test_comparisons_are_tallied():
    how = (True, True, False, None, None)
    evidence = tuple(Evidence("w", "g", 0, 0, 0, 1, "<=", 1, holds) for holds in how)
    judged = Outcome(1, "A", "not reproduced", (), evidence[:4])
    assert judged.tally == "2 hold, 1 does not, 1 open"
    assert replace(judged, evidence=evidence[1:]).tally == "1 holds, 1 does not, 2 open"


def test_the_table_of_errors_has_means_and_intervals():
    rows = [run("dfa", e, seed=i) for i, e in enumerate((0.2, 0.22, 0.24))] + [run("clapp", 0.5)]
    dfa, clapp = errors.rows(inputs(rows))
    mean, interval, *others = dfa.cells
    assert (mean, *others) == ("22.0%", "20.0%, 22.0%, 24.0%", "11.0%", "30", "–", "2")
    half = 100 * 4.302653 * 0.02 / 3**0.5  # Student's; a bootstrap's own ends come close to it
    low, high = (float(end.rstrip("%")) for end in interval.split(" – "))
    assert (low, high) == pytest.approx((22 - half, 22 + half), abs=0.6)
    assert clapp.cells[:2] == ("50.0%", "one run")


def test_only_failures_make_a_page_too(folder, tmp_path):
    Journal(tmp_path).append(failed_row(make_spec(rule="dfa", **TINY), "ValueError: planted"))
    frame = load(tmp_path)
    assert "ValueError: planted" in render(frame, OUTCOMES, AUDITS)


def test_a_folder_without_results_or_that_cannot_be_written(folder, tmp_path, monkeypatch):
    with pytest.raises(SynaptreeError, match="holds none"):
        write_report(tmp_path, [], {})

    before = sorted(folder.iterdir())

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("synaptree.safely.os.replace", full)
    with pytest.raises(SynaptreeError, match="no space left"):
        write_report(folder, [], {})
    assert sorted(folder.iterdir()) == before  # no half page is left behind


STRANGE = ["$x$ and $\\frac{", "汉字 🦜", "a\x00b\x1bc\ud7ff", "<b>&amp;"]


@pytest.mark.parametrize("label", STRANGE)
def test_a_label_may_be_anything(folder, label):
    frame = load(folder)
    frame["label"] = frame["label"].where(frame["rule"] != "dfa", label)
    page = render(frame, OUTCOMES, AUDITS)
    shown = re.sub("[\x00\x1b]", "", label)
    assert html.escape(shown) in page
    assert "\x00" not in page
    drawn = re.findall(r'<svg role="img".*?</svg>', page, re.DOTALL)
    assert drawn
    for svg in drawn:
        ElementTree.fromstring(svg)  # valid XML
    assert any(shown in "".join(ElementTree.fromstring(svg).itertext()) for svg in drawn)


def test_one_run_has_no_interval(folder):
    frame = load(folder)
    frame = frame[frame["seed"] == frame["seed"].min()]
    page = render(frame, OUTCOMES, AUDITS)
    assert "one run" in page
    assert "inf" not in re.sub("<[^>]*>", "", page).replace("infonce", "").replace(
        "information", ""
    )


def test_what_is_missing_does_not_erase_what_is_there(folder):
    frame = load(folder)
    first = frame.index[frame["status"] == "done"][0]
    label = frame.at[first, "label"]
    alike = frame[(frame["label"] == label) & (frame["status"] == "done")]
    assert len(alike) > 1
    frame.at[first, "rank"] = [None] * len(frame.at[first, "rank"])
    frame.at[first, "curve_step"] = frame.at[first, "curve_test_error"] = None
    frame.at[first, "probe"] = None
    (row,) = [r for r in health.rows(Inputs.of(frame, {})) if r.head == label]
    others = [r for i, r in alike["rank"].items() if i != first]
    means = [sum(x) / len(x) for x in zip(*others, strict=True)]
    assert row.cells[0] == " / ".join(f"{mean:.1f}" for mean in means)
    assert label in render(frame, OUTCOMES, AUDITS)


@pytest.mark.parametrize(
    ("views", "short"),
    [
        ("", ""),
        ("same_class", "same_class"),
        ("sibling,sibling,trace:7", "sibling × 2, trace:7"),
        ("a,b,a", "a, b, a"),
    ],
)
def test_views_are_counted(views, short):
    assert short_views(views) == short


def test_both_registrations_stand_side_by_side(folder):
    frame = load(folder)
    found = judged(frame, AUDITS)
    page = render(frame, found.outcomes, AUDITS, (), found.second)
    rows = registrations.beside(found.outcomes, found.second)
    assert " ".join(row.second.number for row in rows) == "1a 1b 2a 2b 2c 3 4a 4b 5 6"
    assert [row.span for row in rows] == [2, 0, 3, 0, 0, 1, 2, 0, 1, 1]
    assert [row.first.number for row in rows] == [1, 1, 2, 2, 2, 3, 4, 4, 5, 6]
    for words in ("c1ce77c", "1219363", "after the outcomes of the first were known"):
        assert words in page
    rehearsal = "a rehearsal here, on grammar seeds 0–1; it is registered for 200–219"
    assert rehearsal in page
    assert page.index('class="lead"') < page.index('class="board"') < page.index('id="claims"')
    assert {line.name for line in lines(found.board)} == {"backprop", "dfa", "clapp"}

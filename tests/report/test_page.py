"""The page: self-contained, escaped, the same bytes for the same results."""

import base64
import hashlib
import html
import io
import json
import re
from dataclasses import replace
from math import inf
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from synaptree import SynaptreeError, load, make_spec, train_replicas
from synaptree.analysis.settings import short_views
from synaptree.claims.base import Evidence, Outcome
from synaptree.claims.judge import judge
from synaptree.report.page import answer, health_rows, learned, render, steps_to_learn, write_report
from synaptree.report.tables.runs import COLUMNS, state
from synaptree.results.journal import Journal
from synaptree.results.row import failed_row, row_of

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "steps": 4, "tests": 16}


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
    outcomes = judge(load(folder), {})
    path = write_report(folder, outcomes)
    first = path.read_bytes()
    assert write_report(folder, outcomes).read_bytes() == first
    assert [p.name for p in folder.iterdir() if p.is_file()] == ["report.html"]


@pytest.mark.parametrize("comparison", ["<=", ">=", "within ±"])
def test_every_comparison_has_a_sign(folder, comparison):
    shown = Evidence("exponent", "any", 0.2, 0.1, inf, 5, comparison, 0.5, None)
    page = render(load(folder), [Outcome(4, "data", "undecided", (), (shown,))])
    sign = {"<=": "≤", ">=": "≥"}.get(comparison, comparison)
    assert f">{sign} 0.5</td>" in page
    assert "0.2000 [0.1000, ?]" in page


def test_the_data_of_a_figure_are_what_it_draws(folder):
    page = render(load(folder), [])
    links = dict(re.findall(r'download="(\w+).csv" href="data:text/csv;base64,([^"]*)"', page))
    matrix = pd.read_csv(io.BytesIO(base64.b64decode(links["locality"])), index_col="rule")
    online = "clapp (negative=previous)"
    weights = {"backprop": "yes", "dfa": "no", "clapp": "no", online: "no"}
    assert matrix["weights_above"].to_dict() == weights
    bits = pd.read_csv(io.BytesIO(base64.b64decode(links["budget_and_probe"])))
    assert (bits["label"] == "clapp").all()
    assert (bits["bits"] > 0).all()


def test_the_page_needs_nothing_from_outside(folder):
    page = render(load(folder), judge(load(folder), {}))
    assert "default-src 'none'" in page
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{known}'" in page  # this script, and no other
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_says_everything(folder):
    frame = load(folder)
    page = render(frame, judge(frame, {}))
    for text in ("backprop", "dfa", "clapp", "undecided", "Learning curves", "Exact configuration",
                 "How it was made", "standard", "ValueError: &lt;b&gt;planted"):  # fmt: skip
        assert text in page
    error = frame[frame["rule"] == "dfa"]["test_error"].dropna()
    assert f"{100 * error.mean():.1f}%" in page


def test_what_users_name_is_no_markup(folder):
    frame = load(folder)
    frame["label"] = "<script>alert(1)</script>"
    evil = Evidence("<i>x", "<i>g", 0.5, 0.4, 0.6, 3, "<=", 0.5, None)
    page = render(frame, [Outcome(1, "<b>claim", "undecided", ("<u>effect",), (evil,))])
    for markup in ("<script>alert", "<i>", "<b>", "<u>"):
        assert markup not in page
    assert page.count("</script>") == 2  # the data's and the script's


def test_all_runs_are_in_the_table_and_its_csv(folder):
    frame = load(folder)
    page = render(frame, [])
    (data,) = re.findall(r'<script type="application/json" id="runs-data">(.*?)</script>', page)
    rows = json.loads(data)["rows"]
    assert len(rows) == len(frame) == 7
    heads = list(COLUMNS)
    by_name = [dict(zip(heads, row, strict=True)) for row in rows]
    assert [r["test error"] for r in by_name] == pytest.approx(
        [None if np.isnan(e) else e for e in frame["test_error"]], abs=1e-6
    )
    assert [r["state"] for r in by_name].count("failed") == 1
    assert {(r["rule"], r["views"]) for r in by_name} == {
        ("backprop", ""), ("dfa", ""), ("clapp", "same_class × 2")
    }  # fmt: skip
    (link,) = re.findall(r'download="runs.csv" href="data:text/csv;base64,([^"]*)"', page)
    lines = base64.b64decode(link).decode().splitlines()
    assert lines[0] == ",".join(heads)
    assert len(lines) == 8


def test_what_became_of_a_run_is_said():
    done = {"status": "done", "stopped": True, "diverged": True, "collapsed": [1, 3]}
    assert state(done) == "diverged, stopped, collapsed in layer 1, 3"
    assert state({"status": "done", "stopped": False, "collapsed": None}) == "done"
    assert state({"status": "failed", "collapsed": [1]}) == "failed"


def test_who_made_it_is_said(folder):
    about = {"command": "synaptree x", "wall_s": 7200.0, "workers": 2, "cores": 2, "gpu": None}
    page = render(load(folder), [], [about, about])
    assert page.count("synaptree x\n") == 1
    assert "2.0 h on 2 workers" in page


def test_steps_to_learn_are_the_median_over_replicas():
    def run(errors):
        return {"n": 8, "curve_step": [100, 200, 400], "curve_test_error": errors}

    crossing = 0.1 * 7 / 8
    rows = [run([0.8, crossing, 0.0]), run([0.8, 0.8, crossing]), run([crossing, 0.0, 0.0])]
    assert steps_to_learn(pd.DataFrame(rows)) == pytest.approx(200)
    assert steps_to_learn(pd.DataFrame([run([0.8] * 3)] * 2 + rows[:1])) == np.inf


def test_the_answer_follows_from_the_outcomes():
    outcomes = [
        Outcome(1, "A holds", "reproduced", (), ()),
        Outcome(2, "B", "not reproduced", (), ()),
    ]
    nothing = pd.DataFrame(columns=["v", "n", "m", "s", "L", "P", "status", "label"])
    asked = "Of the claims, each asked of every rule and kind of grammar, "
    assert answer(outcomes, nothing) == asked + "reproduced: 1; not reproduced: 2."
    how = (True, True, False, None, None)
    evidence = tuple(Evidence("w", "g", 0, 0, 0, 1, "<=", 1, holds) for holds in how)
    judged = [replace(o, evidence=evidence[: 5 - o.number]) for o in outcomes]
    assert answer(judged, nothing) == asked + "reproduced: 1; not reproduced: 2 (2 of 3 hold)."
    assert judged[0].tally == "2 hold, 1 does not, 1 open"
    assert replace(judged[0], evidence=evidence[1:]).tally == "1 holds, 1 does not, 2 open"
    assert answer([], nothing) == "No claim was judged."


def test_who_learned_what_is_said_of_each_kind_where_both_families_were_run():
    def run(rule, error, L=2, label=None):
        kind = {"v": 4, "n": 4, "m": 2, "s": 2, "L": L, "P": 8}
        return {"rule": rule, "label": label or rule, "status": "done", "test_error": error, **kind}

    beside = [run("backprop", 0.01), run("backprop", 0.03), run("backprop", 0.1, label="untuned")]
    direct, both = [run("dfa", 0.5)], [run("clapp", 0.0), run("lpl", 0.1), run("scff", 0.4)]
    other = [run("dfa", 0.5, L=3), run("clapp", 0.0, L=3)]  # without backprop: nothing to say
    said = learned(pd.DataFrame([*beside, *direct, *both, *other]))
    assert said == [
        "At v=4 n=4 m=2 s=2 L=2 P=8 backprop errs on 2.0%; direct feedback 50.0% (dfa); "
        "layerwise 0.0% (clapp) at best, 10.0% in the middle of 3 rules."
    ]
    deeper = [run("backprop", 0.0, L=3), run("readout_only", 0.7, L=3)]
    said = learned(pd.DataFrame([*beside, *direct, *both, *other, *deeper]))
    assert said[0].startswith(
        "At v=4 n=4 m=2 s=2 L=3 P=8 backprop errs on 0.0%, untrained layers 7"
    )
    assert len(said) == 2


def test_only_failures_make_a_page_too(folder, tmp_path):
    Journal(tmp_path).append(failed_row(make_spec(rule="dfa", **TINY), "ValueError: planted"))
    frame = load(tmp_path)
    assert "ValueError: planted" in render(frame, judge(frame, {}))


def test_a_folder_without_results_or_that_cannot_be_written(folder, tmp_path, monkeypatch):
    with pytest.raises(SynaptreeError, match="holds none"):
        write_report(tmp_path, [])

    before = sorted(folder.iterdir())

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("synaptree.safely.os.replace", full)
    with pytest.raises(SynaptreeError, match="no space left"):
        write_report(folder, [])
    assert sorted(folder.iterdir()) == before  # no half page is left behind


STRANGE = ["$x$ and $\\frac{", "汉字 🦜", "a\x00b\x1bc\ud7ff", "<b>&amp;"]


@pytest.mark.parametrize("label", STRANGE)
def test_a_label_may_be_anything(folder, label):
    frame = load(folder)
    frame["label"] = frame["label"].where(frame["rule"] != "dfa", label)
    page = render(frame, judge(frame, {}))
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
    page = render(frame, judge(frame, {}))
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
    (row,) = [r for r in health_rows(frame[frame["status"] == "done"]) if r["label"] == label]
    others = [r for i, r in alike["rank"].items() if i != first]
    assert row["rank"] == pytest.approx([sum(x) / len(x) for x in zip(*others, strict=True)])
    assert label in render(frame, judge(frame, {}))


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

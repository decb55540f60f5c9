"""The page: self-contained, escaped, the same bytes for the same results."""

import base64
import html
import re
from xml.etree import ElementTree

import pytest

from synaptree import SynaptreeError, load, make_spec, train_replicas
from synaptree.report.page import answer, health_rows, render, short_views, write_report
from synaptree.study.claims import Evidence, Outcome, evaluate
from synaptree.study.journal import Journal, failed_row, row_of

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
    outcomes = evaluate(load(folder))
    path = write_report(folder, outcomes)
    first = path.read_bytes()
    assert write_report(folder, outcomes).read_bytes() == first
    assert [p.name for p in folder.iterdir() if p.is_file()] == ["report.html"]


def test_the_page_needs_nothing_from_outside(folder):
    page = render(load(folder), evaluate(load(folder)))
    assert "default-src 'none'" in page
    assert "<script" not in page
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_says_everything(folder):
    frame = load(folder)
    page = render(frame, evaluate(frame))
    for text in ("backprop", "dfa", "clapp", "undecided", "Learning curves", "Exact configuration",
                 "Versions", "standard", "ValueError: &lt;b&gt;planted"):  # fmt: skip
        assert text in page
    error = frame[frame["rule"] == "dfa"]["test_error"].dropna()
    assert f"{100 * error.mean():.1f}%" in page


def test_what_users_name_is_no_markup(folder):
    frame = load(folder)
    frame["label"] = "<script>alert(1)</script>"
    evil = Evidence("<i>x", "<i>g", 0.5, 0.4, 0.6, 3, "<=", 0.5, None)
    page = render(frame, [Outcome(1, "<b>claim", "undecided", "<u>effect", (evil,))])
    for markup in ("<script", "<i>", "<b>", "<u>"):
        assert markup not in page


def test_the_answer_follows_from_the_outcomes():
    outcomes = [
        Outcome(1, "A holds", "reproduced", "", ()),
        Outcome(2, "B", "not reproduced", "", ()),
    ]
    assert answer(outcomes) == "A holds: reproduced. B: not reproduced."
    assert answer([]) == "No claim was judged."


def test_only_failures_make_a_page_too(folder, tmp_path):
    Journal(tmp_path).append(failed_row(make_spec(rule="dfa", **TINY), "ValueError: planted"))
    frame = load(tmp_path)
    assert "ValueError: planted" in render(frame, evaluate(frame))


def test_a_folder_without_results_or_that_cannot_be_written(folder, tmp_path, monkeypatch):
    with pytest.raises(SynaptreeError, match="holds none"):
        write_report(tmp_path, [])

    before = sorted(folder.iterdir())

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("synaptree.report.page.os.replace", full)
    with pytest.raises(SynaptreeError, match="no space left"):
        write_report(folder, [])
    assert sorted(folder.iterdir()) == before  # no half page is left behind


STRANGE = ["$x$ and $\\frac{", "汉字 🦜", "a\x00b\x1bc\ud7ff", "<b>&amp;"]


@pytest.mark.parametrize("label", STRANGE)
def test_a_label_may_be_anything(folder, label):
    frame = load(folder)
    frame["label"] = frame["label"].where(frame["rule"] != "dfa", label)
    page = render(frame, evaluate(frame))
    shown = re.sub("[\x00\x1b]", "", label)
    assert html.escape(shown) in page
    assert "\x00" not in page
    links = re.findall(r'href="data:image/svg\+xml;base64,([^"]+)"', page)
    drawn = [base64.b64decode(link).decode() for link in links]
    assert drawn
    for svg in drawn:
        ElementTree.fromstring(svg)  # valid XML
    assert any(shown in "".join(ElementTree.fromstring(svg).itertext()) for svg in drawn)


def test_one_run_has_no_interval(folder):
    frame = load(folder)
    frame = frame[frame["seed"] == frame["seed"].min()]
    page = render(frame, evaluate(frame))
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
    assert label in render(frame, evaluate(frame))


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

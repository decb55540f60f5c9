"""The README and docs say what the results say."""

import re
from pathlib import Path

import pytest
import readme
import rule_pages

from synaptree import load, rules
from synaptree.audit.kept import audits
from synaptree.claims.judge import rule_forms
from synaptree.report.page import render
from synaptree.reproduction import judged
from synaptree.results.sessions import sessions

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", readme.PARTS)
def test_pages_say_what_the_results_say(name):
    text = (ROOT / name).read_text("utf-8")
    assert readme.page(name, text) == text


@pytest.mark.parametrize("name", readme.FIGURES)
def test_figures_show_what_the_results_say(name):
    assert (ROOT / "results" / f"{name}.svg").read_text("utf-8") == readme.figure(name)


def test_the_map_of_labels_is_drawn_from_its_readouts():
    assert (ROOT / "results" / "depth-label-map.svg").read_text("utf-8") == readme.label_map()


def test_the_report_is_drawn_again_byte_for_byte():
    folder = ROOT / "results" / readme.HEADLINE
    frame = load(folder)
    kept = audits(None, rule_forms(frame))
    found = judged(frame, kept)
    drawn = render(frame, found.outcomes, kept, sessions(folder), found.second)
    assert drawn.encode() == (folder / "report.html").read_bytes()


def test_every_rule_has_its_page_and_it_says_what_the_audit_finds():
    written = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs" / "rules").iterdir()}
    assert set(written) == set(rules.names())
    assert {name: rule_pages.page(name) for name in written} == written


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def test_links_lead_somewhere():
    for page in (
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "studies").rglob("*.md"),
    ):
        for link in re.findall(r"\]\(([^):]+)\)", page.read_text("utf-8")):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), f"{page}: {link}"
            assert not anchor or anchor in anchors(target), f"{page}: {link}"


def test_where_do_i_change_names_files_that_are_there():
    text = (ROOT / "docs" / "contribute.md").read_text("utf-8")
    table = text.split("## Where do I change …?")[1]
    tasks = re.findall(r"^\| (?!to \|)(\w.*?) \| (.*) \|$", table, re.MULTILINE)
    assert len(tasks) >= 10
    for task, where in tasks:
        places = [place for place in re.findall(r"`([\w/.]+)`", where) if "NAME" not in place]
        assert places or "NAME" in where, task
        for place in places:
            if "/" in place:
                named = (ROOT / place, ROOT / "src" / "synaptree" / place)
                assert any(path.exists() for path in named), f"{task}: {place}"


def test_the_glossary_explains_at_least_twenty_words():
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    assert len(re.findall(r"^- \*\*", text, re.MULTILINE)) >= 20

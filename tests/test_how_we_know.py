"""What docs/how-we-know.md says is what the repository has."""

import re
from pathlib import Path

import synaptree
from synaptree.claims.second.base import REGISTERED
from synaptree.study.search.file import LAST_SEED

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "how-we-know.md").read_text("utf-8")


def test_strings_that_backprop_needs_are_those_of_the_generated_table():
    page = (ROOT / "docs" / "direct-feedback.md").read_text("utf-8")
    for v in (4, 8):
        own, other = (
            re.search(rf"\| {v} \| {name} \| ours \| (\d+) \[(\d+), (\d+)\]", page).groups()
            for name in ("synaptree", "from scratch")
        )
        theirs = re.search(rf"\| {v} \| the RHM authors' code \| [\w, ]+ \| (\d+) ", page)[1]
        cells = [f"{value} ({low}–{high})" for value, low, high in (own, other)]
        assert f"| v=n={v} | {cells[0]} | {cells[1]} | {theirs} |" in TEXT
        above = round(100 * (int(theirs) / int(own[2]) - 1))
        assert above <= 0 if v == 4 else f"{above}% above its end" in TEXT


def test_seeds_of_searches_and_of_the_registration():
    assert f"grammar seeds 0 to {LAST_SEED} only" in TEXT
    assert f"grammar seeds {min(REGISTERED)}–{max(REGISTERED)}" in TEXT


def test_claims_that_were_not_asked_are_named():
    answer = (ROOT / "docs" / "answer.md").read_text("utf-8")
    open_claims = re.findall(r"^\| (\w+) \|.*\| not asked \|$", answer, re.M)
    assert re.findall(r"\((\d\w)\)", TEXT.split("## What was not done")[1]) == open_claims


def test_registered_runs_have_three_or_four_levels_and_labels_in_the_pairs_of_the_top_layer():
    frame = synaptree.load(ROOT / "results" / "laptop", curves=False)
    assert set(frame["L"]) == {3, 4}
    views = set(frame.loc[frame["family"] == "layerwise", "views"])
    assert views
    assert all(re.search(r"(same_class|trace:\d+)$", each) for each in views)
    assert set(frame["seed"]) == set(REGISTERED)


def test_every_search_behind_results_is_there_with_its_runs():
    searched = [path for path in (ROOT / "results").glob("*search*") if path.is_dir()]
    assert len(searched) >= 10
    assert all(list((path / "journal").iterdir()) for path in searched)


def test_runs_that_diverged_are_counted_and_are_those_of_two_searches():
    counts, silent = {}, {}
    for path in (ROOT / "results").glob("*/journal"):
        frame = synaptree.load(path.parent, curves=False)
        assert (frame["status"] == "done").all()
        counts[path.parent.name] = int(frame["diverged"].sum())
        silent[path.parent.name] = int(frame["diverged"].isna().sum())
    some = {name for name, count in counts.items() if count}
    assert some == {"direct-feedback-search", "online-search"}
    assert f"{sum(counts.values())} runs are marked as diverged" in TEXT
    assert f"{silent['direct-feedback-search']} of the oldest rows" in TEXT
    assert sum(silent.values()) == silent["direct-feedback-search"]

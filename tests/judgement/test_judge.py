"""A judgement from end to end, on one tiny kind of grammar: what it says of a copy of a rule, and
of a rule that cheats."""

import html
import io
import re

import pytest
from judged_rules import beside_in, cheat_in, copy_of, in_this_process
from rich.console import Console

from synaptree import load
from synaptree.cli.tables.judged import print_page
from synaptree.judgement import judge as judging
from synaptree.judgement.judge import judge

MEASURED = ["test_error", "train_error", "probe", "sensitivity", "rank", "curve_train_loss"]


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A copy of dfa with dfa's learning rate, and a cheater with lpl's other settings."""
    folder = tmp_path_factory.mktemp("judged")
    beside = beside_in(folder / "beside", ("backprop", "readout_only", "dfa", "drtp", "lpl"))
    rules = [copy_of("dfa", folder, "mine"), cheat_in(folder)]
    with pytest.MonkeyPatch.context() as patch:
        in_this_process(patch)
        found = judge(rules, folder / "out", beside=beside, settings={"lr": "0.02"})
    return found, load(beside)


def test_a_copy_of_a_rule_reproduces_its_row_bit_for_bit(judged):
    found, beside = judged
    original = beside[beside["rule"] == "dfa"].set_index("seed")
    copy = found.frame[found.frame["rule"] == "mine"].set_index("seed")
    assert copy.index.tolist() == original.index.tolist() == [0, 1, 2, 3, 4, 5]
    for name in MEASURED:
        assert copy[name].tolist() == original[name].tolist(), name


def test_it_most_resembles_what_it_is_a_copy_of(judged):
    page = judged[0].pages[0]
    said = dict(page.facts)["Most like"]
    assert said.startswith("dfa: the same audit, distance 0.000 on 6 grammars. Next: ")
    assert not page.warnings


def test_it_is_one_more_row_of_the_scoreboard(judged):
    rows = judged[0].board.set_index("name")
    copy, original = rows.loc["mine (own rule)"], rows.loc["dfa"]
    for name in ("family", "solved", "of", "error", "levels", "labels", "knows"):
        assert copy[name] == original[name], name
    assert set(judged[1]["rule"]) <= set(judged[0].frame["rule"])


def test_a_cheater_is_named_before_all_else(judged):
    page = judged[0].pages[1]
    assert page.name == "peek"
    (warning,) = page.warnings
    assert "declare labels=False" in warning
    assert "the label, in layers 1, 2 and 3 of 3" in warning
    written = html.unescape(judged[0].report.read_text())
    assert written.index(warning) < written.index("Beside the committed rules")
    console = Console(width=80, record=True, file=io.StringIO())
    print_page(page, console)
    lines = console.export_text().splitlines()
    assert lines[1].startswith("peek solves")
    assert lines[2].startswith("✗ not what it says")


def test_the_tier_is_the_one_that_the_audit_finds(judged):
    found = judged[0].frame
    # Its facts deny the label, and its top layer alone compares inputs of a class.
    assert set(found.loc[found["rule"] == "peek", "tier"]) == {"T2"}
    assert dict(judged[0].pages[1].facts)["Labels"].startswith("T2")


def test_the_page_says_what_was_fixed_and_whose_the_other_settings_are(judged):
    copy, cheat = (dict(page.facts)["Settings"] for page in judged[0].pages)
    assert copy.startswith("fixed by hand: lr=0.02; all others as of committed rules (L=2 m=2: d")
    assert cheat.endswith("(L=2 m=2: lpl, same_class × 2)")


def test_numbers_of_the_page_are_those_of_the_runs(judged):
    found, beside = judged
    (row,) = found.pages[0].kinds
    errors = found.frame.loc[found.frame["rule"] == "mine", "test_error"]
    solved = int((errors <= 0.075).sum())
    assert row[0] == "L=2 m=2 P=24"
    assert row[1].startswith(f"{solved} of 6 (")
    assert row[2].startswith(f"{100 * errors.mean():.1f}% [")
    backprop = beside.loc[beside["rule"] == "backprop", "test_error"]
    assert row[4] == f"{(backprop <= 0.075).sum()} of 6, {100 * backprop.mean():.1f}%"


def test_claims_of_other_families_are_one_row_that_says_why(judged):
    *own, others = judged[0].pages[0].claims
    assert [claim.number for claim in own] == ["1a", "1b"]
    assert others.number == "2a, 2b, 2c, 3, 4a, 4b, 5, 6"
    assert others.said.endswith("this one is fixed direct feedback")
    assert all(re.search("^because .", c.said) for c in own if c.verdict == "not asked")


def test_the_report_shows_it_in_tables_and_figures(judged):
    written = judged[0].report.read_text()
    assert written.count("mine (own rule)") > 5
    assert 'class="own"' in written


def test_settings_are_searched_like_those_of_the_committed_rules(tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    beside = beside_in(tmp_path / "beside", ("backprop", "dfa", "readout_only"), seeds=2)
    ran = []
    train = judging.run_study
    monkeypatch.setattr(judging, "run_study", lambda s, *a, **k: ran.append(s) or train(s, *a, **k))
    rule = copy_of("dfa", tmp_path, "mine")
    found = judge(rule, tmp_path / "out", beside=beside)
    tried = load(tmp_path / "out" / "settings")
    assert len(set(tried["lr"])) == 3
    assert set(tried["seed"]) == {0, 1}
    on_both = tried.groupby("lr").filter(lambda runs: len(runs) == 2)
    best = on_both.groupby("lr")["test_error"].mean()
    chosen = set(found.frame.loc[found.frame["rule"] == "mine", "lr"])
    assert len(chosen) == 1
    assert best[chosen.pop()] <= best.min() + 0.0075  # what the resolution tells apart
    said = dict(found.pages[0].facts)["Settings"]
    assert said.startswith("the best of 3 settings on each kind, from the space error, on grammar")
    journals = [len(load(folder)) for folder in (tmp_path / "out", tmp_path / "out" / "settings")]
    again = judge(rule, tmp_path / "out", beside=beside)
    assert [
        len(load(folder)) for folder in (tmp_path / "out", tmp_path / "out" / "settings")
    ] == journals
    assert again.pages == found.pages
    assert [spec.run_id for spec in ran[0]] == [spec.run_id for spec in ran[1]]


def test_quick_takes_few_grammars_and_says_so(tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    beside = beside_in(tmp_path / "beside", ("backprop", "dfa", "readout_only"), seeds=5)
    found = judge(copy_of("dfa", tmp_path, "mine"), tmp_path / "out", beside=beside, quick=True)
    own = found.frame[found.frame["rule"] == "mine"]
    assert own["seed"].tolist() == [0, 1, 2]
    assert set(own["lr"]) == {0.02}
    facts = dict(found.pages[0].facts)
    assert facts["Settings"].startswith("not searched (--quick)")
    assert "--quick leaves out other grammars and P" in facts["Trained on"]
    said = facts["Trained on"].partition(". ")[2]
    low = 0.025 ** (1 / 3)  # all of n solved: the share at which that has a chance of 2.5%
    assert said.startswith("3 grammars a kind decide no claim, since even 3 of 3 solved has the")
    assert f"95% interval {low:.0%}–100%" in said
    assert said.endswith("without --quick there are 5")
    assert not (tmp_path / "out" / "settings").exists()
    # Backprop was run on five grammars, and is counted on the same three.
    assert found.pages[0].kinds[0][4].split(",")[0].endswith("of 3")


def test_one_rule_with_other_options_is_another_row(tmp_path, monkeypatch):
    in_this_process(monkeypatch)
    beside = beside_in(tmp_path / "beside", ("backprop", "readout_only", "lpl"), seeds=2)
    file = cheat_in(tmp_path)
    rules = [f"{file}:Peek(gain=5)", file]
    found = judge(rules, tmp_path / "out", beside=beside, quick=True)
    assert [page.name for page in found.pages] == ["peek (gain=5.0)", "peek"]
    names = set(found.board["name"])
    assert {"peek (own rule)", "peek (gain=5.0) (own rule)"} <= names

"""Search files: what they mean, and the one line that each mistake costs."""

import re

import pytest

from planted import FILE, searched
from synaptree.errors import SynaptreeError
from synaptree.study.search.contest import Rung
from synaptree.study.search.file import KEYS, parse_search, read_search

GOOD = FILE.format(settings=6, widenings=2)
RULES = "rules: [{rule: [backprop, dfa]}]"
SPACE = "{lr: [0.001, 0.003, 0.01], batch: {choice: [16, 32]}}"


def faults(text):
    found = parse_search(text)[1]
    return [f"{fault.line}: {fault.path}: {fault.text}" for fault in found]


def test_a_search_has_a_contest_for_each_rule_on_each_kind():
    search = searched()
    assert [(c.kind, c.rule, c.budget) for c in search.contests] == [
        ("shallow", "backprop", 9600),
        ("shallow", "dfa", 9600),
        ("deep", "backprop", 960),
        ("deep", "dfa", 960),
    ]
    assert [seed["data_seed"] for seed in search.seeds] == [0, 1, 2, 3]
    assert len({c.drawn for c in search.contests}) == 1  # the same settings for all
    for contest in search.contests:
        assert len(contest.drawn) == 6
        for point in contest.drawn:
            spec = contest.spec(point)
            assert spec.steps * spec.batch == contest.budget
            assert (spec.lr, spec.batch) == point.values
            assert (spec.L, spec.width) == ({"shallow": 2, "deep": 3}[contest.kind], 8)


def test_entries_may_have_kinds_views_options_and_spaces_of_their_own():
    other = "other: {rule.scale: [0.3, 1, 3], batch: 16, optimizer: [adam], lr: [0.001, 0.003]}"
    rules = """rules:
  - {rule: backprop, space: direct, kinds: deep}
  - {rule: {name: dfa, feedback: [position, shared]}, space: other, kinds: [deep]}
  - {rule: clapp, views: ["trace:7", "trace:3"], space: direct, kinds: shallow}
"""
    text = GOOD.replace("spaces: {", f"spaces: {{{other}, ").replace(RULES, rules)
    search, found = parse_search(text)
    assert found == []
    assert [(c.kind, c.rule) for c in search.contests] == [
        ("shallow", "clapp, views=trace:7,trace:7"),
        ("shallow", "clapp, views=trace:3,trace:3"),
        ("deep", "backprop"),
        ("deep", "dfa"),
        ("deep", "dfa (feedback=shared)"),
    ]
    dfa = search.contests[-1]
    setting = dfa.space.setting(dfa.drawn[0])
    spec = dfa.spec(dfa.drawn[0])
    assert (spec.rule.scale, spec.rule.feedback) == (setting["rule.scale"], "shared")
    assert (spec.optimizer, spec.lr) == ("adam", setting["lr"])


def test_parts_of_a_space_have_axes_of_their_own():
    adam = "{optimizer: adam, batch: 16, momentum: 0.9, lr: [0.001, 0.003]}"
    sgd = "{optimizer: sgd, batch: 16, momentum: {choice: [0, 0.9]}, lr: [0.03, 0.1]}"
    text = GOOD.replace(SPACE, f"[{adam}, {sgd}]")
    search, found = parse_search(text)
    assert found == []
    specs = [search.contests[0].spec(point) for point in search.contests[0].drawn]
    assert {(s.optimizer, s.lr) for s in specs} == {
        ("adam", 0.001), ("adam", 0.003), ("sgd", 0.03), ("sgd", 0.1)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seeds", "settings", "widenings", "rungs"),
    [
        ("0-3", 16, 4, [Rung(1, 12), Rung(2, 6), Rung(4, 3)]),
        ("0-3", 5, 0, [Rung(1, 5), Rung(2, 3), Rung(4, 2)]),
        ("[3, 7, 9]", 8, 0, [Rung(1, 8), Rung(2, 4), Rung(3, 2)]),
        ("0", 4, 0, [Rung(1, 4)]),
        ("0-1", 1, 0, [Rung(1, 1), Rung(2, 1)]),
        ("0-7", 1, 0, [Rung(1, 1), Rung(2, 1), Rung(4, 1), Rung(8, 1)]),
        ("{grammar: 0-3, network: 0-1}", 4, 0, [Rung(1, 4), Rung(2, 2), Rung(4, 2), Rung(8, 2)]),
    ],
)
def test_by_default_a_rung_has_twice_the_seeds_and_half_the_settings(
    seeds, settings, widenings, rungs
):
    text = GOOD.replace("0.01]", "0.01, 0.03, 0.1, 0.3, 1, 3]")
    for old, new in (("seeds: 0-3", seeds), ("settings: 6", settings), ("widenings: 2", widenings)):
        text = text.replace(old, f"{old.split()[0]} {new}")
    search, found = parse_search(text)
    assert found == []
    assert search.rungs == rungs


def test_a_quarter_of_twelve_settings_is_held_back_by_default():
    text = GOOD.replace("settings: 6\nwidenings: 2\n", "").replace("[16, 32]", "[4, 8, 16, 32]")
    search, found = parse_search(text)
    assert found == []
    assert (search.settings, search.widenings, search.rungs[0].settings) == (12, 3, 9)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seeds: 0-3", "seeds: 18-20", r"2: seeds: 20 given; expected 0 to 19: no search may"),
        ("seeds: 0-3", "seeds: {data: [0, 100]}", r"2: seeds: 100 given; expected 0 to 19"),
        ("seeds: 0-3", "seeds: [1, 1]", r"2: seeds: one is given twice"),
        ("seeds: 0-3", "seeds: 3-0", r"2: seeds: 3-0 given; expected a range"),
        ("seeds: 0-3\n", "", r"seeds: none given; expected as in 0-3"),
        ("settings: 6", "settings: 7", r"7: spaces.direct: 6 settings, but every rule tries 7; ex"),
        ("settings: 6", "settings: 0", r"3: settings: 0; expected an integer from 1 to 1000"),
        ("settings: 6", "settings: six", r"3: settings: 'six'; expected an integer"),
        ("widenings: 2", "widenings: 6", r"4: widenings: 6; expected an integer from 0 to 5"),
        ("widenings: 2", "widening: 2", r"4: widening: key: 'widening' is unknown.*'widenings'\?"),
        ("budget: 9_600", "budget: 9_605", r"8: rules\[0\]: budget: 9605 inputs are no whole num"),
        ("budget: 9_600", "budget: 9_616", r"shallow, backprop, lr=\S+ batch=32: budget: 9616 inp"),
        ("budget: 9_600", "budget: 0", r"6: kinds.shallow: budget: 0; expected an integer from 1"),
        (", budget: 9_600", "", r"6: kinds.shallow: budget is missing"),
        ("P: 64, budget: 9_600", "P: [64, 128], budget: 9_600", r"shallow: P: \[64, 128\]"),
        ("budget: 9_600", "budget: 9_600, steps: 5", r"shallow: steps: follow from"),
        ("P: 64, budget: 960}", "P: 30, budget: 960}", r"deep, backprop, .* batch=32: batch: 32"),
        ("m: 2, P", "mm: 2, P", r"6: kinds.deep: field: 'mm' is unknown"),
        ("lr: [0.001", "lrr: [0.001", r"7: spaces.direct: axis: 'lrr' is unknown.*'lr'\?"),
        ("batch: {choice", "P: {choice", r"7: spaces.direct: P: is alike for all settings"),
        ("batch: {choice", "optimiser: {choice", r"axis: 'optimiser' is unknown.*'optimizer'\?"),
        ("batch: {choice", "batch: {choices", r"batch: \{'choices': \[16, 32\]\} given; expected"),
        (SPACE, "{}", r"direct: \{\} given; ex"),
        (f"{{direct: {SPACE}}}", "{}", r"spaces: \{\}"),
        ("[0.001, 0.003, 0.01]", "[]", r"lr: an empty list given"),
        ("[0.001, 0.003, 0.01]", "[0.01, 0.003]", r"lr: \[0.01, 0.003\] given; expected rising"),
        ("[0.001, 0.003, 0.01]", "[0.01, 0.01]", r"lr: 0.01 given; expected values that differ"),
        ("[0.001, 0.003, 0.01]", "[fast]", r"lr: 'fast'.*expected a.*number"),
        ("batch: {choice: [16, 32]}", "optimizer: [adam]", None),
        ("lr: [0.001, 0.003, 0.01]", "optimizer: [adam, sgd]", r"optimizer: an axis without lr"),
        ("batch: {choice: [16, 32]}", "batch: 16, rule.gain: [1, 2]", r"backprop: 'gain' is"),
        (SPACE, "[{lr: [0.1, 0.3], batch: 16}, {lr: [1, 3]}]", r"batch: is missing in"),
        ("kinds:", "rungs: [{seeds: 1, budget: 0.003}, {seeds: 4}]\nkinds:", r"budget: 28.8"),
        (RULES, "rules: [{rule: bakprop}]", r"8: rules\[0\].rule: .*'bakprop' is unknown"),
        (RULES, "rules: [{rule: dfa, space: dirct}]", r"rules\[0\]: space: 'dirct' is unknown"),
        (RULES, "rules: [{rule: dfa, kinds: dep}]", r"rules\[0\]: kinds: 'dep' is unknown.*'deep'"),
        (RULES, "rules: [{rule: dfa, lr: 0.1}]", r"rules\[0\]: lr: is an axis of the space direct"),
        (RULES, "rules: [{rule: dfa, steps: 10}]", r"rules\[0\]: steps: follow from budget"),
        (RULES, "rules: [{rule: dfa, seeds: 3}]", r"rules\[0\]: seeds: are those of the search"),
        (RULES, "rules: [{rule: [dfa, dfa]}]", r"rules: dfa stands 2 times on shallow"),
        (RULES, "rules: [dfa]", r"rules\[0\]: 'dfa' given; expected as in"),
        (RULES, "rules: []", r"rules: expected a list of at least one entry"),
        (RULES, "runs: [{rule: dfa}]", r"8: runs: key: 'runs' is unknown"),
        ("kinds:", "rungs: [{seeds: 1}]\nkinds:", r"6: rungs: the last rung has 1 seeds and 1 of"),
        ("kinds:", "rungs: [{seeds: 4, budget: 0.5}]\nkinds:", r"last rung has 4 .* 0.5"),
        ("kinds:", "rungs: [{seeds: 4, budget: 2}]\nkinds:", r"rungs: budget: 2 given"),
        ("kinds:", "rungs: [{seeds: 5}]\nkinds:", r"seeds: 5; expected an integer from 1 to 4"),
        ("kinds:", "rungs: [{seeds: 4, settings: 3}]\nkinds:", r"first rung has 3; expected 4"),
        ("kinds:", "rungs: [{seed: 4}]\nkinds:", r"rungs: 'seed' is unknown.*'seeds'\?"),
        ("kinds:", "rungs: 4\nkinds:", r"6: rungs: 4 given; expected a list"),
        ("kinds:", "draw_seed: -1\nkinds:", r"6: draw_seed: -1; expected an integer >= 0"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_says_where_and_what_was_expected(old, new, says):
    assert old in GOOD
    found = faults(GOOD.replace(old, new, 1))
    if says is None:  # another space of three settings: too few, and nothing else is wrong
        says = r"spaces.direct: 3 settings, but every rule tries 6"
    assert found
    assert any(re.search(says, fault) for fault in found), found
    assert all("\n" not in fault for fault in found)


def test_an_option_is_an_axis_or_fixed():
    text = GOOD.replace(SPACE, "{lr: [0.001, 0.003, 0.01], batch: 16, rule.scale: [1, 3]}")
    text = text.replace(RULES, "rules: [{rule: {name: dfa, scale: 3}}]")
    assert "rule.scale: 3.0 given, and an axis of the space direct too" in "\n".join(faults(text))


def test_a_batch_holds_whole_objects():
    text = GOOD.replace(RULES, "rules: [{rule: clapp, views: 'trace:5', kinds: shallow}]")
    assert "expected a multiple of 6" in "\n".join(faults(text))


def test_settings_that_stand_in_two_parts_of_a_space_are_refused():
    part = "{lr: [0.001, 0.003, 0.01], batch: 16}"
    text = GOOD.replace(SPACE, f"[{part}, {part}]")
    assert "are the same run of backprop; expected parts that differ" in "\n".join(faults(text))


def test_all_faults_come_at_once_with_the_file_and_their_lines(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(GOOD.replace("settings: 6", "settings: x").replace("seeds: 0-3", "seeds: 99"))
    with pytest.raises(SynaptreeError) as caught:
        read_search(file)
    lines = str(caught.value).split("\n")
    assert [line.split(": ")[0] for line in lines] == [f"{file}:2", f"{file}:3"]


@pytest.mark.parametrize("text", ["", "[1, 2]", "a", "{", "seeds: {", "kinds: 3\nrules: 5"])
def test_whatever_is_no_search_is_refused(text):
    assert faults(text)


def test_the_keys_are_those_that_the_error_lists():
    assert faults("[]") == [f"1: file: expected the keys {', '.join(KEYS)}"]

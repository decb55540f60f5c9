"""Study files: grids, and every fault at once with its line and the nearest valid name."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synaptree import SynaptreeError, rules
from synaptree.study.files import parse_study, read_study
from synaptree.study.preset import PRESETS, preset

HEAD = "defaults: {v: 8, n: 8, s: 2}\n"


def runs_of(text):
    specs, faults = parse_study(HEAD + text)
    assert faults == []
    return specs


def faults_of(text):
    return [(f.line, f.path, f.text) for f in parse_study(text)[1]]


def test_lists_are_axes_and_entries_are_joined():
    specs = runs_of(
        "seeds: [3, 4]\n"
        "runs:\n"
        "  - {rule: [backprop, dfa], L: [2, 3], m: 4, P: 64, batch: 32}\n"
        "  - {rule: dfa, L: 2, m: 4, P: 64, batch: 32}\n"  # in the grid already
        "  - {rule: dfa, L: 2, m: 4, P: 65, batch: 32}\n"
    )
    assert len(specs) == 2 * 2 * 2 + 2
    assert {s.grammar_seed for s in specs} == {s.network_seed for s in specs} == {3, 4}
    assert len({s.run_id for s in specs}) == len(specs)


def test_options_of_a_rule_are_axes_too():
    specs = runs_of(
        "runs:\n"
        "  - rule: [{name: dfa, scale: [1, 2]}, {name: masking, masks: [true, none]}]\n"
        "    L: 3\n    m: 4\n    P: 512\n"
    )
    assert [s.rule for s in specs] == [
        rules.get("dfa", scale=1),
        rules.get("dfa", scale=2),
        rules.get("masking", masks="true"),
        rules.get("masking", masks="none"),
    ]


def test_views_are_written_as_on_the_command_line():
    (a, b) = runs_of(
        'runs: [{rule: clapp, views: ["sibling,same_class", same_class], L: 3, m: 4, P: 512}]'
    )
    assert a.views == ("sibling", "sibling", "same_class")
    assert b.views == ("same_class",) * 3


@settings(max_examples=20, deadline=None)
@given(m=st.integers(2, 8), L=st.integers(3, 4), k=st.sampled_from([0.25, 0.5, 1, 2]))
def test_P_in_multiples_is_of_n_m_to_the_L(m, L, k):
    (spec,) = runs_of(f"runs: [{{rule: dfa, L: {L}, m: {m}, P: {k}x, batch: 2}}]")
    assert max(1, round(k * 8 * m**L)) == spec.P


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("0-3", [0, 1, 2, 3]), ("5", [5]), ("[1, 9]", [1, 9])],
)
def test_seeds(text, seeds):
    specs = runs_of(f"seeds: {text}\nruns: [{{rule: dfa, L: 3, m: 4, P: 512}}]")
    assert [s.data_seed for s in specs] == seeds


def test_an_entry_may_have_seeds_of_its_own():
    run = "rule: dfa, L: 2, m: 4, P: 64, batch: 32"
    specs = runs_of(f"seeds: 0-1\nruns:\n  - {{{run}}}\n  - {{{run}, lr: 0.1, seeds: 5-7}}\n")
    assert [(s.lr, s.grammar_seed) for s in specs] == [
        *((0.001, seed) for seed in (0, 1)),
        *((0.1, seed) for seed in (5, 6, 7)),
    ]
    ((line, path, text),) = faults_of(f"runs:\n  - {{v: 8, n: 8, {run}, seeds: -1}}\n")
    assert (line, path) == (2, "runs[0].seeds")
    assert "-1 given; expected greater than or equal to 0" in text


def test_seeds_of_different_kinds_are_a_grid():
    specs = runs_of(
        "seeds: {grammar: 0-1, network: [5, 6, 7]}\nruns: [{rule: dfa, L: 3, m: 4, P: 512}]"
    )
    assert [(s.grammar_seed, s.data_seed, s.network_seed) for s in specs] == [
        (g, 0, n) for g in (0, 1) for n in (5, 6, 7)
    ]


def test_all_faults_are_reported_at_once_with_line_and_path():
    found = faults_of(
        "seeds: 0-x\n"  # 1
        "defaults: {v: 8, n: 8, s: 2, widht: 3}\n"  # 2
        "runs:\n"
        "  - rule: [backprop, {name: dfa, scal: [1, 2]}, clap]\n"  # 4
        "    L: 3\n"
        "    m: 4\n"
        "    P: [1x, 4y]\n"  # 7
        "    m: 5\n"  # 8
        "  - {rule: dfa, L: 0, m: 9, lr: fast}\n"  # 9
        "rums: 3\n"  # 10
    )
    expected = [
        (1, "seeds", "'0-x' given"),
        (2, "defaults.widht", "did you mean 'width'"),
        (4, "runs[0].rule", "did you mean 'scale'"),
        (4, "runs[0].rule", "did you mean 'clapp'"),
        (7, "runs[0].P", "'4y' given"),
        (8, "m", "given twice, first in line 6"),
        (9, "runs[1].L", "0 given"),
        (9, "runs[1].lr", "'fast' given"),
        (9, "runs[1]", "P is missing"),
        (10, "rums", "did you mean 'runs'"),
    ]
    for line, path, text in expected:
        assert any((line, path) == f[:2] and text in f[2] for f in found), (line, path, text)


def test_faults_of_whole_runs_name_the_entry():
    found = faults_of(
        HEAD + "runs:\n"
        "  - {rule: clapp, L: 3, m: 4, P: 512}\n"
        "  - {rule: dfa, L: 3, m: [4, 9], P: [1x, 1000x]}\n"
    )
    assert [f[:2] for f in found] == [
        (3, "runs[0]"),
        (4, "runs[1]"),
        (4, "runs[1]"),
        (4, "runs[1]"),
    ]
    assert "compares two views" in found[0][2]
    assert any("largest valid m is 8" in f[2] for f in found)
    assert any("expected at most 131071" in f[2] for f in found)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "runs: []", "runs: 3", "runs: [3]", "a: [", "\t", "runs: {a: 1}", "&a [*a]",
     "runs: [{rule: []}]", "? [1, 2]\n: 3", "1: 2", "seeds: {gramar: 1}\nruns: []", "[" * 5000,
     "!!python/object/apply:os.system [echo]", "defaults: 3\nruns: [{}]", "runs: [{rule: {a: 1}}]",
     "runs: [{rule: dfa, v: 2, n: 2, m: 1, L: 2, P: .nan}]", "seeds: 0-99999999999\nruns: [{}]",
     "runs: [{rule: clapp, views: [[sibling]]}]", "runs: [{rule: dfa, P: 0x}]"],
)  # fmt: skip
def test_no_text_is_a_traceback(text):
    specs, faults = parse_study(text)
    assert faults
    assert specs == []
    assert all("\n" not in f.text for f in faults)


@pytest.mark.parametrize(
    "text",
    ["!!int abc", "!!float ''", "2026-13-45", "2026-01-01 99:00:00", "0x_", "1" * 5000,
     "!!map [1]", "!!set [1]", "!!omap 3", "!!binary é", "!!timestamp x", "!!bool maybe"],
)  # fmt: skip
def test_a_text_that_breaks_the_promise_of_its_tag_is_a_fault_with_its_line(text):
    ((line, path, says),) = faults_of(f"seeds: 0\nruns: [{{rule: dfa, L: {text}}}]")[:1]
    assert line == 2
    assert path in ("file", "runs[0].L", "runs[0]")
    assert len(says) < 200 or text == "1" * 5000
    assert runs_of_nothing('"\\U00110000"')


def runs_of_nothing(text):
    specs, faults = parse_study(f"runs: {text}")
    return specs == [] and faults


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    specs, faults = parse_study(text)
    assert faults or specs


def test_errors_name_the_file(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(HEAD + "runs: [{rule: clap, L: 3, m: 4, P: 512}, {rule: dfa, L: 3, P: 4}]")
    with pytest.raises(SynaptreeError) as caught:
        read_study(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{path}:2: runs[") for line in lines)
    with pytest.raises(SynaptreeError, match="cannot be read"):
        read_study(tmp_path / "none.yaml")


def test_a_grid_without_end_is_refused():
    many = ", ".join(map(str, range(1, 60)))
    axes = ", ".join(f"{name}: [{many}]" for name in ("steps", "tests", "width", "batch"))
    (fault,) = faults_of(HEAD + f"runs: [{{rule: dfa, L: 3, m: 4, P: 512, {axes}}}]")
    assert "expected at most 200000 in a study" in fault[2]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid(name):
    specs = preset(name)
    assert len({s.run_id for s in specs}) == len(specs)
    # Settings were chosen on grammar seeds 0-9; claims are judged on others.
    assert min(s.grammar_seed for s in specs) >= 100


def test_the_studies_that_come_with_the_package_are_valid():
    folder = Path(__file__).parents[2] / "studies"
    sizes = {path.name: len(read_study(path)) for path in folder.rglob("*.yaml")}
    assert sizes["smoke.yaml"] >= 20
    assert len(sizes) >= 2


def test_a_file_that_is_not_there_names_the_nearest_that_is(tmp_path):
    (tmp_path / "smoke.yaml").write_text("runs: []")
    with pytest.raises(SynaptreeError, match=r"no such file.*did you mean '.*smoke.yaml'"):
        read_study(tmp_path / "smoke.yml")
    with pytest.raises(SynaptreeError, match=r"no such file or directory\)$"):
        read_study(tmp_path / "nowhere" / "x.yaml")

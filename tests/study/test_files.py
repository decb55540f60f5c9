"""Study files: grids, and every fault at once with its line and the nearest valid name."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synaptree import SynaptreeError, rules
from synaptree.claims import second
from synaptree.reproduction import conclude
from synaptree.study.files import claims_of, parse_study, read_study
from synaptree.study.preset import PRESETS, preset
from synaptree.study.run import run_study
from synaptree.study.search.file import read_search

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


def test_options_may_stand_behind_the_name_of_a_rule(tmp_path):
    (tmp_path / "mine.py").write_text((Path(rules.__file__).parent / "dfa.py").read_text())
    (tmp_path / "study.yaml").write_text(
        "runs:\n  - {rule: ['mine.py:DFA(scale=2)', {name: mine.py, scale: 2}, dfa(scale=2)], "
        "v: 4, n: 4, L: 2, m: 4, P: 128}\n"
    )
    own, packaged = read_study(tmp_path / "study.yaml")  # the first two are the same run
    assert own.rule.scale == 2
    assert packaged.rule == rules.get("dfa", scale=2)


def test_views_are_written_as_on_the_command_line():
    (a, b) = runs_of(
        'runs: [{rule: clapp, views: ["sibling,same_class", same_class], L: 3, m: 4, P: 512}]'
    )
    assert a.views == ("sibling", "sibling", "same_class")
    assert b.views == ("same_class",) * 3


@settings(max_examples=20)
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


RUN = "runs: [{rule: dfa, L: 3, m: 4, P: 512}]\n"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("claims: [1a, 2c]\n", ["1a", "2c"]),
        ("claims: [3, '4a']\n", ["3", "4a"]),  # 3 without quotes is a number
        ("", None),
    ],
)
def test_a_study_names_the_claims_that_its_runs_are_asked(text, numbers):
    plain, named = runs_of(RUN), runs_of(text + RUN)
    assert claims_of(HEAD + text + RUN) == numbers
    assert [s.run_id for s in named] == [s.run_id for s in plain]


@pytest.mark.parametrize(
    "value", ["1a", "3", "{1a: 2b}", "[[1a]]", "[1.5]", "[{a: 1}]", "[]", "[true]"]
)
def test_claims_of_another_type_are_refused_with_one_line(value, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(f"{HEAD}claims: {value}\n{RUN}")
    with pytest.raises(SynaptreeError) as caught:
        read_study(path)
    assert str(caught.value) == f"{path}:2: claims: expected a list, as [1a, 2c]"
    assert claims_of(path.read_text()) is None


def test_a_folder_is_asked_the_claims_that_its_study_names(tmp_path):
    small = "v: 4, n: 4, s: 2, m: 2, L: 2, P: 8, batch: 4, tests: 4, width: 4, steps: 1"
    run = f"seeds: 200\nruns: [{{rule: readout_only, {small}, evaluations: 1}}]\n"
    study, folder = tmp_path / "study.yaml", tmp_path / "results"

    def asked(claims):
        study.write_text(claims + run)
        run_study(study, folder, workers=1, portrait=False)
        return [outcome.number for outcome in conclude(folder).second]

    assert asked("claims: [3, 1a]\n") == ["1a", "3"]  # in the order of the registration
    assert asked("") == [claim.number for claim in second.CLAIMS]
    folder = tmp_path / "refused"
    with pytest.raises(SynaptreeError) as caught:
        asked("claims: [1a, 5x]\n")
    numbers = ", ".join(sorted(claim.number for claim in second.CLAIMS))
    assert str(caught.value) == (
        f"{study}:1: claims: '5x' is unknown; expected one of {numbers}; did you mean '5'?"
    )
    assert not folder.exists()  # so that nothing was trained


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
    ["!!int abc", "!!float ''", "!!int '040'", "!!bool on", "!!null x", "0x_", "1" * 5000,
     "!!map [1]", "!!seq 3", "!!str [1]", "!!int [1]", "!!set [1]", "!!omap 3", "!!binary aa",
     "!!timestamp x", "!!merge x", "!foo 3", '"\\U00110000"', "*nowhere", "&a [*a]",
     # What YAML 1.1 took for other numbers, for truth or for dates.
     "040", "0o40", "0x10", "0b11", "1:30", "on", "yes", "true", "2026-01-01", "2026-13-45",
     "2026-01-01 99:00:00", "1_0.5_", "1e", "~", "''"],
)  # fmt: skip
@pytest.mark.parametrize("field", ["L", "lr"])
def test_what_is_no_number_is_a_fault_with_its_line(field, text):
    fields = {"rule": "dfa", "v": 8, "n": 8, "m": 4, "L": 3, "P": 64, "batch": 32} | {field: text}
    body = ", ".join(f"{name}: {value}" for name, value in fields.items())
    ((line, path, says),) = faults_of(f"seeds: 0\nruns: [{{{body}}}]")
    assert line == 2
    assert path in ("file", f"runs[0].{field}")
    assert len(says) < 200


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [("P", "1e2", 100), ("P", "1_000", 1000), ("P", "128.0", 128), ("P", "0.5x", 256),
     ("P", "2 x", 1024), ("lr", "1e-3", 1e-3), ("lr", "5.", 5.0), ("lr", ".5", 0.5),
     ("lr", "1", 1.0), ("steps", "+7", 7)],
)  # fmt: skip
def test_numbers_as_people_write_them(field, text, value):
    (spec,) = runs_of("runs: [{rule: dfa, L: 3, m: 4, P: 512, batch: 32}]".replace(
        "P: 512", f"P: 512, {field}: {text}" if field != "P" else f"P: {text}"))  # fmt: skip
    assert getattr(spec, field) == value


def test_views_may_have_blanks():
    (spec,) = runs_of('runs: [{rule: clapp, views: "sibling, same_class", L: 2, m: 4, P: 256}]')
    assert spec.views == ("sibling", "same_class")


def test_merged_mappings_count_as_in_yaml():
    """Own fields before merged ones, the first of several before the others."""
    (spec,) = runs_of(
        "anchors: [&a {lr: 0.1, steps: 5}, &b {lr: 0.2, tests: 7}]\n"
        "runs: [{<<: [*a, *b], rule: dfa, L: 3, m: 4, P: 512, steps: 9}]"
    )
    assert (spec.lr, spec.steps, spec.tests) == (0.1, 9, 7)
    assert faults_of(HEAD + "runs: [{<<: 3, rule: dfa}]")[0][2].startswith("no study: << names")


@settings(max_examples=60)
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


MANY = ", ".join(map(str, range(1, 60)))
LEVELS = range(1, 60)
BOMBS = {
    "grid": f"runs: [{{rule: dfa, steps: [{MANY}], tests: [{MANY}], width: [{MANY}]}}]",
    "options": f"runs: [{{rule: {{name: lpl, a: [{MANY}], b: [{MANY}], c: [{MANY}]}}}}]",
    "seeds": "seeds: {grammar: 0-999, data: 0-999, network: 0-999}\nruns: [{rule: dfa}]",
    "range": "seeds: 0-99999999999\nruns: [{rule: dfa}]",
    "long lists": f"runs: [{{lr: [{'1,' * 250_000}], steps: [{'1,' * 250_000}]}}]",
    "longest list": f"runs: [{{lr: [{'1,' * 1_000_000}]}}]",
    "entries": "seeds: 0-199\nruns:\n" + "- {rule: dfa}\n" * 1200,
    "aliases": "anchors:\n- &a0 [1]\n"
    + "".join(f"- &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in LEVELS)
    + "runs: [{rule: dfa, lr: *a59}]",
    "merges": "anchors:\n- &a0 {v: 8}\n"
    + "".join(f"- &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in LEVELS)
    + "runs: [{<<: *a59, rule: 3}]",
    "depth": "[" * 100_000,
    "depth of blocks": "- " * 100_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_what_has_no_end_is_refused_before_it_is_built(bomb):
    began = time.perf_counter()
    specs, faults = parse_study(BOMBS[bomb])
    assert time.perf_counter() - began < 2.5  # a third of it where nothing else runs
    assert specs == []
    assert 1 <= len(faults) < 10
    assert all(len(fault.text) < 600 for fault in faults)


def test_a_study_has_at_most_a_stated_number_of_runs():
    fields = "rule: dfa, v: 8, n: 8, m: 4, L: 3, P: 512"
    ((line, path, says),) = faults_of(f"seeds: 0-99999\nruns:\n- {{{fields}, lr: [1, 2, 3]}}")
    assert (line, path) == (3, "runs")
    assert says == "300000 runs; expected at most 200000 in a study"


def test_twenty_faults_are_printed_and_the_others_counted(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("runs:\n" + "  - 3\n" * 90)
    with pytest.raises(SynaptreeError) as caught:
        read_study(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 70 more"


def test_many_entries_take_seconds():
    entries = "".join(f"- {{rule: dfa, P: {512 + i}, steps: {i + 1}}}\n" for i in range(2000))
    began = time.perf_counter()
    assert (
        len(runs_of(f"anchors: 0\nruns:\n{entries}".replace("{rule", "{m: 4, L: 3, rule"))) == 2000
    )
    assert time.perf_counter() - began < 4  # 0.4 s where nothing else runs; it was 2.3 s


@pytest.mark.parametrize("rule", ["{name: dfa, scale: []}", "[]"])
def test_an_empty_list_makes_no_run_vanish(rule):
    faults = faults_of(HEAD + f"runs: [{{rule: {rule}, L: 3, m: 4, P: 512}}]")
    assert [fault[1] for fault in faults] == ["runs[0].rule"]
    assert "an empty list given" in faults[0][2]


def test_a_file_without_end_is_refused():
    with pytest.raises(SynaptreeError, match="more than 67108864 bytes; expected a study file"):
        read_study(Path("/dev/zero"))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid(name):
    specs = preset(name)
    assert len({s.run_id for s in specs}) == len(specs)
    # Settings were chosen on grammar seeds 0-2; claims are judged on others.
    assert min(s.grammar_seed for s in specs) >= 100


def test_the_studies_that_come_with_the_package_are_valid():
    folder = Path(__file__).parents[2] / "studies"
    every = set(folder.rglob("*.yaml"))
    searches = {path for path in every if "\nkinds:" in path.read_text()}
    assert all(read_search(path).contests for path in searches)
    sizes = {path.name: len(read_study(path)) for path in every - searches}
    assert sizes["smoke.yaml"] >= 20
    assert len(sizes) >= 2


def test_a_file_that_is_not_there_names_the_nearest_that_is(tmp_path):
    (tmp_path / "smoke.yaml").write_text("runs: []")
    with pytest.raises(SynaptreeError, match=r"no such file.*did you mean '.*smoke.yaml'"):
        read_study(tmp_path / "smoke.yml")
    with pytest.raises(SynaptreeError, match=r"no such file or directory\)$"):
        read_study(tmp_path / "nowhere" / "x.yaml")

"""The runs of the depth study: the winners' settings, on the grammars that are declared."""

import copy
import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from synaptree import make_spec
from synaptree.results.journal import Journal
from synaptree.results.row import row_of
from synaptree.study.files import read_study
from synaptree.study.search.file import read_search
from synaptree.study.write import fields_of
from synaptree.training.loop import train_replicas

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "studies" / "depth"


def loaded(name):
    """A program of the study as a module."""
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


ladders = loaded("ladders")
WINNERS = {
    "runs": [
        {"rule": "backprop", "v": 8, "n": 8, "m": 4, "L": 4, "P": 2048, "width": 64, "lr": 0.3,
         "parametrisation": "mean_field", "steps": 4000, "evaluations": 10, "tests": 4096},
        {"rule": {"name": "lpl", "dims": 32}, "v": 8, "n": 8, "m": 4, "L": 4, "P": 2048,
         "views": "sibling,sibling,sibling,same_class", "width": 64, "lr": 0.003, "steps": 4000,
         "evaluations": 10, "tests": 4096},
        {"rule": "clapp", "v": 8, "n": 8, "m": 3, "L": 4, "P": 648, "steps": 4000, "width": 64,
         "views": "sibling,sibling,sibling,same_class", "evaluations": 10, "tests": 4096},
    ],
    "anchors": {
        "winners": [
            {"kind": "L4m4", "rule": "backprop"}, {"kind": "L4m4", "rule": "lpl"},
            {"kind": "L4m3", "rule": "clapp"},
        ]
    },
}  # fmt: skip
BY_NAME = {part.name: part for part in ladders.PARTS}


def study(name, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(ladders.text(BY_NAME[name], {"L4": WINNERS}))
    return read_study(path)


def test_needs_have_the_winners_settings_and_the_authors_recipe(tmp_path):
    specs = study("needs", tmp_path)
    assert {spec.grammar_seed for spec in specs} == set(range(200, 210))
    found = {(s.rule.name, s.m, s.optimizer): s for s in specs}
    assert set(found) == {
        ("backprop", 4, "adam"), ("lpl", 4, "adam"), ("clapp", 3, "adam"),
        ("backprop", 4, "sgd"), ("backprop", 3, "sgd"),
    }  # fmt: skip
    lpl = found["lpl", 4, "adam"]
    assert (lpl.rule.dims, lpl.lr, lpl.steps, lpl.width) == (32, 0.003, 4000, 64)
    authors = found["backprop", 3, "sgd"]
    assert (authors.stop_loss, authors.lr_schedule, authors.weight_decay) == (0.001, "constant", 0)
    assert {spec.P for spec in specs if spec.m == 4} == {160, 32768}
    assert {spec.P for spec in specs if spec.m == 3} == {160, 8192}


def test_a_change_replaces_the_winners_own_and_views_are_for_those_that_have_them(tmp_path):
    specs = study("three-children", tmp_path)
    assert {(s.rule.name, s.s, s.L, s.views) for s in specs} == {
        ("backprop", 3, 3, ()),
        ("lpl", 3, 3, ("sibling", "sibling", "same_class")),
    }
    assert {spec.width for spec in study("width", tmp_path)} == {16, 32, 64, 128, 256, 512}


def test_of_two_searches_the_last_one_counts_but_where_P_star_is_sought(tmp_path):
    later = copy.deepcopy(WINNERS)
    later["runs"][1]["rule"]["dims"], later["runs"][1]["lr"] = 8, 0.01
    for name, dims in (("width", {8}), ("needs", {8, 32})):
        path = tmp_path / f"{name}.yaml"
        path.write_text(ladders.text(BY_NAME[name], {"L4": WINNERS, "close": later}))
        specs = read_study(path)
        assert {s.rule.dims for s in specs if s.rule.name == "lpl"} == dims
        assert {s.lr for s in specs if s.rule.name == "backprop" and s.optimizer == "adam"} == {0.3}


@pytest.mark.parametrize("part", ladders.PARTS, ids=lambda part: part.name)
def test_each_part_names_a_search_its_kinds_and_seeds_that_no_search_sees(part, tmp_path):
    paths = {name: FOLDER / f"search-{name}.yaml" for name in part.searches}
    files = [yaml.safe_load(path.read_text()) for path in paths.values()]
    winners = {}
    for name, path in paths.items():
        asked = read_search(path).contests
        winners[name] = {
            "runs": [fields_of(contest.spec(contest.drawn[0])) for contest in asked],
            "anchors": {"winners": [{"kind": each.kind, "rule": each.rule} for each in asked]},
        }
    path = tmp_path / "run.yaml"
    path.write_text(ladders.text(part, winners))
    specs = read_study(path)  # every run of it is one that can be made
    assert {spec.P for spec in specs} == {P for sizes in part.sizes.values() for P in sizes}
    assert {spec.rule.name for spec in specs} >= set(part.only)
    assert set(part.sizes) <= {kind for file in files for kind in file["kinds"]}
    first, last = map(int, part.seeds.split("-"))
    assert 200 <= first <= last <= 209
    rules = [entry["rule"] for file in files for entry in file["rules"]]
    names = [name for rule in rules for name in listed(rule)]
    assert set(part.only) <= set(names)


def listed(rule):
    rules = rule if isinstance(rule, list) else [rule]
    return [each if isinstance(each, str) else each["name"] for each in rules]


def test_backprop_tries_as_many_settings_as_any_rule_at_each_depth():
    for L in range(2, 8):
        asked = read_search(FOLDER / f"search-L{L}.yaml")
        assert {contest.base.width for contest in asked.contests} == {64}
        per_rule = {c.rule: len(c.drawn) for c in asked.contests}
        assert set(per_rule.values()) == {per_rule["backprop"]} == {9}
        assert all(c.base.n * c.base.m**c.base.L == c.base.P for c in asked.contests)


def test_close_searches_give_backprop_the_most_settings_and_fewer_strings():
    first, backprop, close = (
        read_search(FOLDER / f"search-{name}.yaml").contests for name in ("L6", "backprop", "close")
    )
    assert {(c.base.L, c.rule) for c in backprop} == {(5, "backprop"), (6, "backprop")}
    assert {len(c.drawn) for c in backprop} == {18}
    assert {len(c.drawn) for c in (*first, *close)} == {9}
    assert all(c.base.n * c.base.m**c.base.L > c.base.P for c in backprop)
    rules = {L: {c.rule for c in close if c.base.L == L} for L in (4, 5, 6)}
    assert rules[6] == {c.rule for c in first} - {"backprop"}
    assert rules[4] == rules[5] == rules[6] | {"vicreg"}
    deep = [c for c in (*first, *backprop, *close) if c.base.L == 6]
    assert {c.kind for c in deep if c.budget != 1_024_000} == {"L6m4-long"}


def test_the_figure_of_depth_joins_folders_and_reads_depths_from_untrained_networks(
    tmp_path, monkeypatch
):
    small = {"v": 4, "n": 3, "m": 2, "width": 2, "batch": 4, "steps": 40, "evaluations": 1}
    kinds = [(L, (16, 32, 64)) for L in (3, 4)]
    for folder, rule in (("untrained", "readout_only"), ("needs", "dfa")):
        journal = Journal(tmp_path / folder)
        for L, sizes in kinds:
            for P in sizes:
                (result,) = train_replicas([make_spec(rule=rule, L=L, P=P, **small)])
                journal.append(row_of(result))
    out = tmp_path / "figure"
    words = ["data-against-depth.py", str(out), str(tmp_path / "needs")]
    for folders, along in (
        ([], "L, levels"),
        ([str(tmp_path / "untrained")], "levels left to learn"),
    ):
        monkeypatch.setattr(sys, "argv", words + folders)
        loaded("data-against-depth").main()
        table = pd.read_csv(out.with_suffix(".csv"))
        assert set(table["along"]) == {along}
        assert set(table["label"]) == {"dfa"}
        assert out.with_suffix(".svg").read_text().startswith("<svg")

"""The second registration: its searches are fair, and its presets are their winners."""

import re
from pathlib import Path

import presets
import pytest
import yaml

from synaptree import load
from synaptree.study.files import read_study
from synaptree.study.preset import preset

ROOT = Path(__file__).parent.parent
SEARCHES = [
    ROOT / "studies" / "registration-2" / f"{name}.yaml"
    for name in sorted({part.search for part in presets.LAPTOP})
]
JUDGED = range(200, 220)


def kept(search: Path) -> Path:
    return ROOT / "results" / f"registration-2-{search.stem}"


def facts(search: Path) -> list[dict]:
    return yaml.safe_load((kept(search) / "winners.yaml").read_text())["anchors"]["winners"]


@pytest.mark.parametrize("search", SEARCHES, ids=lambda path: path.stem)
def test_every_rule_has_as_many_settings_inputs_and_runs(search):
    asked = yaml.safe_load(search.read_text())
    found = facts(search)
    assert {winner["settings"] for winner in found} == {asked["settings"]} == {9}
    assert {winner["runs"] for winner in found} == {25}
    budgets = {kind: sizes["budget"] for kind, sizes in asked["kinds"].items()}
    assert all(winner["budget"] == budgets[winner["kind"]] for winner in found)
    # No other space, and no rule left out.
    assert len(found) >= len(asked["kinds"]) * len(asked["rules"])


@pytest.mark.parametrize("search", SEARCHES, ids=lambda path: path.stem)
def test_searches_never_saw_a_grammar_that_is_judged(search):
    runs = load(kept(search))
    assert {*runs["seed"], *runs["data_seed"]} == {0, 1, 2, 3}


def test_the_page_names_each_winner_at_an_edge():
    text = (ROOT / "studies" / "registration-2" / "README.md").read_text("utf-8")
    (named,) = re.findall(r"^Best at an edge: (.*)$", text, re.MULTILINE)
    at_edges = {f"{w['rule']} ({w['kind']})" for s in SEARCHES for w in facts(s) if w["edges"]}
    assert set(named.rstrip(".").split(", ")) == at_edges


@pytest.mark.parametrize(("name", "parts"), presets.PARTS.items())
def test_presets_are_the_winners(name, parts):
    text = (presets.PRESETS / f"{name}.yaml").read_text("utf-8")
    assert text == presets.written(name, parts)
    seeds = {(s.grammar_seed, s.data_seed, s.network_seed) for s in preset(name)}
    assert {seed for three in seeds for seed in three} <= set(JUDGED)


def setting(spec, **changed):
    """What a run is beside its seeds and how often it is measured."""
    same = {"grammar_seed": 0, "data_seed": 0, "network_seed": 0, "evaluations": 10, "tests": 4096}
    return spec.model_copy(update=same | changed).run_id


def test_settings_that_no_search_chose_are_few_and_named():
    found = [spec for search in SEARCHES for spec in read_study(kept(search) / "winners.yaml")]
    chosen = {setting(spec) for spec in found}
    at_any_P = {setting(spec, P=512) for spec in found}
    others = [spec for spec in preset("laptop") if setting(spec) not in chosen]
    fixed = [spec for spec in others if setting(spec, P=512) not in at_any_P]
    assert {spec.rule.name for spec in others} > {spec.rule.name for spec in fixed}
    # The floor learns a readout alone; the RHM authors' recipe is theirs.
    recipe = {(s.rule.name, s.optimizer, s.steps, s.stop_loss) for s in fixed}
    assert recipe == {("readout_only", "adam", 1000, 0.0), ("backprop", "sgd", 20000, 0.001)}

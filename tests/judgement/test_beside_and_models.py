"""What a rule is judged beside, whose settings it gets, what it resembles and what it is asked."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from claims.worlds import DEEP, SEEDS, UNIFORM, cell
from claims.worlds import audit as made_up
from synaptree import load, make_spec, rules
from synaptree.claims.second.study import Study
from synaptree.judgement.beside import COMMITTED, Beside, Place
from synaptree.judgement.likeness import likenesses
from synaptree.judgement.model import model_of
from synaptree.judgement.own_claims import own_claims
from synaptree.judgement.plan import Plan
from synaptree.judgement.registered import registered
from synaptree.results.journal import rows
from synaptree.study.search.file import read_search

ROOT = Path(__file__).parents[2]
NEAR, FAR = [0.01] * 20, [0.7] * 20


def beside(cells, audits=None):
    """Results that consist of these cells."""
    made = Beside(Path("none"), pd.DataFrame(), audits or {})
    vars(made)["study"] = Study(cells, audits or {})
    return made


def mine(subfamily, errors, **given):
    """A cell of a rule from outside the package."""
    like = {"fixed direct feedback": "dfa", "contrastive": "clapp"}[subfamily]
    return replace(cell(like, errors, **given), rule="mine", source="0" * 16)


@pytest.mark.parametrize("count", range(1, 10))
def test_too_few_grammars_are_named_before_they_are_trained(monkeypatch, count):
    monkeypatch.setattr(Plan, "models", lambda plan, rule: [None])
    monkeypatch.setattr(Plan, "grammars", lambda plan, model: count)
    monkeypatch.setattr(Plan, "_models", {id(None): []})
    said = Plan([None], beside([]), Path("none")).undecided(None)
    decides = 2 * 0.5**count <= 0.05  # the two-sided sign test, if all grammars agree
    assert bool(said) is not decides
    assert not said or f"even {count} of {count} solved" in said


# The committed results ----------------------------------------------------------------------------


def test_the_package_has_the_results_of_the_laptop():
    shipped, kept = (load(folder) for folder in (COMMITTED, ROOT / "results" / "laptop"))
    for name in ("run_id", "test_error", "train_error", "wall_s"):
        assert shipped[name].tolist() == kept[name].tolist()
    probes = [[np.array(p, float) for p in frame["probe"]] for frame in (shipped, kept)]
    assert all(np.allclose(*pair, atol=1e-5, equal_nan=True) for pair in zip(*probes, strict=True))
    size = sum(path.stat().st_size for path in COMMITTED.rglob("*") if path.is_file())
    assert size <= 2_000_000
    assert next(rows(COMMITTED))["status"] == "done"


def test_the_package_has_the_registered_search():
    file = ROOT / "studies" / "registration-2" / "search-uniform.yaml"
    assert (COMMITTED / "search.yaml").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("name", ["dfa", "clapp", "kolen_pollack", "lpl"])
def test_a_rule_is_searched_as_the_registered_search_does(name):
    asked = read_search(COMMITTED / "search.yaml")
    contest = next(c for c in asked.contests if c.rule == name)
    ours = registered(COMMITTED).search(rules.get(name), [("uniform", contest.base)])
    assert (ours.settings, ours.widenings, ours.rungs) == (9, 3, asked.rungs)
    assert ours.runs == asked.runs
    (found,) = ours.contests
    assert (found.drawn, found.budget) == (contest.drawn, contest.budget)
    specs = [[c.spec(point).run_id for point in c.drawn] for c in (found, contest)]
    assert specs[0] == specs[1]


def test_an_axis_that_a_rule_lacks_is_left_out():
    spec = make_spec(rule="lpl", v=8, n=8, m=4, L=3, P=4096, views="same_class")
    space = registered(COMMITTED).spaces["non_contrastive"]
    assert "rule.dims" in {axis.name for part in space.parts for axis in part}
    like = spec.model_copy(update={"rule": rules.get("infonce")})
    stranger = registered(COMMITTED)
    stranger.homes["contrastive"] = "non_contrastive"
    found = stranger.search(like.rule, [("one", like)])
    assert {axis.name for part in found.contests[0].space.parts for axis in part} == {
        *("lr", "weight_decay", "batch")
    }


def test_a_search_file_beside_runs_no_file(tmp_path):
    (tmp_path / "evil.py").write_text("raise SystemExit('run')")
    text = (COMMITTED / "search.yaml").read_text()
    (tmp_path / "search.yaml").write_text(text + "  - {space: error, rule: evil.py}\n")
    assert registered(tmp_path).homes == registered(COMMITTED).homes


# Whose settings -----------------------------------------------------------------------------------


def model(cells, name):
    place = Place(DEEP, "deep", cells[0].P, (cells[0].P,))
    return model_of(beside(cells), place, rules.get(name)).cell


def test_settings_are_those_of_the_best_of_the_family():
    cells = [cell("backprop", NEAR), cell("drtp", [*NEAR[:5], *FAR[5:]]), cell("dfa", FAR)]
    cells += [cell("forward_dfa", NEAR), cell("clapp", NEAR), cell("lpl", FAR)]
    assert model(cells, "dfa").rule == "drtp"  # which solves 5
    assert model(cells, "vicreg").rule == "lpl"
    assert model(cells, "node_perturbation").rule == "forward_dfa"  # no perturbation: its family
    assert model([cells[0], cells[4]], "dfa").rule == "backprop"
    own = replace(cells[1], errors=np.array(NEAR), rule="mine", source="0" * 16)
    assert model([*cells, own], "dfa").rule == "drtp"  # rules of others are no models


# What it resembles --------------------------------------------------------------------------------


def test_the_distance_is_that_of_a_slow_loop():
    rng = np.random.default_rng(0)
    audits = {**made_up("dfa", used=["error"]), **made_up("drtp", used=["label"])}
    audits |= made_up("pepita", used=["error"])

    def probed(name, kind, seeds):
        made = cell(name, rng.random(len(seeds)), kind, seeds=seeds)
        return replace(made, probe=rng.random((len(seeds), kind.L, kind.L)))

    others = [probed(name, kind, SEEDS[:6]) for name in ("dfa", "drtp", "pepita")
              for kind in (DEEP, UNIFORM)]  # fmt: skip
    own = [replace(probed("dfa", kind, SEEDS[2:9]), rule="mine") for kind in (DEEP, UNIFORM)]
    (of_own,) = made_up("dfa", used=["error"]).values()
    found = {one.name: one for one in likenesses(beside(others, audits), of_own, own)}
    for name, one in found.items():
        squares = []
        for mine_, other in ((m, o) for m in own for o in others if o.rule == name):
            if mine_.kind != other.kind:
                continue
            for i, seed in enumerate(mine_.seeds):
                if seed in other.seeds:
                    j = other.seeds.index(seed)
                    error = (mine_.errors[i] - other.errors[j]) / 0.875
                    probes = 0.0
                    for layer in range(mine_.kind.L):
                        for level in range(mine_.kind.L):
                            a, b = (c.probe[k, layer, level] for c, k in ((mine_, i), (other, j)))
                            probes += (a - b) ** 2 / mine_.kind.L**2
                    squares.append(error**2 / 2 + probes / 2)
        assert one.grammars == len(squares) == 8
        assert one.distance == pytest.approx((sum(squares) / len(squares)) ** 0.5, rel=1e-12)
    first, second = sorted(("dfa", "pepita"), key=lambda name: found[name].distance)
    assert list(found) == [first, second, "drtp"]  # audits decide before distances do
    assert set(found["drtp"].differs) == {"label", "error"}


# What it is asked ---------------------------------------------------------------------------------


def asked(cells, subfamily):
    own, others = own_claims(cells, {}, "mine", subfamily, SEEDS)
    return {claim.number: claim.verdict for claim in own}, others


def test_a_claim_is_asked_of_the_rule_alone():
    world = [cell("backprop", NEAR), cell("readout_only", FAR)]
    others = [cell("clapp", FAR), cell("infonce", FAR)]
    good, bad = (mine("contrastive", errors) for errors in (NEAR, FAR))
    assert asked([*world, *others, good], "contrastive")[0]["3"] == "holds"
    assert asked([*world, cell("clapp", NEAR), bad], "contrastive")[0]["3"] == "fails"
    feedback = [cell("drtp", NEAR), mine("fixed direct feedback", FAR)]
    verdicts, left = asked([*world, *feedback], "fixed direct feedback")
    assert verdicts["1a"] == "not asked"  # P is not four times what backprop is known to need
    assert set(verdicts) == {"1a", "1b"}
    assert left == ["2a", "2b", "2c", "3", "4a", "4b", "5", "6"]
    needs_less = [cell("backprop", NEAR, P=8192)]
    verdicts, _ = asked([*world, *needs_less, *feedback], "fixed direct feedback")
    assert verdicts["1a"] == "holds"


def test_a_rule_without_a_subfamily_is_asked_nothing():
    world = [cell("backprop", NEAR), replace(mine("contrastive", NEAR), subfamily="")]
    verdicts, left = asked(world, "")
    assert verdicts == {}
    assert len(left) == 10

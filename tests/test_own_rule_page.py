"""The tables of docs/own-rule.md and docs/api.md say what the code says."""

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_args

import pytest
import torch

import synaptree
from synaptree import figures, make_spec, rules
from synaptree.network.tree import draw_normal
from synaptree.rules import Batch, Facts, Reading, State, Teaching
from synaptree.rules.facts import SUBFAMILIES, Family
from synaptree.study.update import Update
from synaptree.training.replicas import Replicas
from synaptree.training.result import Progress

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "own-rule.md").read_text("utf-8")
KINDS = {"text": str, "True or False": bool, "whole number": int, "number": float | int}


def table(head, text=PAGE):
    """The rows of the table with this head, as cells."""
    (rows,) = re.findall(rf"^\| {re.escape(head)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.M)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


def coded(cell):
    return re.findall(r"`([^`]+)`", cell)


# Facts


def test_every_fact_is_in_the_table_with_its_type_and_default():
    rows = table("field")
    assert [coded(row[0]) for row in rows] == [[f.name] for f in fields(Facts)]
    for (_, kind, default, meaning, _), field in zip(rows, fields(Facts), strict=True):
        if field.default is MISSING:
            assert default == "", field.name
        else:
            assert eval(coded(default)[0]) == field.default, field.name
            assert kind == "`Reading`" or isinstance(field.default, KINDS[kind]), field.name
        assert meaning, field.name


def test_the_examples_of_facts_are_facts():
    cells = {coded(row[0])[0]: row for row in table("field")}
    given = {name: eval(coded(row[4])[0], {"Reading": Reading}) for name, row in cells.items()}
    assert Facts(**given).reading == given["reading"]
    for name, value in given.items():
        assert isinstance(value, KINDS.get(cells[name][1], Reading)), name


def test_families_and_subfamilies_are_all_there_with_rules_that_belong_to_them():
    families = table("family")
    assert {*(coded(row[0])[0] for row in families)} == {*get_args(Family)}
    for family, which, _ in families:
        named = coded(which)
        assert named, family
        for name in named:
            assert rules.rule_class(name).facts.family == coded(family)[0], name
    found = set()
    for subfamily, family, which in table("subfamily"):
        found.add((family, *coded(subfamily)))
        for name in coded(which):
            facts = rules.rule_class(name).facts
            assert (facts.family, facts.subfamily) == (family, *coded(subfamily)), name
    chosen = ("direct feedback", "layerwise")
    assert found == {(f, sub) for f in chosen for sub in SUBFAMILIES[f] if sub}


# What a rule is given


def test_all_fields_of_what_is_given_kept_and_returned_are_in_tables():
    of_batch = [re.findall(r"batch\.(\w+)", row[0])[0] for row in table("`batch`")]
    assert {*of_batch} == {f.name for f in fields(Batch)}
    for kind in (State, Teaching):
        names = [name for row in table(f"`{kind.__name__}`") for name in coded(row[0])]
        assert names == [f.name for f in fields(kind)]


@pytest.fixture(scope="module")
def step():
    """A step of a layerwise rule on a network all of whose sizes differ."""
    small = {"v": 6, "n": 5, "m": 3, "L": 3, "P": 80, "tests": 64, "width": 7, "batch": 14}
    spec = make_spec(rule="infonce", views="sibling,sibling,same_class", **small)
    replicas = Replicas(spec.replicate(3))
    return replicas.net, replicas.observe().batch


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("head", ["`batch`", "`net`"])
def test_shapes_and_types_are_those_of_a_step(head, layer, step):
    net, batch = step
    H, N = net.width, net.positions(layer)
    names = {
        "net": net,
        "batch": batch,
        "l": layer,
        "e": batch.error,
        "a": 17,
        "b": 19,
        "std": 1.0,
        "t": batch.activity.z[layer - 1],
        "z": batch.activity.z[layer - 1],
        "T": torch.ones(3, 14, N, H),
        "x": batch.activity.x[layer - 1],
        "z_below": torch.ones(3, 14, 2 * N, H),
        "draw_normal": draw_normal,
        "generators": [torch.Generator().manual_seed(r) for r in range(3)],
    }
    sizes = {"R": 3, "B": 14, "H": H, "n": 5, "N_l": N, "N_{l-1}": 2 * N, "1": 1}
    sizes |= {"s·C": 2 * (6 if layer == 1 else H), "a": 17, "b": 19}
    for written, said, _ in table(head):
        for expression in coded(written):
            if layer == 1 and expression in ("net.down(l, T)", "net.up(l, z_below)"):
                continue  # there is no layer below
            found = eval(expression, names)
            if said in KINDS:
                assert isinstance(found, KINDS[said]), expression
            else:
                shape = [sizes[axis] for axis in said[1:-1].split(", ")]
                assert list(found.shape) == shape, expression


def test_patches_and_masks_are_what_the_page_says(step):
    net, batch = step
    x, z, h = batch.activity.x, batch.activity.z, batch.activity.h
    for l in (2, 3):
        for p in range(net.positions(l)):
            below = [z[l - 2][:, :, 2 * p + k] for k in range(2)]
            assert torch.equal(x[l - 1][:, :, p], torch.cat(below, -1))
        by_hand = torch.einsum("rbni,rih->rbnh", x[l - 1], net.W[l - 1]) * net.gains[l - 1]
        assert torch.allclose(by_hand + net.b[l - 1].unsqueeze(1), h[l - 1], atol=1e-5)
        T = torch.randn(z[l - 1].shape)
        assert torch.equal(net.gate(T, z[l - 1]), torch.where(z[l - 1] > 0, T, 0.0))


# Whole rules


def written(name):
    """The rule in a file of this name on the page."""
    (text,) = re.findall(rf"```python\n(# {name}\.py\n.*?)```", PAGE, re.DOTALL)
    return text


@pytest.mark.parametrize("name", ["my_rules", "my_layerwise", "my_reward", "my_chain"])
def test_the_rules_of_the_page_have_no_fault(name, tmp_path):
    path = tmp_path / f"{name}.py"
    path.write_text(written(name), "utf-8")
    assert synaptree.check_rule(str(path)) == []


def test_a_third_factor_is_one_broadcast_number(tmp_path):
    path = tmp_path / "my_reward.py"
    path.write_text(written("my_reward"), "utf-8")
    found = synaptree.audit(str(path))
    others = ("error", "weights_above", "masks_above")
    assert found.needs["label"] == "scalar"
    assert {found.needs[key] for key in others} == {"no"}
    (sentence,) = re.findall(r"Below the table stands a sentence: \*(.*?)\*", PAGE)
    assert found.sentence == sentence
    path.write_text(re.sub(r", terms=terms", "", written("my_reward")), "utf-8")
    assert synaptree.audit(str(path)).needs["label"] == "yes"


def test_the_chain_of_the_page_learns_as_feedback_alignment_does(tmp_path):
    path = tmp_path / "my_chain.py"
    path.write_text(written("my_chain"), "utf-8")
    small = {"v": 4, "n": 4, "m": 4, "L": 3, "P": 128, "width": 16, "steps": 10}
    mine, theirs = (
        synaptree.train(make_spec(rule=rule, **small)).network
        for rule in (str(path), "feedback_alignment")
    )
    for own, other in zip(mine.W, theirs.W, strict=True):
        assert torch.allclose(own, other, atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"net.gate(T, z[l - 1])": "T", "downstream_masks=True": "downstream_masks=False"},
        {", F[l - 1])": ")", "labels=True": "labels=True, weight_transport=True"},
    ],
    ids=["without masks", "with backprop's weights"],
)
def test_the_variants_of_the_chain_are_what_the_page_says(changes, tmp_path):
    text = written("my_chain")
    for old, new in changes.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / "my_chain.py"
    path.write_text(text, "utf-8")
    assert synaptree.check_rule(str(path)) == []


# docs/api.md


def test_news_and_figures_are_listed_from_python():
    text = (DOCS / "api.md").read_text("utf-8")
    for kind in (Progress, Update):
        names = [name for row in table(f"`{kind.__name__}`", text) for name in coded(row[0])]
        assert sorted(names) == sorted(f.name for f in fields(kind))
    (listed,) = re.findall(r"^The figures of the report: (.*?)\. If", text, re.MULTILINE)
    assert coded(listed) == [name for name in figures.__all__ if name != "movie"]

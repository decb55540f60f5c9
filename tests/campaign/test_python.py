"""Public functions of Python with wrong arguments: a SynaptreeError of one line, never another."""

import math

import numpy as np
import pytest
import torch

from synaptree import (
    RandomHierarchyModel,
    SynaptreeError,
    TreeNet,
    make_spec,
    rules,
    train,
    train_replicas,
)
from synaptree.views.budget import signal_budget
from synaptree.views.registry import parse_view

WRONG = [None, "spam", "", 1.5, math.nan, -1, 0, True, [], [1, [2]], {"a": 1}, b"8", object(), 1j]
WRONG += ["9" * 10**6, 10**5000, np.zeros((2, 2)), make_spec, "\x1b[0m"]
SIZES = {"v": 4, "n": 4, "m": 2, "s": 2, "L": 2, "seed": 0}
GRAMMAR = RandomHierarchyModel(**SIZES)
SPEC = make_spec(rule="dfa", v=4, n=4, m=2, L=2, P=16, width=4, batch=8, steps=2, tests=8)
X = GRAMMAR.sample(3, seed=0).x
NET = {"v": 4, "n": 4, "s": 2, "L": 2, "width": 4}
CHOICES = GRAMMAR.parse(X).choices


def streams():
    return [torch.Generator().manual_seed(seed) for seed in range(2)]


def net(**changed):
    return TreeNet(**{**NET, "generators": streams()} | changed)


CALLS = {
    "train": train,
    "train_replicas": train_replicas,
    "train_replicas of a list": lambda value: train_replicas([value]),
    "train device": lambda value: train(SPEC, device=value),
    "replicate": SPEC.replicate,
    "rules.get": rules.get,
    "rules.rule_class": rules.rule_class,
    "rules.online_form": rules.online_form,
    "parse_view": parse_view,
    "signal_budget": lambda value: signal_budget(GRAMMAR, value),
    "parse": GRAMMAR.parse,
    "sample P": lambda value: GRAMMAR.sample(value, seed=0),
    "sample exclude": lambda value: GRAMMAR.sample(1, seed=0, exclude=value),
    "expand y": lambda value: GRAMMAR.expand(value, CHOICES),
    "expand choices": lambda value: GRAMMAR.expand([0], value),
    "expand a level": lambda value: GRAMMAR.expand([0], [value, value]),
    "synonym x": lambda value: GRAMMAR.synonym(value, 1, 0),
    "synonym level": lambda value: GRAMMAR.synonym(X, value, 0),
    "synonym nodes": lambda value: GRAMMAR.synonym(X, 1, 0, nodes=[value]),
    "activity": lambda value: net().activity(value),
    "generators": lambda value: net(generators=value),
    "generators of a list": lambda value: net(generators=[value]),
    "parametrisation": lambda value: net(parametrisation=value),
    "connectivity": lambda value: net(connectivity=value),
    "dtype": lambda value: net(dtype=value),
    **{f"grammar {name}": lambda value, name=name: RandomHierarchyModel(**SIZES | {name: value})
       for name in SIZES},
    **{f"network {name}": lambda value, name=name: net(**{name: value}) for name in NET},
}  # fmt: skip
# What some of the wrong values are right for.
RIGHT = {"grammar seed": [0], "synonym nodes": [0]}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_argument_is_one_sentence(name):
    for value in WRONG:
        if name in RIGHT and type(value) is int and value in RIGHT[name]:
            continue
        if name == "sample exclude" and value is None:
            continue
        with pytest.raises(SynaptreeError) as caught:
            CALLS[name](value)
        sentence = str(caught.value)
        assert len(sentence) <= 300, sentence
        assert sentence.isprintable(), sentence


def test_a_spec_is_checked_when_it_is_copied():
    assert SPEC.model_copy(update={"lr": "1e-2"}).lr == 0.01
    assert SPEC.model_copy() == SPEC.model_copy(deep=True) == SPEC
    for wrong in ({"lr": -1}, {"batch": 10**6}, {"L": 1}, {"rule": "clapp"}, {"speed": 3}):
        with pytest.raises(SynaptreeError):
            SPEC.model_copy(update=wrong)
    with pytest.raises(SynaptreeError, match=r"^rule dfa: scale: -1.0 given"):
        SPEC.rule.model_copy(update={"scale": -1})


@pytest.mark.parametrize("B", [1, 64])  # place by place, and by tables
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda x: x + 4, "token 7 given"),
        (lambda x: x - 4, "token -4 given"),
        (lambda x: x[..., :3], "d = 4 tokens"),
        (lambda x: torch.cat([x, x], 2), "d = 4 tokens"),
        (lambda x: torch.cat([x, x[:1]]), "R = 2"),
        (lambda x: x[None], r"\(R, B, d\)"),
        (lambda x: x[:, :0], r"shape \(2, 0, 4\)"),
        (lambda x: x.float(), "expected integers"),
        (lambda x: x > 0, "expected integers"),
    ],
)
def test_tokens_are_checked_alike_however_they_are_read(B, spoil, says):
    x = torch.tensor([0, 1, 2, 3]).expand(2, B, 4)
    network = net()
    assert network.repeats(B) == (B == 64)
    with pytest.raises(SynaptreeError, match=says):
        network.activity(spoil(x))


def test_tokens_of_every_integer_type_are_read():
    network, x = net(), torch.tensor([0, 1, 2, 3]).expand(2, 64, 4)
    plain = network.activity(x).logits
    for kind in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16, torch.uint32):
        assert torch.equal(network.activity(x.to(kind)).logits, plain), kind
    assert torch.equal(network.activity(x.numpy()).logits, plain)
    assert torch.equal(network.activity(x.tolist()).logits, plain)

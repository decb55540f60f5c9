"""The label or the error is broadcast if a signal follows from it alone, by whatever function."""

from typing import Any, ClassVar, Literal

import pytest
import torch

from synaptree import rules
from synaptree.audit.matrix import audit
from synaptree.claims.second.scoreboard import knows
from synaptree.rules import DFA, Batch, Facts, Rule, Teaching


class Sent(Rule):
    """What reaches each layer is a function of the error, through DFA's fixed weights."""

    name: Literal["sent"] = "sent"
    mode: Literal["batch", "object"] = "batch"
    online_options: ClassVar[dict[str, Any]] = {"mode": "object"}
    facts: ClassVar[Facts] = DFA.facts

    def sent(self, net, e, batch):
        """What is sent, (R, B, n)."""
        return e

    def init(self, net, generators):
        return DFA().init(net, generators)

    def teach(self, net, state, batch, generators):
        inputs = batch.error.shape[1]
        e = self.sent(net, batch.error * inputs, batch) / inputs
        honest = DFA().teach(net, state, Batch(**{**vars(batch), "error": e}), generators)
        pairs = zip(honest.signals, batch.activity.z, strict=True)
        return Teaching([self.received(T, z) for T, z in pairs])

    def received(self, T, z):
        """The signal of a layer."""
        return T


class Thresholded(Sent):
    name: Literal["thresholded"] = "thresholded"

    def sent(self, net, e, batch):
        return torch.where(e.abs() > 0.1, e, 0)


class Saturated(Sent):
    name: Literal["saturated"] = "saturated"

    def sent(self, net, e, batch):
        return (2 * e).tanh()


class Normalised(Sent):
    name: Literal["normalised"] = "normalised"

    def sent(self, net, e, batch):
        return e / e.norm(dim=-1, keepdim=True)


class Delta(Sent):
    name: Literal["delta"] = "delta"

    def sent(self, net, e, batch):
        return torch.nn.functional.one_hot(batch.labels, net.n).to(e) * 2


class Surprised(Sent):
    """The error is sent on where an input is surprising, so that other things of it count."""

    name: Literal["surprised"] = "surprised"

    def sent(self, net, e, batch):
        return e * batch.activity.logits.square().mean(-1, keepdim=True)


class Hebbian(Sent):
    name: Literal["hebbian"] = "hebbian"

    def received(self, T, z):
        return T * z


BROADCAST = [Sent(), Thresholded(), Saturated(), Normalised()]


@pytest.mark.parametrize("rule", BROADCAST, ids=lambda rule: rule.name)
def test_a_function_of_the_error_is_as_broadcast_as_the_error(rule):
    found = audit(rule)
    for same in (audit(DFA()), audit(rules.get("dfa", error="sign"))):
        assert found.needs == same.needs
        assert found.layers == same.layers
        assert found.sentence == same.sentence
        assert knows(found) == knows(same) == "one broadcast vector"
    assert found.needs["error"] == "vector"


def test_a_function_of_the_label_is_too():
    assert audit(Delta()).needs == audit(rules.get("drtp")).needs


@pytest.mark.parametrize("rule", [Surprised(), Hebbian()], ids=lambda rule: rule.name)
def test_what_meets_other_things_of_the_input_on_its_way_is_not(rule):
    assert audit(rule).needs["error"] == "yes"


@pytest.mark.parametrize(
    ("rule", "need"), [(Saturated, "vector"), (Surprised, "yes"), (Hebbian, "yes")]
)
def test_one_object_at_a_time_shows_it_too(rule, need):
    online = rule(mode="object")
    assert online.online
    assert audit(online).needs["error"] == need

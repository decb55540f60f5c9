"""One step of a rule in a small trained network, on record: what an audit changes and looks at."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules import Batch, Rule, State
from synaptree.training.replicas import Replicas
from synaptree.training.spec import make_spec

SEEDS = 3  # replicas: networks and data of their own
STEPS = 40  # of training before anything is asked
OBJECTS = 6


@dataclass(frozen=True)
class Record:
    """What a rule was given at one step.

    noise: the states of the rule's random streams, so that each asking draws alike.  stranger: the
    batch after it, from which other inputs are taken.  forwards: how many forward passes of its
    own the rule makes.
    """

    rule: Rule
    net: TreeNet
    state: State
    batch: Batch
    stranger: Batch
    noise: Sequence[Tensor]
    forwards: int = 0

    @property
    def L(self) -> int:
        """How many layers."""
        return self.net.L

    def streams(self) -> list[torch.Generator]:
        """The rule's random streams, as they stood."""
        found: list[torch.Generator] = []
        for state in self.noise:
            g = torch.Generator()
            g.set_state(state)
            found.append(g)
        return found

    def own_state(self) -> State:
        """A copy of the rule's tensors, which `teach` may move."""
        return copy.deepcopy(self.state)

    def batch_with(self, **changed: Any) -> "Record":
        """The record with parts of its batch changed."""
        return replace(self, batch=replace(self.batch, **changed))


def record(rule: Rule) -> Record:
    """A step of the rule after some training, in float64, on a grammar of three levels."""
    needs = {"views": ("same_class",)} if rule.needs_views else {}
    members = 2 if rule.needs_views else 1
    objects = 1 if rule.online else OBJECTS
    spec = make_spec(
        rule=rule, v=4, n=3, m=2, s=2, L=3, P=192, tests=64, width=8, precision="float64", lr=0.01,
        batch=max(objects * members, rule.least_inputs), steps=STEPS + 2, **needs,
        weight_decay=0.1 if rule.needs_decay else 0.0,
    )  # fmt: skip
    program = Replicas(spec.replicate(SEEDS))
    for _ in range(STEPS):
        program.step()
    with torch.no_grad():
        batch, stranger = program.observe().batch, program.observe().batch
    noise = [g.get_state() for g in program.streams]
    found = Record(rule, program.net, program.state, batch, stranger, noise)
    counting = Counting(found.net)
    rule.teach(counting.net, found.own_state(), batch, found.streams())
    return replace(found, forwards=counting.calls)


class Counting:
    """A copy of a network that counts its forward passes."""

    def __init__(self, net: TreeNet) -> None:
        self.net, self.calls = copy.deepcopy(net), 0
        forward = self.net.forward

        def counted(patches: Tensor, noise: Sequence[Tensor] | None = None):
            self.calls += 1
            return forward(patches, noise)

        self.net.forward = counted

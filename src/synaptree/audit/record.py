"""One step of a rule in a small trained network, recorded so that the audit can change it."""

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules import Batch, Factors, Rule, State, Teaching
from synaptree.training.precision import Precision
from synaptree.training.replicas import Replicas
from synaptree.training.spec import RunSpec, make_spec

SEEDS = 3  # replicas, with networks and data of their own
STEPS = 40  # of training before the recorded step
OBJECTS = 6


@dataclass(frozen=True)
class Record:
    """Everything that a rule gets at one step.

    noise: the states of the rule's random streams, so that repeated calls draw the same numbers.
    stranger: the next batch, from which other inputs are taken.  forwards, settlings: how many
    forward passes the rule makes itself, and how often it lets the network settle.
    """

    rule: Rule
    net: TreeNet
    state: State
    batch: Batch
    stranger: Batch
    noise: Sequence[Tensor]
    forwards: int = 0
    settlings: int = 0

    @property
    def L(self) -> int:
        """The number of layers."""
        return self.net.L

    def streams(self) -> list[torch.Generator]:
        """The rule's random streams, as they were before the step."""
        streams: list[torch.Generator] = []
        for state in self.noise:
            g = torch.Generator()
            g.set_state(state)
            streams.append(g)
        return streams

    def own_state(self) -> State:
        """A copy of the rule's tensors, which `teach` may change."""
        return copy.deepcopy(self.state)

    def teach(self) -> Teaching:
        """What the rule returns at this step."""
        return self.rule.teach(self.net, self.own_state(), self.batch, self.streams())

    def terms(self, layer: int) -> list[Factors]:
        """The terms of a layer's update; none for a layer that does not learn."""
        layers = self.rule.factors(self.net, self.own_state(), self.batch, self.streams())
        return layers[layer - 1]

    def own_updates(self, layer: int) -> list[Tensor]:
        """The gradients of the rule's own tensors that belong to a layer."""
        own = self.teach().own
        return [
            g
            for name, layers in own.items()
            for index, g in enumerate(layers)
            if g is not None and owner(name, index) == layer
        ]

    def batch_with(self, **changed: Any) -> "Record":
        """The record with parts of its batch changed."""
        return replace(self, batch=replace(self.batch, **changed))


def is_feedback(name: str) -> bool:
    """Whether a rule's tensors are feedback weights, which are called B or F (see `State`)."""
    return name in ("B", "F")


def is_lateral(name: str) -> bool:
    """Whether a rule's tensors are weights to and from interneurons, which are called Q and P."""
    return name in ("Q", "q", "P")


def owner(name: str, index: int) -> int:
    """The layer that a rule's tensor belongs to. F at index l replaces W_{l+1}, and so carries the
    signal to layer l."""
    return index if name == "F" else index + 1


def small_run(rule: Rule, steps: int, precision: Precision = "float64") -> RunSpec:
    """The settings of a small run of the rule, on three layers.

    Raises SynaptreeError where the rule refuses them.
    """
    members = 2 if rule.needs_views else 1
    objects = 1 if rule.online else OBJECTS
    return make_spec(
        rule=rule,
        v=4,
        n=3,
        m=2,
        s=2,
        L=3,
        P=192,
        tests=64,
        width=8,
        precision=precision,
        lr=0.01,
        batch=max(objects * members, rule.least_inputs),
        steps=steps,
        views=("same_class",) if rule.needs_views else (),
        weight_decay=0.1 if rule.needs_decay else 0.0,
    )


def record(rule: Rule) -> Record:
    """A step of the rule after some training, in float64, on a grammar of three levels."""
    replicas = Replicas(small_run(rule, STEPS + 2).replicate(SEEDS))
    for _ in range(STEPS):
        replicas.step()
    with torch.no_grad():
        batch, stranger = (replicas.observe().batch.plain() for _ in range(2))
    noise = [g.get_state() for g in replicas.streams]
    net, calls = counting(replicas.net)
    seen = Record(rule, net, replicas.state, batch, stranger, noise)
    seen.teach()
    return replace(seen, net=replicas.net, forwards=calls["forward"], settlings=calls["settle"])


def counting(net: TreeNet) -> tuple[TreeNet, Counter[str]]:
    """A copy of a network, and how often its ``forward`` and its ``settle`` are called."""
    net, calls = copy.deepcopy(net), Counter[str]()

    def counted(name: str) -> Callable[..., Any]:
        used: Callable[..., Any] = getattr(net, name)

        def count(*how: Any, **more: Any) -> Any:
            calls[name] += 1
            return used(*how, **more)

        return count

    vars(net).update(forward=counted("forward"), settle=counted("settle"))
    return net, calls

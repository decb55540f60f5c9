"""A run in training, rules beside it that learn from its network, and strings that it never saw."""

from collections.abc import Iterator, Sequence

import torch

from synaptree.grammar.rhm import Samples
from synaptree.network.tree import TreeNet
from synaptree.rules import Rule, State
from synaptree.training.replicas import Replicas
from synaptree.training.spec import RunSpec
from synaptree.training.streams import generator

BATCH = 1024  # strings that are drawn at once
FRESH = 2**40  # what the seeds of fresh strings count up by: no other strings have such seeds

Fresh = Sequence[Samples]  # of each replica
Member = tuple[Rule, State]


class Company:
    """A run that trains, and rules whose own tensors learn beside it without changing its network.

    Each of these has a run of its own, which differs in the rule alone: it draws the same network,
    strings and minibatches. Before each of its steps its weights are set to those of the leader.
    """

    def __init__(self, specs: Sequence[RunSpec], rules: Sequence[Rule], device: str) -> None:
        self.specs = specs
        self.leader = Replicas(specs, device)
        self.rules = {rule.label: rule for rule in rules}
        self.states: dict[str, State] = {}
        self.learning: list[Replicas] = []
        for label, rule in self.rules.items():
            streams = [generator("rule", spec.network_seed) for spec in specs]
            state = rule.init(self.net, streams)
            if state.learned or state.feedback or state.running:
                of_rule = [spec.model_copy(update={"rule": rule}) for spec in specs]
                self.learning.append(Replicas(of_rule, device))
                state = self.learning[-1].state
            self.states[label] = state

    @property
    def net(self) -> TreeNet:
        """The network of the leader."""
        return self.leader.net

    def train_to(self, step: int) -> None:
        """Go on to a step."""
        while self.leader.steps < step:
            for each in self.learning:
                for mine, its in zip(each.net.parameters(), self.net.parameters(), strict=True):
                    mine.copy_(its)
                each.step()
            self.leader.step()

    def members(self) -> dict[str, Member]:
        """The rules with their own tensors as they are now."""
        return {label: (rule, self.states[label]) for label, rule in self.rules.items()}


class FreshStrings:
    """Strings of the grammars of R runs, which none of them has seen; never the same twice."""

    def __init__(self, specs: Sequence[RunSpec], device: torch.device | str) -> None:
        self.specs, self.device, self.drawn = specs, torch.device(device), 0

    def batches(self, strings: int) -> Iterator[Fresh]:
        """So many strings, at most `BATCH` at once."""
        for begin in range(0, strings, BATCH):
            count, self.drawn = min(BATCH, strings - begin), self.drawn + 1
            yield [
                spec.grammar.sample(count, seed=spec.data_seed + FRESH * self.drawn, replace=True)
                for spec in self.specs
            ]

    def blocks(self, count: int, strings: int) -> Iterator[tuple[int, Fresh]]:
        """Batches of some blocks of so many strings, each with the number of its block."""
        for block in range(count):
            for batch in self.batches(strings):
                yield block, batch

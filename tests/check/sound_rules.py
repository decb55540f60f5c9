"""Two rules as a stranger writes them, soundly."""

from typing import Literal

import torch

from synaptree import rules
from synaptree.network.tree import draw_normal
from synaptree.rules import DFA, Rule, State, Teaching


class Direct(Rule):
    """Direct feedback."""

    name: Literal["direct"] = "direct"
    facts = DFA.facts

    def init(self, net, generators):
        return State(fixed={"B": [draw_normal(net, generators, 0.1, net.n, net.width)] * net.L})

    def teach(self, net, state, batch, generators):
        return Teaching(self.signals(net, state.fixed["B"], batch))

    def signals(self, net, B, batch):
        T = [(batch.error @ B_l).unsqueeze(2) for B_l in B]
        return [T_l.expand(-1, -1, net.positions(l), -1) for l, T_l in enumerate(T, start=1)]


class Layerwise(Rule):
    """A layerwise rule with weights that learn: T_l = W c, and W follows z ⊗ c."""

    name: Literal["follows"] = "follows"
    facts = rules.Facts(
        title="Follows its context",
        family="layerwise",
        citation="nobody, 2026",
        equation="T = −W c",
        differences="none",
    )

    def init(self, net, generators):
        return State(
            learned={
                "W": [draw_normal(net, generators, 0.1, net.width, net.width) for _ in range(net.L)]
            }
        )

    def teach(self, net, state, batch, generators):
        signals, own = [], []
        for z, c, W in zip(batch.activity.z, batch.contexts, state.layers("W"), strict=True):
            B = z.shape[1]
            signals.append(-torch.einsum("rbnj,rij->rbni", c, W) / B)
            own.append(-torch.einsum("rbni,rbnj->rij", z, c) / B)
        return Teaching(signals, own={"W": own})

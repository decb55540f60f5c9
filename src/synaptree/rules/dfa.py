"""Direct feedback alignment. Nøkland, NeurIPS 2016 (arXiv 1609.01596).

    T_l = B_l e          B_l fixed and random

The output error reaches each layer directly; nothing of the layers in between enters, and so
none of their input-specific masks φ'(h_{l+1}) … φ'(h_L).
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from pydantic import Field

from synaptree.network import TreeNet, apply
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching, draw_normal


class DFA(Rule):
    """Direct feedback alignment.

    scale: multiplies the standard deviation that backprop's readout weights have at the start,
    so that 1 gives top-layer signals of backprop's size.  feedback: one matrix for all positions
    of a layer, or one of its own for each position, as in the paper, where each unit has its own.
    """

    name: Literal["dfa"] = "dfa"
    scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    feedback: Literal["position", "shared"] = "position"
    facts: ClassVar[Facts] = Facts(
        title="Direct feedback alignment",
        family="direct feedback",
        citation="Nøkland (2016), NeurIPS; arXiv 1609.01596",
        equation="T_l = B_l e,  B_l fixed random;  e = softmax(o) − onehot(y)",
        differences="B_l is Gaussian, scaled to backprop's top-layer signal (paper: uniform)",
        labels=True,
        weight_transport=False,
        error_network=False,
        downstream_masks=False,
        other_samples=False,
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        std = self.scale * net.gain_out * net.std_out  # as in W_oᵀ e
        own = self.feedback == "position"
        shapes = [[net.positions(l)] if own else [] for l in range(1, net.L + 1)]
        B = [draw_normal(net, generators, std, *shape, net.n, net.width) for shape in shapes]
        return State(fixed={f"B{l}": b for l, b in enumerate(B, start=1)})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:  # noqa: ARG002
        e = batch.error.unsqueeze(2)  # the same error at every position
        signals = [
            apply(e.expand(-1, -1, net.positions(l), -1), state.fixed[f"B{l}"])
            for l in range(1, net.L + 1)
        ]
        return Teaching(signals)

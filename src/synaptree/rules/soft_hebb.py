"""SoftHebb. Moraitis, Toichkin, Journé, Chua & Guo, 2022; deep: Journé et al., ICLR 2023.

    ΔW_i ∝ s_i y_i (x − u_i W_i)          y = softmax(u / τ)          u = h

A soft competition: the winner (s = 1) moves towards the input, all others (s = −1) away from it, in
proportion to their response. The last term keeps the length of each unit's weights constant.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.options import Positive
from synaptree.rules.shared.sides import weighted_h


class SoftHebb(Rule):
    """SoftHebb.  temperature: τ."""

    name: Literal["soft_hebb"] = "soft_hebb"
    temperature: Positive = 1.0
    facts: ClassVar[Facts] = Facts(
        title="SoftHebb",
        family="control",
        citation="Journé, Garcia Rodriguez, Guo & Moraitis (2023), ICLR; arXiv 2209.11883",
        equation="ΔW_i ∝ s_i y_i (x − u_i W_i),  y = softmax(u/τ),  s = 1 for the winner, else −1",
        differences=(
            "ReLU layers without batch normalisation (paper: with it, and a power of the ReLU); "
            "the optimiser's step (paper: larger for weights whose length is not 1 yet); biases "
            "do not learn"
        ),
        open_in_biology=(
            "How lateral inhibition would divide the activity of a position as exactly as a "
            "softmax does. All else is at the synapse: its own weight, and the activity "
            "before and behind it (Moraitis et al. 2022)."
        ),
    )

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        signals: list[Tensor] = []
        shrink: list[Tensor] = []
        losses: list[Tensor] = []
        for l, (W, gain) in enumerate(zip(net.W, net.gains, strict=True), start=1):
            u, weight = weighted_h(net, batch, l)
            log_y = (u / self.temperature).log_softmax(-1)
            best, winner = log_y.max(-1, keepdim=True)
            y = log_y.exp_().neg_()
            sy = y.scatter_(-1, winner, best.exp()).mul_(weight)
            signals.append(-sy)
            over = (1,) if W.ndim == 4 else tuple(range(1, u.ndim - 1))
            # u = gain · W x, so that the paper's W is gain · W here.
            shrink.append((sy * u).sum(over).mul_(gain**2))
            losses.append((best * weight).flatten(1).sum(1).neg_())
        return Teaching(
            signals, loss=torch.stack(losses, 1), gated=False, biases=False, shrink=shrink
        )

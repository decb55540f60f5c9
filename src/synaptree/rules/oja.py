"""Oja's subspace rule. Oja, J. Math. Biol. 15 (1982); Int. J. Neural Systems 1 (1989).

    ΔW ∝ y ⊗ (x − W y)          y = h, before the ReLU

Hebb's rule minus the part of the input that the layer's units already explain together. It finds
the first principal components, and so shows what pairwise statistics give without a second view.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.operations import apply_transposed, correlate
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Factors, Facts, Rule, State, Teaching
from synaptree.rules.shared.sides import weighted_h


class Oja(Rule):
    """Oja's subspace rule."""

    name: Literal["oja"] = "oja"
    facts: ClassVar[Facts] = Facts(
        title="Oja's subspace rule",
        family="control",
        citation="Oja (1989), Int. J. Neural Syst. 1:61-68; Oja (1982), J. Math. Biol. 15:267-273",
        equation="ΔW ∝ y ⊗ (x − W y),  y = h",
        differences="layers above read φ(y), as in every TreeNet; biases do not learn",
        open_in_biology=(
            "How a synapse would subtract what the other units already explain, W y, which "
            "needs weights that mirror the forward ones. Lateral inhibition that learns can "
            "take their place (Pehlevan, Hu & Chklovskii 2015, Neural Comput. 27:1461). For a "
            "single unit the rule is local (Oja 1982)."
        ),
    )

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        signals: list[Tensor] = []
        lost: list[Tensor] = []
        losses: list[Tensor] = []
        for l, (x, W, gain) in enumerate(zip(batch.activity.x, net.W, net.gains, strict=True), 1):
            y, weight = weighted_h(net, batch, l)
            mean_y = y * weight
            # ⟨(x − W y) ⊗ y⟩ = ⟨x ⊗ y⟩ − W ⟨y ⊗ y⟩, where what is left of each x is not needed.
            C = correlate(y, mean_y, 1.0, W.new_empty(*W.shape[:-2], net.width, net.width))
            WC = gain**2 * (W @ C)
            signals.append(mean_y.neg_())
            lost.append(WC)
            driven = C.diagonal(dim1=-2, dim2=-1).flatten(1).sum(1)  # ⟨y · W x⟩, as y = W x + b
            if net.b:
                over = tuple(range(1, y.ndim - 1)) if W.ndim == 3 else (1,)
                driven = driven + (mean_y.sum(over).flatten(1) * net.b[l - 1].flatten(1)).sum(1)
            explained = 2 * driven - (W * WC).flatten(1).sum(1)
            losses.append(x.square().mean((1, 2, 3)) - explained / x.shape[-1])
        return Teaching(
            signals, loss=torch.stack(losses, 1), gated=False, biases=False, shrink=lost
        )

    def factors(
        self, net: TreeNet, state: State, batch: Batch, generators: object
    ) -> list[list[Factors]]:
        a = batch.activity
        layers: list[list[Factors]] = []
        for x, y, W, gain in zip(a.x, a.h, net.W, net.gains, strict=True):
            mean = y.new_full((*y.shape[:3], 1), -1 / (y.shape[1] * y.shape[2]))
            left = x - apply_transposed(y, W, gain)
            layers.append([Factors(mean, y, torch.ones_like(y), left)])
        return layers

"""Oja's subspace rule. Oja, J. Math. Biol. 15 (1982); Int. J. Neural Systems 1 (1989).

    ΔW ∝ y ⊗ (x − W y)          y = h, before the ReLU

Hebb's rule minus the part of the input that the layer's units already explain together. It finds
the first principal components, and so shows what pairwise statistics give without a second view.
"""

from typing import ClassVar, Literal

import torch

from synaptree.network.operations import apply_transposed
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching


class Oja(Rule):
    """Oja's subspace rule."""

    name: Literal["oja"] = "oja"
    facts: ClassVar[Facts] = Facts(
        title="Oja's subspace rule",
        family="control",
        citation="Oja (1989), Int. J. Neural Syst. 1:61-68; Oja (1982), J. Math. Biol. 15:267-273",
        equation="ΔW ∝ y ⊗ (x − W y),  y = h",
        differences="layers above read φ(y), as in every TreeNet; biases do not learn",
    )

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        activity = batch.activity
        left = [
            x - apply_transposed(y, W, gain)
            for x, y, W, gain in zip(activity.x, activity.h, net.W, net.gains, strict=True)
        ]
        T = [y / -(y.shape[1] * y.shape[2]) for y in activity.h]
        loss = torch.stack([each.square().mean((1, 2, 3)) for each in left], 1)
        return Teaching(T, loss=loss, gated=False, pre=left, biases=False)

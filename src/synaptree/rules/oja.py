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
        a = batch.activity
        layers = zip(a.x, a.h, net.W, net.gains, strict=True)
        left = [x - apply_transposed(y, W, gain) for x, y, W, gain in layers]
        T = [y / -(y.shape[1] * y.shape[2]) for y in a.h]
        size = [torch.linalg.vector_norm(each.flatten(1), dim=1) for each in left]
        loss = [norm.square() / each[0].numel() for norm, each in zip(size, left, strict=True)]
        return Teaching(T, loss=torch.stack(loss, 1), gated=False, pre=left, biases=False)

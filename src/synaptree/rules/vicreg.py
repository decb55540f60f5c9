"""VICReg: variance, invariance, covariance. Bardes, Ponce & LeCun, ICLR 2022 (arXiv 2105.04906).

    loss_l = λ ⟨(p − q)²⟩ + μ ⟨max(0, 1 − σ_i)⟩_i + ν Σ_{i≠k} C_ik² / D          σ_i = √(C_ii + ε)

p: the layer's activity through its own projection;  q: that of the second view;  C: covariance of p
over the inputs of a batch (n of them), at each position. With p̄ = p − mean:

    ∂/∂p_i = 2λ (p_i − q_i)/(nD) − μ 1[σ_i < 1] p̄_i/((n−1) D σ_i) + 4ν Σ_{k≠i} C_ik p̄_k/((n−1) D)
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.prediction import Predictor
from synaptree.rules.shared.projection import (
    by_position,
    init_projections,
    off_diagonal,
    teach_projected,
)
from synaptree.rules.shared.running import Statistics, covariance, running_covariances


class VICReg(Rule):
    """VICReg.

    invariance, variance, covariance: λ, μ, ν.  dims: D, how many dimensions the layer's projection
    has; 0: none, the activity itself.  projection: one for all positions of a layer, or one of its
    own for each.  statistics: of the batch, or running averages, with which inputs can come one
    object at a time; decay: how long these remember.
    """

    name: Literal["vicreg"] = "vicreg"
    invariance: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    variance: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    covariance: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    epsilon: float = Field(default=1e-4, gt=0, allow_inf_nan=False)
    dims: int = Field(default=16, ge=0)
    projection: Predictor = "position"
    statistics: Statistics = "batch"
    decay: float = Field(default=0.99, ge=0, lt=1)
    facts: ClassVar[Facts] = Facts(
        title="VICReg (variance-invariance-covariance regularisation)",
        family="layerwise",
        citation="Bardes, Ponce & LeCun (2022), ICLR; arXiv 2105.04906; by layers",
        equation="T = U ∂/∂p of λ ⟨(p−q)²⟩ + μ ⟨max(0, 1−σ_i)⟩ + ν Σ_{i≠k} C_ik²/D,  p = Uᵀz",
        differences=(
            "every layer has a loss of its own on a linear projection of a few dimensions (paper: "
            "three wide layers on top of a deep network); weights 1/1/1 (paper: 25/25/1), "
            "which learn where the paper's do not; the second view is constant"
        ),
        labels=False,
        weight_transport=False,
        error_network=False,
        downstream_masks=False,
        other_samples=True,
    )

    @property
    def online(self) -> bool:
        return self.statistics == "running"

    @property
    def needs_same_units(self) -> bool:
        return self.online or not self.dims

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        U = init_projections(net, generators, self.dims, self.projection)
        running = running_covariances(net, self.dims) if self.online else {}
        return State(learned=U, running=running)

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:  # noqa: ARG002
        def gradient(l: int, p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
            _, B, N, D = p.shape
            C, centred, weight = covariance(p, l, state, self.decay)
            apart = p - q
            sd = (C.diagonal(dim1=-2, dim2=-1) + self.epsilon).sqrt()
            short = (1 - sd).relu()
            mixed = off_diagonal(C)
            pushed = (-self.variance * (sd < 1) / sd).unsqueeze(2) * centred
            pushed += (4 * self.covariance) * (centred @ mixed)
            # All terms are means over positions.
            G = (2 * self.invariance / B) * apart + weight * by_position(pushed)
            loss = self.invariance * apart.square().mean((1, 2, 3))
            loss = loss + self.variance * short.mean((1, 2))
            loss = loss + self.covariance * mixed.square().sum((1, 2, 3)) / (D * N)
            return G.mul_(1 / (D * N)), loss

        return teach_projected(state, batch, gradient)

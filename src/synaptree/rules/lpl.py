"""LPL: latent predictive learning. Halvagal & Zenke, Nature Neuroscience 26 (2023).

    loss_l = ⟨(p − q)²⟩ − λ₁ ⟨log(σ_i² + ε)⟩_i + λ₂ Σ_{i≠k} C_ik² / (D² − D)

Predict the next activity, keep the variance (Hebbian), decorrelate.  p: activity;  q: that of the
second view;  C: covariance of p over the n inputs of a batch, σ_i² its diagonal. p̄ = p − mean:

    ∂/∂p_i = 2 (p_i − q_i)/(nD) − 2λ₁ p̄_i/((n−1) D (σ_i² + ε)) + 4λ₂ Σ_{k≠i} C_ik p̄_k/((n−1)(D²−D))
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


class LPL(Rule):
    """LPL.  hebbian, decorrelation: λ₁, λ₂.  The other options are as in VICReg."""

    name: Literal["lpl"] = "lpl"
    hebbian: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    decorrelation: float = Field(default=10.0, ge=0, allow_inf_nan=False)
    epsilon: float = Field(default=1e-4, gt=0, allow_inf_nan=False)
    dims: int = Field(default=16, ge=0)
    projection: Predictor = "position"
    statistics: Statistics = "batch"
    decay: float = Field(default=0.99, ge=0, lt=1)
    facts: ClassVar[Facts] = Facts(
        title="LPL (latent predictive learning)",
        family="layerwise",
        citation="Halvagal & Zenke (2023), Nature Neuroscience 26:1906-1915, with its erratum",
        equation="T = U ∂/∂p of ⟨(p−q)²⟩ − λ₁ ⟨log(σ_i²+ε)⟩ + λ₂ Σ_{i≠k} C_ik²/(D²−D),  p = Uᵀz",
        differences=(
            "on a linear projection of the layer's own (paper: on the activity itself, which "
            "dims=0 gives); the first term without the paper's ½; λ₁ = 0.1, which learns faster "
            "here (paper: 1); the earlier view is constant (the paper's text; in its code neither)"
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
            variance = C.diagonal(dim1=-2, dim2=-1) + self.epsilon
            loss = apart.square().mean((1, 2, 3)) - self.hebbian * variance.log().mean((1, 2))
            pushed = (-2 * self.hebbian / variance).unsqueeze(2) * centred
            if D > 1:
                mixed = off_diagonal(C)
                pushed += (4 * self.decorrelation / (D - 1)) * (centred @ mixed)
                pairs = D * D - D
                loss = loss + self.decorrelation * mixed.square().sum((1, 2, 3)) / (pairs * N)
            # All terms are means over positions.
            G = (2 / B) * apart + weight * by_position(pushed)
            return G.mul_(1 / (D * N)), loss

        return teach_projected(state, batch, gradient)

"""VICReg: variance, invariance, covariance. Bardes, Ponce & LeCun, ICLR 2022 (arXiv 2105.04906).

    loss_l = λ ⟨(p − q)²⟩ + μ ⟨max(0, 1 − σ_i)⟩_i + ν Σ_{i≠k} C_ik² / D          σ_i = √(C_ii + ε)

p, q: the layer's activity and its context through the layer's own projection;  C: covariance of p
over the n inputs of a batch, at each position. With p̄ = p − mean:

    ∂/∂p_i = 2λ (p_i − q_i)/(nD) − μ 1[σ_i < 1] p̄_i/((n−1) D σ_i) + 4ν Σ_{k≠i} C_ik p̄_k/((n−1) D)
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Reading, Rule, State, Teaching
from synaptree.rules.shared.covariance import Statistics, init_statistics, teach_covariances
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.options import Decay, Dims, NotNegative, Positive


class VICReg(Rule):
    """VICReg.

    invariance, variance, covariance: λ, μ, ν.  dims: D, the dimensions of the layer's projection; 0
    uses the activity itself.  projection: one for all positions of a layer, or one for each.
    statistics: the mean and C are those of the batch; or running averages that the layer remembers,
    so that inputs can come one object at a time.  decay: the part of a running average that stays
    at each step.
    """

    name: Literal["vicreg"] = "vicreg"
    invariance: NotNegative = 1.0
    variance: NotNegative = 1.0
    covariance: NotNegative = 1.0
    epsilon: Positive = 1e-4
    dims: Dims = 16
    projection: Sharing = "position"
    statistics: Statistics = "batch"
    decay: Decay = 0.99
    online_options: ClassVar[Mapping[str, Any]] = {"statistics": "running"}
    end_to_end: ClassVar[bool] = True
    facts: ClassVar[Facts] = Facts(
        title="VICReg (variance-invariance-covariance regularisation)",
        family="layerwise",
        subfamily="non-contrastive",
        citation="Bardes, Ponce & LeCun (2022), ICLR; arXiv 2105.04906; by layers",
        equation="T = U ∂/∂p of λ ⟨(p−q)²⟩ + μ ⟨max(0, 1−σ_i)⟩ + ν Σ_{i≠k} C_ik²/D,  p = Uᵀz",
        differences=(
            "every layer has a loss of its own on a linear projection of a few dimensions (paper: "
            "three wide layers on top of a deep network); weights 1/1/1 (paper: 25/25/1), "
            "which learn where the paper's do not; the second view is constant"
        ),
        other_samples=True,
        reading=Reading(
            modulator="The mean over time; see `statistics=running`.",
            dendrite=(
                "As in LPL, with a variance term that stops at variance 1 (homeostasis, "
                "Turrigiano 2008, Cell 135:422)."
            ),
        ),
        open_in_biology=(
            "What LPL leaves open: what tells that two inputs belong together, how the "
            "projection can be read in both directions, and what keeps the covariances."
        ),
    )

    @property
    def needs_same_units(self) -> bool:
        return self.online or not self.dims

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        return init_statistics(net, generators, self.dims, self.projection, self.statistics)

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        def spread(variance: Tensor) -> tuple[Tensor, Tensor]:
            sd = (variance + self.epsilon).sqrt()
            short = self.variance * (1 - sd).relu().mean(2)
            return -self.variance * (sd < 1) / sd, short

        return teach_covariances(
            state,
            batch,
            self.decay,
            spread,
            self.covariance,
            pairs=lambda D: D,
            invariance=self.invariance,
        )

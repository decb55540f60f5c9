"""LPL: latent predictive learning. Halvagal & Zenke, Nature Neuroscience 26 (2023).

    loss_l = ⟨(p − q)²⟩ − λ₁ ⟨log(σ_i² + ε)⟩_i + λ₂ Σ_{i≠k} C_ik² / (D² − D)

Predict the next activity, keep the variance (Hebbian), decorrelate.  p, q: activity and context
through the layer's projection;  C: covariance of p over the n inputs of a batch, σ_i² its diagonal.
With p̄ = p − mean:

    ∂/∂p_i = 2 (p_i − q_i)/(nD) − 2λ₁ p̄_i/((n−1) D (σ_i² + ε)) + 4λ₂ Σ_{k≠i} C_ik p̄_k/((n−1)(D²−D))
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


class LPL(Rule):
    """LPL.

    hebbian, decorrelation: λ₁, λ₂.  epsilon: ε.  dims: D, the dimensions of the layer's projection;
    0 uses the activity itself.  projection: one for all positions of a layer, or one for each.
    statistics: the mean and C are those of the batch; or running averages that the layer remembers,
    so that inputs can come one object at a time.  decay: the part of a running average that stays
    at each step.
    """

    name: Literal["lpl"] = "lpl"
    hebbian: NotNegative = 0.1
    decorrelation: NotNegative = 10.0
    epsilon: Positive = 1e-4
    dims: Dims = 16
    projection: Sharing = "position"
    statistics: Statistics = "batch"
    decay: Decay = 0.99
    online_options: ClassVar[Mapping[str, Any]] = {"statistics": "running"}
    end_to_end: ClassVar[bool] = True
    facts: ClassVar[Facts] = Facts(
        title="LPL (latent predictive learning)",
        family="layerwise",
        subfamily="non-contrastive",
        citation="Halvagal & Zenke (2023), Nature Neuroscience 26:1906-1915, with its erratum",
        equation="T = U ∂/∂p of ⟨(p−q)²⟩ − λ₁ ⟨log(σ_i²+ε)⟩ + λ₂ Σ_{i≠k} C_ik²/(D²−D),  p = Uᵀz",
        differences=(
            "on the layer's own linear projection (paper: on the activity itself, which "
            "dims=0 gives); the first term without the paper's ½; λ₁ = 0.1, which learns faster "
            "here (paper: 1); the earlier view is constant (the paper's text; in its code neither)"
        ),
        other_samples=True,
        reading=Reading(
            modulator="The mean over time; see `statistics=running`.",
            dendrite=(
                "Three local terms, the change since the second view (predictive), the deviation "
                "from the mean over the variance (Hebbian, with a sliding threshold as in BCM), "
                "and the deviations of other units through covariances (lateral inhibition); see "
                "Halvagal & Zenke (2023), who fit it to plasticity data, and Vogels et al. "
                "(2011), Science 334:1569, on inhibitory plasticity."
            ),
        ),
        open_in_biology=(
            "What would stop the prediction where one object gives way to the next: here the "
            "pairs are given. The projection is read in both directions, so its weights would "
            "have to be symmetric; with `dims=0` there is none. The covariances ask for "
            "lateral weights that learn to decorrelate (Vogels et al. 2011, Science "
            "334:1569)."
        ),
    )

    @property
    def needs_same_units(self) -> bool:
        return self.online or not self.dims

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        return init_statistics(net, generators, self.dims, self.projection, self.statistics)

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        def spread(variance: Tensor) -> tuple[Tensor, Tensor]:
            variance = variance + self.epsilon
            hebb = -self.hebbian * variance.log().mean(2)
            return -2 * self.hebbian / variance, hebb

        return teach_covariances(
            state, batch, self.decay, spread, self.decorrelation, pairs=lambda D: D * D - D
        )

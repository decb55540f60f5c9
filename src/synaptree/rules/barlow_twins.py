"""Barlow Twins. Zbontar, Jing, Misra, LeCun & Deny, ICML 2021 (arXiv 2103.03230).

    loss_l = Σ_i (C_ii − 1)² + λ Σ_{i≠k} C_ik²          C = ⟨p̂ q̂ᵀ⟩

p̂, q̂: the layer's activity and its context through the layer's own projection. At each position,
every dimension has mean 0 and variance 1 over the inputs of a batch. With G = ∂loss/∂p̂:

    G = 2 ⟨ q̂ [Λ ⊙ (C − I)]ᵀ ⟩          ∂loss/∂p = (G − ⟨G⟩ − p̂ ⟨p̂ ⊙ G⟩) / σ
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Reading, Rule, State, Teaching
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.options import Dims, NotNegative
from synaptree.rules.shared.projection import init_projections, teach_projected

EPSILON = 1e-5  # of the batch normalisation


class BarlowTwins(Rule):
    """Barlow Twins.  redundancy: λ.  dims, projection: as in VICReg."""

    name: Literal["barlow_twins"] = "barlow_twins"
    redundancy: NotNegative = 0.05
    dims: Dims = 16
    projection: Sharing = "position"
    end_to_end: ClassVar[bool] = True
    facts: ClassVar[Facts] = Facts(
        title="Barlow Twins, by layers",
        family="layerwise",
        subfamily="non-contrastive",
        citation="Zbontar et al. (2021), ICML; arXiv 2103.03230; by blocks: Siddiqui et al. (2023)",
        equation="T = U ∂/∂p of Σ_i (C_ii−1)² + λ Σ_{i≠k} C_ik²,  C = ⟨p̂ q̂ᵀ⟩ of normalised p, q",
        differences=(
            "every layer has a loss of its own on a linear projection of a few dimensions (paper: "
            "three wide layers on top of a deep network); λ = 0.05, for few dimensions (paper: "
            "0.005); the second view is constant"
        ),
        other_samples=True,
        reading=Reading(
            modulator="The mean over the batch.",
            dendrite=(
                "The second view through the layer's cross-correlations, a lateral signal "
                "between all dimensions of the projection; no published biological reading."
            ),
        ),
        open_in_biology=(
            "How every unit would know the correlations between all dimensions of the two "
            "views. The projection is read in both directions, so its weights would have to "
            "be symmetric, and the means are over a batch."
        ),
    )

    @property
    def needs_same_units(self) -> bool:
        return not self.dims

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        return State(learned=init_projections(net, generators, self.dims, self.projection))

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        def gradient(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
            B, D = p.shape[2:]
            (p_hat, sd), (q_hat, _) = normalised(p), normalised(q)
            error = p_hat.mT @ q_hat / B
            error.diagonal(dim1=-2, dim2=-1).sub_(1)
            weight = torch.full((D, D), self.redundancy, dtype=p.dtype, device=p.device)
            weight.fill_diagonal_(1)
            G = (2 / B) * (q_hat @ (weight * error).mT)
            along = (p_hat * G).mean(2, keepdim=True)
            G = (G - G.mean(2, keepdim=True) - p_hat * along) / sd
            return G, (weight * error.square()).sum((2, 3))

        return teach_projected(state, batch, gradient)


def normalised(p: Tensor) -> tuple[Tensor, Tensor]:
    """p (R, N, B, D) with mean 0 and variance 1 over inputs, and σ (R, N, 1, D)."""
    centred = p - p.mean(2, keepdim=True)
    sd = (centred.square().mean(2, keepdim=True) + EPSILON).sqrt()
    return centred / sd, sd

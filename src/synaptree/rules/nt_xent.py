"""NT-Xent, by layers (SimCLR). Chen, Kornblith, Norouzi & Hinton, ICML 2020 (arXiv 2002.05709).

    loss_l = −log  exp(ẑ_iᵀ ĉ_i / τ) / Σ_j exp(ẑ_iᵀ ĉ_j / τ)          ẑ = p / |p|

p: the layer's activity through its own projection;  ĉ_j: projected and normalised contexts, of the
input itself and of all inputs of other objects. With p_ij the softmax over j:

    T̂_i = Σ_j (p_ij − δ_ij) ĉ_j / τ          ∂loss/∂p = (T̂ − ẑ (ẑᵀ T̂)) / |p|
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Reading, Rule, State, Teaching
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.options import Dims, Positive
from synaptree.rules.shared.projection import init_projections, teach_projected


class NTXent(Rule):
    """NT-Xent.  temperature: τ.  dims, projection: as in VICReg; 0 dims: the activity itself."""

    name: Literal["nt_xent"] = "nt_xent"
    temperature: Positive = 0.5
    dims: Dims = 32
    projection: Sharing = "position"
    end_to_end: ClassVar[bool] = True
    facts: ClassVar[Facts] = Facts(
        title="NT-Xent (SimCLR), by layers",
        family="layerwise",
        subfamily="contrastive",
        citation="Chen, Kornblith, Norouzi & Hinton (2020), ICML; arXiv 2002.05709",
        equation="T̂_i = Σ_j (p_ij − δ_ij) ĉ_j/τ,  p_ij = softmax_j(ẑ_iᵀ ĉ_j/τ)",
        differences=(
            "every layer has a loss of its own on a linear projection (paper: two layers on top of "
            "a deep network), at each position; contexts are constant, and of more than two inputs "
            "of an object their mean, so that for pairs the candidates are the paper's"
        ),
        other_samples=True,
        reading=Reading(
            modulator="The mean over the batch, as in InfoNCE.",
            dendrite=(
                "The second view's direction less that of other inputs, seen through the layer's "
                "own projection, used both ways; no published biological reading."
            ),
        ),
        open_in_biology=(
            "What would hold many other inputs at once, as in InfoNCE. The projection is read "
            "in both directions, so its weights would have to be symmetric, and the activity "
            "is divided by its length."
        ),
    )

    @property
    def needs_same_units(self) -> bool:
        return not self.dims

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        return State(learned=init_projections(net, generators, self.dims, self.projection))

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        def gradient(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
            B = p.shape[2]
            z, size = unit(p)
            c, _ = unit(q)
            object_of = torch.arange(B, device=p.device) // batch.members
            own = object_of.unsqueeze(1) == object_of
            own.fill_diagonal_(False)  # other inputs of the same object are no negatives
            scores = (z @ c.mT).div_(self.temperature).masked_fill_(own, -torch.inf)
            log_p = scores.log_softmax(-1)
            loss = -log_p.diagonal(dim1=-2, dim2=-1).mean(2)
            dS = log_p.exp_()
            dS.diagonal(dim1=-2, dim2=-1).sub_(1)
            T = (dS @ c).mul_(1 / (self.temperature * B))
            G = (T - z * (z * T).sum(-1, keepdim=True)) / size
            return G, loss

        return teach_projected(state, batch, gradient, together=False)


def unit(p: Tensor) -> tuple[Tensor, Tensor]:
    """p divided by its length, and its length (never 0, since all units may be silent)."""
    size = p.norm(dim=-1, keepdim=True).clamp_min(1e-8)
    return p / size, size

"""Layerwise InfoNCE. van den Oord, Li & Vinyals, arXiv 1807.03748; by layers: Löwe et al. 2019.

    loss_l = −log  exp(z_iᵀ W c_i) / Σ_j exp(z_iᵀ W c_j)

z_i: activity of layer l;  c_i: its context;  j runs over the objects of the batch.
With p_ij the softmax over j:

    T_i = Σ_j (p_ij − δ_ij) W c_j          ΔW ∝ −Σ_ij (p_ij − δ_ij) z_i ⊗ c_j
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.operations import apply, correlate
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Reading, Rule, State, Teaching
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.options import Positive
from synaptree.rules.shared.prediction import context_of, init_predictors


class InfoNCE(Rule):
    """Layerwise InfoNCE.  temperature: divides the scores.  predictor: as in CLAPP."""

    name: Literal["infonce"] = "infonce"
    temperature: Positive = 1.0
    predictor: Sharing = "position"
    end_to_end: ClassVar[bool] = True
    facts: ClassVar[Facts] = Facts(
        title="Layerwise InfoNCE (Greedy InfoMax)",
        family="layerwise",
        subfamily="contrastive",
        citation="Löwe, O'Connor & Veeling (2019), NeurIPS; arXiv 1905.11786 (CPC: 1807.03748)",
        equation="T_i = Σ_j (p_ij − δ_ij) W c_j,  p_ij = softmax_j(z_iᵀ W c_j)",
        differences=(
            "every layer has a loss of its own (the paper: modules of several layers); contexts of "
            "the same position and the same member of each other object in the batch are negatives"
        ),
        other_samples=True,
        reading=Reading(
            modulator=(
                "The mean over the batch; there is no single broadcast number, as each negative "
                "has a weight of its own."
            ),
            dendrite=(
                "A prediction from the second view less the mean prediction from other inputs, "
                "weighted by how well they fit. It needs them at the same time, which a synapse "
                "does not have; CLAPP is what is left with one negative (Illing et al. 2021)."
            ),
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        return State(learned={"W": init_predictors(net, generators, self.predictor)})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        signals: list[Tensor] = []
        losses: list[Tensor] = []
        own: list[Tensor] = []
        layers = zip(batch.activity.z, state.layers("W"), strict=True)
        for l, (z, W) in enumerate(layers, start=1):
            R, B, N, _ = z.shape
            c = context_of(batch, l)
            anchors, Wc = by_place(z, batch.members), by_place(apply(c, W), batch.members)
            log_p = torch.bmm(anchors, Wc.mT).div_(self.temperature).log_softmax(-1)
            losses.append(-log_p.diagonal(dim1=1, dim2=2).reshape(R, -1).mean(1))
            dS = log_p.exp_()
            dS.diagonal(dim1=1, dim2=2).sub_(1)
            dS.mul_(1 / (self.temperature * B * N))  # the loss is a mean over inputs and positions
            signals.append(by_input(torch.bmm(dS, Wc), z))
            own.append(correlate(c, by_input(torch.bmm(dS.mT, anchors), z), 1.0, W))
        return Teaching(signals, {"W": own}, torch.stack(losses, 1))


def by_place(t: Tensor, members: int) -> Tensor:
    """Competing inputs side by side: (R, B, N, H) to (R·K·N, G, H), for G objects of K members."""
    R, B, N, H = t.shape
    G = B // members
    return t.view(R, G, members * N, H).transpose(1, 2).reshape(R * members * N, G, H)


def by_input(t: Tensor, like: Tensor) -> Tensor:
    """Back from `by_place` to the shape of `like`, (R, B, N, H)."""
    R, _, _, H = like.shape
    return t.view(R, -1, t.shape[1], H).transpose(1, 2).reshape(like.shape)

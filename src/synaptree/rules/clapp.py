"""CLAPP: contrastive, local and predictive plasticity. Illing, Ventura, Bellec & Gerstner, 2021.

    loss_l = max(0, 1 − zᵀ W c) + max(0, 1 + z̃ᵀ W c)

z: activity of layer l;  c: its context, the same layer's activity in the second view;  z̃: the
activity for another input;  W: the layer's own prediction weights. As a three-factor rule, with
the hinges' derivatives γ⁺ = 1[u⁺ < 1] and γ⁻ = 1[u⁻ > −1] broadcast to the layer:

    T = −γ⁺ W c   at z          T = +γ⁻ W c   at z̃          ΔW ∝ (γ⁺ z − γ⁻ z̃) ⊗ c
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network import TreeNet, apply, correlate
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.prediction import Predictor, init_predictors, view_of


class CLAPP(Rule):
    """CLAPP.  predictor: one W for all positions of a layer, or one of its own for each."""

    name: Literal["clapp"] = "clapp"
    predictor: Predictor = "position"
    facts: ClassVar[Facts] = Facts(
        title="CLAPP (contrastive, local and predictive plasticity)",
        family="layerwise",
        citation="Illing, Ventura, Bellec & Gerstner (2021), NeurIPS; arXiv 2010.08262",
        equation="T = −1[zᵀWc < 1] W c at z,  +1[z̃ᵀWc > −1] W c at z̃",
        differences=(
            "both a positive and a negative at each step (the paper draws one of them); the second "
            "view is chosen by --views (the paper: the next patch of the image); W is one matrix "
            "for each position by default, as in CLAPP++"
        ),
        labels=False,
        weight_transport=False,
        error_network=False,
        downstream_masks=False,
        other_samples=True,
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        return State(learned=init_predictors(net, generators, self.predictor))

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:  # noqa: ARG002
        signals: list[Tensor] = []
        losses: list[Tensor] = []
        own: dict[str, Tensor] = {}
        for l, z in enumerate(batch.activity.z, start=1):
            c = view_of(batch, l)
            W = state.learned[f"W{l}"]
            mean = 1 / (z.shape[1] * z.shape[2])  # the loss is a mean over inputs and positions
            Wc = apply(c, W)
            # z of input b is told apart from the context of the next object: there it is the z̃.
            Wc_other = Wc.roll(-batch.members, dims=1)
            u_pos = 1 - (z * Wc).sum(-1, keepdim=True)
            u_neg = 1 + (z * Wc_other).sum(-1, keepdim=True)
            gamma_pos = (u_pos > 0).to(z.dtype).mul_(mean)
            gamma_neg = (u_neg > 0).to(z.dtype).mul_(mean)
            signals.append(Wc_other.mul_(gamma_neg).addcmul_(gamma_pos, Wc, value=-1))
            # The same pairs seen from the context: its own z, and the z̃ of the object before.
            told_apart = (gamma_neg * z).roll(batch.members, dims=1)
            own[f"W{l}"] = correlate(c, told_apart.addcmul_(gamma_pos, z, value=-1), 1.0, W)
            losses.append((u_pos.relu() + u_neg.relu()).sum((1, 2, 3)) * mean)
        return Teaching(signals, own, torch.stack(losses, 1))

"""Self-contrastive forward-forward (SCFF). Chen, Liu, Laydevant & Grollier, Nat. Commun. 2025.

    z⁺ = φ(h(x) + h(x'))          z⁻ = φ(h(x) + h(x̃))          G = ⟨z_i²⟩ over units
    loss_l = softplus(θ⁺ − G⁺) + softplus(G⁻ − θ⁻)

Forward-forward (Hinton, arXiv 2212.13345) without labels: a layer reads two inputs at once through
the same weights, and learns to be more active when they belong together.  x': the second view;
x̃: another input. With σ the logistic function,

    T φ' = 2/H (−σ(θ⁺ − G⁺) z⁺ + σ(G⁻ − θ⁻) z⁻)
"""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import softplus

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Reading, Rule, State, Teaching


class SCFF(Rule):
    """SCFF.  positive: x' is the second view, or x itself as in the paper.  theta_pos, theta_neg:
    θ⁺ and θ⁻."""

    name: Literal["scff"] = "scff"
    positive: Literal["view", "self"] = "view"
    theta_pos: float = Field(default=2.0, allow_inf_nan=False)
    theta_neg: float = Field(default=2.0, allow_inf_nan=False)
    facts: ClassVar[Facts] = Facts(
        title="Self-contrastive forward-forward (SCFF)",
        family="layerwise",
        subfamily="contrastive",
        citation="Chen, Liu, Laydevant & Grollier (2025), Nat. Commun.; FF: arXiv 2212.13345",
        equation="T φ' = 2/H (−σ(θ⁺−G⁺) z⁺ + σ(G⁻−θ⁻) z⁻),  G = ⟨z²⟩",
        differences=(
            "x' is the second view by default (paper: x itself, which positive=self gives); "
            "a layer reads the activity below for single inputs, so that nothing needs to be "
            "normalised (paper: standardised, with a triangle activation); x' and x̃ are constant; "
            "biases enter twice; no penalty on the goodness; where a view sets other units beside "
            "a unit (half_mask:neurons), z⁺ and z⁻ differ in G alone"
        ),
        other_samples=True,
        phases=2,
        reading=Reading(
            modulator=(
                "σ(θ − G) depends on the layer's total activity alone, which an inhibitory pool "
                "could sense (Hinton 2022)."
            ),
            dendrite=(
                "The activity of the pair itself; no signal from elsewhere is needed, but two "
                "phases are, with inputs that belong together and inputs that do not."
            ),
        ),
        open_in_biology=(
            "What would set two inputs on top of each other, and what would tell the pair "
            "that belongs together from the one that does not and turn the sign of "
            "plasticity. Hinton (2022), arXiv 2212.13345, discusses sleep for such a negative "
            "phase."
        ),
    )

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        signals: list[Tensor] = []
        losses: list[Tensor] = []
        for l, h in enumerate(batch.activity.h, start=1):
            B, N, H = h.shape[1:]
            beside = batch.second_view(l, h)
            mean = 1 / (B * N)
            z_pos = (h + (h if self.positive == "self" else beside)).relu()
            z_neg = (h + beside.roll(-batch.members, dims=1)).relu()
            lacking = self.theta_pos - z_pos.square().mean(-1, keepdim=True)
            surplus = z_neg.square().mean(-1, keepdim=True) - self.theta_neg
            losses.append((softplus(lacking) + softplus(surplus)).sum((1, 2, 3)) * mean)
            z_pos *= (-2 * mean / H) * torch.sigmoid(lacking)
            signals.append(z_pos.addcmul_(z_neg, torch.sigmoid(surplus), value=2 * mean / H))
        return Teaching(signals, loss=torch.stack(losses, 1), gated=False)

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

from synaptree.network.tree import TreeNet, apply, correlate
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.prediction import Predictor, init_predictors, view_of

Terms = list[tuple[Tensor, Tensor]]  # γ, (R, B, N, 1), and what it multiplies, (R, B, N, H)


class CLAPP(Rule):
    """CLAPP.

    predictor: one W for all positions of a layer, or one of its own for each.  negative: z̃ is
    another input of the batch, or z is told apart from the context that the layer remembers of
    the object before, so that inputs can come one object at a time.
    """

    name: Literal["clapp"] = "clapp"
    predictor: Predictor = "position"
    negative: Literal["batch", "previous"] = "batch"
    facts: ClassVar[Facts] = Facts(
        title="CLAPP (contrastive, local and predictive plasticity)",
        family="layerwise",
        citation="Illing, Ventura, Bellec & Gerstner (2021), NeurIPS; arXiv 2010.08262",
        equation="T = −1[zᵀWc < 1] W c at z,  +1[z̃ᵀWc > −1] W c at z̃",
        differences=(
            "both a positive and a negative at each step (the paper draws one of them); the second "
            "view is chosen by --views (the paper: the next patch of the image); the context is a "
            "constant (the symmetric form learns at c too: here c is a z of another pair); W is "
            "one matrix for each position by default, as in CLAPP++"
        ),
        labels=False,
        weight_transport=False,
        error_network=False,
        downstream_masks=False,
        other_samples=True,
    )

    @property
    def online(self) -> bool:
        return self.negative == "previous"

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        learned = init_predictors(net, generators, self.predictor)
        if not self.online:
            return State(learned=learned)
        R, H = net.replicas, net.width
        layers = range(1, net.L + 1)
        before = {f"before{l}": net.W_out.new_zeros(R, 1, net.positions(l), H) for l in layers}
        return State(learned=learned, running=before)

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:  # noqa: ARG002
        signals: list[Tensor] = []
        terms: list[Terms] = []
        losses: list[Tensor] = []
        own: dict[str, Tensor] = {}
        for l, z in enumerate(batch.activity.z, start=1):
            c, W = view_of(batch, l), state.learned[f"W{l}"]
            before = state.running.get(f"before{l}")
            told, own[f"W{l}"], loss = contrast(z, c, W, batch.members, before)
            terms.append(told)
            signals.append(together(told))
            losses.append(loss)
        return Teaching(signals, own, torch.stack(losses, 1), terms=terms)


def contrast(
    z: Tensor, c: Tensor, W: Tensor, members: int, before: Tensor | None = None
) -> tuple[Terms, Tensor, Tensor]:
    """CLAPP's signal as two terms, the gradient of W, and the loss (R,): means over inputs and
    positions.

    z, c: (R, B, N, H), c possibly of another width.  Without `before` z of an input is told apart
    from the context of the next object of the batch: there it is the z̃.  With `before`,
    (R, 1, N, H), it is told apart from the context of the object before, and this is kept there.
    """
    mean = 1 / (z.shape[1] * z.shape[2])
    Wc, past = apply(c, W), None
    if before is None:
        Wc_other = Wc.roll(-members, dims=1)
    else:
        past = torch.cat([before.expand(-1, members, -1, -1), c[:, :-members]], 1)
        before.copy_(c[:, -1:])
        Wc_other = apply(past, W)
    u_pos = 1 - (z * Wc).sum(-1, keepdim=True)
    u_neg = 1 + (z * Wc_other).sum(-1, keepdim=True)
    gamma_pos = (u_pos > 0).to(z.dtype).mul_(mean)
    gamma_neg = (u_neg > 0).to(z.dtype).mul_(mean)
    told_apart = gamma_neg * z
    if past is None:
        # The same pairs seen from the context: its own z, and the z̃ of the object before.
        dW = correlate(c, told_apart.roll(members, dims=1).addcmul_(gamma_pos, z, value=-1), 1.0, W)
    else:
        dW = correlate(past, told_apart, 1.0, W) - correlate(c, gamma_pos * z, 1.0, W)
    terms = [(gamma_neg, Wc_other), (gamma_pos.neg_(), Wc)]
    return terms, dW, (u_pos.relu() + u_neg.relu()).sum((1, 2, 3)) * mean


def together(terms: Terms) -> Tensor:
    """The teaching signal, the sum of its terms."""
    (first, dendrite), *rest = terms
    T = first * dendrite
    for modulator, dendrite in rest:
        T.addcmul_(modulator, dendrite)
    return T

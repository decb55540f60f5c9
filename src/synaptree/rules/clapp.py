"""CLAPP: contrastive, local and predictive plasticity. Illing, Ventura, Bellec & Gerstner, 2021.

    loss_l = max(0, 1 − zᵀ W c) + max(0, 1 + z̃ᵀ W c)

z: activity of layer l;  c: its context, the same layer's activity in the second view;  z̃: the
activity for another input;  W: the layer's own prediction weights. As a three-factor rule, with
the hinges' derivatives γ⁺ = 1[u⁺ < 1] and γ⁻ = 1[u⁻ > −1] broadcast to the layer:

    T = −γ⁺ W c   at z          T = +γ⁻ W c   at z̃          ΔW ∝ (γ⁺ z − γ⁻ z̃) ⊗ c
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.operations import apply, correlate
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Reading, Rule, State, Teaching, Term
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.prediction import context_of, init_predictors


class CLAPP(Rule):
    """CLAPP.

    predictor: one W for all positions of a layer, or one for each.  negative: z̃ is another input of
    the batch; or the negative pair is z with the context that the layer remembers of the previous
    object, so that inputs can come one object at a time.
    """

    name: Literal["clapp"] = "clapp"
    predictor: Sharing = "position"
    negative: Literal["batch", "previous"] = "batch"
    online_options: ClassVar[Mapping[str, Any]] = {"negative": "previous"}
    end_to_end: ClassVar[bool] = True
    facts: ClassVar[Facts] = Facts(
        title="CLAPP (contrastive, local and predictive plasticity)",
        family="layerwise",
        subfamily="contrastive",
        citation="Illing, Ventura, Bellec & Gerstner (2021), NeurIPS; arXiv 2010.08262",
        equation="T = −1[zᵀWc < 1] W c at z,  +1[z̃ᵀWc > −1] W c at z̃",
        differences=(
            "both a positive and a negative at each step (the paper draws one of them); the second "
            "view is chosen by --views (the paper: the next patch of the image); the context is a "
            "constant (the symmetric form learns at c too: here c is a z of another pair); W is "
            "one matrix for each position by default, as in CLAPP++"
        ),
        other_samples=True,
        reading=Reading(
            modulator=(
                "γ, one number a layer for each moment, +1, 0 or −1, is a broadcast "
                "neuromodulator that tells fixation (the same object) from a saccade (another "
                "one); see Illing et al. (2021), and Gerstner et al. (2018), Front. Neural "
                "Circuits 12:53, on three-factor rules."
            ),
            dendrite=(
                "W c is a prediction that arrives at the apical dendrite from lateral or "
                "top-down axons and changes plasticity without driving the cell; see Larkum "
                "(2013), Trends Neurosci. 36:141, and Illing et al. (2021)."
            ),
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        W = init_predictors(net, generators, self.predictor)
        if not self.online:
            return State(learned={"W": W})
        R, H, layers = net.replicas, net.width, range(1, net.L + 1)
        before = [net.W_out.new_zeros(R, 1, net.positions(l), H) for l in layers]
        return State(learned={"W": W}, running={"before": before})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        signals: list[Tensor] = []
        terms: list[list[Term]] = []
        losses: list[Tensor] = []
        own: list[Tensor] = []
        W_all = state.layers("W")
        before = state.layers("before") if self.online else [None] * len(W_all)
        layers = zip(batch.activity.z, W_all, before, strict=True)
        for l, (z, W, c_before) in enumerate(layers, start=1):
            c = context_of(batch, l)
            terms_l, dW, loss = contrast(z, c, W, batch.members, c_before)
            terms.append(terms_l)
            signals.append(sum_of(terms_l))
            own.append(dW)
            losses.append(loss)
        return Teaching(signals, {"W": own}, torch.stack(losses, 1), terms=terms)


def contrast(
    z: Tensor, c: Tensor, W: Tensor, members: int, before: Tensor | None = None
) -> tuple[list[Term], Tensor, Tensor]:
    """CLAPP's signal as two terms, the gradient of W, and the loss (R,): means over inputs and
    positions.

    z, c: (R, B, N, H), c possibly of another width.  Without `before`, the negative of an input is
    the context of the next object of the batch, for which the input is the z̃.  With `before`,
    (R, 1, N, H), it is the context of the previous object, which is remembered there.
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
    negative = gamma_neg * z
    if past is None:
        # The same pairs, ordered by context: its own z, and the z̃ of the previous object.
        dW = correlate(c, negative.roll(members, dims=1).addcmul_(gamma_pos, z, value=-1), 1.0, W)
    else:
        dW = correlate(past, negative, 1.0, W) - correlate(c, gamma_pos * z, 1.0, W)
    terms = [(gamma_neg, Wc_other), (gamma_pos.neg_(), Wc)]
    return terms, dW, (u_pos.relu() + u_neg.relu()).sum((1, 2, 3)) * mean


def sum_of(terms: list[Term]) -> Tensor:
    """The teaching signal, the sum of its terms."""
    (first, dendrite), *rest = terms
    T = first * dendrite
    for modulator, dendrite in rest:
        T.addcmul_(modulator, dendrite)
    return T

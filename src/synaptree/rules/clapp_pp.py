"""CLAPP++: CLAPP with predictions from the top of the network. Zihan et al., arXiv 2601.21683.

    loss_l = CLAPP's, with c from the same layer · from the top layer · the sum of both

z: activity of layer l;  c: the second view's activity of the context layer, through prediction
weights W_l (same layer) and D_l (direct feedback from the top, whatever the layers in between):

    T = −γ⁺ D_l c_L   at z          T = +γ⁻ D_l c_L   at z̃
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.clapp import Terms, contrast, together
from synaptree.rules.shared.prediction import Predictor, init_predictors, view_of


class CLAPPpp(Rule):
    """CLAPP++.  context: where predictions come from.  predictor: as in CLAPP."""

    name: Literal["clapp_pp"] = "clapp_pp"
    context: Literal["same", "top", "both"] = "both"
    predictor: Predictor = "position"
    facts: ClassVar[Facts] = Facts(
        title="CLAPP++ (with direct top-down prediction)",
        family="layerwise",
        citation="Zihan et al. (2026), arXiv 2601.21683",
        equation="T = −γ⁺ (W_l c_l, D_l c_L) at z,  +γ⁻ (W_l c_l, D_l c_L) at z̃",
        differences=(
            "the second view is chosen by --views (paper: another augmentation of the image); one "
            "prediction from the top for each position (paper: of a pooled map)"
        ),
        labels=False,
        weight_transport=False,
        error_network=False,
        downstream_masks=False,
        other_samples=True,
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        learned: dict[str, Tensor] = {}
        if self.context != "top":
            learned |= init_predictors(net, generators, self.predictor)
        if self.context != "same":
            drawn = init_predictors(net, generators, self.predictor)
            learned |= {name.replace("W", "D"): D for name, D in drawn.items()}
        return State(learned=learned)

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:  # noqa: ARG002
        signals: list[Tensor] = []
        terms: list[Terms] = []
        losses: list[Tensor] = []
        own: dict[str, Tensor] = {}
        top = view_of(batch, net.L)
        for l, z in enumerate(batch.activity.z, start=1):
            contexts = {f"W{l}": view_of(batch, l), f"D{l}": top.expand_as(z)}
            told: Terms = []
            loss = z.new_zeros(len(z))
            for name, c in contexts.items():
                if name in state.learned:
                    more, own[name], each = contrast(z, c, state.learned[name], batch.members)
                    told += more
                    loss = loss + each
            terms.append(told)
            signals.append(together(told))
            losses.append(loss)
        return Teaching(signals, own, torch.stack(losses, 1), terms=terms)

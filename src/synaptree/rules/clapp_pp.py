"""CLAPP++: CLAPP with predictions from the top of the network. Zihan et al., arXiv 2601.21683.

    loss_l = CLAPP's, with the context of the same layer, of the top layer, or the sum of both

z: activity of layer l;  c_l, c_L: contexts of the same and of the top layer, through prediction
weights W_l and D_l. D_l is direct: it skips the layers in between. For the context of the top,

    T = −γ⁺ D_l c_L   at z          T = +γ⁻ D_l c_L   at z̃
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import torch

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Reading, Rule, State, Teaching
from synaptree.rules.shared.contrast import contrast, taught
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.prediction import init_predictors


class CLAPPpp(Rule):
    """CLAPP++.  context: where predictions come from.  predictor: as in CLAPP."""

    name: Literal["clapp_pp"] = "clapp_pp"
    context: Literal["same", "top", "both"] = "both"
    predictor: Sharing = "position"
    facts: ClassVar[Facts] = Facts(
        title="CLAPP++ (with direct top-down prediction)",
        family="layerwise",
        subfamily="contrastive",
        citation="Zihan et al. (2026), arXiv 2601.21683",
        equation="T = −γ⁺ (W_l c_l, D_l c_L) at z,  +γ⁻ (W_l c_l, D_l c_L) at z̃",
        differences=(
            "the second view is chosen by --views (paper: another augmentation of the image); one "
            "prediction from the top for each position (paper: of a pooled map)"
        ),
        other_samples=True,
        top_context=True,
        reading=Reading(
            modulator=(
                "As in CLAPP, one γ for the prediction from the same layer and one for that from "
                "the top."
            ),
            dendrite=(
                "W c from the same layer and D c from the top area are two dendritic inputs; "
                "direct feedback from high areas to low ones is common in cortex (Markov et al. "
                "2014, J. Comp. Neurol. 522:225)."
            ),
        ),
        open_in_biology=(
            "All that CLAPP leaves open. Besides, D_l c_L comes later than the activity of "
            "layer l, since the top must be active first: what makes the layer wait is open. "
            "Direct paths from high areas to low ones exist (Markov et al. 2014), but whether "
            "they can give each position a prediction of its own is not known."
        ),
    )

    @property
    def declared(self) -> Facts:
        return replace(self.facts, top_context=self.context != "same")

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        names = {"same": ["W"], "top": ["D"], "both": ["W", "D"]}[self.context]
        drawn = [init_predictors(net, generators, self.predictor) for _ in names]
        return State(learned=dict(zip(names, drawn, strict=True)))

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        names = list(state.learned)
        layers = [
            contrast(
                batch,
                l,
                [(state.layers(name)[l - 1], {"W": l, "D": net.L}[name]) for name in names],
            )
            for l in range(1, net.L + 1)
        ]
        return taught(layers, names)

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

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Reading, Rule, State, Teaching
from synaptree.rules.shared.contrast import contrast, taught
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.prediction import init_predictors


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
            "constant for its own pair, and learns as the z of another pair; W is "
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
        open_in_biology=(
            "(1) What carries γ. It must reach all synapses of a layer while they are still "
            "eligible, strengthen after a fixation and weaken after a saccade; Illing et al. "
            "(2021) propose a neuromodulator, and we know of no recording that shows it. Its "
            "hinge also depends on zᵀ W c, a sum over the whole layer. (2) What tells "
            "fixation from a saccade. Here the pairs are given; signals that accompany eye "
            "movements are a candidate. (3) What holds the context c of the moment before "
            "until z has come, and with `negative=previous` that of the object before. (4) "
            "Whether W c can change plasticity and leave the activity as it is. Inputs to "
            "apical dendrites mostly change both (Larkum 2013). (5) Symmetry. A gradient for "
            "the context would need the transpose of W; Illing et al. (2021) give this way "
            "back weights of its own, the retrodiction. Here W is read in one direction only. "
            "(6) Positions share their forward weights, unless `connectivity` is `local`."
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
        W = state.layers("W")
        before = state.layers("before") if self.online else [None] * len(W)
        layers = [
            contrast(batch, l, [(W_l, l)], before_l)
            for l, (W_l, before_l) in enumerate(zip(W, before, strict=True), start=1)
        ]
        return taught(layers, ["W"])

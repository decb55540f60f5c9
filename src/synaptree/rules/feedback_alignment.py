"""Feedback alignment. Lillicrap, Cownden, Tweed & Akerman, Nature Communications 7:13276 (2016).

T_L = B_o e          T_l = B_{l+1} (φ'(h_{l+1}) ⊙ T_{l+1})          B fixed and random

Backprop's chain, every mask included, with random weights in place of Wᵀ.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.chain import chain, draw_chain
from synaptree.rules.shared.options import Positive


class FeedbackAlignment(Rule):
    """Feedback alignment.  scale: the size of B, relative to the weights at their start."""

    name: Literal["feedback_alignment"] = "feedback_alignment"
    scale: Positive = 1.0
    facts: ClassVar[Facts] = Facts(
        title="Feedback alignment",
        family="reference",
        citation="Lillicrap et al. (2016), Nature Communications 7:13276",
        equation="T_L = B_o e;  T_l = B_{l+1} (φ'(h_{l+1}) ⊙ T_{l+1});  B fixed random",
        differences="B is Gaussian, as large as the weights at the start (paper: uniform)",
        labels=True,
        error_network=True,
        downstream_masks=True,
        phases=2,
        passes=2,
        open_in_biology=(
            "What carries the errors. The feedback weights need not fit the forward ones, but "
            "the errors still come down layer by layer, with both signs, and through the "
            "masks of the layers above (Lillicrap et al. 2020, Nat. Rev. Neurosci. 21:335)."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        return State(fixed={"F": draw_chain(net, generators, self.scale)})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        return Teaching(chain(net, batch.error, batch.activity, state.fixed["F"]))

"""Direct feedback alignment. Nøkland, NeurIPS 2016 (arXiv 1609.01596).

    T_l = B_l e          B_l fixed and random

The output error reaches each layer directly. It does not pass the layers in between, and so lacks
their input-specific masks φ'(h_{l+1}) … φ'(h_L). With ``error=sign`` it is sDFA (Frenkel,
Lefebvre & Bol 2021, arXiv 1909.01311), which sends only the direction of each output's error:

    T_l = B_l sign(e)
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.feedback import draw_feedback, send, top_std
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.options import Positive


class DFA(Rule):
    """Direct feedback alignment.

    scale: multiplies the standard deviation that backprop's readout weights have at the start,
    so that 1 gives top-layer signals of backprop's size.  feedback: one matrix for all positions
    of a layer, or one for each position, as in the paper, where each unit has its own.
    error: e itself, or its sign. The sign never fades, and for more than two classes it does not
    sum to 0, so that it keeps driving units without an upper bound; it needs lower learning rates.
    """

    name: Literal["dfa"] = "dfa"
    scale: Positive = 1.0
    feedback: Sharing = "position"
    error: Literal["linear", "sign"] = "linear"
    facts: ClassVar[Facts] = Facts(
        title="Direct feedback alignment",
        family="direct feedback",
        subfamily="fixed direct feedback",
        citation="Nøkland (2016), NeurIPS; arXiv 1609.01596",
        equation="T_l = B_l e,  or B_l sign(e);  B_l fixed random;  e = softmax(o) − onehot(y)",
        differences="B_l is Gaussian, scaled to backprop's top-layer signal (paper: uniform)",
        labels=True,
        open_in_biology=(
            "What would carry a vector, one signed number for each class, to every layer "
            "while the activity that it belongs to is still there. Dopamine is nearest to one "
            "number for all (Schultz 1998, J. Neurophysiol. 80:1), although dopamine neurons "
            "differ more than this suggests (Engelhard et al. 2019, Nature 570:509)."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        std = self.scale * top_std(net)
        return State(fixed={"B": draw_feedback(net, generators, std, self.feedback)})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        e = batch.error
        if self.error == "sign":
            e = e.sign().div_(e.shape[1])  # still a mean over the batch
        return Teaching(send(net, e, state.layers("B")))

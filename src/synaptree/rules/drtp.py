"""Direct random target projection. Frenkel, Lefebvre & Bol, Front. Neurosci. 15:629892 (2021).

    T_l = −B_l y*          y* = onehot(y), B_l fixed and random

The target replaces the error, whose sign it predicts: the output of the right class is always too
low, all others are too high. So no layer waits for the output, and nothing tells it when to stop.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.feedback import draw_feedback, send, top_std
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.options import Positive


class DRTP(Rule):
    """Direct random target projection.  scale, feedback: as in DFA."""

    name: Literal["drtp"] = "drtp"
    scale: Positive = 1.0
    feedback: Sharing = "position"
    facts: ClassVar[Facts] = Facts(
        title="Direct random target projection",
        family="direct feedback",
        subfamily="fixed direct feedback",
        citation="Frenkel, Lefebvre & Bol (2021), Front. Neurosci. 15:629892; arXiv 1909.01311",
        equation="T_l = −B_l y*,  B_l fixed random;  y* = onehot(y)",
        differences=(
            "B_l is Gaussian, scaled to backprop's top-layer signal (paper: Kaiming-uniform); "
            "ReLU units, which it keeps driving without bound, and a softmax readout (paper: tanh, "
            "which is bounded, and sigmoid outputs)"
        ),
        labels=True,
        open_in_biology=(
            "What would send the label, one number for each class, to every area, sensory "
            "ones included. No error has to be computed. The rest is as in DFA."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        std = self.scale * top_std(net)
        return State(fixed={"B": draw_feedback(net, generators, std, self.feedback)})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        y = torch.zeros_like(batch.error)
        y.scatter_(-1, batch.labels.unsqueeze(-1), -1 / y.shape[1])  # −onehot, mean over the batch
        return Teaching(send(net, y, state.layers("B")))

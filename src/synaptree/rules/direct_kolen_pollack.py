"""Direct Kolen–Pollack. Webster, Choi & Ahn, "Learning the connections in DFA", 2021.

    T_l = B_l e          ΔB_l = −η (⟨e z_lᵀ⟩ + λ B_l)

DFA whose feedback learns: B_l learns what a linear readout of layer l would learn from the same
error. At the top this is the readout itself, so that B_L − W_oᵀ can only fade. Further down, B_l
comes to contain the path to the output, but no masks.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch

from synaptree.network.operations import correlate
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.feedback import draw_feedback, everywhere, send
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.options import NotNegative, Positive


class DirectKolenPollack(Rule):
    """Direct Kolen–Pollack.

    scale, feedback: as in DFA (a shared B_l gets the sum over positions).  decay: λ, in the
    gradient of B alone; the run's own weight decay acts on weights and feedback alike.
    """

    name: Literal["direct_kolen_pollack"] = "direct_kolen_pollack"
    scale: Positive = 1.0
    feedback: Sharing = "position"
    decay: NotNegative = 1e-6
    facts: ClassVar[Facts] = Facts(
        title="Direct Kolen–Pollack",
        family="direct feedback",
        subfamily="learned direct feedback",
        citation=(
            "Webster, Choi & Ahn (2021), Learning the connections in direct feedback alignment, "
            "OpenReview zgGmAx9ZcY"
        ),
        equation="T_l = B_l e;  ΔB_l ∝ −⟨e z_lᵀ⟩ − λ B_l",
        differences=(
            "B_l learns with the optimiser and the rate of the weights, and so with the readout's "
            "gain (paper: Adam at 1e-4 for B, SGD at 5e-4 for W); B_l starts Gaussian"
        ),
        labels=True,
        open_in_biology=(
            "What would carry the vector of errors, as in DFA. The feedback synapses "
            "themselves are local: each sees an error and the activity of its own cell. They "
            "must lose the same share of their weight as the forward path does."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        B = draw_feedback(net, generators, self.scale * net.std_out, self.feedback)
        return State(feedback={"B": B})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        gain, B = net.gain_out, state.layers("B")  # B_l replaces the readout's weights
        own: list[torch.Tensor] = []
        for l, (z, B_l) in enumerate(zip(batch.activity.z, B, strict=True), start=1):
            follow = correlate(everywhere(net, batch.error, l), z, gain, B_l)
            own.append(follow.add_(B_l, alpha=gain * self.decay))
        return Teaching(send(net, batch.error, B, gain), {"B": own})

"""Forward direct feedback alignment. Bacho & Chu, Neural Networks 169:572-583 (2024).

    T_l = B_l e          ΔB_l = −η (B_l − ⟨(J u_l) u_lᵀ⟩),  u_l ~ N(0, I)

Noise u_l on all activities at once changes the output, to first order, by J u = Σ_l ∂o/∂z_l u_l.
The noises are independent, so that (J u) u_lᵀ is ∂o/∂z_l on average. B_l converges to the mean of
this over inputs, the mean Jacobian.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.operations import apply, correlate, gate
from synaptree.network.tree import TreeNet, draw_normal
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.feedback import everywhere, send
from synaptree.rules.shared.layers import Sharing, layer_shapes


class ForwardDFA(Rule):
    """Forward direct feedback alignment.  feedback: as in DFA; shared is the mean of positions."""

    name: Literal["forward_dfa"] = "forward_dfa"
    feedback: Sharing = "position"
    facts: ClassVar[Facts] = Facts(
        title="Forward direct feedback alignment",
        family="direct feedback",
        subfamily="learned direct feedback",
        citation="Bacho & Chu (2024), Neural Networks 169:572-583; arXiv 2212.07282",
        equation="T_l = B_l e;  ΔB_l ∝ ⟨(J u_l) u_lᵀ⟩ − B_l,  u_l ~ N(0, I)",
        differences="B_l learns with the run's optimiser and rate (paper: Adam at 1e-4)",
        labels=True,
        phases=2,
        passes=2,
        open_in_biology=(
            "How the change of the output that noise causes would be told to every feedback "
            "synapse, together with the noise of its own cell; and what would carry the "
            "vector of errors, as in DFA."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        shapes = layer_shapes(net, self.feedback, net.n, net.width)
        B = [net.W_out.new_zeros(len(generators), *shape) for shape in shapes]
        return State(learned={"B": B})

    def teach(
        self, net: TreeNet, state: State, batch: Batch, generators: Sequence[torch.Generator]
    ) -> Teaching:
        z, B = batch.activity.z, state.layers("B")
        u = [draw_normal(net, generators, 1.0, *z_l.shape[1:]) for z_l in z]
        Ju = directional_derivative(net, z, u)
        own: list[Tensor] = []
        for l, (u_l, B_l) in enumerate(zip(u, B, strict=True), start=1):
            draws = u_l.shape[1] * (net.positions(l) if self.feedback == "shared" else 1)
            own.append(B_l - correlate(everywhere(net, Ju, l), u_l, 1 / draws, B_l))
        return Teaching(send(net, batch.error, B), {"B": own})


def directional_derivative(net: TreeNet, z: Sequence[Tensor], u: Sequence[Tensor]) -> Tensor:
    """``J u = Σ_l ∂o/∂z_l u_l``, (R, B, n), in one forward pass with the gates of the input.

    z, u: activities and the noise on them, for layer l (R, B, N_l, H).
    """
    moved = u[0]
    for l in range(2, net.L + 1):
        moved = u[l - 1] + gate(net.up(l, moved, net.W[l - 1]), z[l - 1])
    return apply(moved, net.W_out, net.gain_out).squeeze(2)

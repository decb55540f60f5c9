"""Least-squares direct feedback. A control of this package.

    T_l = B_l e          B_l = E[T*_l eᵀ] (E[e eᵀ])⁻¹,  T*_l = J_lᵀ e: backprop's own signal

Of all matrices that are the same for every input, B_l is the one whose signal is nearest to
backprop's in mean square (the normal equations of linear regression). The mean Jacobian
E[J_l]ᵀ is another matrix wherever the gates and the error depend on each other. No fixed matrix
comes nearer to backprop's signal in one step; whether one of them learns more in the end, this does
not say.

Both means are running averages over batches. A matrix that is fitted to one batch of B inputs
knows something of their own masks: about (n − 1)/B of the fitted signal of an input is its own.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.operations import correlate
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.chain import chain
from synaptree.rules.shared.feedback import everywhere, send
from synaptree.rules.shared.layers import Sharing, layer_shapes
from synaptree.rules.shared.options import Decay, Positive


class LeastSquaresFeedback(Rule):
    """Least-squares direct feedback.

    feedback: one matrix for each position of a layer, or one for all.  decay: of the running
    averages; 0 takes the present batch alone.  ridge: added to E[e eᵀ], as a part of its mean
    eigenvalue, because some classes may have no errors.
    """

    name: Literal["least_squares_feedback"] = "least_squares_feedback"
    feedback: Sharing = "position"
    decay: Decay = 0.9
    ridge: Positive = 1e-4
    facts: ClassVar[Facts] = Facts(
        title="Least-squares direct feedback",
        family="control",
        citation="a control of this package (2026)",
        equation="T_l = B_l e;  B_l = E[T*_l eᵀ] (E[e eᵀ])⁻¹,  T*_l: backprop's signal",
        differences="a control of this package, in no paper that is known to us",
        labels=True,
        weight_transport=True,
        error_network=True,
        downstream_masks=True,
        other_samples=True,
        passes=2,
        open_in_biology=(
            "Everything: it is a control, and is given the matrix that best predicts "
            "backprop's signal. It asks how far any fixed feedback could get."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        shapes = layer_shapes(net, self.feedback, net.n, net.width)
        zeros = net.W_out.new_zeros
        signal = [zeros(net.replicas, *shape) for shape in shapes]
        return State(
            running={
                "signal": signal,
                "errors": [*[None] * net.L, zeros(net.replicas, net.n, net.n)],
            }
        )

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        e = batch.error
        (errors,) = state.layers("errors")
        # Errors fade as a network learns; both averages then fade alike, and B stays as it is.
        errors.lerp_(e.mT @ e, 1 - self.decay)
        size = errors.diagonal(dim1=1, dim2=2).mean(1).clamp_min(torch.finfo(e.dtype).tiny)
        size = size[:, None, None]
        # The errors of an input sum to 0: what is added in the direction of all ones is never
        # read, and lets the matrix be inverted.
        added = self.ridge * torch.eye(net.n, dtype=e.dtype, device=e.device) + 1 / net.n
        inverse = torch.linalg.inv(errors / size + added)
        B: list[Tensor] = []
        signals = chain(net, e, batch.activity.place_by_place())
        for l, (T, mean) in enumerate(zip(signals, state.layers("signal"), strict=True), start=1):
            places = net.positions(l) if self.feedback == "shared" else 1
            mean.lerp_(correlate(everywhere(net, e, l), T, 1 / places, mean), 1 - self.decay)
            per_error = mean / size.view(-1, *[1] * (mean.ndim - 1))
            B.append(inverse.view(len(e), *[1] * (mean.ndim - 3), net.n, net.n) @ per_error)
        return Teaching(send(net, e, B))

"""Predictive coding. Whittington & Bogacz, Neural Computation 29 (2017). Incremental: Salvatori et
al., 2022 (arXiv 2212.00720).

    F = ½ Σ_l ‖ε_l‖² + β loss(W_oᵀ z_L)          ε_l = h_l − W_l z_{l−1} − b_l,  z_l = φ(h_l)
    ḣ_l = −∂F/∂h_l = φ'(h_l) ⊙ W_{l+1}ᵀ ε_{l+1} − ε_l          (top: −β W_oᵀ e for W_{l+1}ᵀ ε_{l+1})
    ΔW_l ∝ ε_l ⊗ z_{l−1}

Every unit h has an error unit ε beside it. Without a label all ε are 0 at the forward pass. With it
the state moves until the errors balance, and then every synapse learns from what stands beside it.
Predictions go up and errors down through the same weights. As β → 0 the update is backprop's; its
direction is so in layer l after L − l + 1 steps (Song et al. 2020), when the error first arrives.

Masks. In the settled state ε_l = φ'(h_l) ⊙ W_{l+1}ᵀ ε_{l+1}: an error comes down through the gates
of the settled activity of all layers above. With other `masks` M the state settles in the network
whose units respond linearly, with the slopes M, around the forward pass h°:

    z_l = φ(h°_l) + M_l ⊙ (h_l − h°_l)          ΔW_l ∝ φ'(h°_l) ⊙ W_{l+1}ᵀ ε_{l+1} ⊗ z_{l−1}

M: open, or φ'(h°) of another input. F and its descent are as before. β → 0 makes this the update of
`masking` with these masks.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.settling import Downhill, Settled
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.nudge import Slopes, masked, nudge, read, slopes, stacked, strength
from synaptree.rules.shared.options import Count, NotNegative, Positive


class PredictiveCoding(Rule):
    """Predictive coding.

    beta: how strongly the label pulls at the output, against the predictions below it; in the
    mean-field parametrisation times the width.  steps, rate: of the settling; a step that would
    raise F is halved.  tolerance: an input stops earlier where its residual is below it.
    incremental: synapses learn all along the way, not at its end alone.  masks: through which an
    error comes down while the state settles.
    """

    name: Literal["predictive_coding"] = "predictive_coding"
    beta: Positive = 1.0
    steps: Count = 10
    rate: Positive = 0.2
    tolerance: NotNegative = 0.0
    incremental: bool = False
    masks: Slopes = "true"
    facts: ClassVar[Facts] = Facts(
        title="Predictive coding",
        family="reference",
        citation="Whittington & Bogacz (2017), Neural Computation 29:1229; incremental: Salvatori "
        "et al. (2022), arXiv 2212.00720",
        equation="ḣ_l = φ'(h_l) ⊙ W_{l+1}ᵀ ε_{l+1} − ε_l;  ΔW_l ∝ ε_l ⊗ z_{l−1},  settled",
        differences=(
            "softmax and cross-entropy at the output (paper: squared error); the readout learns by "
            "its delta rule from the forward pass (paper: from the settled state); the incremental "
            "form adds up the changes of one settling and makes them together (paper: at once)"
        ),
        labels=True,
        weight_transport=True,
        error_network=True,
        downstream_masks=True,
        phases=2,
        open_in_biology=(
            "Whether each unit has an error unit beside it, with both signs. Cells in layer "
            "2/3 of visual cortex that respond to mismatches are candidates (Keller & "
            "Mrsic-Flogel 2018, Neuron 100:424). Also how predictions and errors would use "
            "the same weights in both directions, and whether the settling ends before the "
            "input changes."
        ),
    )

    @property
    def declared(self) -> Facts:
        return masked(self.facts, self.masks)

    @property
    def least_inputs(self) -> int:
        return 2 if self.masks == "other_input" else 1

    @property
    def passes(self) -> float:
        """The forward pass, two for each step and for the state that it starts in, and a last one
        up for the errors of each state that is learned from; with other masks also one down."""
        states = self.steps if self.incremental else 1
        return 1 + 2 * (self.steps + 1) + states * (1 if self.masks == "true" else 2)

    @property
    def needs_digits(self) -> bool:
        """True: errors are small differences of activity and prediction."""
        return True

    def settle(self, net: TreeNet, batch: Batch) -> Settled:
        """The state h that the network settles into, from its forward pass."""
        return net.settle(
            self.downhill(net, batch),
            batch.activity.h,
            self.rate,
            self.steps,
            self.tolerance,
            keep=self.incremental,
        )

    def downhill(self, net: TreeNet, batch: Batch) -> Downhill:
        """F of each input, and ḣ."""
        beta, true = strength(net, self.beta), self.masks == "true"
        gates = slopes(self.masks, batch.activity.z)

        def downhill(h: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
            z = self.responses(net, batch, h)
            errors = self.errors(net, batch, h, z)
            loss, into = self.sent(net, batch, z, errors)
            squares = torch.stack([e.square().sum((2, 3)) for e in errors]).sum(0)
            now = zip(into, z if true else gates, errors, strict=True)
            return squares / 2 + beta * loss, [net.gate(i, m) - e for i, m, e in now]

        return downhill

    def responses(self, net: TreeNet, batch: Batch, h: Sequence[Tensor]) -> list[Tensor]:
        """z_l of a state h."""
        if self.masks == "true":
            return [torch.relu(each) for each in h]
        a, gates = batch.activity, slopes(self.masks, batch.activity.z)
        now = zip(a.z, h, a.h, gates, strict=True)
        return [z + net.gate(each - start, m) for z, each, start, m in now]

    def sent(
        self, net: TreeNet, batch: Batch, z: Sequence[Tensor], errors: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """The loss, and what comes down to each layer: W_{l+1}ᵀ ε_{l+1}, at the top −β W_oᵀ e."""
        loss, top = nudge(net, z[-1], batch.labels)
        down = [net.down(l, errors[l - 1]) for l in range(2, net.L + 1)]
        return loss, [*down, top.mul_(-strength(net, self.beta))]

    def errors(
        self, net: TreeNet, batch: Batch, h: Sequence[Tensor], z: Sequence[Tensor]
    ) -> list[Tensor]:
        """ε_l. What the input predicts of layer 1 is there from the forward pass."""
        predicted = [batch.activity.h[0], *(net.up(l, z[l - 2]) for l in range(2, net.L + 1))]
        return [each - of for each, of in zip(h, predicted, strict=True)]

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        settled = self.settle(net, batch)
        path = settled.path if self.incremental else [settled.state]
        mean = -1 / (strength(net, self.beta) * batch.labels.shape[1])
        T: list[list[Tensor]] = []
        pre: list[list[Tensor]] = []
        for h in path:
            z = self.responses(net, batch, h)
            taught = self.errors(net, batch, h, z)
            if self.masks != "true":
                _, into = self.sent(net, batch, z, taught)
                taught = [net.gate(i, own) for i, own in zip(into, batch.activity.z, strict=True)]
            T.append([e.mul_(mean) for e in taught])
            pre.append(read(net, batch.activity.x[0], z))
        return Teaching(stacked(T), gated=False, pre=stacked(pre), states=len(path))

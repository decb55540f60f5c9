"""Equilibrium propagation. Scellier & Bengio, Front. Comput. Neurosci. 11 (2017). Symmetric:
Laborieux et al., Front. Neurosci. 15 (2021).

    E = Σ_l κ_l (½ ‖z_l‖² − z_l · (W_l z_{l−1} + b_l)) + β loss(W_oᵀ z_L),  z_l ≥ 0,  κ_l = γ^{l−L}
    z_l ← φ(W_l z_{l−1} + b_l + γ W_{l+1}ᵀ z_{l+1})          (top: −β W_oᵀ e for γ W_{l+1}ᵀ z_{l+1})
    ΔW_l ∝ κ_l (z_l ⊗ z_{l−1} at β − z_l ⊗ z_{l−1} at −β) / 2β          (one-sided: at β and at 0)

The network settles freely, and then again with its output pulled toward the label, and away from
it. Synapses are Hebbian in one of these and anti-Hebbian in the other. There are no error units:
the error is the change of activity. As β → 0 the update is the gradient of the loss of the free
state, which γ → 0 makes a forward pass (Xie & Seung 2003), so that both together are backprop.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.settling import Downhill, Settled
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.nudge import nudge, read, stacked, strength
from synaptree.rules.shared.options import Count, NotNegative, Positive


class EquilibriumPropagation(Rule):
    """Equilibrium propagation.

    beta: how strongly the label pulls at the output; in the mean-field parametrisation times the
    width.  gamma: how strong feedback is beside the forward weights. Beyond about 1/(4 ‖W‖²) the
    network no longer has a state of rest.  nudges: the output is pulled to both sides, or to one.
    free, nudged: steps of each settling.  rate: of a step; one that would raise E is halved.
    tolerance: an input stops earlier where its residual is below it.
    """

    name: Literal["equilibrium_propagation"] = "equilibrium_propagation"
    beta: Positive = 0.5
    gamma: Positive = 0.05
    nudges: Literal["symmetric", "one_sided"] = "symmetric"
    free: Count = 10
    nudged: Count = 8
    rate: Positive = 1.0
    tolerance: NotNegative = 0.0
    facts: ClassVar[Facts] = Facts(
        title="Equilibrium propagation",
        family="reference",
        citation="Scellier & Bengio (2017), Front. Comput. Neurosci. 11:24; symmetric nudging: "
        "Laborieux et al. (2021), Front. Neurosci. 15:633674",
        equation="ΔW_l ∝ κ_l (z_l ⊗ z_{l−1} at β − the same at −β) / 2β,  "
        "settled at z_l = φ(W_l z_{l−1} + b_l + γ W_{l+1}ᵀ z_{l+1})",
        differences=(
            "ReLU units, whose energy has a lowest state only where feedback is weak, so that "
            "layers have weights κ_l in it (Xie & Seung 2003; paper: κ = 1, activity between 0 and "
            "1); the readout reads the state (as Laborieux) and learns by its delta rule from the "
            "forward pass; softmax and cross-entropy (paper: squared error); settling starts from "
            "the forward pass"
        ),
        labels=True,
        weight_transport=True,
        phases=3,
    )

    @property
    def passes(self) -> float:
        """The forward pass; two for each step of a settling and for the state that it starts in."""
        nudges = 2 if self.nudges == "symmetric" else 1
        return 1 + 2 * (self.free + 1) + 2 * nudges * (self.nudged + 1)

    @property
    def needs_digits(self) -> bool:
        """True: small differences of settled states are taken."""
        return True

    def downhill(self, net: TreeNet, batch: Batch, beta: float) -> Downhill:
        """E of each input with its output pulled by β, and the way to where each layer would be at
        rest if the others stayed."""

        def downhill(z: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
            into = [batch.activity.h[0], *(net.up(l, z[l - 2]) for l in range(2, net.L + 1))]
            back = [net.down(l, z[l - 1]).mul_(self.gamma) for l in range(2, net.L + 1)]
            loss, down = nudge(net, z[-1], batch.labels)
            back.append(down.mul_(-beta))
            parts = [(each / 2 - i).mul_(each).sum((2, 3)) for each, i in zip(z, into, strict=True)]
            E = torch.stack([self.kappa(net, l) * part for l, part in enumerate(parts, start=1)])
            way = [i + b - each for each, i, b in zip(z, into, back, strict=True)]
            return E.sum(0) + beta * loss, way

        return downhill

    def kappa(self, net: TreeNet, layer: int) -> float:
        """κ_l, with which W_l up and γ W_lᵀ down are forces of one energy."""
        return self.gamma ** (layer - net.L)

    def settle(self, net: TreeNet, batch: Batch) -> tuple[Settled, list[tuple[float, Settled]]]:
        """The free state, and those that the update is made of, each with its β."""
        beta = strength(net, self.beta)

        def settled(start: Sequence[Tensor], beta: float, steps: int) -> Settled:
            downhill = self.downhill(net, batch, beta)
            return net.settle(downhill, start, self.rate, steps, self.tolerance, floor=0.0)

        free = settled(batch.activity.z, 0.0, self.free)
        first = (beta, settled(free.state, beta, self.nudged))
        if self.nudges == "one_sided":
            return free, [first, (0.0, free)]
        return free, [first, (-beta, settled(free.state, -beta, self.nudged))]

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        _, states = self.settle(net, batch)
        (upper, _), (lower, _) = states
        T: list[list[Tensor]] = []
        pre: list[list[Tensor]] = []
        for sign, (_, settled) in zip((-1, 1), states, strict=True):
            z, scale = settled.state, sign / ((upper - lower) * batch.labels.shape[1])
            T.append([scale * self.kappa(net, l) * each for l, each in enumerate(z, start=1)])
            pre.append(read(net, batch.activity.x[0], z))
        return Teaching(stacked(T), gated=False, pre=stacked(pre), states=2)

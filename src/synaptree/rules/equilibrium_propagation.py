"""Equilibrium propagation. Scellier & Bengio, Front. Comput. Neurosci. 11 (2017). Symmetric:
Laborieux et al., Front. Neurosci. 15 (2021).

    E = Σ_l κ_l (½ ‖z_l‖² − z_l · (W_l z_{l−1} + b_l)) + β loss(W_oᵀ z_L),  z_l ≥ 0
    z_l ← φ(W_l z_{l−1} + b_l + γ_{l+1} W_{l+1}ᵀ z_{l+1})     (top: −β W_oᵀ e for the last term)
    ΔW_l ∝ κ_l (z_l ⊗ z_{l−1} at β − z_l ⊗ z_{l−1} at −β) / 2β          (one-sided: at β and at 0)

The network settles freely, and then again with its output pulled toward the label, and away from
it. Synapses are Hebbian in one of these and anti-Hebbian in the other. There are no error units:
the error is the change of activity. As β → 0 the update is the gradient of the loss of the free
state, which γ → 0 makes a forward pass (Xie & Seung 2003), so that both together are backprop.
κ_L = 1 and κ_l = κ_{l+1} / γ_{l+1} make W_l up and γ_l W_lᵀ down forces of one energy, which has a
lowest state while γ_l ‖W_l‖² < ¼.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from synaptree.network.settling import Downhill, Settled
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.nudge import nudge, read, stacked, strength
from synaptree.rules.shared.options import Count, NotNegative, Positive


class EquilibriumPropagation(Rule):
    """Equilibrium propagation.

    beta: how strongly the label pulls at the output; in the mean-field parametrisation times the
    width.  gamma: how strong feedback is, γ_l = gamma / ‖W_l‖²; beyond ¼ there may be no state of
    rest. The error shrinks by γ_l at each layer down, so that trees of more than 4 layers need
    float64.  nudges: the output is pulled to both sides, or to one.  free, nudged: steps of each
    settling.  rate: of a step; one that would raise E is halved.  tolerance: an input stops earlier
    where its residual is below it.
    """

    name: Literal["equilibrium_propagation"] = "equilibrium_propagation"
    beta: Positive = 0.5
    gamma: Annotated[float, Field(gt=0, lt=0.25)] = 0.2
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
        "settled at z_l = φ(W_l z_{l−1} + b_l + γ_{l+1} W_{l+1}ᵀ z_{l+1})",
        differences=(
            "ReLU units, whose energy has a lowest state only where feedback is weak, so that "
            "layers have weights κ_l in it (Xie & Seung 2003; paper: κ = 1, activity between 0 and "
            "1), and feedback is held below the limit as weights grow; the readout reads the state "
            "(as Laborieux) and learns by its delta rule from the forward pass; softmax and "
            "cross-entropy (paper: squared error); settling starts from the forward pass"
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

        gamma, kappa = self.strengths(net)

        def downhill(z: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
            into = [batch.activity.h[0], *(net.up(l, z[l - 2]) for l in range(2, net.L + 1))]
            back = [net.down(l, z[l - 1]).mul_(gamma[l - 2]) for l in range(2, net.L + 1)]
            loss, down = nudge(net, z[-1], batch.labels)
            back.append(down.mul_(-beta))
            parts = [(each / 2 - i).mul_(each).sum((2, 3)) for each, i in zip(z, into, strict=True)]
            E = [k[:, :, 0, 0] * part for k, part in zip(kappa, parts, strict=True)]
            way = [i + b - each for each, i, b in zip(z, into, back, strict=True)]
            return torch.stack(E).sum(0) + beta * loss, way

        return downhill

    def strengths(self, net: TreeNet) -> tuple[list[Tensor], list[Tensor]]:
        """γ_l of layers 2..L and κ_l of layers 1..L, of each replica, (R, 1, 1, 1) each.

        ‖W‖² is bounded by ‖(WᵀW)²‖^½ in the Frobenius norm, which is little more.
        """
        gamma: list[Tensor] = []
        kappa = [net.W_out.new_ones(net.replicas, 1, 1, 1)]
        for W, gain in list(zip(net.W, net.gains, strict=True))[:0:-1]:
            S = gain**2 * W.mT @ W
            norms = (S @ S).square().sum((-2, -1)).pow(0.25)  # of each position, if not shared
            gamma.append(self.gamma / norms.view(len(W), -1).amax(1).view(-1, 1, 1, 1))
            kappa.append(kappa[-1] / gamma[-1])
        return gamma[::-1], kappa[::-1]

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
        _, kappa = self.strengths(net)
        T: list[list[Tensor]] = []
        pre: list[list[Tensor]] = []
        for sign, (_, settled) in zip((-1, 1), states, strict=True):
            z, scale = settled.state, sign / ((upper - lower) * batch.labels.shape[1])
            T.append([scale * k * each for k, each in zip(kappa, z, strict=True)])
            pre.append(read(net, batch.activity.x[0], z))
        return Teaching(stacked(T), gated=False, pre=stacked(pre), states=2)

"""Equilibrium propagation. Scellier & Bengio, Front. Comput. Neurosci. 11 (2017). Symmetric:
Laborieux et al., Front. Neurosci. 15 (2021). Clamped: Xie & Seung, Neural Comput. 15 (2003).

    E = Σ_l κ_l (½ ‖z_l‖² − z_l · (W_l z_{l−1} + b_l)) + β loss(W_oᵀ z_L),  z_l ≥ 0
    z_l ← φ(W_l z_{l−1} + b_l + γ_{l+1} W_{l+1}ᵀ z_{l+1})     (top: −β W_oᵀ e for the last term)
    ΔW_l ∝ κ_l (z_l ⊗ z_{l−1} at β − z_l ⊗ z_{l−1} at −β) / 2β          (one-sided: at β and at 0)

The network settles freely, and then again with its output pulled toward the label, and away from
it. Synapses are Hebbian in one of these and anti-Hebbian in the other. There are no error units:
the error is the change of activity. As β → 0 the update is the gradient of the loss of the free
state, which γ → 0 makes a forward pass (Xie & Seung 2003), so that both together are backprop.
κ_L = 1 and κ_l = κ_{l+1} / γ_{l+1} make W_l up and γ_l W_lᵀ down forces of one energy, which has a
lowest state while γ_l ‖W_l‖² < ¼.

Contrastive Hebbian learning is the same with the label clamped, ``nudges="clamped"``. Softmax cells
at the output send β W_oᵀ p down while the network is free, and β W_oᵀ y when they are held at the
label. Their energies, −β log Σ exp o and −β o_y, differ by β loss.

Masks. A change comes down through units that respond with φ'. With other `masks` the changes d of
the free state settle at d_l = M_l ⊙ (W_l d_{l−1} + γ_{l+1} W_{l+1}ᵀ d_{l+1}); M: open, or those of
another input. A synapse reads its own unit's change with φ' in place of M, so that γ, β → 0 make
this the update of `masking` with these masks.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from synaptree.network.operations import together
from synaptree.network.settling import Settled
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.nudge import (
    Pull,
    Slopes,
    masked,
    nudge,
    read,
    response,
    slopes,
    stacked,
    strength,
)
from synaptree.rules.shared.options import Count, NotNegative, Positive

Reach = tuple[Tensor, list[Tensor]]  # E of each input, (R, B), and what reaches each layer


class EquilibriumPropagation(Rule):
    """Equilibrium propagation, and contrastive Hebbian learning.

    beta: how strongly the label pulls at the output; in the mean-field parametrisation times the
    width.  gamma: how strong feedback is, γ_l = gamma / ‖W_l‖²; beyond ¼ there may be no state of
    rest.  nudges: the output is pulled to both sides or to one, or it is clamped.  free, nudged:
    steps of each settling.  rate: of a step; one that would raise E is halved.  tolerance: an input
    stops earlier where its residual is below it.  masks: through which a change comes down.
    """

    name: Literal["equilibrium_propagation"] = "equilibrium_propagation"
    beta: Positive = 0.5
    gamma: Annotated[float, Field(gt=0, lt=0.25)] = 0.2
    nudges: Literal["symmetric", "one_sided", "clamped"] = "symmetric"
    free: Count = 10
    nudged: Count = 8
    rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    tolerance: NotNegative = 0.0
    masks: Slopes = "true"
    facts: ClassVar[Facts] = Facts(
        title="Equilibrium propagation",
        family="reference",
        citation="Scellier & Bengio (2017), Front. Comput. Neurosci. 11:24; symmetric nudging: "
        "Laborieux et al. (2021), Front. Neurosci. 15:633674; contrastive Hebbian learning: "
        "Xie & Seung (2003), Neural Comput. 15:441",
        equation="ΔW_l ∝ κ_l (z_l ⊗ z_{l−1} at β − the same at −β) / 2β,  "
        "settled at z_l = φ(W_l z_{l−1} + b_l + γ_{l+1} W_{l+1}ᵀ z_{l+1})",
        differences=(
            "ReLU units, whose energy has a lowest state only where feedback is weak, so that "
            "layers have weights κ_l in it (Xie & Seung 2003; paper: κ = 1, activity between 0 and "
            "1), and feedback is held below the limit as weights grow; the readout reads the state "
            "(as Laborieux) and learns by its delta rule from the forward pass; softmax and "
            "cross-entropy (papers: squared error); settling starts from the forward pass; a "
            "nudged phase is calculated as a change of the free one, which loses fewer digits"
        ),
        labels=True,
        weight_transport=True,
        downstream_masks=True,
        error_network=True,
        phases=3,
        open_in_biology=(
            "How weights would become equal in both directions, what tells a synapse that the "
            "nudge has begun, and where it keeps the activity of the free phase until then "
            "(Scellier & Bengio 2017, Front. Comput. Neurosci. 11:24)."
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
        """The forward pass; two for each step of a settling and for the state that it starts in.
        With other masks two more, for the own changes of units."""
        nudges = 2 if self.nudges == "symmetric" else 1
        steps = self.nudged + (1 if self.masks == "true" else 2)
        return 1 + 2 * (self.free + 1) + 2 * nudges * steps

    @property
    def needs_digits(self) -> bool:
        """True: small differences of settled states are taken."""
        return True

    def reach(
        self, net: TreeNet, drive: Sequence[Tensor], pull: Pull | None, u: Sequence[Tensor]
    ) -> Reach:
        """What reaches each layer from the others and from outside, in a state or a change u."""
        gamma, kappa = self.strengths(net)
        into = [drive[0]]
        into += [net.up(l, u[l - 2], net.W[l - 1]).add_(drive[l - 1]) for l in range(2, net.L + 1)]
        parts = [(each / 2 - i).mul_(each).sum((2, 3)) for each, i in zip(u, into, strict=True)]
        E = torch.stack([k[:, :, 0, 0] * p for k, p in zip(kappa, parts, strict=True)]).sum(0)
        reach = [
            i + net.down(l, u[l - 1]).mul_(gamma[l - 2]) for l, i in enumerate(into[:-1], start=2)
        ]
        if pull is None:
            return E, [*reach, into[-1]]
        energy, slope = pull(u[-1])
        return E + energy, [*reach, into[-1] - slope]

    def strengths(self, net: TreeNet) -> tuple[list[Tensor], list[Tensor]]:
        """γ_l of layers 2..L and κ_l of layers 1..L, of each replica, (R, 1, 1, 1) each.

        ‖W‖² is bounded by ‖(WᵀW)²‖^½ in the Frobenius norm, which is little more.
        """
        gamma: list[Tensor] = []
        kappa = [net.W_out.new_ones(net.replicas, 1, 1, 1)]
        for W, gain in list(zip(net.W, net.gains, strict=True))[:0:-1]:
            W = together(W) if net.connectivity == "full" else W
            S = gain**2 * W.mT @ W
            norms = (S @ S).square().sum((-2, -1)).pow(0.25)  # of each position, if not shared
            gamma.append(self.gamma / norms.view(len(W), -1).amax(1).view(-1, 1, 1, 1))
            kappa.append(kappa[-1] / gamma[-1])
        return gamma[::-1], kappa[::-1]

    def pull(self, net: TreeNet, batch: Batch, free: Sequence[Tensor], beta: float) -> Pull:
        """What the label adds to E as the top layer's activity changes, beyond the free phase."""
        z = free[-1]
        if self.nudges == "clamped":
            slope = beta * nudge(net, z, batch.labels)[1]
            return lambda d: ((slope * d).sum((2, 3)), slope)

        def pull(d: Tensor) -> tuple[Tensor, Tensor]:
            loss, slope = nudge(net, z + d, batch.labels)
            return beta * loss, slope.mul_(beta)

        return pull

    def resting(self, net: TreeNet, batch: Batch) -> Settled:
        """The free state."""
        beta = strength(net, self.beta)
        biases = [b.unsqueeze(1) for b in net.b] or [net.W_out.new_zeros(())] * net.L

        def cells(z: Tensor) -> tuple[Tensor, Tensor]:
            total, slope = nudge(net, z, None)
            return -beta * total, slope.mul_(-beta)

        pull = cells if self.nudges == "clamped" else None

        def downhill(z: Sequence[Tensor]) -> Reach:
            E, reach = self.reach(net, [batch.activity.h[0], *biases[1:]], pull, z)
            return E, [r - each for r, each in zip(reach, z, strict=True)]

        steps = (self.rate, self.free, self.tolerance)
        return net.settle(downhill, batch.activity.z, *steps, floor=0.0)

    def changed(self, net: TreeNet, batch: Batch, free: Settled, beta: float) -> Settled:
        """How the free state has changed when it has settled with its output pulled by β."""
        z, pull = free.state, self.pull(net, batch, free.state, beta)
        gates, true = slopes(self.masks, z), self.masks == "true"
        drive = free.way if true else [net.W_out.new_zeros(())] * net.L

        def downhill(d: Sequence[Tensor]) -> Reach:
            E, reach = self.reach(net, drive, pull, d)
            if not true:
                return E, [net.gate(r, m) - c for r, m, c in zip(reach, gates, d, strict=True)]
            return E, [response(net, u, r) - c for u, r, c in zip(z, reach, d, strict=True)]

        start = [torch.zeros_like(u) for u in z]
        return net.settle(downhill, start, self.rate, self.nudged, self.tolerance)

    def own(
        self, net: TreeNet, batch: Batch, free: Settled, beta: float, d: list[Tensor]
    ) -> list[Tensor]:
        """The changes that synapses read of their own units, which respond with φ'."""
        if self.masks == "true":
            return d
        nothing = [net.W_out.new_zeros(())] * net.L
        _, reach = self.reach(net, nothing, self.pull(net, batch, free.state, beta), d)
        return [net.gate(r, z) for r, z in zip(reach, batch.activity.z, strict=True)]

    def settle(self, net: TreeNet, batch: Batch) -> tuple[Settled, list[tuple[float, Settled]]]:
        """The free state, and its changes that the update is made of, each with its β."""
        beta = strength(net, self.beta)
        free = self.resting(net, batch)
        strengths = (beta, -beta) if self.nudges == "symmetric" else (beta,)
        return free, [(each, self.changed(net, batch, free, each)) for each in strengths]

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        free, changes = self.settle(net, batch)
        z, d = free.state, [settled.state for _, settled in changes]
        own = [self.own(net, batch, free, beta, each.state) for beta, each in changes]
        if len(changes) == 1:  # the other phase is the free one
            d, own = ([each[0], [torch.zeros_like(u) for u in z]] for each in (d, own))
        (beta, _), kappa = changes[0], self.strengths(net)[1]
        scale = -1 / (beta * len(changes) * batch.labels.shape[1])

        def mean(changes: Sequence[Sequence[Tensor]]) -> list[Tensor]:
            return [u + (a + b) / 2 for u, a, b in zip(z, *changes, strict=True)]

        def difference(changes: Sequence[Sequence[Tensor]]) -> list[Tensor]:
            return [a - b for a, b in zip(*changes, strict=True)]

        # y₊ x₊ − y₋ x₋ of two phases is (y₊ − y₋) times the mean x, and the mean y times (x₊ − x₋).
        post = (difference(own), mean(own))
        T = [[k * scale * y for k, y in zip(kappa, each, strict=True)] for each in post]
        x = batch.activity.x[0]
        pre = [read(net, x, mean(d)), read(net, torch.zeros_like(x), difference(d))]
        return Teaching(stacked(T), gated=False, pre=stacked(pre), states=2, ones=1)

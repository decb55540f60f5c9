"""Error broadcast and decorrelation (EBD). Erdogan, Pehlevan and colleagues, 2025.

    minimise ½‖R_l‖²          R_l ← λ R_l + (1 − λ) ⟨g(z_l) eᵀ⟩
    T_l = g'(z_l) ⊙ R_l e

The error of the best estimator is uncorrelated with any function of the input. So each layer makes
its activity uncorrelated with the output's error, using the correlation that it measures itself.
Against collapse, each layer may also hold the power of its units and its entropy:

    + p Σ_i (⟨z_i²⟩ − P)² − q ½ log det(⟨z zᵀ⟩ + ε I)
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.operations import correlate
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.feedback import draw_feedback, everywhere, send, top_std
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.options import Decay, NotNegative, Positive


class ErrorBroadcast(Rule):
    """Error broadcast and decorrelation.

    g: the function of the activity that is made uncorrelated with the error, the activity itself or
    its square.  decay: λ.  scale: the size of R_l at the start, relative to DFA's.
    power, level: weight p and target P of the units' power.  entropy: weight q.  feedback: one R_l
    for each position, or the mean over positions.
    """

    name: Literal["error_broadcast"] = "error_broadcast"
    g: Literal["identity", "square"] = "identity"
    decay: Decay = 0.999
    scale: NotNegative = 0.01
    power: NotNegative = 0.0
    level: Positive = 1.0
    entropy: NotNegative = 0.001
    epsilon: Positive = 0.01
    feedback: Sharing = "position"
    facts: ClassVar[Facts] = Facts(
        title="Error broadcast and decorrelation (EBD)",
        family="direct feedback",
        subfamily="learned direct feedback",
        citation="Erdogan, Pehlevan et al. (2025), error broadcast and decorrelation",
        equation="T_l = g'(z_l) ⊙ R_l e,  R_l ← λ R_l + (1 − λ) ⟨g(z_l) eᵀ⟩",
        differences=(
            "the error is that of softmax and cross-entropy (paper: squared error; its score-based "
            "successor: cross-entropy); the factor (1 − λ) is left to the learning rate; λ "
            "is 0.999 (paper 0.99999 and more, with learning rates near 10^4); power is off by "
            "default; power and entropy are measured on each batch (paper: running averages)"
        ),
        labels=True,
        other_samples=True,
        open_in_biology=(
            "What would carry the vector of errors, as in DFA, and where each unit would keep "
            "its running correlations with all errors."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        std = self.scale * top_std(net)
        return State(running={"B": draw_feedback(net, generators, std, self.feedback)})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        B = state.layers("B")  # R_l, in the place of DFA's B_l
        for l, (z, R) in enumerate(zip(batch.activity.z, B, strict=True), start=1):
            g = z.square() if self.g == "square" else z
            places = 1 if R.ndim == 4 else z.shape[2]
            now = correlate(everywhere(net, batch.error, l), g, 1 / places, R)
            R.mul_(self.decay).add_(now, alpha=1 - self.decay)
        signals = send(net, batch.error, B)
        if self.g == "square":
            signals = [2 * z * T for z, T in zip(batch.activity.z, signals, strict=True)]
        if self.power or self.entropy:
            signals = [
                T + self.against_collapse(z) for z, T in zip(batch.activity.z, signals, strict=True)
            ]
        return Teaching(signals)

    def against_collapse(self, z: Tensor) -> Tensor:
        """The gradient of the two terms against collapse, a mean over inputs and positions."""
        flat = z.flatten(1, 2)
        count = flat.shape[1]
        G = torch.zeros_like(flat)
        if self.power:
            surplus = flat.square().mean(1, keepdim=True) - self.level
            G = (4 * self.power / count) * surplus * flat
        if self.entropy:
            eye = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
            correlation = (flat.mT @ flat).div_(count).add_(eye, alpha=self.epsilon)
            factor, _ = torch.linalg.cholesky_ex(correlation)
            inverse = torch.cholesky_inverse(factor)
            G = torch.baddbmm(G, flat, inverse, alpha=-self.entropy / count)
        return G.view_as(z)

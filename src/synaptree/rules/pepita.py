"""PEPITA. Dellaferrera & Kreiman, ICML 2022 (arXiv 2201.11665).

    x' = x + F e          ΔW_l = −η (z_l − z'_l) ⊗ x'_l

Two forward passes and no backward pass. The second starts from the input plus the output error,
which a fixed random F sends there.  x'_l, z'_l: input and activity of layer l in the second pass.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.options import Positive


class PEPITA(Rule):
    """PEPITA.  scale: the size of F, relative to the paper's."""

    name: Literal["pepita"] = "pepita"
    scale: Positive = 1.0
    facts: ClassVar[Facts] = Facts(
        title="PEPITA (present the error to perturb the input to modulate activity)",
        family="direct feedback",
        subfamily="fixed direct feedback",
        citation="Dellaferrera & Kreiman (2022), ICML; arXiv 2201.11665",
        equation="ΔW_l ∝ −(z_l − z'_l) ⊗ x'_l,  second pass from x' = x + F e",
        differences=(
            "the readout learns by its delta rule from the first pass (paper: from the second); "
            "biases learn from z_l − z'_l (paper: no biases); z_l − z'_l is multiplied by the "
            "readout's gain, 1 but in the mean-field parametrisation, as W_oᵀ e is"
        ),
        labels=True,
        phases=2,
        passes=2,
        open_in_biology=(
            "How the error would be added to the input itself, which must be shown a second "
            "time, and where a synapse would keep the activity of the first pass until then "
            "(Dellaferrera & Kreiman 2022, arXiv 2201.11665)."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        inputs = net.s**net.L * net.v
        bound = self.scale * 0.05 * (6 / inputs) ** 0.5
        F = [torch.empty(net.n, inputs).uniform_(-bound, bound, generator=g) for g in generators]
        return State(whole={"F": torch.stack(F).to(net.device, net.dtype)})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        B = batch.error.shape[1]
        x = batch.activity.x[0]
        Fe = torch.bmm(batch.error * B, state.whole["F"])  # e of each input, not of the mean loss
        second = net.forward(x + net.patches(1, Fe.unflatten(2, (-1, net.v))))
        mean = net.gain_out / B
        T = [(z - z2).mul_(mean) for z, z2 in zip(batch.activity.z, second.z, strict=True)]
        return Teaching(T, gated=False, pre=second.x)

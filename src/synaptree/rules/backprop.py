"""Backpropagation, written as teaching signals. Rumelhart, Hinton & Williams, Nature 323 (1986).

T_L = W_oᵀ e          T_l = W_{l+1}ᵀ (φ'(h_{l+1}) ⊙ T_{l+1})
"""

from typing import ClassVar, Literal

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching


class Backprop(Rule):
    """The reference: the true gradient, which needs symmetric feedback and every mask above."""

    name: Literal["backprop"] = "backprop"
    facts: ClassVar[Facts] = Facts(
        title="Backpropagation",
        family="reference",
        citation="Rumelhart, Hinton & Williams (1986), Nature 323:533-536",
        equation="T_L = W_oᵀ e;  T_l = W_{l+1}ᵀ (φ'(h_{l+1}) ⊙ T_{l+1});  e = softmax(o) − y",
        differences="none",
        labels=True,
        weight_transport=True,
        error_network=True,
        downstream_masks=True,
        phases=2,
        passes=2,
        open_in_biology=(
            "How a synapse would know the weights of the layers above, how errors with both "
            "signs would come down without disturbing the activity, and what would make the "
            "two passes take turns (Crick 1989, Nature 337:129; Lillicrap et al. 2020, Nat. "
            "Rev. Neurosci. 21:335)."
        ),
    )

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        activity = batch.activity
        T = net.down_from_output(batch.error)
        deltas = [net.gate_(T, net.L, activity)]  # δ_l = φ'(h_l) ⊙ T_l
        for l in range(net.L, 1, -1):
            T = net.down(l, deltas[-1], activity=activity)
            deltas.append(net.gate_(T, l - 1, activity))
        return Teaching(deltas[::-1], gated=False, masked=True)

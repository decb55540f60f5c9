"""Backpropagation, written as teaching signals. Rumelhart, Hinton & Williams, Nature 323 (1986).

T_L = W_oᵀ e          T_l = W_{l+1}ᵀ (φ'(h_{l+1}) ⊙ T_{l+1})
"""

from typing import ClassVar, Literal

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching


class Backprop(Rule):
    """The reference: what a symmetric error network with every downstream mask can learn."""

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
        other_samples=False,
        phases=2,
    )

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:  # noqa: ARG002
        z, tables = batch.activity.z, batch.activity.tables
        if tables is not None:
            z = [tables.z, *z[1:]]  # T_1 comes down summed
        deltas = [net.gate_(net.down_from_output(batch.error), z[-1])]
        for l in range(net.L, 1, -1):
            deltas.append(net.gate_(net.down(l, deltas[-1], tables=tables), z[l - 2]))
        return Teaching(deltas[::-1], gated=False, masked=True)

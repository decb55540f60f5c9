"""Readout only: hidden layers keep their random weights. Every rule should do better than this."""

from typing import ClassVar, Literal

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching


class ReadoutOnly(Rule):
    """Random features and a trained readout."""

    name: Literal["readout_only"] = "readout_only"
    facts: ClassVar[Facts] = Facts(
        title="Readout only (random features)",
        family="reference",
        citation="the floor; called 'shallow' by Frenkel et al. (2021), Front. Neurosci. 15:629892",
        equation="T_l = 0",
        differences="none",
        open_in_biology=(
            "Nothing about the hidden layers, which do not learn. The readout needs the "
            "output error at its synapses."
        ),
    )

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        return Teaching([None] * net.L)

"""Global error-vector broadcasting (GEVB). Clark, Abbott & Chung, NeurIPS 2021 (arXiv 2106.04089).

    z_i = g_i h_i ∈ R^K          g_i = 1[t_i · h_i ≥ 0]          Δw_ij ∝ −g_i (e · z_j)

It needs a special network: every unit is a vector with one component for each class, weights are
scalars that multiply whole vectors, and above the first layer no weight is negative. Then the
gradient at each unit is a positive multiple of e, so that e itself has the gradient's signs.
"""

from dataclasses import replace
from typing import ClassVar, Literal

from synaptree.network.tree import TreeNet
from synaptree.network.vector import VectorTree
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.chain import chain


class GlobalErrorVector(Rule):
    """GEVB.  The run's width counts vector units.

    signal: the broadcast error, or the gradient in the same network, which separates the effect of
    the network from that of the rule.
    """

    name: Literal["global_error_vector"] = "global_error_vector"
    signal: Literal["broadcast", "gradient"] = "broadcast"
    network: ClassVar[type[TreeNet]] = VectorTree
    facts: ClassVar[Facts] = Facts(
        title="Global error-vector broadcasting (GEVB)",
        family="direct feedback",
        subfamily="vector units",
        citation="Clark, Abbott & Chung (2021), NeurIPS; arXiv 2106.04089",
        equation="Δw_ij ∝ −g_i (e · z_j),  g_i = 1[t_i · h_i ≥ 0];  w_ij ≥ 0 above layer 1",
        differences="e is scaled as W_oᵀ e is; no biases, and a plain readout of one vector",
        labels=True,
        open_in_biology=(
            "What a unit would be that holds one number for each class, with one weight for "
            "all of them. The vector of errors must reach each unit, as in DFA."
        ),
    )

    @property
    def declared(self) -> Facts:
        chained = self.signal == "gradient"
        return replace(
            self.facts,
            weight_transport=chained,
            error_network=chained,
            downstream_masks=chained,
            passes=2 if chained else 1,
        )

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        if self.signal == "gradient":
            return Teaching(chain(net, batch.error, batch.activity, mask=net.gate))
        e = (net.gain_out * net.std_out * batch.error).repeat_interleave(net.width // net.n, 2)
        return Teaching([e.unsqueeze(2).expand_as(z) for z in batch.activity.z])

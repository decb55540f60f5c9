"""Layerwise InfoNCE. van den Oord, Li & Vinyals, arXiv 1807.03748; by layers: Löwe et al. 2019.

    loss_l = −log  exp(z_iᵀ W c_i) / Σ_j exp(z_iᵀ W c_j)

z_i: activity of layer l;  c_i: its context;  j runs over the objects of the batch.
With p_ij the softmax over j:

    T_i = Σ_j (p_ij − δ_ij) W c_j          ΔW ∝ −Σ_ij (p_ij − δ_ij) z_i ⊗ c_j
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Reading, Rule, State, Teaching
from synaptree.rules.shared.competition import compete
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.options import Positive
from synaptree.rules.shared.prediction import init_predictors


class InfoNCE(Rule):
    """Layerwise InfoNCE.  temperature: divides the scores.  predictor: as in CLAPP."""

    name: Literal["infonce"] = "infonce"
    temperature: Positive = 1.0
    predictor: Sharing = "position"
    end_to_end: ClassVar[bool] = True
    facts: ClassVar[Facts] = Facts(
        title="Layerwise InfoNCE (Greedy InfoMax)",
        family="layerwise",
        subfamily="contrastive",
        citation="Löwe, O'Connor & Veeling (2019), NeurIPS; arXiv 1905.11786 (CPC: 1807.03748)",
        equation="T_i = Σ_j (p_ij − δ_ij) W c_j,  p_ij = softmax_j(z_iᵀ W c_j)",
        differences=(
            "every layer has a loss of its own (the paper: modules of several layers); contexts of "
            "the same position and the same member of each other object in the batch are negatives"
        ),
        other_samples=True,
        reading=Reading(
            modulator=(
                "The mean over the batch; there is no single broadcast number, as each negative "
                "has a weight of its own."
            ),
            dendrite=(
                "A prediction from the second view less the mean prediction from other inputs, "
                "weighted by how well they fit. It needs them at the same time, which a synapse "
                "does not have; CLAPP is what is left with one negative (Illing et al. 2021)."
            ),
        ),
        open_in_biology=(
            "What would hold many other inputs at once and give each of them a weight of its "
            "own at every synapse. One remembered input is as much as CLAPP asks for. W is "
            "read in one direction, as in CLAPP."
        ),
    )

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        return State(learned={"W": init_predictors(net, generators, self.predictor)})

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        layers = [
            compete(batch, l, W, self.temperature) for l, W in enumerate(state.layers("W"), start=1)
        ]
        signals, own, losses = zip(*layers, strict=True)
        return Teaching(signals, {"W": own}, torch.stack(losses, 1))

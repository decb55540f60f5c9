"""End-to-end self-supervised learning: a layerwise rule's loss at the top layer, backpropagated.

T_L from the loss          T_l = W_{l+1}ᵀ (φ'(h_{l+1}) ⊙ T_{l+1})

The reference for every layerwise rule: the same loss and the same two views, but all layers serve
the top layer's loss, through a symmetric error network with every mask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.barlow_twins import BarlowTwins
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.clapp import CLAPP
from synaptree.rules.infonce import InfoNCE
from synaptree.rules.lpl import LPL
from synaptree.rules.nt_xent import NTXent
from synaptree.rules.shared.chain import descend
from synaptree.rules.vicreg import VICReg

LOSSES: dict[str, type[Rule]] = {
    "clapp": CLAPP,
    "infonce": InfoNCE,
    "nt_xent": NTXent,
    "vicreg": VICReg,
    "barlow_twins": BarlowTwins,
    "lpl": LPL,
}


class EndToEndSSL(Rule):
    """End-to-end self-supervised learning.  objective: whose loss, with that rule's defaults."""

    name: Literal["end_to_end_ssl"] = "end_to_end_ssl"
    objective: Literal["clapp", "infonce", "nt_xent", "vicreg", "barlow_twins", "lpl"] = "infonce"
    facts: ClassVar[Facts] = Facts(
        title="End-to-end self-supervised learning",
        family="reference",
        citation="van den Oord, Li & Vinyals (2018), arXiv 1807.03748, and each objective's own",
        equation="T_L = ∂loss/∂z_L;  T_l = W_{l+1}ᵀ (φ'(h_{l+1}) ⊙ T_{l+1})",
        differences="the second view is constant, as it is for the layerwise rules",
        labels=False,
        weight_transport=True,
        error_network=True,
        downstream_masks=True,
        other_samples=True,
        phases=2,
    )

    @property
    def needs_views(self) -> bool:
        return True

    @property
    def compares_top(self) -> bool:
        return True

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        full = LOSSES[self.objective](name=self.objective).init(net, generators)
        own = {k: t for k, t in full.learned.items() if k.endswith(str(net.L))}
        return State(learned=own)

    def teach(
        self, net: TreeNet, state: State, batch: Batch, generators: Sequence[torch.Generator]
    ) -> Teaching:
        top, activity = str(net.L), batch.activity
        alone = replace(
            *(batch,),
            activity=replace(activity, x=activity.x[-1:], h=activity.h[-1:], z=activity.z[-1:]),
            contexts=batch.contexts[-1:],
            crossed=[False],
        )
        rule = LOSSES[self.objective](name=self.objective)
        taught = rule.teach(net, State(learned=renamed(state.learned, top, "1")), alone, generators)
        T_top = taught.signals[0]
        assert T_top is not None
        assert taught.loss is not None
        signals = descend(net, T_top, activity.z, mask=net.gate)
        own = renamed(taught.own, "1", top)
        return Teaching(signals, own, taught.loss.expand(-1, net.L))


def renamed(tensors: Mapping[str, Tensor], old: str, new: str) -> dict[str, Tensor]:
    """Tensors of one layer under the number of another."""
    return {name.removesuffix(old) + new: t for name, t in tensors.items()}

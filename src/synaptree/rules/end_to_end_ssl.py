"""End-to-end self-supervised learning: a layerwise rule's loss at the top layer, backpropagated.

T_L from the loss          T_l = W_{l+1}ᵀ (φ'(h_{l+1}) ⊙ T_{l+1})

The reference for every layerwise rule: the same loss and the same two views, but all layers learn
the top layer's loss, through a symmetric error network with every mask.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from pydantic import field_validator
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.registry import get, names, rule_class
from synaptree.rules.shared.chain import descend


class EndToEndSSL(Rule):
    """End-to-end self-supervised learning.  objective: the rule whose loss, with its default
    options, is minimised at the top layer."""

    name: Literal["end_to_end_ssl"] = "end_to_end_ssl"
    objective: str = "infonce"
    facts: ClassVar[Facts] = Facts(
        title="End-to-end self-supervised learning",
        family="reference",
        citation="van den Oord, Li & Vinyals (2018), arXiv 1807.03748, and each objective's own",
        equation="T_L = ∂loss/∂z_L;  T_l = W_{l+1}ᵀ (φ'(h_{l+1}) ⊙ T_{l+1})",
        differences="the second view is constant, as it is for the layerwise rules",
        weight_transport=True,
        error_network=True,
        downstream_masks=True,
        other_samples=True,
        phases=2,
        passes=2,
        top_context=True,
        open_in_biology=(
            "All that backprop leaves open. The loss itself needs no label in the hidden "
            "layers, but its error comes down through the weights and masks of all layers."
        ),
    )

    @field_validator("objective")
    @classmethod
    def _has_a_loss(cls, objective: str) -> str:
        known = [name for name in names() if rule_class(name).end_to_end]
        if objective not in known:
            raise ValueError(f"expected one of {', '.join(known)}")
        return objective

    @property
    def needs_views(self) -> bool:
        return True

    @property
    def compares_top(self) -> bool:
        return True

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        full = get(self.objective).init(net, generators)
        return State(learned={name: at_top(ts[-1], net.L) for name, ts in full.learned.items()})

    def teach(
        self, net: TreeNet, state: State, batch: Batch, generators: Sequence[torch.Generator]
    ) -> Teaching:
        activity = batch.activity.place_by_place()
        top = activity.replaced(x=activity.x[-1:], h=activity.h[-1:], z=activity.z[-1:])
        alone = replace(batch, activity=top, contexts=batch.contexts[-1:], crossed=[False])
        own = State(learned={name: ts[-1:] for name, ts in state.learned.items()})
        taught = get(self.objective).teach(net, own, alone, generators)
        T_top = taught.signals[0]
        assert T_top is not None
        assert taught.loss is not None
        signals = descend(net, T_top, activity, mask=net.gate)
        gradients = {name: at_top(ts[0], net.L) for name, ts in taught.own.items()}
        return Teaching(signals, gradients, taught.loss.expand(-1, net.L))


def at_top(t: Tensor | None, L: int) -> list[Tensor | None]:
    """A tensor of the top layer, in a list of all layers."""
    return [*[None] * (L - 1), t]

"""The masking laboratory: backprop's chain with two independent dials.

Backprop's teaching signal multiplies in the gates of all layers above, for this very input:

    T_l = W_{l+1}ᵀ (M_{l+1} ⊙ T_{l+1})          M_k = φ'(h_k): the downstream masks

`weights` replaces the Wᵀ of the chain, `masks` the M. The corner (transpose, true) is backprop bit
for bit, (random, true) is feedback alignment, and (random, none) is a layered DFA: then no term of
the chain depends on the input except e itself. The layer's own gate φ'(h_l) stays in the synapse.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from pydantic import field_validator
from torch import Tensor

from synaptree.network import TreeNet, gate
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.chain import chain, draw_chain


class Masking(Rule):
    """Backprop with the feedback weights and the downstream masks of one's choice.

    weights: ``transpose`` (W itself) or ``random`` (fixed, of the same size at the start).
    masks: ``true``; ``none`` (the derivative of every layer above is taken as 1); ``other_input``
    (all masks come from one other input of the batch, the same for every layer).
    """

    name: Literal["masking"] = "masking"
    weights: Literal["transpose", "random"] = "transpose"
    masks: Literal["true", "none", "other_input"] = "none"

    @field_validator("masks", mode="before")
    @classmethod
    def _yaml(cls, given: object) -> object:
        return "true" if given is True else given  # an unquoted `true` in a study file

    facts: ClassVar[Facts] = Facts(
        title="Masking laboratory (backprop with other weights or masks)",
        family="control",
        citation="control of the study, Delrocq et al. (2026), arXiv 2605.18557",
        equation=(
            "T_l = F_{l+1} (M_{l+1} ⊙ T_{l+1});  F: Wᵀ or random;  M: φ'(h), 1, or φ'(h) of "
            "another input"
        ),
        differences="the layer's own gate φ'(h_l) is always true, only those above are changed",
        labels=True,
        weight_transport=True,
        error_network=True,
        downstream_masks=True,
        other_samples=True,
        phases=2,
    )

    @property
    def label(self) -> str:
        masks = {"true": "true", "none": "no", "other_input": "another input's"}[self.masks]
        weights = "backprop" if self.weights == "transpose" else "random feedback"
        return f"{weights}, {masks} masks"

    @property
    def least_inputs(self) -> int:
        return 2 if self.masks == "other_input" else 1

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        if self.weights == "transpose":
            return State()
        return State(fixed=draw_chain(net, generators))

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:  # noqa: ARG002
        return Teaching(chain(net, batch.error, batch.activity.z, state.fixed, self.mask))

    def mask(self, signal: Tensor, z: Tensor) -> Tensor:
        """``M ⊙ signal`` for the activity z of the layer, both (R, B, N, H)."""
        if self.masks == "none":
            return signal
        return gate(signal, z if self.masks == "true" else z.roll(1, dims=1))

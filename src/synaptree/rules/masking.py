"""The masking laboratory: backprop's chain with two independent dials.

Backprop's teaching signal multiplies in the gates of all layers above, for this very input:

    T_l = W_{l+1}ᵀ (M_{l+1} ⊙ T_{l+1})          M_k = φ'(h_k): the downstream masks

`weights` replaces the Wᵀ of the chain, `masks` the M (`shared/masks.py`). The corner (transpose,
true) is backprop bit for bit, (random, true) is feedback alignment, and (random, none) is a layered
DFA, whose chain depends on the input through e alone. The synapse's own gate φ'(h_l) is a third,
separate switch.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import torch
from pydantic import ValidationInfo, field_validator
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.conditions import Settings
from synaptree.rules.shared.chain import draw_chain, path_down
from synaptree.rules.shared.masks import FORMS, Masks, canonical

WEIGHTS = ("transpose", "sign", "random", "interpolated:α")


class Masking(Rule):
    """Backprop with other feedback weights and other downstream masks.

    weights: ``transpose`` (W itself), ``sign`` (of W, of the size at the start), ``random`` (fixed,
    of that size), or ``interpolated:α``: αW + √(1 − α²)·random, whose cosine with W starts at α.
    masks: ``true``; ``none`` (1 in every layer above); ``other_input`` (all masks are those of one
    other input of the batch); ``batch_mean`` (each unit's mean over the batch); ``kept:q`` (true at
    a fraction q of the units, chosen once, and 1 at the others); ``mixed:q`` (the same, but another
    input's at the others); ``fresh:q`` (random, drawn anew for each input and step, open with
    probability q; plain ``fresh``: with each unit's mean over the batch); ``frozen:q`` (random,
    drawn once, the same for every input; plain ``frozen``: with q = 0.5, as many as are open at the
    start); ``nearest:k`` (true in the k layers next above, 1 beyond); ``only:l`` (true in these
    layers, as 2,3, and 1 in the others); ``except:l`` (1 in these layers, true in the others);
    ``mean_jacobian`` (the matrix from e to z_l, averaged over the batch).
    own_gate: whether the synapse has its φ'(h_l), which is local.

    ``nearest:k`` says how far up masks matter at L ≥ 4 only. At L = 3 ``nearest:1`` differs from
    true masks in layer 1 alone, which a wide network need not learn.
    """

    name: Literal["masking"] = "masking"
    weights: str = "transpose"
    masks: str = "none"
    own_gate: bool = True

    @field_validator("weights", "masks", mode="before")
    @classmethod
    def _known(cls, value: object, field: ValidationInfo) -> str:
        if field.field_name == "weights":
            return canonical(value, WEIGHTS)
        value = "true" if value is True else value  # an unquoted `true` in a study file
        masks = canonical(value, FORMS)
        return "frozen:0.5" if masks == "frozen" else masks

    facts: ClassVar[Facts] = Facts(
        title="Masking laboratory (backprop with other weights or masks)",
        family="control",
        citation="this package (2026), after the diagnosis of Delrocq et al., arXiv 2605.18557",
        equation="T_l = F_{l+1} (M_{l+1} ⊙ T_{l+1});  F: Wᵀ or another;  M: φ'(h) or another",
        differences="the authors drop the own gate φ'(h_l) with the masks; here own_gate decides",
        labels=True,
        weight_transport=True,
        error_network=True,
        downstream_masks=True,
        other_samples=True,
        phases=2,
        passes=2,
        open_in_biology=(
            "Everything: it is a control, and is given weights and masks that no synapse can "
            "know. It asks what such knowledge would be worth."
        ),
    )

    @property
    def declared(self) -> Facts:
        masks = Masks.read(self.masks)
        return replace(
            self.facts,
            weight_transport=self.weights != "random",
            error_network=masks.read_gates or self.weights.startswith(("random", "interpolated")),
            downstream_masks=masks.read_gates,
            other_samples=masks.read_others,
        )

    @property
    def label(self) -> str:
        kind, _, number = self.weights.partition(":")
        named = {"transpose": "backprop", "interpolated": f"α={number} feedback"}
        ending = "" if self.own_gate else ", no own gate"
        return f"{named.get(kind, f'{kind} feedback')}, {Masks.read(self.masks).label}{ending}"

    @property
    def least_inputs(self) -> int:
        return 2 if self.masks == "other_input" or self.masks.startswith("mixed") else 1

    def check(self, spec: Settings) -> None:
        super().check(spec)
        Masks.read(self.masks).check(spec.L)

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        random = self.weights.startswith(("random", "interpolated"))
        F = {"F": draw_chain(net, generators)} if random else {}
        return State(fixed=F | Masks.read(self.masks).draw(net, generators))

    def feedback(self, net: TreeNet, state: State) -> Sequence[Tensor | None] | None:
        """The chain's weights F, as `chain` takes them."""
        path = path_down(net)
        if self.weights == "sign":
            return [None, *(std * W.sign() for W, std in path)]
        if self.weights.startswith("interpolated"):
            alpha = float(self.weights.partition(":")[2])
            rest, drawn = (1 - alpha**2) ** 0.5, state.layers("F")
            return [None, *(alpha * W + rest * F for (W, _), F in zip(path, drawn, strict=True))]
        return state.fixed.get("F")

    def teach(
        self, net: TreeNet, state: State, batch: Batch, generators: Sequence[torch.Generator]
    ) -> Teaching:
        F, chosen = self.feedback(net, state), state.fixed.get("chosen", [])
        masks = Masks.read(self.masks)
        signals = masks.signals(net, batch.error, batch.activity, F, chosen, generators)
        return Teaching(signals, gated=self.own_gate)

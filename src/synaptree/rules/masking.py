"""The masking laboratory: backprop's chain with two independent dials.

Backprop's teaching signal multiplies in the gates of all layers above, for this very input:

    T_l = W_{l+1}ᵀ (M_{l+1} ⊙ T_{l+1})          M_k = φ'(h_k): the downstream masks

`weights` replaces the Wᵀ of the chain, `masks` the M. The corner (transpose, true) is backprop bit
for bit, (random, true) is feedback alignment, and (random, none) is a layered DFA, whose chain
depends on the input through e alone. The synapse's own gate φ'(h_l) is a third, separate switch.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from pydantic import ValidationInfo, field_validator
from torch import Tensor

from synaptree.errors import squeezed
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, Facts, Rule, State, Teaching
from synaptree.rules.shared.chain import chain, draw_chain, mean_jacobian, path_down, unmasked
from synaptree.rules.shared.strict import as_written, exactly

WEIGHTS = ("transpose", "sign", "random", "interpolated:α")
MASKS = ("true", "none", "other_input", "batch_mean", "mean_jacobian", "kept:q", "nearest:k")


class Masking(Rule):
    """Backprop with other feedback weights and other downstream masks.

    weights: ``transpose`` (W itself), ``sign`` (of W, of the size at the start), ``random`` (fixed,
    of that size), or ``interpolated:α``: αW + √(1 − α²)·random, whose cosine with W starts at α.
    masks: ``true``; ``none`` (1 in every layer above); ``other_input`` (all masks are those of one
    other input of the batch); ``batch_mean`` (each unit's mean over the batch); ``kept:q`` (true at
    a fraction q of the units, chosen once, and 1 at the others); ``nearest:k`` (true in the k
    layers next above, 1 beyond); ``mean_jacobian`` (the matrix from e to z_l, averaged over the
    batch).  own_gate: whether the synapse has its φ'(h_l), which is local.
    """

    name: Literal["masking"] = "masking"
    weights: str = "transpose"
    masks: str = "none"
    own_gate: bool = True

    @field_validator("weights", "masks", mode="before")
    @classmethod
    def _known(cls, value: object, field: ValidationInfo) -> str:
        value = "true" if value is True else value  # an unquoted `true` in a study file
        known = WEIGHTS if field.field_name == "weights" else MASKS
        kind, colon, digits = value.partition(":") if isinstance(value, str) else ("", "", "")
        for name, expected, symbol in (form.partition(":") for form in known):
            if squeezed(kind) == squeezed(name) and colon == expected:
                if not colon:
                    return name
                with suppress(ValueError):
                    number: Any = as_written(int if symbol == "k" else float, digits)
                    if 0 <= number <= (number if symbol == "k" else 1):
                        return f"{name}:{exactly(number)}"
        raise ValueError(f"expected one of {', '.join(known)}, with α and q from 0 to 1, k whole")

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
    )

    @property
    def declared(self) -> Facts:
        masks = self.masks.partition(":")[0]
        return replace(
            self.facts,
            weight_transport=self.weights != "random",
            error_network=masks != "none" or self.weights.startswith(("random", "interpolated")),
            downstream_masks=masks != "none",
            other_samples=masks in ("other_input", "batch_mean", "mean_jacobian"),
        )

    @property
    def label(self) -> str:
        kind, _, number = self.masks.partition(":")
        masks = {
            "true": "true masks", "none": "no masks", "other_input": "another input's masks",
            "batch_mean": "mean masks", "mean_jacobian": "mean Jacobian",
            "kept": f"{number} of masks", "nearest": f"masks of {number} above",
        }[kind]  # fmt: skip
        kind, _, number = self.weights.partition(":")
        named = {"transpose": "backprop", "interpolated": f"α={number} feedback"}
        ending = "" if self.own_gate else ", no own gate"
        return f"{named.get(kind, f'{kind} feedback')}, {masks}{ending}"

    @property
    def least_inputs(self) -> int:
        return 2 if self.masks == "other_input" else 1

    def init(self, net: TreeNet, generators: Sequence[torch.Generator]) -> State:
        fixed: dict[str, Sequence[Tensor | None]] = {}
        if self.weights.startswith(("random", "interpolated")):
            fixed["F"] = draw_chain(net, generators)
        if self.masks.startswith("kept"):
            q = float(self.masks.partition(":")[2])
            shapes = [(1, net.positions(l), net.width) for l in range(2, net.L + 1)]
            drawn = [[torch.rand(shape, generator=g) >= q for g in generators] for shape in shapes]
            fixed["open"] = [None, *(torch.stack(each).to(net.device) for each in drawn)]
        return State(fixed=fixed)

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

    def teach(self, net: TreeNet, state: State, batch: Batch, generators: object) -> Teaching:
        z, e, F = batch.activity.z, batch.error, self.feedback(net, state)
        down = partial(chain, net, e, batch.activity, F)
        if self.masks == "none":
            signals = down(mask=unmasked)
        elif self.masks == "batch_mean":
            means = [(z_l > 0).to(e.dtype).mean(1, keepdim=True) for z_l in z]
            signals = down(mask=torch.mul, z=means)
        elif self.masks == "mean_jacobian":
            signals = mean_jacobian(net, e, batch.activity, F)
        elif self.masks.startswith("nearest"):  # every layer has a chain of its own
            k = int(self.masks.partition(":")[2])
            ones = [torch.ones_like(z_l) for z_l in z]
            chains = [[*z[: l + k], *ones[l + k :]] for l in range(1, net.L + 1)]
            signals = [down(z=z_of_chain)[l] for l, z_of_chain in enumerate(chains)]
        else:
            signals = down(z=self.sources(state, z))
        return Teaching(signals, gated=self.own_gate)

    def sources(self, state: State, z: Sequence[Tensor]) -> Sequence[Tensor]:
        """Activities whose gates are the masks M: the input's own, another's, or open (1)."""
        if self.masks == "other_input":
            return [z_l.roll(1, dims=1) for z_l in z]
        if self.masks.startswith("kept"):
            above = zip(z[1:], state.layers("open"), strict=True)
            return [z[0], *(z_l.masked_fill(opened, 1) for z_l, opened in above)]
        return z

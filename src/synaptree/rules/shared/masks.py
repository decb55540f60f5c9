"""The masks M of the masking laboratory, in place of the gates φ'(h) of the layers above."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Self

import torch
from torch import Tensor

from synaptree.errors import SynaptreeError, squeezed
from synaptree.network.tree import Activity, TreeNet
from synaptree.rules.shared.chain import chain, mean_jacobian, unmasked
from synaptree.rules.shared.strict import as_written, exactly

FORMS = (
    "true", "none", "other_input", "batch_mean", "mean_jacobian", "kept:q", "mixed:q",
    "fresh[:q]", "frozen[:q]", "nearest:k", "only:l", "except:l",
)  # fmt: skip


def canonical(text: object, forms: Sequence[str]) -> str:
    """The plain spelling of a dial.  Raises ValueError where it has none of the forms.

    α and q in a form stand for a number from 0 to 1, k for a whole number, l for layers, as 2,3.
    """
    kind, colon, digits = text.partition(":") if isinstance(text, str) else ("", "", "")
    for name, expected, symbol in (form.partition(":") for form in forms):
        optional = name.endswith("[")
        name = name.removesuffix("[")
        if squeezed(kind) == squeezed(name) and (colon == expected or (optional and not colon)):
            with suppress(ValueError):
                return f"{name}:{_number(symbol[0], digits)}" if colon else name
    raise ValueError(
        f"expected one of {', '.join(forms)}, with α and q from 0 to 1, k whole, l layers from 2"
    )


def _number(symbol: str, digits: str) -> str:
    """The number, or the layers, as plain text.  Raises ValueError for what is out of range."""
    if symbol == "l":
        layers: set[Any] = {as_written(int, each) for each in digits.split(",")}
        if min(layers) < 2:
            raise ValueError
        return ",".join(map(str, sorted(layers)))
    number: Any = as_written(int if symbol == "k" else float, digits)
    if not 0 <= number <= (number if symbol == "k" else 1):
        raise ValueError
    return exactly(number)


@dataclass(frozen=True)
class Masks:
    """One of the `FORMS`, in its plain spelling.

    share: the number q; None for a form without it.  layers: k, or the layers that are listed.
    """

    kind: str
    share: float | None = None
    layers: tuple[int, ...] = ()

    @classmethod
    @lru_cache(1000)
    def read(cls, text: str) -> Self:
        """The masks of a plain spelling."""
        kind, colon, digits = text.partition(":")
        if kind in ("nearest", "only", "except"):
            return cls(kind, layers=tuple(map(int, digits.split(","))))
        return cls(kind, float(digits) if colon else None)

    @property
    def follow_units(self) -> bool:
        """Whether each unit's own share of active inputs decides how often its mask is open."""
        return self.kind == "fresh" and self.share is None

    @property
    def read_gates(self) -> bool:
        """Whether the masks depend on the gates of the layers above."""
        if self.kind == "fresh":
            return self.follow_units
        nothing = (self.kind == "kept" and self.share == 0) or self.layers == (0,)
        return not nothing and self.kind not in ("none", "frozen")

    @property
    def read_others(self) -> bool:
        """Whether the masks of an input depend on other inputs of the batch."""
        if self.kind == "mixed":
            return self.share != 1
        return self.follow_units or self.kind in ("other_input", "batch_mean", "mean_jacobian")

    @property
    def label(self) -> str:
        """As in "backprop, no masks"."""
        q = "" if self.share is None else exactly(self.share)
        layers = ",".join(map(str, self.layers))
        fresh = f", {q} open" if q else ""
        return {
            "true": "true masks", "none": "no masks", "other_input": "another input's masks",
            "batch_mean": "mean masks", "mean_jacobian": "mean Jacobian",
            "kept": f"{q} of masks", "mixed": f"{q} of masks, the rest another input's",
            "fresh": f"fresh random masks{fresh}", "frozen": f"frozen random masks, {q} open",
            "nearest": f"masks of {layers} above", "only": f"masks of layers {layers} alone",
            "except": f"no masks of layers {layers}",
        }[self.kind]  # fmt: skip

    def check(self, L: int) -> None:
        """Raise SynaptreeError where a layer is listed that a network of L layers lacks."""
        if self.kind in ("only", "except") and self.layers[-1] > L:
            raise SynaptreeError(
                f"rule masking: masks: layer {self.layers[-1]} given, but L is {L}; expected "
                f"layers from 2 to {L}"
            )

    def draw(
        self, net: TreeNet, generators: Sequence[torch.Generator]
    ) -> dict[str, Sequence[Tensor | None]]:
        """Which units are ``chosen``, at each position, with probability q: bool (R, 1, N_l, H)."""
        q = self.share
        if q is None or self.kind == "fresh":
            return {}
        drawn = [_uniform(net, generators, 1, l) < q for l in range(2, net.L + 1)]
        return {"chosen": [None, *drawn]}

    def signals(
        self,
        net: TreeNet,
        error: Tensor,
        activity: Activity,
        F: Sequence[Tensor | None] | None,
        chosen: Sequence[Tensor | None],
        generators: Sequence[torch.Generator],
    ) -> list[Tensor]:
        """T_l of the chain with weights F and these masks, for l = 1..L.  chosen: as of `draw`."""
        z, down = activity.z, partial(chain, net, error, activity, F)
        ones = [torch.ones_like(z_l) for z_l in z] if self.layers else []
        match self.kind:
            case "none":
                return down(mask=unmasked)
            case "mean_jacobian":
                return mean_jacobian(net, error, activity, F)
            case "batch_mean":
                return down(mask=torch.mul, z=_shares(z, error))
            case "nearest":  # every layer has a chain of its own
                k = self.layers[0]
                chains = [[*z[: l + k], *ones[l + k :]] for l in range(1, net.L + 1)]
                return [down(z=of_layer)[l] for l, of_layer in enumerate(chains)]
            case "frozen":
                masks = [error.new_ones(()) if c is None else c.to(error.dtype) for c in chosen]
                return down(mask=torch.mul, z=masks)
            case "fresh":
                B = error.shape[1]
                shares = _shares(z, error) if self.share is None else [self.share] * net.L
                drawn = [_uniform(net, generators, B, l) for l in range(2, net.L + 1)]
                opened = [u < q for u, q in zip(drawn, shares[1:], strict=True)]
                return down(z=[z[0], *(each.to(error.dtype) for each in opened)])
            case "only" | "except":
                true = self.kind == "only"
                layers = range(1, net.L + 1)
                return down(z=[(z if (l in self.layers) == true else ones)[l - 1] for l in layers])
            case _:
                return down(z=self.sources(z, chosen))

    def sources(self, z: Sequence[Tensor], chosen: Sequence[Tensor | None]) -> Sequence[Tensor]:
        """Activities whose gates are the masks: the input's own, another's, or open (1)."""
        if self.kind == "other_input":
            return [z_l.roll(1, dims=1) for z_l in z]
        if self.kind == "true":
            return z
        sources: list[Tensor] = []
        for z_l, c in zip(z, chosen, strict=True):
            if c is None:
                sources.append(z_l)
            elif self.kind == "kept":
                sources.append(z_l.masked_fill(~c, 1))
            else:
                sources.append(torch.where(c, z_l, z_l.roll(1, dims=1)))
        return sources


def _shares(z: Sequence[Tensor], like: Tensor) -> list[Tensor]:
    """The share of the inputs of a batch at which each unit is active: (R, 1, N_l, H)."""
    return [(z_l > 0).to(like.dtype).mean(1, keepdim=True) for z_l in z]


def _uniform(net: TreeNet, generators: Sequence[torch.Generator], B: int, layer: int) -> Tensor:
    """Numbers from 0 to 1 for B inputs, (R, B, N_l, H), each replica's from its own stream."""
    shape = (B, net.positions(layer), net.width)
    drawn = [
        torch.rand(shape, generator=g, dtype=torch.float32, device=g.device) for g in generators
    ]
    return torch.stack(drawn).to(net.device)

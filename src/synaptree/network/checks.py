"""What a network may be made of, and what it may read: checked where a person asks for it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from synaptree.errors import SynaptreeError, checked_integer, shown

if TYPE_CHECKING:
    from synaptree.network.tree import TreeNet

MOST = 2**31 - 1  # units, tokens or classes


def check_network(v: int, n: int, s: int, L: int, width: int, generators: Any, dtype: Any) -> None:
    """Raise SynaptreeError for sizes that a network cannot have, and for what it is not made of.

    With s = 1 a network is a chain of layers; a grammar has s of at least 2.
    """
    for name, size, least in (("v", v, 1), ("n", n, 2), ("s", s, 1), ("width", width, 1)):
        checked_integer(f"network {name}", size, least, MOST)
    checked_integer("network L", L, 1, 20)  # as of a grammar
    if not (
        isinstance(generators, Sequence)
        and generators
        and all(isinstance(g, torch.Generator) for g in cast(Sequence[object], generators))
    ):
        raise SynaptreeError(
            f"network generators: {shown(generators)} given; expected a list of torch.Generator, "
            "one for each replica"
        )
    if not isinstance(dtype, torch.dtype) or dtype not in (torch.float32, torch.float64):
        raise SynaptreeError(
            f"network dtype: {shown(dtype)} given; expected torch.float32 or torch.float64"
        )


def checked_inputs(net: "TreeNet", x: Any) -> Tensor:
    """Tokens (R, B, d) for a network, on its device, from (R, B, d), (B, d) or (d,); likewise real
    numbers (R, B, d, v).

    Raises SynaptreeError for anything else.
    """
    where, d, R = "activity x", net.s**net.L, net.replicas
    try:
        if not isinstance(x, Tensor):
            # A copy in this machine's order of bytes: torch takes no other, nor a reversed array.
            array = np.array(x)
            x = torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=False))
        x = x.to(net.device)
    except Exception:
        raise SynaptreeError(f"{where}: {shown(x)} given; expected integers") from None
    if x.is_floating_point() and x.shape[-2:] == (d, net.v):
        return _checked_reals(net, x)
    if x.is_floating_point() or x.is_complex() or x.dtype == torch.bool:
        raise SynaptreeError(
            f"{where}: type {x.dtype} given; expected integers, as of x.astype(int) or x.long(); "
            "vectors that are 1 at their token are tokens as x.argmax(-1)"
        )
    strings = x[None] if x.ndim == 1 else x
    strings = strings[None] if strings.ndim == 2 else strings
    if strings.ndim != 3 or len(strings) not in (1, R) or strings.shape[2] != d or not x.numel():
        raise SynaptreeError(
            f"{where}: shape {tuple(x.shape)} given; expected strings of d = {d} tokens, (d,) or "
            f"(B, d), or (R, B, d) with strings of their own for each of the R = {R} replicas"
        )
    x = strings.expand(R, -1, -1).contiguous()
    x = x if x.dtype == torch.uint8 else x.long()  # few operations know the other unsigned types
    least, most = (int(t) for t in x.aminmax())
    if least < 0 or most >= net.v:
        wrong = least if least < 0 else most
        raise SynaptreeError(f"{where}: token {wrong} given; expected tokens 0..{net.v - 1}")
    return x


def _checked_reals(net: "TreeNet", x: Tensor) -> Tensor:
    inputs = x[None] if x.ndim == 2 else x
    inputs = inputs[None] if inputs.ndim == 3 else inputs
    if inputs.ndim != 4 or len(inputs) not in (1, net.replicas) or not x.numel():
        raise SynaptreeError(
            f"activity x: shape {tuple(x.shape)} given; expected real numbers (B, d, v), or "
            f"(R, B, d, v) for each of the R = {net.replicas} replicas"
        )
    if not x.isfinite().all():
        raise SynaptreeError("activity x: numbers that are not finite given; expected finite ones")
    return inputs.expand(net.replicas, -1, -1, -1).contiguous()

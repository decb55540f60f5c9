"""What a network may be made of, and what it may read: checked where a person asks for it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

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
    for name, size, least in (("v", v, 2), ("n", n, 2), ("s", s, 1), ("width", width, 1)):
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


def checked_tokens(net: "TreeNet", x: Any) -> Tensor:
    """Tokens (R, B, d) for a network, on its device.  Raises SynaptreeError for anything else."""
    where, d = "activity x", net.s**net.L
    try:
        x = torch.as_tensor(x, device=net.device)
    except Exception:
        raise SynaptreeError(f"{where}: {shown(x)} given; expected integers") from None
    if x.is_floating_point() or x.is_complex() or x.dtype == torch.bool:
        raise SynaptreeError(f"{where}: type {x.dtype} given; expected integers")
    if x.ndim != 3 or x.shape[0] != net.replicas or x.shape[2] != d or not x.shape[1]:
        raise SynaptreeError(
            f"{where}: shape {tuple(x.shape)} given; expected (R, B, d) with R = {net.replicas} "
            f"replicas and d = {d} tokens; the same strings (B, d) for each replica are written "
            f"x.expand({net.replicas}, -1, -1)"
        )
    x = x if x.dtype == torch.uint8 else x.long()  # few operations know the other unsigned types
    least, most = (int(t) for t in x.aminmax())
    if least < 0 or most >= net.v:
        wrong = least if least < 0 else most
        raise SynaptreeError(f"{where}: token {wrong} given; expected tokens 0..{net.v - 1}")
    return x

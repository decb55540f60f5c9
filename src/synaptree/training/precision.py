"""The number formats of a run: what tensors are held in, and what matrix products are made of."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

import torch

from synaptree.errors import SynaptreeError, shown

Precision = Literal["float32", "float64", "bfloat16"]


def dtype_of(precision: Precision) -> torch.dtype:
    """The type of weights, activities and the optimiser's memory."""
    return torch.float64 if precision == "float64" else torch.float32


def check_device(device: object) -> None:
    """Raises SynaptreeError for a device that runs cannot train on, or that is not here."""
    if isinstance(device, torch.device):
        device = str(device)
    if device not in ("cpu", "cuda"):
        raise SynaptreeError(
            f"device: {shown(device)} given; expected cpu or cuda (which of several cards, "
            "CUDA_VISIBLE_DEVICES says)"
        )
    if device == "cuda" and not torch.cuda.is_available():
        raise SynaptreeError("device: cuda given, but torch finds no GPU here; expected cpu")


def check_precision(precision: Precision, device: str) -> None:
    """Raises SynaptreeError for bfloat16 where products would not be made of it.

    PyTorch accepts the setting on any processor, and stays with float32 where the instructions are
    missing.
    """
    if precision == "bfloat16" and not _rounds(device):
        raise SynaptreeError(
            f"precision: bfloat16 given, but this {device} makes no products of it; "
            "expected float32"
        )


def _rounds(device: str) -> bool:
    """Whether products in bfloat16 really round their factors.

    This is tried out: which instructions a processor has does not tell which the library uses.
    """
    if device == "cuda" and not torch.cuda.is_available():
        return False
    x = torch.full((1, 256, 256), 1 + 2.0**-12, device=device)
    with arithmetic("bfloat16"):
        return bool((torch.bmm(x, x) == 256).all())


@contextmanager
def arithmetic(precision: Precision) -> Generator[None]:
    """Set how a run calculates: the precision of its matrix products, and no denormal numbers.

    With `precision="bfloat16"` products of float32 tensors are made of bfloat16 numbers and added
    up in float32. Everything else stays float32: weights, activities, sums, the optimiser. PyTorch
    calls this ``set_float32_matmul_precision("medium")``; on a GPU it uses TF32 instead, which has
    more digits. With any other precision, products keep all digits of their type.

    Numbers below the smallest normal one (1e-38 in float32) become zero. Adam's moments of silent
    units decay to such numbers and stay there, and a CPU takes many times as long for each: after
    some hundred steps, training would slow down to two thirds of its speed.
    """
    before, flushed = torch.get_float32_matmul_precision(), _flushes_denormals()
    torch.set_float32_matmul_precision("medium" if precision == "bfloat16" else "highest")
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
        torch.set_flush_denormal(flushed)


def _flushes_denormals() -> bool:
    """Whether this thread turns denormal numbers into zero."""
    return torch.tensor(2.0**-140).item() == 0.0

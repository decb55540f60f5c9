"""What numbers are held in, and what their products are made of."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

import torch

from synaptree.errors import SynaptreeError

Precision = Literal["float32", "float64", "bfloat16"]


def dtype_of(precision: Precision) -> torch.dtype:
    """What weights, activities and the optimiser's state are held in."""
    return torch.float64 if precision == "float64" else torch.float32


def check_precision(precision: Precision, device: str) -> None:
    """Raises SynaptreeError for bfloat16 where products would not be made of it: PyTorch takes
    the setting on any processor and leaves it at float32 where instructions are missing."""
    if precision == "bfloat16" and not _rounds(device):
        raise SynaptreeError(
            f"precision: bfloat16 given, but this {device} makes no products of it; "
            "expected float32"
        )


def _rounds(device: str) -> bool:
    """Whether a product in bfloat16 takes its factors with fewer digits than float32.

    It is tried out, since what a processor says of itself does not tell what the library uses.
    """
    if device == "cuda" and not torch.cuda.is_available():
        return False
    x = torch.full((1, 256, 256), 1 + 2.0**-12, device=device)
    with arithmetic("bfloat16"):
        return bool((torch.bmm(x, x) == 256).all())


@contextmanager
def arithmetic(precision: Precision) -> Generator[None]:
    """How a run calculates: what its matrix products are made of, and no denormal numbers.

    With `precision="bfloat16"` products of float32 tensors are made of bfloat16 numbers and added
    up in float32; everything else is float32: weights, activities, sums, the optimiser.  PyTorch
    knows this as ``set_float32_matmul_precision("medium")``; on a GPU it takes TF32 for it, which
    has more digits.  Otherwise products are exact to their type.

    Numbers below the smallest normal one (1e-38 in float32) become zero. Adam's moments of units
    that are silent decay to such numbers and stay there, and a CPU takes many times as long for
    each: a step slowed down to two thirds of its speed after some hundred.
    """
    before, flushed = torch.get_float32_matmul_precision(), _flushes()
    torch.set_float32_matmul_precision("medium" if precision == "bfloat16" else "highest")
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
        torch.set_flush_denormal(flushed)


def _flushes() -> bool:
    """Whether this thread makes denormal numbers zero."""
    return torch.tensor(2.0**-140).item() == 0.0

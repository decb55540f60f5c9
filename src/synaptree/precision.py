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
    """Raises SynaptreeError for bfloat16 on a processor that has no instructions for it, where it
    would be slower than float32."""
    if precision != "bfloat16":
        return
    if device == "cuda":
        able = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        able = any(on for name, on in torch.cpu.get_capabilities().items() if "bf16" in name)
    if not able:
        raise SynaptreeError(
            f"precision: bfloat16 given, but this {device} has no instructions for it; "
            "expected float32"
        )


@contextmanager
def products_in(precision: Precision) -> Generator[None]:
    """Matrix products of float32 tensors are made of bfloat16 numbers and added up in float32.

    Everything else is float32: weights, activities, sums, the optimiser.  PyTorch knows this as
    ``set_float32_matmul_precision("medium")``; on a GPU it takes TF32 for it, which has more
    digits.  Without `precision="bfloat16"` products are exact to their type.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium" if precision == "bfloat16" else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)

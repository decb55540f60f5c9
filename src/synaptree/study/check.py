"""What is refused before any work is done, because it could only fail after it."""

from collections.abc import Sequence
from pathlib import Path

from synaptree.errors import SynaptreeError
from synaptree.safely import check_writable
from synaptree.training.precision import Precision, check_precision
from synaptree.training.spec import RunSpec


def check(folder: Path | None, device: str, precision: Precision = "float32") -> None:
    """Raise SynaptreeError for a folder that cannot be written, or a device that is not here or
    cannot work in a precision."""
    if folder is not None:
        check_writable(folder)
    if device not in ("cpu", "cuda"):
        raise SynaptreeError(f"device: {device!r} given; expected cpu or cuda")
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise SynaptreeError("device: cuda given, but torch finds no GPU here; expected cpu")
    check_precision(precision, device)


def check_study(folder: Path, device: str, specs: Sequence[RunSpec], scheduler: str | None) -> None:
    """`check` for a study, and that its rules can be sent to workers."""
    here = scheduler is None  # what the processors of a cluster can do, its workers say
    low = here and any(spec.precision == "bfloat16" for spec in specs)
    check(folder, device, "bfloat16" if low else "float32")
    for rule in {type(spec.rule) for spec in specs}:
        if rule.__module__ == "__main__" or "<locals>" in rule.__qualname__:
            name = rule.__name__
            raise SynaptreeError(
                f"rule: {name} is defined in a notebook, a script or a function, where workers "
                f"cannot find it; expected a file of its own, as my_rules.py:{name}"
            )

"""What commands share: options that mean the same everywhere, and how a command speaks."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synaptree.errors import SynaptreeError
from synaptree.safely import printable

if TYPE_CHECKING:
    from rich.console import Console

    from synaptree.training.precision import Precision

V = Annotated[int, typer.Option("--v", help="Vocabulary size of every level below the class.")]
N = Annotated[int, typer.Option("--n", help="Number of classes.")]
M = Annotated[int, typer.Option("--m", help="Production rules (synonyms) per feature.")]
S = Annotated[int, typer.Option("--s", help="Tuple size.")]
DEPTH = Annotated[int, typer.Option("--L", help="Depth; strings have s**L tokens.")]
SEED = Annotated[int, typer.Option("--seed", help="Seed of the grammar (and of all else).")]
AS_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
WORKERS = Annotated[
    int | None, typer.Option(help="Worker processes.  [default: one a core]", min=1)
]
SCHEDULER = Annotated[
    str | None,
    typer.Option(help="A running Dask cluster, as tcp://host:8786.  [default: workers of its own]"),
]
DEVICE = Annotated[str, typer.Option(help="cpu or cuda.")]
DRY_RUN = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be run, and for how long.")
]


def terminal(stderr: bool = False) -> "Console":
    from rich.console import Console

    return Console(stderr=stderr)


def say(text: str) -> None:
    """One plain line, whatever the width of the terminal."""
    print(printable(text), flush=True)


def cell(text: str) -> str:
    """Text from a results folder for rich to print: neither markup nor control characters."""
    from rich.markup import escape

    return escape(printable(text))


def cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SynaptreeError(f"option: {text!r} given; expected NAME=VALUE, as temperature=0.5")
    return name, value


def check(folder: Path | None, device: str, precision: "Precision" = "float32") -> None:
    """Refuse before any work is done what could only fail after it."""
    from synaptree.safely import check_writable

    if folder is not None:
        check_writable(folder)
    if device not in ("cpu", "cuda"):
        raise SynaptreeError(f"device: {device!r} given; expected cpu or cuda")
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise SynaptreeError("device: cuda given, but torch finds no GPU here; expected cpu")
    if precision == "bfloat16":
        from synaptree.training.precision import check_precision

        check_precision(precision, device)

"""What commands share: their options, their exit codes, and how they print a line."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synaptree.errors import SynaptreeError
from synaptree.safely import printable

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from synaptree.study.estimate import Estimate

# Exit codes: docs/studies.md lists them for users.
RUNS_FAILED = 1
REFUSED = 2
INTERRUPTED = 130  # as of a program that Ctrl-C ended
NO_READER = 141  # as of a program whose reader went away

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
SCHEDULER_FILE = Annotated[
    Path | None,
    typer.Option(help="A file that `dask scheduler` wrote, for --scheduler."),
]
DEVICE = Annotated[str, typer.Option(help="cpu or cuda.")]
DRY_RUN = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be run, and for how long.")
]


def terminal(stderr: bool = False) -> "Console":
    """Where tables and progress are printed."""
    from rich.console import Console

    return Console(stderr=stderr)


def say(text: str) -> None:
    """Print one plain line, whatever the width of the terminal."""
    print(printable(text), flush=True)


def cell(text: str) -> str:
    """Text from a results folder for rich to print: neither markup nor control characters."""
    from rich.markup import escape

    return escape(printable(text))


def complain(text: str) -> None:
    """Lines on the standard error, each with the name of the program."""
    for line in text.split("\n"):
        print(f"synaptree: {printable(line)}", file=sys.stderr)


def end_with_failures(frame: "pd.DataFrame", where: str) -> None:
    """End the command with exit code 1 where runs of a study failed; else do nothing."""
    failed = int((frame["status"] == "failed").sum())
    if failed:
        complain(f"{failed} runs failed; {where}")
        raise typer.Exit(RUNS_FAILED)


def say_estimate(estimate: "Estimate") -> None:
    """What a study would do, in one line."""
    from synaptree.study.progress import duration

    say(
        f"{estimate.runs} runs, {estimate.share} of them in this share; {estimate.left} are left, "
        f"in {len(estimate.groups)} groups of up to {estimate.replicas} replicas; about "
        f"{duration(estimate.seconds)} on {estimate.workers} workers, "
        f"{estimate.bytes / 1e6:.0f} MB each beside torch"
    )


def address(scheduler: str | None, file: Path | None) -> str | None:
    """The address of the cluster to use: as typed, or from its file."""
    if file is None:
        return scheduler
    if scheduler is not None:
        raise SynaptreeError("scheduler-file: given beside --scheduler; expected one of them")
    from synaptree.study.check import address_in

    return address_in(file)


def assignment(text: str) -> tuple[str, str]:
    """The name and the value in NAME=VALUE.  Raises SynaptreeError for another form."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SynaptreeError(f"option: {text!r} given; expected NAME=VALUE, as temperature=0.5")
    return name, value

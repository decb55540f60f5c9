"""What commands share: options, exit codes, and how to print a line."""

import math
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synaptree.errors import SynaptreeError, several, shown
from synaptree.safely import printable

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from synaptree.study.estimate import Estimate

# Exit codes: docs/studies.md lists them for users.
RUNS_FAILED = 1
FOUND_FAULTS = 1  # in a rule
REFUSED = 2
NO_OUTPUT = 74  # EX_IOERR of sysexits.h
INTERRUPTED = 130  # the usual code of a program that Ctrl-C ended
NO_READER = 141  # the usual code of a program whose reader has ended
MOST_NUMBERS = 1000  # in a range of seeds
WIDE = 10_000  # columns if there is no terminal, so that nothing is cut


def whole(text: str | int) -> int:
    """The whole number in a word.  (typer itself reads 0-3 as -3 and 1_0 as 10.)

    Raises typer.BadParameter for another form.
    """
    number = re.fullmatch(r"\s*([+-]?\d{1,18}(?:e\d{1,2})?)(?:\.0*)?\s*", str(text), re.ASCII)
    if number is None:
        raise typer.BadParameter(f"{shown(text)} given; expected one whole number, as 3")
    return int(float(number[1])) if "e" in number[1] else int(number[1])


def counted(text: str | int) -> int:
    """A whole number that is at least 1."""
    number = whole(text)
    if number < 1:
        raise typer.BadParameter(f"{number} given; expected at least 1")
    return number


def decimal(text: str | float) -> float:
    """The finite number in a word.  Raises typer.BadParameter for another form."""
    form = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*"
    if not re.fullmatch(form, str(text), re.ASCII) or not math.isfinite(float(text)):
        raise typer.BadParameter(f"{shown(text)} given; expected a number, as 0.5 or 1e-3")
    return float(text)


def span(text: str) -> tuple[int, int]:
    """The two sizes in A..B.  Raises typer.BadParameter for another form."""
    ends = re.fullmatch(r"\s*(\d{1,9})\s*\.\.\s*(\d{1,9})\s*", text, re.ASCII)
    if not ends or not 1 <= int(ends[1]) < int(ends[2]):
        raise typer.BadParameter(f"{shown(text)} given; expected a range, as 64..131072")
    return int(ends[1]), int(ends[2])


def numbers(text: str) -> list[int]:
    """The whole numbers in 0-9 or 0,2,5.  Raises typer.BadParameter for another form."""
    found: list[int] = []
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\d{1,12})(?:\s*-\s*(\d{1,12}))?\s*", part, re.ASCII)
        first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (0, -1)
        if not first <= last < first + MOST_NUMBERS:
            raise typer.BadParameter(f"{shown(text)} given; expected seeds, as 0-9 or 0,2,5")
        found += range(first, last + 1)
    return list(dict.fromkeys(found))


def public_name(file: Path) -> Path | str:
    """A file as it may be kept beside results: an absolute path may contain private names, so of
    such a path only the file's name."""
    return file.name if file.is_absolute() else file


def place(word: str | Path) -> Path:
    """The path in a word.  An empty word is refused: it would be the working folder."""
    text = str(word)  # typer hands over an option's default, too, which is a path already
    if not text.strip():
        raise typer.BadParameter("it is empty; expected a path")
    if "\0" in text:
        raise typer.BadParameter(f"{shown(text)} given; expected a path")
    return Path(text)


# Every number and path that is typed is read by one of these.
WHOLE: dict[str, Any] = {"parser": whole, "metavar": "INTEGER"}
COUNT: dict[str, Any] = {"parser": counted, "metavar": "INTEGER [x>=1]"}
NUMBER: dict[str, Any] = {"parser": decimal, "metavar": "NUMBER"}
PLACE: dict[str, Any] = {"parser": place, "metavar": "PATH"}

V = Annotated[
    int, typer.Option("--v", help="Number of features on each level below the class.", **WHOLE)
]
N = Annotated[int, typer.Option("--n", help="Number of classes.", **WHOLE)]
M = Annotated[
    int, typer.Option("--m", help="Number of ways to write a feature (synonyms).", **WHOLE)
]
S = Annotated[
    int, typer.Option("--s", help="Number of features that a feature is written as.", **WHOLE)
]
DEPTH = Annotated[
    int, typer.Option("--L", help="Number of levels; a string has s**L tokens.", **WHOLE)
]
SEED = Annotated[
    int, typer.Option("--seed", help="Seed of the grammar, the data and the network.", **WHOLE)
]
AS_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
WORKERS = Annotated[
    int | None, typer.Option(help="Number of worker processes (default: one per core).", **COUNT)
]
SCHEDULER = Annotated[
    str | None,
    typer.Option(help="A running Dask cluster, as tcp://host:8786 (default: start workers here)."),
]
SCHEDULER_FILE = Annotated[
    Path | None,
    typer.Option(
        help="A file with the address, written by `dask scheduler`; instead of --scheduler.",
        **PLACE,
    ),
]
DEVICE = Annotated[str, typer.Option(help="Device to train on: cpu or cuda.")]
RETRY = Annotated[bool, typer.Option("--retry", help="Train failed runs again.")]
DRY_RUN = Annotated[
    bool,
    typer.Option("--dry-run", help="Only show what would be trained, and how long it would take."),
]
NO_PORTRAIT = Annotated[
    bool,
    typer.Option("--no-portrait", help="Do not measure probes, synonym sensitivity and ranks."),
]
RESULTS = Annotated[Path, typer.Argument(help="A folder of results, such as runs/quick.", **PLACE)]


def terminal(stderr: bool = False) -> "Console":
    """The console for tables and progress.  Only a terminal has a width."""
    from rich.console import Console

    console = Console(stderr=stderr)
    if not console.is_terminal:
        console.width = WIDE
    return console


def show(table: "Table", console: "Console") -> None:
    """Print a table.  If a word of it would be cut, print a block for each row instead."""
    from io import StringIO

    from rich.console import Console

    words = Counter[str]()
    rows: list[list[str]] = []
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        rows.append([console.render_str(cell).plain for cell in cells])
        words.update(word for text in rows[-1] for word in text.split())
    heads = [console.render_str(str(column.header)).plain for column in table.columns]
    if table.show_header:
        words.update(word for head in heads for word in head.split())
    page = StringIO()
    Console(file=page, width=console.width, color_system=None).print(table)
    if not words - Counter(page.getvalue().split()):
        console.print(table)
        return
    if table.title:
        console.print(table.title, soft_wrap=True, highlight=False, style="italic")
    for first, *others in rows:
        first = f"{heads[0]} {first}".strip() if table.show_header else first
        console.print(first, soft_wrap=True, markup=False, highlight=False, style="bold")
        for head, text in zip(heads[1:], others, strict=True):
            if text := " ".join(text.split()):
                line = f"  {' '.join(head.split())}  {text}" if head else f"  {text}"
                console.print(line, soft_wrap=True, markup=False, highlight=False)


def say(text: str) -> None:
    """Print one plain line, whatever the width of the terminal."""
    print(printable(text), flush=True)


def cell(text: str) -> str:
    """Text from a results folder for rich to print, without markup or control characters."""
    from rich.markup import escape

    return escape(printable(text))


def complain(text: str) -> None:
    """Print lines to standard error, each with the name of the program."""
    for line in text.split("\n"):
        print(f"synaptree: {printable(line)}", file=sys.stderr)


def end_with_failures(frame: "pd.DataFrame", where: str) -> None:
    """End the command with exit code 1 if runs of a study failed."""
    failed = int((frame["status"] == "failed").sum())
    if failed:
        complain(f"{several(failed, 'run')} failed; {where}")
        raise typer.Exit(RUNS_FAILED)


def end_with_guesses(failed: int, out: Path) -> None:
    """End the command with exit code 1 if runs failed where a failed run counts as guessing."""
    if failed:
        complain(
            f"{several(failed, 'run')} failed, counted as guessing; "
            f"`synaptree study status {out}` names them, `--retry` runs them again"
        )
        raise typer.Exit(RUNS_FAILED)


def say_estimate(estimate: "Estimate") -> None:
    """Print in one line what a study would do."""
    share = "" if estimate.share == estimate.runs else f", {estimate.share} of them in this share"
    say(
        f"{several(estimate.runs, 'run')}{share}; {estimate.left} are left, in "
        f"{several(len(estimate.groups), 'group')} of up to "
        f"{several(estimate.replicas, 'replica')}; "
        f"{cost(estimate.seconds, estimate.workers, estimate.bytes)}"
    )


def cost(seconds: float, workers: int, memory: int) -> str:
    """What a study takes, in words; memory: bytes that each worker takes besides torch."""
    from synaptree.study.progress import duration

    return (
        f"about {duration(seconds)} on {several(workers, 'worker')}; each takes "
        f"{memory / 1e6:.0f} MB besides torch"
    )


def address(scheduler: str | None, file: Path | None) -> str | None:
    """The address of the cluster to use: as typed, or read from a file."""
    if file is None:
        return scheduler
    if scheduler is not None:
        raise SynaptreeError("scheduler-file: given beside --scheduler; expected one of them")
    from synaptree.study.check import address_in

    return address_in(file)


def assignment(
    text: str, option: str = "option", example: str = "temperature=0.5"
) -> tuple[str, str]:
    """The name and the value in NAME=VALUE.  Raises SynaptreeError for another form."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SynaptreeError(f"{option}: {shown(text)} given; expected NAME=VALUE, as {example}")
    return name, value

"""The scoreboard in a terminal: a line for each rule, in as many columns as there is room for."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.console import Console

from synaptree.report.board import SHORT, Line, columns, knows_place, lines
from synaptree.report.words import NOT_KNOWN, NOT_RUN, error_said
from synaptree.safely import printable

NARROW = 80  # letters; lines are folded where there is less room
NAME = 24  # letters; a longer name has a line of its own
# Columns that are left out where there is no room, the first one first.
LEFT_OUT = ("passes", "steps", "labels", "levels", "data")
HEADS = {head: head for head in ("data", "steps", "passes", "levels", "labels", "knows")}
# What a column says, in one line below the table.
KEYS = {
    "data": "data, steps: over backprop's",
    "passes": "passes: through the weights, up or down, for each input of an update",
    "labels": "labels: in the output error, or to pair inputs in the top layer (T1) or all (T2)",
    "knows": "knows: what each synapse must know from elsewhere",
}


def print_scoreboard(board: pd.DataFrame, console: Console) -> None:
    """Print `report.board`'s table; nothing where it is empty."""
    if board.empty:
        return
    kinds, rows = columns(board), lines(board)
    cells = [_cells(line, kinds) for line in rows]
    heads = [str(kind["head"]) for kind in kinds]
    names = [head for head in HEADS if any(each[head] != NOT_KNOWN for each in cells)]
    widths = {h: max(len(h), *(len(each[h]) for each in cells)) for h in (*heads, *names)}
    first = min(NAME, max(len(printable(line.name)) for line in rows)) + 3
    for head in LEFT_OUT:
        if first + sum(width + 2 for width in widths.values()) - 2 <= max(console.width, NARROW):
            break
        widths.pop(head, None)
    _print(console, " " * first + _row({h: h for h in widths}, widths), style="bold")
    sizes = {str(kind["head"]): f"P={kind['P']}" for kind in kinds}
    _print(console, " " * first + _row({h: sizes.get(h, "") for h in widths}, widths))
    for place, (line, own) in enumerate(zip(rows, cells, strict=True)):
        if not place or line.family != rows[place - 1].family:
            _print(console, line.family, style="bold")
        name, text = f"  {printable(line.name)}", _row(own, widths)
        if len(name) > first:
            _print(console, name)
            name = ""
        _print(console, f"{name:{first}}{text}")
    _print(console, "● all grammars solved, ◕ most, ◔ some, ○ none; mean test error")
    unknown = any(each[head] == NOT_KNOWN for each in cells for head in names if head in widths)
    signs = [f"{NOT_RUN} not run", *[f"{NOT_KNOWN} not known"] * unknown, "! some runs diverged"]
    _print(console, "; ".join([*signs, "not yet: unsolved after all steps"]))
    for head, words in KEYS.items():
        if head in widths:
            _print(console, words)


def _cells(line: Line, kinds: list[Mapping[Any, Any]]) -> dict[str, str]:
    place = knows_place(line.knows)
    said = {
        "data": line.data.replace(" – ", "–"),
        "steps": line.steps,
        "passes": line.passes,
        "levels": line.levels,
        "labels": line.labels,
        "knows": "" if place is None else SHORT[place],
    }
    of_kinds = {str(k["head"]): _solved(line.cells.get(str(k["kind"]))) for k in kinds}
    return of_kinds | {head: text or NOT_KNOWN for head, text in said.items()}


def _solved(cell: Mapping[Any, Any] | None) -> str:
    if cell is None:
        return NOT_RUN
    share = cell["solved"] / cell["of"]
    mark = "○" if share == 0 else "●" if share == 1 else "◕" if share > 0.5 else "◔"
    return f"{mark} {error_said(cell)}"


def _row(cells: Mapping[str, str], widths: Mapping[str, int]) -> str:
    return "  ".join(f"{cells[head]:{width}}" for head, width in widths.items()).rstrip()


def _print(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, soft_wrap=True, markup=False, highlight=False, style=style)

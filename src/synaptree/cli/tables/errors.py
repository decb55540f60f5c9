"""The table of test errors: a row for each rule, a column for each kind of grammar."""

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from synaptree.analysis.data_curves import foremost
from synaptree.cli.words import cell, show
from synaptree.report.inputs import labels
from synaptree.results.columns import by_kind, finished, states

TITLE = "Test error, mean over grammars (lowest – highest)"
COLUMNS = 3  # more kinds of grammar than these stand one below the other


def print_errors(frame: pd.DataFrame, console: Console) -> None:
    """Print the test errors of the finished runs in `load`'s frame."""
    done = finished(frame)
    shown = foremost(done)
    rows = [label for label, _ in labels(shown)]
    cells = {
        kind: {str(label): _text(own) for label, own in runs.groupby("label")}
        for kind, runs in by_kind(shown)
    }
    show(_beside(rows, cells) if len(cells) <= COLUMNS else _below(rows, cells), console)
    if others := done["run_id"].nunique() - shown["run_id"].nunique():
        console.print(f"{others} runs at other sizes: see the report")


def _text(runs: pd.DataFrame) -> str:
    e, became = 100 * runs["test_error"], states(runs)
    text = f"{e.mean():5.1f}% ({e.min():.1f} – {e.max():.1f})"
    return f"{text}, {became}" if became else text


def _beside(rows: list[str], cells: dict[str, dict[str, str]]) -> Table:
    table = Table(title=TITLE, title_justify="left")
    for head in ("rule", *cells):
        table.add_column(head.replace(" s=", "\ns="))
    for label in rows:
        table.add_row(cell(label), *(column.get(label, "") for column in cells.values()))
    return table


def _below(rows: list[str], cells: dict[str, dict[str, str]]) -> Table:
    table = Table(title=TITLE, title_justify="left", box=SIMPLE_HEAD, show_header=False)
    for kind, column in cells.items():
        table.add_row(f"[bold]{kind}", "")
        for label in rows:
            if label in column:
                table.add_row(cell(f"  {label}"), column[label])
    return table

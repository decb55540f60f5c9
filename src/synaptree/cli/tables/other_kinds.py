"""Test errors on variants of the grammar and on data of one's own, in a terminal."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from synaptree.cli.words import cell, show
from synaptree.report.elsewhere import FEW, KEY, SIGNS, interval_of, short
from synaptree.report.words import error_of


def print_other_kinds(table: pd.DataFrame, console: Console) -> None:
    """Print `elsewhere.compared`'s table, the lowest errors first; nothing where it is empty.

    One kind has a column for the interval, several have a column each.
    """
    if table.empty:
        return
    heads = list(dict.fromkeys(str(head) for head in table["head"]))
    shown = Table(title="Test errors", title_justify="left")
    shown.add_column("rule")
    for head in heads:
        shown.add_column(cell(short(head)), justify="right")
    order = table.groupby("name", sort=False)["error"].mean().sort_values(kind="stable").index
    rows = {(row["name"], row["head"]): row for row in table.to_dict("records")}
    for name in order:
        found = [rows.get((name, head)) for head in heads]
        said = interval_of if len(heads) == 1 else _error
        shown.add_row(cell(str(name)), *("–" if r is None else said(r) + _sign(r) for r in found))
    for words, column in (("the best possible", "bayes_error"), ("guessing", "guessing")):
        values = [table.loc[table["head"] == head, column].iloc[0] for head in heads]
        if not all(map(pd.isna, values)):
            shown.add_row(words, *("–" if pd.isna(v) else error_of(v) + "  " for v in values))
    show(shown, console)
    for words, there in (
        (KEY, ["more", "less", "open"]),
        (f"? {FEW}", ["few"]),
    ):
        if table["beside"].isin(there).any():
            console.print(words, markup=False, highlight=False)


def _error(row: Mapping[Any, Any]) -> str:
    return error_of(row["error"])


def _sign(row: Mapping[Any, Any]) -> str:
    return f" {SIGNS[row['beside']]}"

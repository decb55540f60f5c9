"""What `synaptree signal` prints: a table for each step, with a row for each rule."""

from collections.abc import Sequence
from itertools import groupby
from math import isnan
from statistics import fmean
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from synaptree.cli.words import cell, show

if TYPE_CHECKING:
    from synaptree.training.signal import SignalRow

# Columns: the head, the field, what it is multiplied with, and how it is written.
COLUMNS = (
    ("1000 × signal/noise", "ratio", 1000, ".3g"),
    ("cosine with backprop", "cosine", 1, ".2f"),
    ("% features", "features", 100, ".0f"),
    ("% synonyms", "synonyms", 100, ".0f"),
)
OF_NOISE = ("features_of_noise", "synonyms_of_noise")


def print_signal(rows: "Sequence[SignalRow]", strings: int, console: Console) -> None:
    """Print the means over networks, layers 1 … L from left to right."""
    networks = len({row.seed for row in rows})
    for step, group in groupby(rows, key=lambda row: row.step):
        at = list(group)
        title = f"after {step} steps of backprop: {strings} strings, {networks} networks"
        table = Table(title=f"{title}; layers 1 … {at[-1].layer}", title_justify="left")
        table.add_column("update of", no_wrap=True)
        for head, *_ in COLUMNS:
            table.add_column(head, no_wrap=True)
        for rule, of_rule in groupby(at, key=lambda row: row.rule):
            own = list(of_rule)
            table.add_row(
                cell(rule), *(_layers(own, field, scale, form) for _, field, scale, form in COLUMNS)
            )
        shares = [_layers(at, name, 100, ".0f") for name in OF_NOISE]
        table.add_row("the noise of all", "", "", *shares)
        show(table, console)
    console.print(
        "signal: |mean update|², noise: its variance over inputs; % of the signal in the "
        "directions that tell features apart, and in those that tell synonyms apart",
        style="dim",
        highlight=False,
    )


def _layers(rows: "Sequence[SignalRow]", field: str, scale: float, form: str) -> str:
    """The mean of each layer, one beside the other."""
    words: list[str] = []
    for layer in range(1, max(row.layer for row in rows) + 1):
        numbers = [getattr(row, field) for row in rows if row.layer == layer]
        numbers = [number for number in numbers if not isnan(number)]
        words.append(f"{scale * fmean(numbers):{form}}" if numbers else "–")
    return " ".join(words)

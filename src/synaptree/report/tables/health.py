"""Health of the representations: whether layers collapsed or died."""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from synaptree.report.inputs import Inputs
from synaptree.report.means import mean_there
from synaptree.report.style import kinds
from synaptree.report.tables.base import Row, Table, percent

SHOWN: dict[str, Callable[[float], str]] = {
    "rank": "{:.1f}".format,
    "spread": "{:.2g}".format,
    "dead": percent,
}


def rows(inputs: Inputs) -> Iterator[Row]:
    """A row a rule and kind of grammar: the effective rank, the spread and dead units by layer."""
    for kind, runs in kinds(inputs.compared[inputs.compared["rank"].notna()]):
        for label, own in runs.groupby("label", sort=False):
            yield Row(kind, str(label), tuple(_by_layer(own, name) for name in SHOWN),
                      warning=_collapsed(own["collapsed"].tolist()))  # fmt: skip


def _by_layer(runs: pd.DataFrame, name: str) -> str:
    return " / ".join(map(SHOWN[name], mean_there(runs[name].tolist()).tolist()))


def _collapsed(of_runs: list[Any]) -> str:
    layers = {layer for each in of_runs if isinstance(each, list) for layer in each}
    return f"collapsed: layer {', '.join(map(str, sorted(layers)))}" if layers else ""


TABLE = Table(
    "health",
    "Health of the representations",
    "Layers 1 to L, mean over runs. Effective rank: the exponential of the entropy of the "
    "covariance's spectrum; a layer where it ended below 2 in any run has collapsed. Spread: the "
    "mean standard deviation of a unit. Dead: units that are silent for all inputs.",
    ("Rule", "Effective rank", "Spread", "Dead"),
    rows,
)

"""What is found of labels: how many a readout needs of a network that has learned without any."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd
import tables
from findings_appetite import named

from synaptree.analysis.data_curves import bounded
from synaptree.analysis.label_map import labels_needed, mean_errors
from synaptree.report.words import percent

MAP = "depth-label-map.csv.gz"
N = 8


@cache
def readouts() -> pd.DataFrame:
    """A row a readout, as studies/depth/label-map.py writes them."""
    return pd.read_csv(tables.RESULTS / MAP)


@cache
def needed() -> pd.DataFrame:
    """How many labels each rule needs, by m and P."""
    found = labels_needed(readouts())
    return found.assign(name=[_named(label) for label in found["label"]])


def _named(label: str) -> str:
    return named(label.split(" ")[0], "{}")


def _cell(row: pd.Series, P: int) -> str:
    if np.isinf(row["needed"]):
        return f"> {P}"
    sign = "≤ " * bool(row["at_most"])
    return sign + bounded(row["needed"], row["needed_low"], row["needed_high"])


def _table(m: int) -> Iterator[str]:
    """A row a rule, a column a number of strings without labels."""
    own = needed()[needed()["m"] == m]
    sizes = sorted(own["P"].unique())
    yield f"| labels needed, m={m} | " + " | ".join(f"P={P}" for P in sizes) + " |"
    yield "|---" * (1 + len(sizes)) + "|"
    for name, rows in own.groupby("name", sort=False):
        cells = [_cell(rows[rows["P"] == P].iloc[0], int(P)) for P in sizes]
        yield f"| {name} | " + " | ".join(cells) + " |"


def fewest(m: int) -> tuple[str, str, int]:
    """The rule that needs the fewest labels on a kind, how many with their interval, and at what
    P."""
    own = needed()[(needed()["m"] == m) & np.isfinite(needed()["needed"])]
    best = own.loc[own["needed"].idxmin()]
    return str(best["name"]), _cell(best, int(best["P"])), int(best["P"])


def shuffled() -> tuple[str, str]:
    """The lowest and the highest mean error with labels in another order."""
    errors = mean_errors(readouts())["shuffled"]
    return percent(float(errors.min())), percent(float(errors.max()))

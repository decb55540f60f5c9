"""What is found of labels: how many a readout needs of a network that has learned without any."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd
import tables
from findings_appetite import named

from synaptree.analysis.data_curves import bounded
from synaptree.analysis.label_map import labels_needed

MAP = "depth-label-map.csv.gz"


@cache
def readouts() -> pd.DataFrame:
    """A row a readout, as studies/depth/label-map.py writes them."""
    return pd.read_csv(tables.RESULTS / MAP)


@cache
def needed() -> pd.DataFrame:
    """How many labels each rule needs, by m and P."""
    found = labels_needed(readouts())
    return found.assign(name=[named(label.split(" ")[0], "{}") for label in found["label"]])


def _cell(row: pd.Series) -> str:
    if np.isinf(row["needed"]):
        return f"> {row['P']}"
    sign = "≤ " * bool(row["at_most"])
    return sign + bounded(row["needed"], row["needed_low"], row["needed_high"])


def _table(m: int) -> Iterator[str]:
    """A row a rule, a column a number of strings without labels."""
    own = needed()[needed()["m"] == m]
    sizes = sorted(own["P"].unique())
    yield f"| labels needed, L=4 m={m} | " + " | ".join(f"P={P}" for P in sizes) + " |"
    yield "|---" * (1 + len(sizes)) + "|"
    for name, rows in own.groupby("name", sort=False):
        by_P = rows.set_index("P")
        yield f"| {name} | " + " | ".join(_cell(by_P.loc[P].rename(P)) for P in sizes) + " |"

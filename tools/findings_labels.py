"""What is found of labels: how many a readout needs of a network that has learned without any."""

import importlib
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import tables
from docs_site.tables import table
from findings import thousands
from findings_appetite import N, named
from findings_bounds import crossover
from findings_depth import BEST, FOLDERS, by_m

from synaptree.analysis.data_curves import bounded
from synaptree.analysis.label_map import labels_needed, mean_errors
from synaptree.report.words import listed, percent

MAP = "depth-label-map.csv.gz"


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


def _cell(row: pd.Series) -> str:
    if np.isinf(row["needed"]):
        return f"> {row['P']}"
    sign = "≤ " * bool(row["at_most"])
    return sign + bounded(row["needed"], row["needed_low"], row["needed_high"])


def _table(m: int) -> str:
    """A row a rule, a column a number of strings without labels."""
    own = needed()[needed()["m"] == m]
    sizes = sorted(own["P"].unique())
    rows = (
        (str(name), *(_cell(of_rule[of_rule["P"] == P].iloc[0]) for P in sizes))
        for name, of_rule in own.groupby("name")
    )
    return table((f"labels needed, m={m}", *(f"P={P}" for P in sizes)), rows)


def _best(m: int) -> list[pd.Series]:
    """For each rule that solves a kind the row with the fewest labels."""
    own = needed()[(needed()["m"] == m) & np.isfinite(needed()["needed"])]
    return [rows.loc[rows["needed"].idxmin()] for _, rows in own.groupby("name")]


def shuffled() -> tuple[str, str]:
    """The lowest and the highest mean error with labels in another order."""
    errors = mean_errors(readouts())["shuffled"]
    return percent(float(errors.min())), percent(float(errors.max()))


def _said(m: int) -> str:
    """A sentence on one kind: the fewest labels of each rule, and with how many strings."""
    rules = [
        f"{row['name']} needs {_cell(row)} labels with {thousands(row['P'])} strings"
        for row in _best(m)
    ]
    return f"**L=4, m={m}** (n·m = {N * m}): {listed(rules)}."


def _fewest(m: int) -> str:
    """The fewest labels of any rule and P on a kind."""
    row = min(_best(m), key=lambda row: row["needed"])
    return f"{_cell(row)} with m={m} ({row['name']}, after {thousands(row['P'])} strings)"


def in_short(folder: str = "") -> str:
    """The answer in short, for a page that is in another folder than the findings."""
    kinds = sorted(needed()["m"].unique())
    return (
        "- **Few labels.** Networks with four levels learned without any label, from clips and "
        "neighbouring patches. Then few labelled strings were enough to name the class: "
        f"{listed([_fewest(m) for m in kinds])} "
        f"([labels]({folder}findings/labels.md)).\n"
    )


def labels() -> str:
    """The part of labels.md."""
    low, high = shuffled()
    kinds = sorted(needed()["m"].unique())
    labelled = crossover.said(by_m()[4][BEST][4].estimate)
    lines = [
        *(f"- {_said(m)}" for m in kinds),
        f"- **With labels alone**, backprop needs {labelled} strings with m=4, all labelled "
        "([depth](depth.md)). So a network without labels sees many more strings, but few of them "
        "need a label. For m=6 there is no such comparison.",
        f"- **Control.** With shuffled labels, mean errors lie between {low} and {high}, as by "
        "guessing (87.5%).",
    ]
    return "\n\n".join(["\n".join(lines), *map(_table, kinds)]) + "\n"


def picture() -> str:
    """The map, beside the errors of rules that know all labels."""
    label_map: Any = importlib.import_module("label-map")  # beside crossover, in the study's folder
    return label_map.drawn(readouts(), tables.RESULTS / FOLDERS[0])

"""Every run of a folder as a table that a reader can sort and filter."""

import pandas as pd

from synaptree.analysis.settings import short_views
from synaptree.report.inputs import Inputs
from synaptree.results.columns import state

# Heads, and how many digits their numbers are shown with; None for text.
COLUMNS: dict[str, int | None] = {
    "rule": None, "family": None, "views": None, "v": 0, "n": 0, "m": 0, "s": 0, "L": 0, "P": 0,
    "seed": 0, "test error": 4, "train error": 4, "steps": 0, "seconds": 1, "state": None,
}  # fmt: skip


def table(inputs: Inputs) -> pd.DataFrame:
    """One row a run, failed ones too, as in COLUMNS.

    Test and train error are fractions; seconds are those of one core for this run.
    """
    frame = inputs.frame
    kind = {name: frame[name] for name in ("v", "n", "m", "s", "L", "P", "seed")}
    columns = {
        "rule": frame["label"],
        "family": frame["family"],
        "views": frame["views"].map(short_views),
        **kind,
        "test error": frame["test_error"].astype(float).round(6),
        "train error": frame["train_error"].astype(float).round(6),
        "steps": frame["steps"].astype("Int64"),
        "seconds": (frame["wall_s"] / frame["replicas"]).astype(float).round(2),
        "state": [state(run) for run in frame.to_dict("records")],
    }
    assert list(columns) == list(COLUMNS)
    return pd.DataFrame(columns)

"""Test error of each rule on the kinds of grammar that compare rules side by side."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from synaptree.analysis.data_curves import learned_at
from synaptree.analysis.paired import mean_of
from synaptree.analysis.settings import short_views
from synaptree.report.inputs import Inputs
from synaptree.report.style import kinds
from synaptree.report.tables.base import Row, Table, percent
from synaptree.results.columns import states


def rows(inputs: Inputs) -> Iterator[Row]:
    """A row a rule and kind of grammar."""
    for kind, runs in kinds(inputs.compared):
        for label, own in runs.groupby("label", sort=False):
            yield _row(kind, str(label), own.sort_values("seed", kind="stable"))


def _row(kind: str, label: str, runs: pd.DataFrame) -> Row:
    errors = runs["test_error"].tolist()
    mean = mean_of(np.array(errors))
    interval = "one run"
    if len(errors) > 1:
        interval = f"{percent(max(mean.low, 0))} – {percent(min(mean.high, 1))}"
    steps = steps_to_learn(runs[["n", "curve_step", "curve_test_error"]])
    cells = (
        percent(mean.value),
        interval,
        ", ".join(map(percent, errors)),
        percent(runs["train_error"].mean()),
        str(int(runs["steps"].max())),
        f"{steps:.0f}" if np.isfinite(steps) else "–",
        f"{(runs['wall_s'] / runs['replicas']).mean():.0f}",
    )
    note = short_views(runs["views"].iloc[0])
    return Row(kind, label, cells, note=note, warning=states(runs))


def steps_to_learn(runs: pd.DataFrame) -> float:
    """The median over runs of the steps after which the error was a tenth of chance; infinite where
    half of them, or more, never got there."""
    steps = learned_at(runs)
    return float(np.median(steps)) if steps else np.inf


TABLE = Table(
    "errors",
    "Test error of each rule",
    "Mean over grammars with the 95% interval of a bootstrap over grammars, and each run. Learned "
    "at: the steps after which the error was a tenth of chance, the median. Seconds: for one run.",
    ("Rule", "Test error", "Interval", "Runs", "Train error", "Steps", "Learned at", "Seconds"),
    rows,
)

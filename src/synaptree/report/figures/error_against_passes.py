"""What learning costs: test error against passes through the network, one axis for all rules."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from synaptree.report import style
from synaptree.report.figures import learning_curves
from synaptree.report.figures.base import Figure
from synaptree.report.figures.learning_curves import KIND
from synaptree.report.inputs import Inputs
from synaptree.results.columns import DEFAULTS
from synaptree.results.frame import passes_in


def table(inputs: Inputs) -> pd.DataFrame | None:
    """The learning curves with `passes` in place of steps: inputs seen × passes of each input.

    Left out are rules of your own in older results, whose rows do not say their passes.
    """
    curves = learning_curves.table(inputs)
    if curves is None:
        return None
    price = {
        (run["label"], *(run[name] for name in KIND)): _price(run)
        for run in inputs.compared.to_dict("records")
    }
    keys = zip(*(curves[name] for name in ("label", *KIND)), strict=True)
    made = curves["step"] * [price[key] for key in keys]
    priced = curves.assign(passes=made).drop(columns="step")
    return priced[priced["passes"] > 0]  # and so not NaN


def _price(run: Mapping[Any, Any]) -> float:
    """The passes of a step."""
    batch = run.get("batch", np.nan)
    batch = DEFAULTS["batch"] if pd.isna(batch) else batch
    return int(batch) * passes_in(run)


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """The learning curves over passes."""
    figure, axes = learning_curves.curves(table, "passes", lambda last: f"{last:.2g} passes")
    for axis in axes:
        style.by_decades(axis)
        axis.set_xlabel("passes: inputs seen × passes of each")
    return figure


FIGURE = Figure(
    "error_against_passes",
    "What learning costs in passes",
    "Mean test error against how many passes were made: inputs seen, times how often each goes "
    "through the network's weights, up or down. Backprop makes two passes, rules that settle many.",
    table,
    draw,
)

"""What learning costs: test error against passes through the network, one axis for all rules."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from synaptree.claims.second.scoreboard import passes
from synaptree.report import style
from synaptree.report.figures import learning_curves
from synaptree.report.figures.base import Figure
from synaptree.report.figures.learning_curves import KIND
from synaptree.report.inputs import Inputs
from synaptree.results.columns import DEFAULTS


def table(inputs: Inputs) -> pd.DataFrame | None:
    """The learning curves with `passes` in place of steps: inputs seen × passes of each input.

    Left out are rules from outside the package, of which nobody knows the passes.
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
    if isinstance(run.get("source"), str):
        return np.nan
    batch = run.get("batch", np.nan)
    batch = DEFAULTS["batch"] if pd.isna(batch) else batch
    return int(batch) * passes(str(run["rule"]), str(run["rule_options"]))


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A panel for each kind of grammar, of many rules one for each family."""
    shown = [panel for name, rows in style.kinds(table) for panel in style.split(name, rows)]
    looks = style.look(style.families(table))
    figure, axes = style.panels([name for name, _ in shown], height=150, names=looks)
    for axis, (name, rows) in zip(axes, shown, strict=True):
        for label, own in rows.groupby("label", sort=False):
            made, mean = own["passes"].to_numpy(float), own["mean"].to_numpy(float)
            look = looks[str(label)]
            (line,) = axis.plot(made, mean, look.dash, color=look.colour, lw=1.5)
            where = name.replace("\n", ", ")
            style.tip(line, f"{label}, {where}: {mean[-1]:.4f} after {made[-1]:.2g} passes")
        axis.set_xscale("log")
        axis.set_xlabel("passes: inputs seen × passes of each")
        axis.set_ylabel("test error")
        axis.set_ylim(0, 1)
    handles = {label: style.handle(each) for label, each in looks.items()}
    for each in handles.values():
        each.set_marker("none")
    style.legend(figure, handles)
    return figure


FIGURE = Figure(
    "error_against_passes",
    "What learning costs in passes",
    "Mean test error against how many passes were made: inputs seen, times how often each goes "
    "through the network's weights, up or down. Backprop makes two passes, rules that settle many.",
    table,
    draw,
)

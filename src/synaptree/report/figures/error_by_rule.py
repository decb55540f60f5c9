"""Which rules learn: the test error of every rule."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from synaptree.analysis.sample_complexity import chance_error
from synaptree.analysis.statistics import mean_interval
from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs

ROW = 21.0  # points
COLUMNS = ["label", "family", *"vnmsLP", "seed", "test_error"]


def table(inputs: Inputs) -> pd.DataFrame:
    """A row a run of those that compare rules side by side."""
    return inputs.compared[COLUMNS]


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A panel for each kind of grammar, a row for each rule: runs as dots, mean, 95% interval."""
    rows = style.families(table)
    shown = list(style.kinds(table))
    names = [style.folded(label, 42) for label, _ in rows]
    first = 5 * max(len(line) for name in names for line in name.split("\n")) - 10
    figure, axes = style.panels(
        [name for name, _ in shown], left=24, first=first, height=ROW * len(rows) + 12
    )
    for place, (axis, (kind, runs)) in enumerate(zip(axes, shown, strict=True)):
        axis.grid(axis="y", visible=False)
        axis.set_xlim(-0.03, 1.03)
        axis.set_ylim(len(rows) - 0.4, -0.9)
        axis.tick_params(axis="y", length=0)
        axis.set_xlabel("test error")
        n = int(runs["n"].iloc[0])
        axis.axvline(chance_error(n), color=style.FAINT, ls=":", lw=1)
        axis.text(chance_error(n), -0.45, "chance", color=style.SOFT, ha="center", fontsize=8)
        for y, (label, family) in enumerate(rows):
            own = runs[runs["label"] == label].sort_values("seed", kind="stable")
            if len(own):
                _row(axis, y, own, style.colour(family), f"{label}, {kind}")
        axis.set_yticks(range(len(rows)), [] if place % style.ACROSS else names)
        if place % style.ACROSS == 0:
            for tick, (_, family) in zip(axis.get_yticklabels(), rows, strict=True):
                tick.set_color(style.colour(family))
    return figure


def _row(axis: Axes, y: int, runs: pd.DataFrame, colour: str, name: str) -> None:
    errors = runs["test_error"].to_numpy(float)
    mean, low, high = mean_interval(errors.tolist())
    value = f"mean {mean:.4f}"
    if np.isfinite(low):
        low, high = max(low, 0), min(high, 1)
        value += f" [{low:.4f}, {high:.4f}]"
        axis.plot([low, high], [y, y], color=colour, lw=2, alpha=0.45)
    (dots,) = axis.plot(errors, [y] * len(errors), "o", color=colour, ms=4, alpha=0.55, mew=0)
    parts = [f"seed {seed}: {e:.4f}" for seed, e in zip(runs["seed"], errors, strict=True)]
    style.tip(dots, name, parts)
    (bar,) = axis.plot([mean], [y], "|", color=colour, ms=14, mew=2.2)
    style.tip(bar, f"{name}: {value}")


FIGURE = Figure(
    "error_by_rule",
    "Which rules learn",
    "Test error of every rule. A dot is one run on a grammar of its own, the bar is the mean, and "
    "the line its 95% interval. Colours tell the families apart.",
    table,
    draw,
)

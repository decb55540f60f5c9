"""Right weights or right masks: test error over how alike the feedback weights and masks are."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.report.laboratory import with_dials

COLOURS = mpl.colormaps["viridis"]


def table(inputs: Inputs) -> pd.DataFrame | None:
    """The runs on both dials, of each kind of grammar that has several places on each."""
    kinds: list[pd.DataFrame] = []
    for _, cells in style.kinds(with_dials(inputs.runs).dropna(subset=["alpha", "q"])):
        if min(cells["alpha"].nunique(), cells["q"].nunique()) > 1:
            kinds.append(cells)
    return pd.concat(kinds)[[*"vnmsLP", "seed", "alpha", "q", "test_error"]] if kinds else None


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """α across, q up, and in each cell the mean test error."""
    shown = list(style.kinds(table))
    figure, axes = style.panels([kind for kind, _ in shown], height=176)
    for axis, (kind, runs) in zip(axes, shown, strict=True):
        _cells(axis, kind, runs)
    axes[0].set_ylabel("q: fraction of downstream masks kept")
    return figure


def _cells(axis: Axes, kind: str, runs: pd.DataFrame) -> None:
    means = runs.pivot_table(index="q", columns="alpha", values="test_error")
    values = means.to_numpy(float)
    boxes: list[tuple[float, float, float, float]] = []
    parts: list[str] = []
    for (row, column), value in np.ndenumerate(values):
        boxes.append((column - 0.5, row - 0.5, column + 0.5, row + 0.5))
        parts.append(f"α={means.columns[column]:g} q={means.index[row]:g}: {value:.4f}")
        text = "–" if np.isnan(value) else f"{value:.2f}"
        ink = "white" if value <= 0.6 else style.INK
        axis.text(column, row, text, ha="center", va="center", fontsize=style.SMALL, color=ink)
    fills = COLOURS(np.round(np.nan_to_num(values.ravel(), nan=1), 2))
    style.cells(axis, boxes, fills, kind, parts)
    axis.grid(visible=False)
    axis.set_xlim(-0.5, len(means.columns) - 0.5)
    axis.set_ylim(-0.5, len(means.index) - 0.5)
    axis.set_xticks(range(len(means.columns)), [f"{a:g}" for a in means.columns])
    axis.set_yticks(range(len(means.index)), [f"{q:g}" for q in means.index])
    axis.tick_params(length=0)
    axis.set_xlabel("α: cosine of feedback with W at the start")


FIGURE = Figure(
    "phase_diagram",
    "Right weights or right masks",
    "Mean test error of backprop's chain over two dials: how like the forward weights the feedback "
    "weights are, and at which fraction of the units above the true masks are kept.",
    table,
    draw,
)

"""How far up masks matter: test error when only the masks of the next layers above are kept."""

import pandas as pd
from matplotlib.figure import Figure as Drawing

from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.report.laboratory import error_line, with_dials


def table(inputs: Inputs) -> pd.DataFrame | None:
    """The runs with the right weights; k: of how many layers above the masks are kept."""
    kinds: list[pd.DataFrame] = []
    runs = with_dials(inputs.runs)
    for _, kept in style.kinds(runs[runs["alpha"] == 1].dropna(subset=["k"])):
        if kept["k"].nunique() > 1:
            kinds.append(kept)
    return pd.concat(kinds)[["label", *"vnmsLP", "seed", "k", "test_error"]] if kinds else None


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A panel for each kind of grammar: test error against k."""
    shown = list(style.kinds(table))
    figure, axes = style.panels([kind for kind, _ in shown])
    for axis, (kind, runs) in zip(axes, shown, strict=True):
        look = style.Look(style.COLOURS["control"], "-", "")
        error_line(axis, runs, "k", look, f"backprop, {kind}")
        axis.set_xticks(range(int(runs["k"].max()) + 1))
        axis.set_xlabel("layers above whose masks are kept")
        axis.set_ylim(0, 1)
    axes[0].set_ylabel("test error")
    return figure


FIGURE = Figure(
    "masks_above",
    "How far up masks matter",
    "Test error when each layer's signal keeps the masks of only the next layers above.",
    table,
    draw,
)

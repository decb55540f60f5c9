"""Learning curves: test error while learning."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.report.means import mean_there

KIND = [*"vnmsLP"]


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row a step of each rule on each kind of grammar: the mean over runs, lowest and highest.

    Steps go as far as all runs of the rule went.
    """
    curves = ["curve_step", "curve_test_error"]
    runs = inputs.compared[["label", "family", *KIND, *curves]].dropna(subset=curves)
    parts: list[pd.DataFrame] = []
    for (label, *kind), own in runs.groupby(["label", *KIND], sort=False):
        shared = min(map(len, own["curve_step"]))
        if not shared:
            continue
        errors = np.array([each[:shared] for each in own["curve_test_error"]], float)
        same = {
            "label": label,
            "family": own["family"].iloc[0],
            **dict(zip(KIND, kind, strict=True)),
        }
        values = {
            "mean": mean_there(errors),
            "lowest": np.fmin.reduce(errors),
            "highest": np.fmax.reduce(errors),
        }
        steps = np.array(own["curve_step"].iloc[0][:shared], int)
        parts.append(pd.DataFrame({**same, "step": steps, **values}))
    return pd.concat(parts).round(4) if parts else None


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """The curves over steps, and from the lowest to the highest."""
    figure, axes = curves(table, "step", lambda last: f"{last:.0f} steps", spread=True)
    for axis in axes:
        axis.set_xlabel("steps")
        axis.set_xlim(left=0)
    return figure


def curves(
    table: pd.DataFrame, over: str, said: Callable[[float], str], *, spread: bool = False
) -> tuple[Drawing, Sequence[Axes]]:
    """A panel for each kind of grammar, of many rules one for each family: the mean error.

    over: the column on the horizontal axis.  said: its last value in a tip.  spread: whether to
    show the lowest and the highest error too.
    """
    shown = [panel for name, rows in style.kinds(table) for panel in style.split(name, rows)]
    looks = style.look(style.families(table))
    figure, axes = style.panels([name for name, _ in shown], height=150, names=looks)
    for axis, (name, rows) in zip(axes, shown, strict=True):
        for label, own in rows.groupby("label", sort=False):
            x, mean = own[over].to_numpy(float), own["mean"].to_numpy(float)
            look = looks[str(label)]
            if spread:
                style.bands(axis, x, own["lowest"], own["highest"], look.colour, 0.1)
            how = look.marks(len(x))
            (line,) = axis.plot(x, mean, look.dash, color=look.colour, lw=1.5, **how)
            where = name.replace("\n", ", ")
            style.tip(line, f"{label}, {where}: {mean[-1]:.4f} after {said(x[-1])}")
        axis.set_ylabel("test error")
        axis.set_ylim(0, 1)
    handles = {label: style.handle(each) for label, each in looks.items()}
    for label, each in handles.items():
        each.set(**looks[label].marks(1))
    style.legend(figure, handles)
    return figure, axes


FIGURE = Figure(
    "learning_curves",
    "Learning curves",
    "Test error while learning: the mean over runs, and from the lowest to the highest.",
    table,
    draw,
)

"""How much data: the test error of each rule against the number of training strings."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from synaptree.analysis.data_curves import DataCurve, bounded
from synaptree.analysis.paired import mean_of
from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.training.solved import solved_at

Panels = dict[str, pd.DataFrame]


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row a point of a data curve: mean and 95% interval over grammars.

    reference: whether it belongs to backprop's best curve on that kind.
    """
    references = list(inputs.references.values())
    return inputs.listed(
        [
            row | {"reference": any(curve is each for each in references)}
            for curve in inputs.curves
            for row in _points(curve)
        ]
    )


def _points(curve: DataCurve) -> list[dict[str, object]]:
    errors = np.stack([each.mean(0) for each in curve.errors.values()], 1)
    same: dict[str, object] = {"label": curve.label, "views": curve.views, **curve.kind}
    rows: list[dict[str, object]] = []
    for P, values in zip(curve.sizes, errors, strict=True):
        mean = mean_of(values)
        row = {"P": P, "grammars": len(values), "mean": mean.value}
        rows.append(same | row | {"low": mean.low, "high": mean.high})
    return rows


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A panel for each kind; where there are many rules a panel for each family, with backprop at
    its best in each."""
    shown = _panels(table)
    looks = style.look(style.families(table))
    figure, axes = style.panels(list(shown), names=looks)
    for axis, rows in zip(axes, shown.values(), strict=True):
        for label, own in rows.groupby("label", sort=False):
            _curve(axis, own, looks[str(label)])
        threshold = solved_at(int(rows["n"].iloc[0]))
        axis.axhline(threshold, color=style.FAINT, ls=":", lw=1)
        style.by_octaves(axis, "x")
        axis.set_xlabel("P, training strings")
        axis.set_ylabel("test error")
        axis.set_ylim(0, 1)
    style.legend(figure, {label: style.handle(each) for label, each in looks.items()})
    return figure


def _panels(table: pd.DataFrame) -> Panels:
    """The rows of each panel by its title."""
    panels: Panels = {}
    for (L, *rest), rows in table.groupby(["L", *"vnms"]):
        name = " ".join(f"{k}={x}" for k, x in zip("vnms", rest, strict=True)) + f" L={L}"
        for title, here in style.split(name, rows):
            if here is not rows:
                beside = rows[rows["reference"] & ~rows["label"].isin(here["label"])]
                here = pd.concat([beside, here])
            panels[title] = here
    return panels


def _curve(axis: Axes, rows: pd.DataFrame, look: style.Look) -> None:
    rows = rows.sort_values("P")
    P, mean, low, high = (rows[name].to_numpy(float) for name in ("P", "mean", "low", "high"))
    axis.plot(P, mean, look.dash, color=look.colour, lw=1.4)
    style.bands(axis, P, np.clip(low, 0, 1), np.clip(high, 0, 1), look.colour, 0.1)
    (points,) = axis.plot(P, mean, look.mark, ms=4, color=look.colour, mew=0)
    values = zip(P, mean, low, high, strict=True)
    parts = [f"P={size:.0f}: {bounded(*value, digits=4)}" for size, *value in values]
    style.tip(points, str(rows["label"].iloc[0]), parts)


FIGURE = Figure(
    "error_against_P",
    "How much data",
    "Test error against the number of training strings: mean and 95% interval over grammars. "
    "Dotted: a tenth of chance error, below which the task counts as learned.",
    table,
    draw,
)

"""Data, beside backprop: how many more or fewer strings each rule needs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from synaptree.analysis.data_curves import DataCurve, bounded, compared
from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs

ROW = 23.0  # points


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row a data curve: P* and P* over that of backprop at its best, with 95% intervals.

    The end of an interval is infinite where none is known.  Where P* was not reached, the largest P
    that was tried stands for it.  None where backprop's P* is not known.
    """
    rows = [_needs(curve, inputs) for curve in inputs.curves]
    return inputs.listed(rows) if any("ratio" in row for row in rows) else None


def _needs(curve: DataCurve, inputs: Inputs) -> dict[str, object]:
    needs = curve.needs()
    row: dict[str, object] = {"label": curve.label, "views": curve.views, **curve.kind}
    row |= {"kind": curve.name, "grammars": len(curve.errors)}
    row |= {"P_least": curve.sizes[0], "P_most": curve.sizes[-1]}
    row |= {"reached": not needs.censored, "at_most": needs.below, "P*": needs.value}
    row |= {"P*_low": needs.low, "P*_high": needs.high}
    reference = inputs.references.get(tuple(curve.kind.values()))
    if reference is not None and reference is not curve:
        ratio, low, high, shared = compared(curve, reference)
        row |= {"ratio": ratio, "ratio_low": low, "ratio_high": high, "shared": shared}
        row |= {"ratio_most": curve.sizes[-1] / reference.needs().value}
    return row


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A row for each rule and a mark for each kind of grammar."""
    table = table[table["ratio"].notna()]
    labels = style.families(table)
    kinds = list(dict.fromkeys(table.sort_values(["L", *"vnms"], kind="stable")["kind"]))
    names = [style.folded(label, 42) for label, _ in labels]
    left = 5 * max(len(line) for name in names for line in name.split("\n")) + 12
    height = ROW * len(labels) + 8
    figure = style.sheet(left + 430, height + 48 + style.legend_height(kinds, left + 430))
    axis = style.axes_at(figure, left, 12, 400, height)
    place = {label: y for y, (label, _) in enumerate(labels)}
    spread = np.linspace(-0.27, 0.27, len(kinds)) if len(kinds) > 1 else np.zeros(1)
    top = 1.0
    for row in table.to_dict("records"):
        which = kinds.index(row["kind"])
        y = place[row["label"]] + spread[which]
        top = max(top, _ratio(axis, row, y, style.MARKS[which % len(style.MARKS)]))
    axis.axvline(1, color="#555555", lw=1)
    style.by_octaves(axis, "x")
    axis.set_xlim(right=1.3 * top)
    axis.set_xlabel("P* over that of backprop (▷: more than was tried)")
    axis.set_yticks(range(len(labels)), names)
    for tick, (_, family) in zip(axis.get_yticklabels(), labels, strict=True):
        tick.set_color(style.colour(family))
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.grid(axis="x")
    axis.set_axisbelow(True)
    marks = {k: style.MARKS[i % len(style.MARKS)] for i, k in enumerate(kinds)}
    looks = {k: style.Look("#777777", "none", mark) for k, mark in marks.items()}
    style.legend(figure, {k: style.handle(each, line=False) for k, each in looks.items()})
    return figure


def _ratio(axis: Axes, row: Mapping[Any, Any], y: float, mark: str) -> float:
    """Draw one ratio with its interval; return the largest place that was needed."""
    colour, name = style.colour(str(row["family"])), f"{row['label']}, {row['kind']}"
    value, low, high, most = (
        float(row[key]) for key in ("ratio", "ratio_low", "ratio_high", "ratio_most")
    )
    if not row["reached"]:
        (point,) = axis.plot([value], [y], ">", color=colour, mfc="none", ms=6)
        style.tip(point, f"{name}: more than {value:.2f}")
        return value
    last = max(min(high, most), value)
    axis.plot([max(low, 1e-2), last], [y, y], color=colour, lw=1.6, alpha=0.5)
    if np.isinf(high):  # no upper end is known
        axis.plot([last], [y], ">", color=colour, ms=4, alpha=0.5, mew=0)
    (point,) = axis.plot([value], [y], mark, color=colour, ms=5, mew=0)
    shared = int(row["shared"])
    style.tip(point, f"{name}: {bounded(value, low, high, digits=2)}, {shared} grammars")
    return last


FIGURE = Figure(
    "needs_beside_backprop",
    "Data, beside backprop",
    "P* is the number of strings at which the error first falls to a tenth of chance. Shown is P* "
    "over that of backprop at its best on the same grammars, with 95% intervals of a bootstrap "
    "over grammars.",
    table,
    draw,
)

"""How the need for data grows: P* against the number of synonyms and of levels."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from synaptree.analysis.data_curves import DataCurve, bounded
from synaptree.analysis.growth import line_name, lines
from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs

THEORY = {"n·m**L": ((0, (5, 2)), -1), "v·m³": ((0, (1, 2)), 0)}  # dashes, the end with the name
ALONG = {"m": "m, synonyms of each symbol", "L": "L, levels"}


def grown(curves: list[DataCurve]) -> dict[tuple[str, str], dict[str, list[DataCurve]]]:
    """The curves along m, and along L, of each rule whose P* is known at two or more, by name.

    The key is m or L, and what the kinds of grammar have in common.
    """
    grown_along: dict[tuple[str, str], dict[str, list[DataCurve]]] = {}
    for along in ALONG:
        for rest, line in lines(curves, along):
            if len(line) > 1:
                grown_along.setdefault((along, rest), {})[line_name(line)] = line
    return grown_along


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row a point: P* of each line along m or L, beside what theory says that it grows as."""
    rows = [
        {
            "label": label,
            "family": inputs.families[curve.label],
            "along": along,
            "grammar": rest,
            **curve.kind,
            "P*": curve.needs().value,
            "P*_low": curve.needs().low,
            "P*_high": curve.needs().high,
            **curve.predicted,
        }
        for (along, rest), each in grown(inputs.curves).items()
        for label, line in each.items()
        for curve in line
    ]
    return pd.DataFrame(rows) if rows else None


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """P* against m, a panel for each L, and against L, a panel for each m; theory is grey."""
    shown = list(table.groupby(["along", "grammar"], sort=False))
    looks = style.look(style.families(table))
    titles = [str(rest) for (_, rest), _ in shown]
    figure, axes = style.panels(titles, left=56, names=looks)
    for axis, ((along, _), rows) in zip(axes, shown, strict=True):
        _theory(axis, rows, str(along))
        for label, line in rows.groupby("label", sort=False):
            _line(axis, line.sort_values(str(along)), str(along), looks[str(label)])
        style.by_octaves(axis, "y")
        if along == "m":
            axis.set_xscale("log", base=2)
        ticks = sorted(set(rows[str(along)]))
        axis.set_xticks(ticks, [str(tick) for tick in ticks])
        axis.minorticks_off()
        axis.set_xlabel(ALONG[str(along)])
        axis.set_ylabel("P*")
    style.legend(figure, {label: style.handle(each) for label, each in looks.items()})
    return figure


def _line(axis: Axes, rows: pd.DataFrame, along: str, look: style.Look) -> None:
    x, value, low, high = (
        rows[name].to_numpy(float) for name in (along, "P*", "P*_low", "P*_high")
    )
    above = high.clip(max=2 * value)
    axis.plot(x, value, look.dash, color=look.colour, lw=1.4)
    for at, bottom, top in zip(x, low, above, strict=True):
        axis.plot([at, at], [bottom, top], color=look.colour, lw=1)
    open_ended = above < high  # the interval goes on
    axis.plot(x[open_ended], above[open_ended], "^", color=look.colour, ms=4, mew=0)
    (points,) = axis.plot(x, value, look.mark, ms=4, color=look.colour)
    parts = [
        f"{along}={at:g}: P* {bounded(*each)}"
        for at, *each in zip(x, value, low, high, strict=True)
    ]
    first = rows.iloc[0]
    style.tip(points, f"{first['label']}, {first['grammar']}", parts)


def _theory(axis: Axes, rows: pd.DataFrame, along: str) -> None:
    for name, (dash, end) in THEORY.items():
        points = rows[[along, name]].drop_duplicates().sort_values([along, name])
        x, y = points[along].tolist(), points[name].tolist()
        axis.plot(x, y, color=style.FAINT, ls=dash, lw=1.2)
        side: Any = {"ha": "right" if end else "left", "va": "bottom", "bbox": style.PAPER}
        axis.annotate(name, (x[end], y[end]), color="#777777", fontsize=style.SMALL, **side)


FIGURE = Figure(
    "growth",
    "How the need for data grows",
    "P* against the number of synonyms and of levels. Grey: how theory says that it grows with "
    "labels, n·m**L, and where siblings are compared, v·m³, whatever L.",
    table,
    draw,
)

"""Test errors on variants of the grammar and on data of one's own."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from synaptree.errors import several
from synaptree.report import style
from synaptree.report.elsewhere import SIGNS, compared, interval_of
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.report.svg import tip

ROW = 12.5  # points
WIDTHS = {1: 340.0, 2: 230.0}  # of a panel, by the number of kinds
TICKS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row for each rule on each kind: see `analysis.other_kinds`."""
    found = compared(inputs)
    return None if found.empty else found


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A panel a kind, a row a rule, on an axis that gives small errors room."""
    table = table.fillna({"beside": ""})  # a CSV does not tell the two apart
    names = list(dict.fromkeys(table["name"]))
    kinds = list(table.groupby("head", sort=False))
    titles = [f"{head}\nP={rows['P'].iloc[0]}" for head, rows in kinds]
    room = 5.2 * max(map(len, names)) + 12
    figure, axes = style.panels(
        titles,
        width=WIDTHS.get(len(kinds), 150.0),
        height=ROW * len(names),
        left=14,
        below=34,
        first=room,
    )
    for place, (axis, (head, rows)) in enumerate(zip(axes, kinds, strict=True)):
        _panel(axis, str(head), rows, names, place % style.ACROSS == 0)
    return figure


def _panel(axis: Axes, head: str, rows: pd.DataFrame, names: list[str], first: bool) -> None:
    most = max(0.06, float(rows["guessing"].iloc[0]), float(rows["high"].fillna(0).max()))
    axis.set_xscale("function", functions=(np.sqrt, np.square))
    axis.set_xlim(0, most * 1.05)
    axis.set_xticks([t for t in TICKS if t <= most], [f"{100 * t:g}" for t in TICKS if t <= most])
    axis.set_xlabel("test error, %")
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.grid(False, axis="y")
    for value, dash, words in (
        (rows["guessing"].iloc[0], ":", "guessing"),
        (rows["bayes_error"].iloc[0], "-", "the best possible (Bayes-optimal)"),
    ):
        if not pd.isna(value):
            line = axis.axvline(value, color=style.SOFT, lw=1, ls=dash)
            tip(line, f"{words}: {100 * value:.1f}%")
    known = rows[rows["rule"] == "backprop"]
    if len(known):
        low, high = known[["low", "high"]].iloc[0]
        axis.axvspan(low, high, color=style.SOFT, alpha=0.15, lw=0)
    for row in rows.to_dict("records"):
        y = names.index(row["name"])
        ink = style.colour(str(row["family"]))
        axis.plot([row["low"], row["high"]], [y, y], color=ink, lw=1.4, solid_capstyle="butt")
        fill = "white" if row["beside"] in ("open", "few") else ink
        (dot,) = axis.plot([row["error"]], [y], "o", ms=4, color=ink, mfc=fill, clip_on=False)
        said = "" if row["beside"] == "" else f" {SIGNS[row['beside']]} backprop"
        tip(dot, f"{row['name']}, {head}: {interval_of(row)}{said}, {several(row['units'], 'run')}")
    labels = names if first else []
    axis.set_yticks(range(len(labels)), labels, fontsize=style.SMALL)
    if first:
        family = dict(zip(rows["name"], rows["family"], strict=True))
        for tick, name in zip(axis.get_yticklabels(), names, strict=True):
            tick.set_color(style.colour(str(family.get(name, ""))) if name in family else style.INK)


FIGURE = Figure(
    "other_kinds",
    "Test errors beside backprop's and the best possible",
    "Mean test error with its 95% interval over grammars, or over splits of the data. The grey "
    "band is backprop's interval. Open dots cannot be told apart from backprop, with the "
    "difference paired by grammar or split; of the filled ones, at most one in 20 is expected to "
    "be wrong. Dotted: guessing. Full line: the Bayes-optimal error, where it is known. Of several "
    "settings of a rule, the best are shown. Small errors have more room than large ones.",
    table,
    draw,
)

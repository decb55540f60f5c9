"""The figure of error over unlabelled strings × labels, drawn from the rows of `label_map`."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from synaptree.analysis.label_map import OF_RULE, mean_errors
from synaptree.report import style
from synaptree.results.columns import GRAMMAR, kind_name
from synaptree.training.solved import solved_at

COLOURS = mpl.colormaps["viridis"]


def table(rows: pd.DataFrame, supervised: pd.DataFrame | None = None) -> pd.DataFrame:
    """A row for each rule, P and number of labels, and one for each P of supervised runs.

    rows: of `LabelRow`.  supervised: a frame as of `load` whose rules know all labels of their P
    strings; `labels` is then P, and `supervised` is true.
    """
    found = mean_errors(rows).assign(supervised=False)
    if supervised is None or supervised.empty:
        return found
    done = supervised[supervised["status"] == "done"]
    keys = [*OF_RULE, "P"]
    own = done.groupby(keys, sort=False, dropna=False)
    known = own["test_error"].mean().to_frame()
    known["grammars"] = own["seed"].nunique()
    known = known.reset_index().assign(supervised=True, shuffled=np.nan)
    known["labels"] = known["P"]
    return pd.concat([found, known[found.columns]], ignore_index=True)


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """For each kind of grammar a map for each rule, and their errors at the largest P in one
    panel beside the supervised ones."""
    panels: list[tuple[str, pd.DataFrame, bool]] = []
    for kind, rows in table.groupby(list(GRAMMAR), sort=False):
        name = kind_name(dict(zip(GRAMMAR, kind, strict=True)))
        few = rows[~rows["supervised"]]
        maps = [(f"{name}\n{_named(own)}", own, True) for _, own in few.groupby(
            ["label", "views"], sort=False
        )]  # fmt: skip
        panels += [*maps, (f"{name}\nthe largest P", rows, False)]
    names = list(dict.fromkeys(_line_name(own) for _, own in _lines(table)))
    figure, axes = style.panels([title for title, *_ in panels], left=56, names=names)
    for axis, (title, rows, is_map) in zip(axes, panels, strict=True):
        if is_map:
            _map(axis, title, rows)
        else:
            _curves(axis, rows, names)
    style.legend(figure, {name: style.handle(_look(names, name)) for name in names})
    return figure


def _named(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    views = ", ".join(dict.fromkeys(str(first["views"]).split(",")))
    return f"{first['label']} · {views}" if first["views"] else str(first["label"])


def _lines(rows: pd.DataFrame) -> list[tuple[bool, pd.DataFrame]]:
    """The rows of each line: of a supervised rule at all P, of another at its largest P."""
    lines: list[tuple[bool, pd.DataFrame]] = []
    for (supervised, *_), own in rows.groupby(["supervised", "label", "views"], sort=False):
        shown = own if supervised else own[own["P"] == own["P"].max()]
        lines.append((bool(supervised), shown.sort_values("labels")))
    return lines


def _line_name(rows: pd.DataFrame) -> str:
    return f"{_named(rows)}, all labels" if rows["supervised"].iloc[0] else _named(rows)


def _look(names: list[str], name: str) -> style.Look:
    place = names.index(name)
    dash, mark = style.DASHES[place % len(style.DASHES)], style.MARKS[place % len(style.MARKS)]
    return style.Look(style.INKS[place % len(style.INKS)], dash, mark)


def _curves(axis: Axes, rows: pd.DataFrame, names: list[str]) -> None:
    for _, line in _lines(rows):
        name = _line_name(line)
        look = _look(names, name)
        x, error = line["labels"].to_numpy(float), line["test_error"].to_numpy(float)
        axis.plot(x, error, look.dash, color=look.colour, lw=1.4)
        (points,) = axis.plot(x, error, look.mark, color=look.colour, ms=4)
        parts = [f"{k:g} labels: {e:.4f}" for k, e in zip(x, error, strict=True)]
        style.tip(points, name, parts)
    axis.axhline(solved_at(int(rows["n"].iloc[0])), color=style.FAINT, lw=0.8)
    style.by_octaves(axis, "x")
    axis.set_ylim(0, 1)
    axis.set_xlabel("labels")
    axis.set_ylabel("test error")


def _map(axis: Axes, title: str, rows: pd.DataFrame) -> None:
    means = rows.pivot_table(index="P", columns="labels", values="test_error")
    boxes: list[tuple[float, float, float, float]] = []
    parts: list[str] = []
    values: list[float] = []
    for (row, column), value in np.ndenumerate(means.to_numpy(float)):
        if np.isnan(value):  # more labels than strings
            continue
        values.append(round(value, 2))
        boxes.append((column - 0.5, row - 0.5, column + 0.5, row + 0.5))
        parts.append(f"P={means.index[row]}, {means.columns[column]} labels: {value:.4f}")
        ink = "white" if value <= 0.6 else style.INK
        text = f"{100 * value:.0f}"
        axis.text(column, row, text, ha="center", va="center", fontsize=style.SMALL, color=ink)
    style.cells(axis, boxes, COLOURS(values), title, parts)
    axis.grid(visible=False)
    axis.set_xlim(-0.5, len(means.columns) - 0.5)
    axis.set_ylim(-0.5, len(means.index) - 0.5)
    every = max(1, -(-len(means.columns) // 5))
    places = range(0, len(means.columns), every)
    axis.set_xticks(places, [f"{means.columns[place]:g}" for place in places])
    axis.set_yticks(range(len(means.index)), [f"{P:g}" for P in means.index])
    axis.tick_params(length=0)
    axis.set_xlabel("labels (cells: % error)")
    axis.set_ylabel("P: strings without labels")

"""How every figure looks: colours, marks, dashes, fonts, panels and legends.

Sheets are laid out by hand, in points from the top left: matplotlib's own layout of many small
panels takes longer than drawing them.  Colours (Okabe & Ito) tell families apart for colour-blind
readers too.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

from synaptree.plots import COLOURS as COLOURS
from synaptree.plots import FAINT as FAINT
from synaptree.plots import GRID as GRID
from synaptree.plots import INK as INK
from synaptree.plots import SMALL as SMALL
from synaptree.plots import SOFT as SOFT
from synaptree.plots import Sheet
from synaptree.plots import styled as styled
from synaptree.report.svg import tip
from synaptree.results.columns import by_kind

INKS = ("#0072B2", "#D55E00", "#009E73", "#C76A9E", "#A67400", "#2894D0", "#555555")
DASHES = ("-", "--", ":", "-.")
MARKS = "osD^vP*Xd<>h8p"
PAPER = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5}  # behind a word
ACROSS = 3  # panels beside each other
LEGEND = 36  # letters in a line of a legend
CROWDED = 12  # curves in a panel: of more, families have panels of their own


@dataclass(frozen=True)
class Look:
    """How a line looks: its colour is its family's, its dashes and its mark are its own.

    again: another line of the family has the same dashes, so that curves need the mark too.
    """

    colour: str
    dash: str
    mark: str
    again: bool = False

    def marks(self, points: int) -> dict[str, Any]:
        """The few marks on a curve of so many points that has its dashes from another."""
        few = {"marker": self.mark, "ms": 3.5, "markevery": max(1, points // 6)}
        return few if self.again else {"marker": "none"}


def colour(family: str) -> str:
    """The colour of a family; one that the package does not know has that of own rules."""
    return COLOURS.get(family, COLOURS["own"])


def look(labels: Iterable[tuple[str, str]]) -> dict[str, Look]:
    """A look for each label, given with its family."""
    looks: dict[str, Look] = {}
    places: dict[str, Iterator[int]] = {}
    for label, family in labels:
        place = next(places.setdefault(family, count()))
        dash, mark = DASHES[place % len(DASHES)], MARKS[place % len(MARKS)]
        looks[label] = Look(colour(family), dash, mark, again=place >= len(DASHES))
    return looks


def families(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Each label of a table with its family, in the order of the table."""
    pairs = table[["label", "family"]].drop_duplicates("label")
    return list(zip(pairs["label"].astype(str), pairs["family"].astype(str), strict=True))


def kinds(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each kind of grammar and P with its name, shallow kinds first."""
    return by_kind(table.assign(status="done"))


def split(name: str, rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The panels of one kind: one, or one a family where there are too many lines for one."""
    labels = families(rows)
    if len(labels) <= CROWDED:
        return [(name, rows)]
    return [
        (f"{name}\n{family}", rows[rows["family"] == family])
        for family in dict.fromkeys(family for _, family in labels)
    ]


def sheet(width: float, height: float) -> Figure:
    """An empty figure; sizes in points."""
    return Sheet(figsize=(width / 72, height / 72))


def axes_at(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a place in points from the top left of the sheet."""
    w, h = figure.get_size_inches() * 72
    return figure.add_axes((left / w, 1 - (top + height) / h, width / w, height / h))


def canvas(figure: Figure) -> Axes:
    """One invisible axes over the whole sheet, whose units are points from the top left: many small
    panels in it are drawn much faster than as axes of their own."""
    width, height = figure.get_size_inches() * 72
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set_xlim(0, width)
    axis.set_ylim(height, 0)
    axis.set_axis_off()
    return axis


def panels(
    titles: list[str],
    *,
    width: float = 176,
    height: float = 160,
    left: float = 48,
    below: float = 42,
    first: float = 0,
    names: Iterable[str] = (),
) -> tuple[Figure, list[Axes]]:
    """A sheet with a titled axes for each title, at most three beside each other.

    left, below: room for the marks and names of the axes.  first: more room at the left of each
    row.  names: of a legend, for which there will be room under all.
    """
    head = 16 + 12 * max(title.count("\n") + 1 for title in titles)
    across = min(len(titles), ACROSS)
    down = -(-len(titles) // ACROSS)
    wide = first + across * (left + width) + 16
    figure = sheet(wide, down * (head + height + below) + legend_height(names, wide))
    axes: list[Axes] = []
    for place, title in enumerate(titles):
        row, column = divmod(place, ACROSS)
        x = first + left + column * (left + width)
        axis = axes_at(figure, x, head + row * (head + height + below), width, height)
        axis.set_title(title)
        axis.grid(True)
        axis.set_axisbelow(True)
        axes.append(axis)
    return figure, axes


def legend_height(labels: Iterable[str], width: float) -> float:
    """The height in points of a legend of these labels under a sheet of a width."""
    names = [folded(label, LEGEND) for label in labels]
    if not names:
        return 0
    columns = np.array_split([name.count("\n") + 1 for name in names], _columns(names, width))
    return 12 + max(13 * len(lines) + 10 * (sum(lines) - len(lines)) for lines in columns)


def legend(figure: Figure, handles: Mapping[str, Any]) -> None:
    """The legend of a figure, under its panels."""
    if handles:
        names = [folded(label, LEGEND) for label in handles]
        figure.legend(
            list(handles.values()), names, ncols=_columns(names, figure.get_size_inches()[0] * 72),
            loc="lower left", bbox_to_anchor=(0, 0), columnspacing=1.4, labelspacing=0.35,
            borderaxespad=0.3,
        )  # fmt: skip


def handle(look: Look, *, line: bool = True) -> Line2D:
    """What stands for a look in a legend."""
    dash = look.dash if line else "none"
    return Line2D([], [], color=look.colour, ls=dash, marker=look.mark, ms=4, lw=1.4)


def _columns(names: list[str], width: float) -> int:
    longest = max(len(line) for name in names for line in name.split("\n"))
    return min(max(1, int(width / (5 * longest + 44))), len(names))


def folded(label: str, width: int = 24) -> str:
    """A label in lines of a width in letters."""
    return textwrap.fill(label, width, break_long_words=False, break_on_hyphens=False)


def plain(at: float, _place: float | None = None) -> str:
    """A mark of a logarithmic axis, as ``512`` or ``2.1M``; an exponent would be too small."""
    return f"{at:g}" if at < 1e6 else f"{at / 1e6:.1f}".removesuffix(".0") + "M"


def by_decades(axis: Axes) -> None:
    """A logarithmic axis x whose marks are plain numbers; call it when all is drawn."""
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0,) if high > 20 * low else (1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(plain)
    axis.xaxis.set_minor_formatter(NullFormatter())


def by_octaves(axis: Axes, which: str) -> None:
    """A logarithmic axis, x or y, whose marks are plain numbers, as ``512`` and ``2.1M``."""
    getattr(axis, f"set_{which}scale")("log", base=2)
    ticks = axis.xaxis if which == "x" else axis.yaxis
    ticks.set_major_formatter(plain)
    ticks.set_minor_locator(NullLocator())


class Words(Text):
    """Many short texts that look alike as one artist: matplotlib measures each text that it draws,
    and these are centred on places that need no measuring."""

    def __init__(self, places: list[tuple[float, float, str]], **how: Any) -> None:
        super().__init__(0, 0, "-", ha="center", va="baseline", **how)
        self.places = places

    def draw(self, renderer: Any) -> None:
        """Draw each text at its place."""
        gc = renderer.new_gc()
        gc.set_foreground(self.get_color())
        _, height = renderer.get_canvas_width_height()
        for x, y, text in self.places:
            self.set_position((x, y))
            left, up = self.get_transform().transform((x, y))
            font = self.get_fontproperties()
            renderer.draw_text(gc, left, height - up, text, font, 0, mtext=self)
        gc.restore()


def cells(
    axis: Axes, boxes: list[tuple[float, float, float, float]], fills: Any, text: str,
    parts: list[str],
) -> None:  # fmt: skip
    """Filled rectangles (left, top, right, bottom), each of which says its part under the
    pointer."""
    corners = [[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes]
    drawn = PolyCollection(corners, facecolors=fills, linewidths=0, clip_on=False)
    tip(drawn, text, parts)
    axis.add_collection(drawn, autolim=False)


def frames(axis: Axes, boxes: list[tuple[float, float, float, float]]) -> None:
    """Thin dark rectangles, as one artist."""
    corners = [[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes]
    drawn = PolyCollection(corners, facecolors="none", edgecolors="#111111", linewidths=0.8)
    axis.add_collection(drawn, autolim=False)


def bands(axis: Axes, x: Any, low: Any, high: Any, fill: str, alpha: float) -> None:
    """The area between two curves, which nothing is said of."""
    there = np.isfinite(low) & np.isfinite(high)
    x, low, high = (np.asarray(each, float)[there] for each in (x, low, high))
    outline = np.stack([np.r_[x, x[::-1]], np.r_[low, high[::-1]]], 1)
    area = PolyCollection([outline], facecolors=fill, alpha=alpha, linewidths=0, clip_on=False)
    axis.add_collection(area, autolim=False)

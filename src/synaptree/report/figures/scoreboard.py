"""The scoreboard: which rules solve which kinds of grammar, at what price, knowing what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Wedge

from synaptree.claims.second.scoreboard import KNOWS
from synaptree.report import style
from synaptree.report.board import Line, columns, knows_place, lines
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.report.svg import tip
from synaptree.report.words import NOT_KNOWN, NOT_RUN, cell_said, error_said

ROW, HEAD, GROUP, FOOT = 15.5, 44.0, 18.0, 52.0  # heights in points
NAME, KIND, RATIO, PASSES = 164.0, 54.0, 52.0, 42.0  # widths; of names the least
LEVELS, LABELS, KNOWN = 43.0, 41.0, 116.0
DISC, BOX = 5.5, 5.5  # the radius of a disc, the side of a box
SIZE = 9.0  # of all text: 12 pixels in a browser
# Each column: its head, what stands below it in two lines, and its width.
HEADS = (
    ("data", ("over backprop's", ""), RATIO),
    ("steps", ("", ""), RATIO),
    ("passes", ("for an", "update"), PASSES),
    ("levels", ("found", ""), LEVELS),
    ("labels", ("used in", ""), LABELS),
    ("each synapse", ("must know", ""), KNOWN),
)
BESIDE = ("kind of grammar", "training strings", "levels left to learn")  # heads of kinds
# What a synapse must know, in the order of `KNOWS`, as short as the column is narrow.
SHORT = ("nothing global", "one number", "one vector", "whole batch", "others' weights",
         "others' masks")  # fmt: skip
LEGEND = (
    f"%: the mean test error · {NOT_RUN}: not run · {NOT_KNOWN}: not known · !: some runs diverged",
    "not yet: unsolved after all steps · T1, T2: labels choose pairs in the top layer, in every "
    "layer",
    "error: labels enter in the output error · one number, one vector: broadcast to the layer",
)


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row a rule and kind of grammar."""
    return None if inputs.board.empty else inputs.board


@dataclass
class _Marks:
    """Where discs and boxes are, so that all that look alike are drawn as one artist."""

    discs: list[tuple[float, float, float, str]] = field(default_factory=list)  # with share, words
    boxes: list[tuple[float, float, bool]] = field(default_factory=list)  # whether filled

    def draw(self, axis: Axes) -> None:
        """Draw every mark; each disc says its cell under the pointer."""
        size = 2 * DISC
        for fill, those in (
            ("white", [each for each in self.discs if each[2] < 1]),
            (style.INK, [each for each in self.discs if each[2] == 1]),
        ):
            _plot(axis, "o", size, fill, [(x, y, said) for x, y, _, said in those])
        parts = [each for each in self.discs if 0 < each[2] < 1]
        # The axis of y points down, so that a wedge from -90° goes clockwise from the top.
        wedges = [Wedge((x, y), DISC, -90, 360 * share - 90) for x, y, share, _ in parts]
        drawn = PatchCollection(wedges, facecolors=style.INK, linewidths=0, clip_on=False, zorder=3)
        if parts:
            tip(drawn, "solved", [said for *_, said in parts])
            axis.add_collection(drawn, autolim=False)
        for fill in (False, True):
            places = [(x, y, "") for x, y, filled in self.boxes if filled == fill]
            _plot(axis, "s", BOX, style.INK if fill else "white", places)

    def row_of_boxes(self, x: float, y: float, filled: float, of: int) -> None:
        """Boxes beside each other, the first of them filled."""
        self.boxes += [(x + BOX / 2 + 8 * place, y, place + 1 <= filled) for place in range(of)]


def _plot(
    axis: Axes, mark: str, size: float, fill: str, places: Sequence[tuple[float, float, str]]
) -> None:
    if not places:
        return
    xs, ys, parts = zip(*places, strict=True)
    (drawn,) = axis.plot(
        xs, ys, mark, ms=size, mfc=fill, mec=style.INK, mew=0.9, ls="none", clip_on=False
    )
    if any(parts):
        tip(drawn, "solved", parts)


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A row a rule in its family: discs that fill with the share of grammars that it solves."""
    rows, kinds = lines(table), columns(table)
    groups = list(dict.fromkeys(line.family for line in rows))
    left = max([NAME, *(16 + 5 * len(line.title) for line in rows)])
    width = left + KIND * len(kinds) + 2 * RATIO + PASSES + LEVELS + LABELS + KNOWN
    figure = style.sheet(width, HEAD + GROUP * len(groups) + ROW * len(rows) + FOOT)
    axis, marks = style.canvas(figure), _Marks()
    _heads(axis, left, kinds)
    y = HEAD
    for group in groups:
        axis.text(2, y + 12, group, color=style.INK, fontsize=SIZE, fontweight="bold")
        axis.plot([0, width], [y, y], color=style.GRID, lw=0.8)
        y += GROUP
        for line in (line for line in rows if line.family == group):
            _row(axis, marks, (left, y + ROW / 2), line, kinds)
            y += ROW
    _legend(axis, marks, y + 14)
    marks.draw(axis)
    return figure


def _heads(axis: Axes, left: float, kinds: Sequence[Mapping[Any, Any]]) -> None:
    soft: dict[str, Any] = {"fontsize": SIZE, "color": style.SOFT}
    bold: dict[str, Any] = {"fontsize": SIZE, "fontweight": "bold", "color": style.INK}
    lines = (12, 25, 37)
    for y, text in zip(lines, BESIDE, strict=True):
        axis.text(10, y, text, **soft)
    for place, kind in enumerate(kinds):
        depth = "" if pd.isna(kind["depth"]) else f"{kind['depth']:g}"
        beside = (f"{kind['P']:,}".replace(",", "\N{NO-BREAK SPACE}"), depth)
        _head(axis, lines, left + KIND * place, (str(kind["head"]), *beside), bold, soft)
    x = left + KIND * len(kinds)
    for head, beside, wide in HEADS:
        _head(axis, lines, x, (head, *beside), bold, soft)
        x += wide


def _head(
    axis: Axes, ys: Sequence[float], x: float, texts: Sequence[str], *looks: dict[str, Any]
) -> None:
    for y, text, look in zip(ys, texts, (*looks, looks[-1]), strict=True):
        if text:
            axis.text(x, y, text, **look)


def _row(
    axis: Axes,
    marks: _Marks,
    at: tuple[float, float],
    line: Line,
    kinds: Sequence[Mapping[Any, Any]],
) -> None:
    left, y = at  # where the columns begin beside the name, and the middle of the row
    axis.text(10, y + 3, line.title, fontsize=SIZE, color=style.INK)
    for place, kind in enumerate(kinds):
        x = left + KIND * place + DISC
        cell = line.cells.get(str(kind["kind"]))
        if cell is None:
            axis.text(x - 2, y + 3, NOT_RUN, fontsize=SIZE, color=style.FAINT)
            continue
        marks.discs.append((x, y, cell["solved"] / cell["of"], cell_said(line.name, cell)))
        axis.text(x + DISC + 4, y + 3, error_said(cell), fontsize=SIZE, color=style.SOFT)
    x = left + KIND * len(kinds)
    for text in (line.data, line.steps):
        _word(axis, x, y, text)
        x += RATIO
    _word(axis, x, y, line.passes)
    x += PASSES
    if line.levels:
        marks.row_of_boxes(x, y, line.about["levels"], int(line.about["of_levels"]))
    else:
        _word(axis, x, y, "")
    _word(axis, x + LEVELS, y, line.labels)
    x += LEVELS + LABELS
    place = knows_place(line.knows)
    if place is not None:
        marks.row_of_boxes(x, y, place, len(KNOWS) - 1)
    short = "" if place is None else SHORT[place]
    _word(axis, x + (0 if place is None else 8 * len(KNOWS) - 4), y, short)


def _word(axis: Axes, x: float, y: float, text: str) -> None:
    colour = style.INK if text else style.FAINT
    axis.text(x, y + 3, text or NOT_KNOWN, fontsize=SIZE, color=colour)


def _legend(axis: Axes, marks: _Marks, y: float) -> None:
    x = 2.0
    for share, word in ((0, "no grammar solved"), (0.5, "half of them"), (1, "all")):
        marks.discs.append((x + DISC, y, share, word))
        axis.text(x + 16, y + 3, word, fontsize=SIZE, color=style.SOFT)
        x += 28 + 5.1 * len(word)
    places = ((x, y), (2, y + 14), (2, y + 27))
    for (left, down), text in zip(places, LEGEND, strict=True):
        axis.text(left, down + 3, text, fontsize=SIZE, color=style.SOFT)


FIGURE = Figure(
    "scoreboard",
    "Which rules learn, and what their synapses must know",
    "One row a learning rule, in its best settings on each kind of grammar. A disc fills with the "
    "share of grammars solved (test error at most a tenth of guessing's). Data and steps are those "
    "that it needs over backprop's, least and most over kinds. Passes: how often an "
    "input goes through the weights, up or down, for an update. Levels: how many levels of the "
    "hidden tree are read from the layer of their own. The boxes at the right say how much each "
    "synapse must know that is not at its place.",
    table,
    draw,
)

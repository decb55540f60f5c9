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

ROW, HEAD, GROUP, FOOT = 15.5, 38.0, 18.0, 38.0  # heights in points
NAME, KIND, RATIO, PASSES = 170.0, 64.0, 66.0, 48.0  # widths
LEVELS, LABELS, KNOWN = 48.0, 42.0, 146.0
DISC, BOX = 5.5, 5.5  # the radius of a disc, the side of a box
HEADS = (
    ("data", "over backprop's", RATIO),
    ("steps", "over backprop's", RATIO),
    ("passes", "an update", PASSES),
    ("levels", "found", LEVELS),
    ("labels", "used in", LABELS),
    ("each synapse", "must know", KNOWN),
)
LEGEND = (
    f"beside each disc the mean test error · {NOT_RUN}: not run · {NOT_KNOWN}: not known · "
    "!: some runs diverged",
    "not yet: unsolved after all steps · labels: in the output error, or to choose pairs of one "
    "class in the top layer (T1) or in every layer (T2)",
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
    width = NAME + KIND * len(kinds) + 2 * RATIO + PASSES + LEVELS + LABELS + KNOWN
    figure = style.sheet(width, HEAD + GROUP * len(groups) + ROW * len(rows) + FOOT)
    axis, marks = style.canvas(figure), _Marks()
    _heads(axis, kinds)
    y = HEAD
    for group in groups:
        axis.text(2, y + 12, group, color=style.INK, fontsize=9, fontweight="bold")
        axis.plot([0, width], [y, y], color=style.GRID, lw=0.8)
        y += GROUP
        for line in (line for line in rows if line.family == group):
            _row(axis, marks, y + ROW / 2, line, kinds)
            y += ROW
    _legend(axis, marks, y + 14)
    marks.draw(axis)
    return figure


def _heads(axis: Axes, kinds: Sequence[Mapping[Any, Any]]) -> None:
    small: dict[str, Any] = {"fontsize": 7.5, "color": style.SOFT}
    bold: dict[str, Any] = {"fontsize": 9, "fontweight": "bold", "color": style.INK}
    for place, kind in enumerate(kinds):
        x = NAME + KIND * place
        axis.text(x, 12, str(kind["head"]), **bold)
        axis.text(x, 23, f"{kind['P']} strings", **small)
        if not pd.isna(kind["depth"]):
            axis.text(x, 33, f"{kind['depth']:g} levels to learn", **small)
    x = NAME + KIND * len(kinds)
    for head, beside, wide in HEADS:
        axis.text(x, 12, head, **bold)
        axis.text(x, 23, beside, **small)
        x += wide


def _row(
    axis: Axes, marks: _Marks, y: float, line: Line, kinds: Sequence[Mapping[Any, Any]]
) -> None:
    axis.text(10, y + 3, line.title, fontsize=9, color=style.INK)
    for place, kind in enumerate(kinds):
        x = NAME + KIND * place + DISC
        cell = line.cells.get(str(kind["kind"]))
        if cell is None:
            axis.text(x - 2, y + 3, NOT_RUN, fontsize=9, color=style.FAINT)
            continue
        marks.discs.append((x, y, cell["solved"] / cell["of"], cell_said(line.name, cell)))
        axis.text(x + DISC + 5, y + 3, error_said(cell), fontsize=7.5, color=style.SOFT)
    x = NAME + KIND * len(kinds)
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
    _word(axis, x + (0 if place is None else 8 * len(KNOWS) - 3), y, line.knows)


def _word(axis: Axes, x: float, y: float, text: str) -> None:
    colour = style.INK if text else style.FAINT
    axis.text(x, y + 3, text or NOT_KNOWN, fontsize=8.5, color=colour)


def _legend(axis: Axes, marks: _Marks, y: float) -> None:
    x = 2.0
    for share, word in ((0, "no grammar solved"), (0.5, "half of them"), (1, "all")):
        marks.discs.append((x + DISC, y, share, word))
        axis.text(x + 16, y + 3, word, fontsize=8, color=style.SOFT)
        x += 28 + 4.4 * len(word)
    axis.text(x, y + 3, LEGEND[0], fontsize=8, color=style.SOFT)
    axis.text(2, y + 17, LEGEND[1], fontsize=8, color=style.SOFT)


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

"""Many small panels in one sheet: a part for each kind of grammar, a tile for each rule."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure

from synaptree.report import style
from synaptree.report.inputs import Inputs
from synaptree.report.means import mean_there

Box = tuple[float, float, float, float]  # left, top, right, bottom
ACROSS = 5
LINE, HEAD, GAP, MARGIN, CELL = 11.0, 26.0, 26.0, 8.0, 22.0  # points


@dataclass(frozen=True)
class Tile:
    """The place of one rule on one kind of grammar, in points from the top left of the sheet.

    rows: of the table.  first: whether it begins a line of tiles.
    """

    kind: str
    label: str
    rows: pd.DataFrame
    left: float
    top: float
    first: bool


def tiles(
    table: pd.DataFrame, width: float, height: Callable[[int], float]
) -> tuple[Figure, Axes, list[Tile]]:
    """A sheet with a title over the place of each rule.  height: of a tile, by the number of
    layers."""
    placed: list[Tile] = []
    words: list[tuple[float, float, str, dict[str, Any]]] = []
    y = 0.0
    for kind, rows in style.kinds(table):
        bold: dict[str, Any] = {"weight": "bold", "fontsize": 10}
        words.append((MARGIN, y + 14, kind, bold))
        y += HEAD
        labels = style.families(rows)
        for start in range(0, len(labels), ACROSS):
            line = labels[start : start + ACROSS]
            names = [style.folded(label) for label, _ in line]
            y += LINE * max(name.count("\n") + 1 for name in names)
            for column, ((label, family), name) in enumerate(zip(line, names, strict=True)):
                left = MARGIN + column * width
                how: dict[str, Any] = {
                    "color": style.colour(family),
                    "va": "bottom",
                    "linespacing": 1.05,
                }
                words.append((left + 18, y - 1, name, how))
                own = rows[rows["label"] == label]
                placed.append(Tile(kind, label, own, left + 18, y + 2, column == 0))
            y += height(int(rows["L"].iloc[0])) + GAP
        y += 8
    figure = style.sheet(2 * MARGIN + ACROSS * width, y)
    axis = style.canvas(figure)
    for x, at, text, how in words:
        axis.text(x, at, text, **how)
    return figure, axis, placed


def matrix_table(inputs: Inputs, column: str, across: str) -> pd.DataFrame | None:
    """Matrices of layers × levels as a table, a row a cell: the mean over the runs of a rule.

    across: what to call the level.
    """
    runs = inputs.compared[["label", "family", *"vnmsLP", column]].dropna(subset=[column])
    parts: list[pd.DataFrame] = []
    for (label, *kind), own in runs.groupby(["label", *"vnmsLP"], sort=False):
        mean = mean_there(own[column].tolist())
        layer, level = np.indices(mean.shape) + 1
        same = {
            "label": label,
            "family": own["family"].iloc[0],
            **dict(zip("vnmsLP", kind, strict=True)),
        }
        cells = {"layer": layer.ravel(), across: level.ravel(), column: mean.ravel()}
        parts.append(pd.DataFrame({**same, **cells}))
    return pd.concat(parts).round(4) if parts else None


def draw_matrices(table: pd.DataFrame, column: str, across: str, colours: Colormap) -> Figure:
    """A matrix with its numbers for each tile; layer 1 at the bottom, as in the network.  Layers
    that stand for their own level are framed."""
    figure, axis, placed = tiles(table, 136, lambda layers: CELL * layers)
    frames: list[Box] = []
    numbers: dict[tuple[str, str], list[tuple[float, float, str]]] = {}
    for tile in placed:
        boxes = _boxes(tile, across)
        values = tile.rows[column].to_numpy(float)
        places = list(zip(tile.rows["layer"], tile.rows[across], values, strict=True))
        for (left, top, right, bottom), (layer, level, value) in zip(boxes, places, strict=True):
            text = "–" if np.isnan(value) else f"{value:.2f}"
            look = "white" if value > 0.72 else style.INK, "bold" if layer == level else "normal"
            middle = (left + right) / 2, (top + bottom) / 2 + 3
            numbers.setdefault(look, []).append((*middle, text))
            if layer == level:
                frames.append((left, top, right, bottom))
        fills = colours(np.round(np.nan_to_num(values), 2) / 1.15)
        fills[np.isnan(values)] = (1, 1, 1, 1)
        parts = [f"level {level}, layer {layer}: {value:.4f}" for layer, level, value in places]
        style.cells(axis, boxes, fills, f"{tile.label}, {tile.kind}, {across}", parts)
        if tile.first:  # the others have the same marks
            _marks(axis, tile, across, max(box[3] for box in boxes))
    for (ink, weight), words in numbers.items():
        axis.add_artist(style.Words(words, color=ink, weight=weight, fontsize=style.SMALL))
    style.frames(axis, frames)
    return figure


def _boxes(tile: Tile, across: str) -> list[Box]:
    """The places of the cells of a tile, in the order of its rows."""
    layers, levels = int(tile.rows["layer"].max()), int(tile.rows[across].max())
    wide = min(28.0, 114 / levels)
    lefts = tile.left + (tile.rows[across] - 1) * wide
    tops = tile.top + (layers - tile.rows["layer"]) * CELL
    return [(x, y, x + wide, y + CELL) for x, y in zip(lefts, tops, strict=True)]


def _marks(axis: Axes, tile: Tile, across: str, bottom: float) -> None:
    """The numbers and names of layers and levels."""
    layers, levels = int(tile.rows["layer"].max()), int(tile.rows[across].max())
    wide = min(28.0, 114 / levels)
    places = [(tile.left + (k + 0.5) * wide, bottom + 9.5, str(k + 1)) for k in range(levels)]
    places += [(tile.left - 6, bottom - (l + 0.5) * CELL + 3, str(l + 1)) for l in range(layers)]
    axis.add_artist(style.Words(places, color=style.SOFT, fontsize=style.SMALL))
    small: dict[str, Any] = {"fontsize": style.SMALL, "color": style.SOFT, "ha": "center"}
    axis.text(tile.left + levels * wide / 2, bottom + 19, across, **small)
    middle = bottom - layers * CELL / 2
    axis.text(tile.left - 14, middle, "layer", rotation=90, va="center", **small)

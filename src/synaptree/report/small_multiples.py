"""Many small panels in one sheet: a part for each kind of grammar, a tile for each rule."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Colormap
from matplotlib.figure import Figure

from synaptree.report import style
from synaptree.report.inputs import Inputs
from synaptree.report.means import mean_there

ACROSS = 5
LINE, HEAD, GAP, MARGIN, CELL = 11.0, 26.0, 22.0, 8.0, 22.0  # points


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
    words: list[tuple[float, float, str, dict[str, object]]] = []
    y = 0.0
    for kind, rows in style.kinds(table):
        words.append((MARGIN, y + 14, kind, {"weight": "bold", "fontsize": 10}))
        y += HEAD
        labels = style.families(rows)
        for start in range(0, len(labels), ACROSS):
            line = labels[start : start + ACROSS]
            names = [style.folded(label) for label, _ in line]
            y += LINE * max(name.count("\n") + 1 for name in names)
            for column, ((label, family), name) in enumerate(zip(line, names, strict=True)):
                left = MARGIN + column * width
                how = {"color": style.colour(family), "va": "bottom", "linespacing": 1.05}
                words.append((left + 18, y - 1, name, how))
                own = rows[rows["label"] == label]
                placed.append(Tile(kind, label, own, left + 18, y + 2, column == 0))
            y += height(int(rows["L"].iloc[0])) + GAP
        y += 8
    figure = style.sheet(2 * MARGIN + ACROSS * width, y)
    axis = style.canvas(figure)
    for x, at, text, how in words:
        axis.text(x, at, text, **{"fontsize": 8, **how})
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
        same = {"label": label, "family": own["family"].iloc[0], **dict(zip("vnmsLP", kind, strict=True))}
        cells = {"layer": layer.ravel(), across: level.ravel(), column: mean.ravel()}
        parts.append(pd.DataFrame({**same, **cells}))
    return pd.concat(parts).round(4) if parts else None


def draw_matrices(table: pd.DataFrame, column: str, across: str, colours: Colormap) -> Figure:
    """A matrix with its numbers for each tile; layer 1 at the bottom, as in the network.  Layers
    that stand for their own level are framed."""
    figure, axis, placed = tiles(table, 136, lambda layers: CELL * layers)
    frames: list[list[tuple[float, float]]] = []
    for tile in placed:
        frames += _matrix(axis, tile, column, across, colours)
    outline = PolyCollection(frames, facecolors="none", edgecolors="#111111", linewidths=0.8)
    axis.add_collection(outline, autolim=False)
    return figure


def _matrix(
    axis: Axes, tile: Tile, column: str, across: str, colours: Colormap
) -> list[list[tuple[float, float]]]:
    """Draw one matrix; return the frames of its diagonal."""
    layers, levels = int(tile.rows["layer"].max()), int(tile.rows[across].max())
    wide, high = min(28.0, 114 / levels), CELL
    boxes: list[tuple[float, float, float, float]] = []
    parts: list[str] = []
    values = tile.rows[column].to_numpy(float)
    places = zip(tile.rows["layer"].astype(int), tile.rows[across].astype(int), values, strict=True)
    frames: list[list[tuple[float, float]]] = []
    for layer, level, value in places:
        x, y = tile.left + (level - 1) * wide, tile.top + (layers - layer) * high
        boxes.append((x, y, x + wide, y + high))
        parts.append(f"level {level}, layer {layer}: {value:.4f}")
        text = "–" if np.isnan(value) else f"{value:.2f}"
        own = layer == level
        axis.text(
            x + wide / 2, y + high / 2 + 0.5, text, ha="center", va="center",
            fontsize=8 if levels < 5 else 6, color="white" if value > 0.72 else style.INK,
            weight="bold" if own else "normal",
        )  # fmt: skip
        if own:
            frames.append([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)])
    fills = colours(np.round(np.nan_to_num(values), 2) / 1.15)
    fills[np.isnan(values)] = (1, 1, 1, 1)
    style.cells(axis, boxes, fills, f"{tile.label}, {tile.kind}, {across}", parts)
    bottom = tile.top + layers * high
    if tile.first:  # the others have the same marks
        _numbers(axis, ((tile.left + (k + 0.5) * wide, bottom + 8, k + 1) for k in range(levels)))
        _numbers(
            axis, ((tile.left - 6, bottom - (l + 0.5) * high + 3, l + 1) for l in range(layers))
        )
        small = {"fontsize": 7, "color": style.SOFT}
        axis.text(tile.left + levels * wide / 2, bottom + 15, across, ha="center", **small)
        middle = bottom - layers * high / 2
        axis.text(tile.left - 12, middle, "layer", rotation=90, ha="center", va="center", **small)
    return frames


def _numbers(axis: Axes, places: Iterable[tuple[float, float, int]]) -> None:
    for x, y, number in places:
        axis.text(x, y, str(number), ha="center", fontsize=7, color=style.SOFT)

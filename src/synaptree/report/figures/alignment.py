"""The angle with backprop: how alike each layer's update and backprop's are, while learning."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.report.means import mean_there
from synaptree.report.small_multiples import Tile, tiles

WIDTH, HEIGHT = 136.0, 84.0  # of a tile, in points
KIND = [*"vnmsLP"]


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row a step and layer of each rule and kind of grammar: the cosine, a mean over runs.

    null_low, null_high: the ends of what chance gives, over runs and layers.  None where no layer
    of any rule was updated.
    """
    curves = ["curve_step", "curve_alignment", "curve_null"]
    runs = inputs.compared[["label", "family", *KIND, *curves]].dropna(subset=curves)
    parts: list[pd.DataFrame] = []
    for (label, *kind), own in runs.groupby(["label", *KIND], sort=False):
        same = {
            "label": label,
            "family": own["family"].iloc[0],
            **dict(zip(KIND, kind, strict=True)),
        }
        parts += [pd.DataFrame({**same, **layer}) for layer in _layers(own)]
    return pd.concat(parts).round(3) if parts else None


def _layers(runs: pd.DataFrame) -> list[dict[str, Any]]:
    shared = min(map(len, runs["curve_step"]))
    cosine, null = (
        np.array([each[:shared] for each in runs[f"curve_{name}"]], float)
        for name in ("alignment", "null")
    )
    if not np.isfinite(cosine).any():
        return []
    chance = null.swapaxes(1, 2).reshape(-1, shared)
    same = {
        "step": np.array(runs["curve_step"].iloc[0][:shared], int),
        "null_low": np.fmin.reduce(chance),
        "null_high": np.fmax.reduce(chance),
    }
    return [
        {"layer": l + 1, **same, "cosine": mean_there(cosine[:, :, l])}
        for l in range(cosine.shape[2])
        if np.isfinite(cosine[:, :, l]).any()
    ]


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A tile for each rule and kind of grammar, a line for each layer, over the band of chance."""
    figure, axis, placed = tiles(table, WIDTH, lambda _: HEIGHT)
    words: dict[str, list[tuple[float, float, str]]] = {}
    for tile in placed:
        for ink, x, y, text in _tile(axis, tile):
            words.setdefault(ink, []).append((x, y, text))
    for ink, places in words.items():
        axis.add_artist(style.Words(places, color=ink, fontsize=style.SMALL))
    return figure


def _tile(axis: Axes, tile: Tile) -> list[tuple[str, float, float, str]]:
    """Draw the curves of one rule; return the words beside them, with their colours."""
    rows = tile.rows
    wide, high = WIDTH - 34, HEIGHT - 6
    last, bottom = rows["step"].max(), min(-0.35, rows["cosine"].min())

    def place(step: Any, cosine: Any) -> tuple[Any, Any]:
        x = tile.left + np.asarray(step, float) / last * wide
        inside = np.clip(np.asarray(cosine, float), bottom, 1.05)
        y = tile.top + (1.05 - inside) / (1.05 - bottom) * high
        return x, y

    first = rows[rows["layer"] == rows["layer"].iloc[0]]
    x, low = place(first["step"], first["null_low"])
    style.bands(axis, x, low, place(first["step"], first["null_high"])[1], "#d2d2d2", 1)
    x, y = place([0, last, 0, last, 0, 0, last], [0, 0, 1, 1, 1.05, bottom, bottom])
    corners = np.stack([x, y], 1)
    ends = [corners[:2], corners[2:4], corners[4:]]
    inks = [style.GRID, style.GRID, "#888888"]
    axis.add_collection(LineCollection(ends, colors=inks, linewidths=0.7), autolim=False)
    words = [(style.SOFT, x[6] - 6, y[6] + 9, str(last))]
    if tile.first:
        words += [(style.SOFT, x[at] - 6, y[at] + 2.5, text) for at, text in ((0, "0"), (2, "1"))]
    layers = int(rows["L"].iloc[0])
    for layer, own in rows.groupby("layer"):
        number = int(str(layer))
        ink = to_hex(mpl.colormaps["viridis"](0.8 * (number - 1) / max(layers - 1, 1)))
        line = Line2D(*place(own["step"], own["cosine"]), color=ink, lw=1.3)
        axis.add_artist(line)
        end = own[own["cosine"].notna()].iloc[-1]
        name = f"{tile.label}, {tile.kind}, layer {layer}"
        style.tip(line, f"{name}: cosine {end['cosine']:.3f} at the end")
        x, y = place(end["step"], end["cosine"])
        words.append((ink, float(x) + 5, float(y) + 2.5, str(layer)))
    return words


FIGURE = Figure(
    "alignment",
    "The angle with backprop",
    "The cosine of each layer's update with backprop's, against steps; the number is the layer. "
    "Grey: chance, from direct feedback with fresh random weights.",
    table,
    draw,
)

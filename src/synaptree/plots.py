"""The look of all figures, and those of one run and of one module."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

INK, SOFT, FAINT, AXIS, GRID = "#222222", "#666666", "#767676", "#888888", "#dddddd"
# Families of rules, on all figures, in the report and on the site.
COLOURS = {
    "reference": "#555555",
    "control": "#B87A00",
    "direct feedback": "#D55E00",
    "layerwise": "#0072B2",
    "own": "#009E73",
}
# The same on a dark page, by the names that its style sheet has for them: light, dark.
PAIRS = {
    "ink": (INK, "#CFD0D0"),
    "soft": (SOFT, "#9CA0A5"),
    "faint": (FAINT, "#8A8F94"),
    "axis": (AXIS, "#81868D"),
    "grid": (GRID, "#34383B"),
    "reference": (COLOURS["reference"], "#B4B4B4"),
    "control": (COLOURS["control"], "#D9A021"),
    "direct-feedback": (COLOURS["direct feedback"], "#F0803C"),
    "layerwise": (COLOURS["layerwise"], "#5AAEE6"),
    "own": (COLOURS["own"], "#2BBF95"),
}
# Of pages: the report's style sheet says the same.
LINK = ("#005a93", "#7cc0f5")  # light, dark
FONTS = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif'
SMALL = 8.5  # points: the smallest text of any figure, which a browser shows with 11 pixels
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9,
    "text.parse_math": False,  # labels are anybody's, and a $ is a $
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": AXIS,
    "axes.linewidth": 0.7,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelcolor": SOFT,
    "xtick.color": AXIS,
    "ytick.color": AXIS,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": SMALL,
}
styled = mpl.rc_context(STYLE)  # decorates every function that draws
Matrix = Sequence[Sequence[float]]


class Sheet(Figure):
    """A figure that a notebook shows, also one that has not loaded pyplot."""

    def png(self) -> bytes:
        """The figure as a PNG."""
        out = io.BytesIO()
        self.savefig(out, format="png", dpi=110)
        return out.getvalue()

    _repr_png_ = png

    def html(self) -> str:
        """The figure as an image in a page."""
        packed = base64.b64encode(self.png()).decode()
        return f'<img alt="{self.get_label()}" src="data:image/png;base64,{packed}">'


@styled
def draw_run(
    steps: Sequence[int],
    errors: Mapping[str, Sequence[float]],
    chance: float,
    matrices: Mapping[str, Matrix],
) -> Sheet:
    """The learning curves of a run by name, and matrices of its layers (from 1) × levels."""
    wide = [3.4, *(0.9 + 0.42 * len(each[0]) for each in matrices.values())]
    figure = Sheet(figsize=(sum(wide), 2.5), layout="constrained")
    figure.set_label("learning curve and measures of layers")
    axes = figure.subplots(1, len(wide), width_ratios=wide, squeeze=False)[0]
    curve: Axes = axes[0]
    for (name, values), colour in zip(errors.items(), (COLOURS["layerwise"], FAINT), strict=False):
        curve.plot(steps, values, color=colour, lw=1.5, label=name, marker=".", ms=4)
    curve.axhline(chance, color=GRID, lw=1, zorder=0)
    curve.text(0, chance, " guessing", color=SOFT, fontsize=SMALL, va="bottom")
    curve.set(title="Error", xlabel="steps", ylim=(0, 1))
    curve.set_xlim(left=0)
    curve.legend(loc="upper right")
    for axis, (title, values) in zip(axes[1:], matrices.items(), strict=True):
        _matrix(axis, title, values, [str(l) for l in range(1, len(values) + 1)])
        axis.set_ylabel("layer")
    return figure


@styled
def draw_layers(layers: Sequence[str], matrices: Mapping[str, Matrix]) -> Sheet:
    """Matrices of named layers × levels."""
    names = 0.07 * max(map(len, layers))
    wide = [0.5 + names + 0.42 * len(each[0]) for each in matrices.values()]
    height = 1.0 + 0.3 * len(layers)
    figure = Sheet(figsize=(max(sum(wide), 3.6), max(height, 1.8)), layout="constrained")
    figure.set_label("measures of layers")
    axes = figure.subplots(1, len(wide), squeeze=False)[0]
    for axis, (title, values) in zip(axes, matrices.items(), strict=True):
        _matrix(axis, title, values, layers)
    return figure


def _matrix(axis: Axes, title: str, values: Matrix, layers: Sequence[str]) -> None:
    """A matrix with its numbers; the first layer at the bottom, as in the network."""
    table = np.array(values, dtype=float)
    there = np.ma.masked_invalid(table)
    axis.imshow(there, cmap="Blues", vmin=0, vmax=1.15, origin="lower", aspect="auto")
    for (layer, level), value in np.ndenumerate(table):
        text = "–" if np.isnan(value) else f"{value:.2f}"
        ink = "white" if value > 0.72 else INK
        axis.text(level, layer, text, ha="center", va="center", fontsize=SMALL, color=ink)
    axis.set_xticks(range(table.shape[1]), [str(k + 1) for k in range(table.shape[1])])
    axis.set_yticks(range(len(layers)), list(layers))
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set(title=title, xlabel="level")


def animate(sheets: Sequence[Sheet], path: Path, seconds: float) -> None:
    """Write sheets of one size as an animated GIF, so many seconds each; the last stays longer."""
    images = [Image.open(io.BytesIO(sheet.png())).convert("RGB") for sheet in sheets]
    each = round(1000 * seconds)
    durations = [each] * (len(images) - 1) + [4 * each]
    images[0].save(path, save_all=True, append_images=images[1:], duration=durations, loop=0)

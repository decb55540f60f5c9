"""The signal budget: what a view offers a layer, beside what the layer made of it."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.results.columns import plain
from synaptree.rules import get, names
from synaptree.views.budget import signal_budget
from synaptree.views.registry import parse_view

NOTHING = 1e-6  # bits, drawn at the left edge
RANDOM = "random layers"  # in the column of views: what untrained layers have
KIND = [*"vnmsLP"]


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row a rule, kind of grammar and layer below the top: bits and accuracy, means over runs.

    Left out are rules that compare at the top alone, and layers that compare halves of their units,
    whose budget is that of the patch that they read and not of what is beside it.  Of random layers
    there is the accuracy alone.  None without layerwise runs.
    """
    below = [name for name in names() if not get(name).compares_top]
    runs = plain(inputs.compared[inputs.compared["probe"].notna()])
    measured = runs[(runs["views"] != "") & runs["rule"].isin(below)]
    rows = [row for run in measured.to_dict("records") for row in _layers(run)]
    if not rows:
        return None
    kinds = {tuple(row[name] for name in KIND) for row in rows}
    random = runs[runs["rule"] == "readout_only"].to_dict("records")
    rows += [
        row
        for run in random
        if tuple(run[name] for name in KIND) in kinds
        for row in _random_layers(run)
    ]
    keys = ["label", "family", "views", *KIND, "layer", "view"]
    return pd.DataFrame(rows).groupby(keys, sort=False)[["bits", "probe"]].mean().reset_index()


def _layers(run: Mapping[Any, Any]) -> list[dict[str, Any]]:
    same = {name: run[name] for name in ("label", "family", "views", *KIND)}
    return [
        {**same, "layer": l, "view": view, "bits": bits, "probe": run["probe"][l - 1][l - 1]}
        for l, (view, bits) in enumerate(_budgets(run)[:-1], start=1)
        if not parse_view(view).halves_units
    ]


def _random_layers(run: Mapping[Any, Any]) -> list[dict[str, Any]]:
    same = {name: run[name] for name in ("label", "family", *KIND)}
    diagonal = np.diag(np.array(run["probe"], float))[:-1]
    return [
        {**same, "views": RANDOM, "layer": l, "view": RANDOM, "bits": np.nan, "probe": float(p)}
        for l, p in enumerate(diagonal, start=1)
    ]


def _budgets(run: Mapping[Any, Any]) -> list[tuple[str, float]]:
    """The view of each layer and the bits that it offers there."""
    v, n, m, s, L, seed = (int(str(run[name])) for name in (*"vnmsL", "seed"))
    views = str(run["views"]).split(",")
    budgets = [(view, _budget(v, n, m, s, L, seed, view)[l]) for l, view in enumerate(views)]
    return [(view, np.nan if bits is None else bits) for view, bits in budgets]


@cache
def _budget(v: int, n: int, m: int, s: int, L: int, seed: int, view: str) -> list[float | None]:
    return signal_budget(RandomHierarchyModel(v, n, m, s, L, seed), view)


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A panel for each kind of grammar, a mark for each rule and layer: its shape is the view, the
    number in it the layer.  Pointed at, it says the rule."""
    views = sorted(set(table["view"]) - {RANDOM})
    shown = list(style.kinds(table))
    titles = [kind for kind, _ in shown]
    figure, axes = style.panels(titles, height=200, width=180, names=views)
    ink = dict(zip(views, _inks(len(views)), strict=True))
    mark = {view: style.MARKS[place % len(style.MARKS)] for place, view in enumerate(views)}
    for axis, (kind, rows) in zip(axes, shown, strict=True):
        for row in rows[rows["view"] == RANDOM].to_dict("records"):
            axis.axhline(row["probe"], color=style.FAINT, ls=":", lw=1)
            axis.text(
                NOTHING, row["probe"], f"random layer {row['layer']}", color=style.SOFT,
                fontsize=style.SMALL, va="bottom",
            )  # fmt: skip
        for row in rows[rows["view"] != RANDOM].to_dict("records"):
            _mark(axis, row, kind, mark[row["view"]], ink[row["view"]])
        axis.set_xscale("log")
        axis.set_xticks([NOTHING, 1e-4, 0.01, 1], ["none", "0.0001", "0.01", "1"])
        axis.minorticks_off()
        axis.set_xlim(NOTHING / 2, 10)
        axis.set_ylim(0, 1.05)
        axis.set_xlabel("signal budget in bits")
    axes[0].set_ylabel("level l read from layer l")
    looks = {
        view: Line2D([], [], color=ink[view], marker=mark[view], ls="none", ms=7, mew=0)
        for view in views
    }
    style.legend(figure, looks)
    return figure


def _inks(number: int) -> list[str]:
    return [style.INKS[place % len(style.INKS)] for place in range(number)]


def _mark(axis: Axes, row: Mapping[Any, Any], kind: str, mark: str, ink: str) -> None:
    x, y, l = max(row["bits"], NOTHING), row["probe"], row["layer"]
    (point,) = axis.plot(x, y, mark, ms=11, alpha=0.8, mew=0, color=ink)
    value = f"{row['bits']:.4f} bits, level {l} read from it: {y:.4f}"
    style.tip(point, f"{row['label']}, {kind}, layer {l}, {row['view']}: {value}")
    axis.text(x, y, str(l), color="white", fontsize=style.SMALL, ha="center", va="center")


FIGURE = Figure(
    "budget_and_probe",
    "The signal budget",
    "What a view offers a layer, exactly: the mutual information between the patch that the layer "
    "reads and what the view sets beside it. Against it, what became of it: how well the latents "
    "of the layer's own level are read from the layer. The shape of a mark is the view, the number "
    "in it the layer. Dotted: random layers. Layers that compare halves of their units are left "
    "out.",
    table,
    draw,
)

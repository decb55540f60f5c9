"""The signal budget beside what rules made of it."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.report.figures.errors import STYLE, mean_there, tip
from synaptree.results.columns import by_kind
from synaptree.rules import get, names
from synaptree.views.budget import signal_budget
from synaptree.views.registry import parse_view

NOTHING = 1e-6  # bits, drawn at the left edge
MARKS = "osD^vP*X<>"
INKS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")  # Okabe & Ito


def budget_and_probe(frame: pd.DataFrame) -> Figure | None:
    """For each layer below the top: bits that its view offers, and the accuracy of reading its own
    level from it.  A mark for each view, the layer's number in it; pointed at, it says the rule.
    None without layerwise runs.
    """
    points = budget_table(frame)
    if points.empty:
        return None
    order = ["label", "views", "layer", "view"]
    views = sorted(points["view"].unique())
    panels = list(by_kind(points.assign(status="done")))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6 * len(panels) + 1.6, 4.0), layout="constrained")
        axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axis, (title, shown) in zip(axes, panels, strict=True):
            for layer, value in enumerate(_probes(frame, title), start=1):
                axis.axhline(value, color="#999999", linestyle=":", linewidth=1)
                axis.text(
                    *(1.0, value, f" random, layer {layer}"), color="#666666", fontsize=7,
                    transform=axis.get_yaxis_transform(), va="center",
                )  # fmt: skip
            means = shown.groupby(order, sort=False)[["bits", "probe"]].mean().reset_index()
            for row in means.to_dict("records"):
                place = views.index(row["view"])
                x, y, l = max(row["bits"], NOTHING), row["probe"], row["layer"]
                (point,) = axis.plot(x, y, MARKS[place % len(MARKS)], markersize=11, alpha=0.8,
                                     mew=0, color=INKS[place % len(INKS)])  # fmt: skip
                said = f"{row['bits']:.4f} bits, level {l} read from it: {y:.4f}"
                tip(point, f"{row['label']}, {title}, layer {l}, {row['view']}: {said}")
                axis.text(x, y, str(l), color="white", fontsize=7, ha="center", va="center")
            axis.set_xscale("log")
            axis.set_xticks([NOTHING, 1e-4, 0.01, 1], ["none", "0.0001", "0.01", "1"])
            axis.minorticks_off()
            axis.set_xlim(NOTHING / 2, 10)
            axis.set_ylim(0, 1.05)
            axis.set_xlabel("signal budget in bits")
            axis.set_title(title, fontsize=10, loc="left")
        axes[0].set_ylabel("level l read from layer l")
        for place, view in enumerate(views):
            axes[0].plot([], [], MARKS[place % len(MARKS)], color=INKS[place % len(INKS)],
                         markersize=8, mew=0, label=view)  # fmt: skip
        figure.legend(loc="outside right upper", fontsize=8)
    return figure


def budget_table(frame: pd.DataFrame) -> pd.DataFrame:
    """What `budget_and_probe` draws, a row a run and layer below the top.

    Left out are runs that compare at the top alone, and layers that compare halves of their units,
    whose budget is of the patch that they read and not of what is beside it.
    """
    below = [name for name in names() if not get(name).compares_top]
    measured = frame[frame["probe"].notna() & (frame["views"] != "") & frame["rule"].isin(below)]
    rows = [
        {
            **{name: record[name] for name in ("label", "views", *"vnmsLP", "seed")},
            "layer": l,
            "view": view,
            "bits": bits,
            "probe": record["probe"][l - 1][l - 1],
        }
        for record in measured.to_dict("records")
        for l, (view, bits) in enumerate(_budgets(record)[:-1], start=1)
        if not parse_view(view).halves_units
    ]
    return pd.DataFrame(rows)


def _probes(frame: pd.DataFrame, grammar: str) -> list[float]:
    """What a random network has on a grammar, level l read from layer l < L; empty if not run."""
    random = frame[(frame["rule"] == "readout_only") & frame["probe"].notna()]
    for name, runs in by_kind(random):
        if name == grammar:
            return [float(p) for p in np.diag(mean_there(runs["probe"].tolist()))[:-1]]
    return []


def _budgets(record: Mapping[Any, Any]) -> list[tuple[str, float]]:
    """The view of each layer and the bits that it offers there."""
    v, n, m, s, L, seed = (int(str(record[name])) for name in (*"vnmsL", "seed"))
    views = str(record["views"]).split(",")
    found = [(view, _budget(v, n, m, s, L, seed, view)[l]) for l, view in enumerate(views)]
    return [(view, np.nan if bits is None else bits) for view, bits in found]


@cache
def _budget(v: int, n: int, m: int, s: int, L: int, seed: int, view: str) -> list[float | None]:
    return signal_budget(RandomHierarchyModel(v, n, m, s, L, seed), view)

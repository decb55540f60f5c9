"""The signal budget beside what rules made of it."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from synaptree.grammar.budget import signal_budget
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.report.figures import STYLE, mean_there
from synaptree.rules import get, names
from synaptree.study.journal import by_grammar

NOTHING = 1e-6  # bits, drawn at the left edge
MARKS = "osD^vP*X<>"


def budget_and_probe(frame: pd.DataFrame) -> Figure | None:
    """For each layer below the top: bits that its view offers, and the accuracy of reading its own
    level from it.  A mark for each rule with its views, the layer's number in it.  None without
    layerwise runs."""
    measured = _measured(frame)
    panels = list(by_grammar(measured))
    if not panels:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6 * len(panels) + 2.4, 4.0), layout="constrained")
        axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        colours = mpl.colormaps["cividis"]
        told = sorted({_name(row) for row in measured.to_dict("records")})
        for axis, (title, runs) in zip(axes, panels, strict=True):
            floor = _probes(frame, title)
            for layer, value in enumerate(floor, start=1):
                axis.axhline(value, color="#999999", linestyle=":", linewidth=1)
                axis.text(
                    *(1.0, value, f" random, layer {layer}"), color="#666666", fontsize=7,
                    transform=axis.get_yaxis_transform(), va="center",
                )  # fmt: skip
            for _, same in runs.groupby(["label", "views"], sort=False):
                records = same.to_dict("records")
                place = told.index(_name(records[0]))
                colour = colours(place / max(len(told) - 1, 1))
                probe = mean_there(same["probe"].tolist())
                bits = mean_there([_bits(record) for record in records])
                for l in range(len(bits) - 1):
                    x = max(bits[l], NOTHING)
                    axis.plot(x, probe[l, l], MARKS[place % len(MARKS)], color=colour,
                              markersize=11, alpha=0.8, mew=0,
                              label=told[place] if l == 0 else None)  # fmt: skip
                    axis.text(x, probe[l, l], str(l + 1), color="white", fontsize=7,
                              ha="center", va="center")  # fmt: skip
            axis.set_xscale("log")
            axis.set_xticks([NOTHING, 1e-4, 0.01, 1], ["none", "0.0001", "0.01", "1"])
            axis.minorticks_off()
            axis.set_xlim(NOTHING / 2, 10)
            axis.set_ylim(0, 1.05)
            axis.set_xlabel("signal budget in bits")
            axis.set_title(title, fontsize=10, loc="left")
        axes[0].set_ylabel("level l read from layer l")
        handles = {h.get_label(): h for a in axes for h in a.get_legend_handles_labels()[0]}
        figure.legend(handles.values(), handles.keys(), loc="outside right upper", fontsize=8)
    return figure


def budget_table(frame: pd.DataFrame) -> pd.DataFrame:
    """What `budget_and_probe` draws, a row a run and layer below the top."""
    return pd.DataFrame(
        {
            **{name: record[name] for name in ("label", "views", *"vnmsLP", "seed")},
            "layer": l,
            "bits": bits,
            "probe": record["probe"][l - 1][l - 1],
        }
        for record in _measured(frame).to_dict("records")
        for l, bits in enumerate(_bits(record)[:-1], start=1)
    )


def _measured(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs that compare views in every layer: what the top compares says nothing of others."""
    below = [name for name in names() if not get(name).compares_top]
    return frame[frame["probe"].notna() & (frame["views"] != "") & frame["rule"].isin(below)]


def _name(record: Mapping[Any, Any]) -> str:
    return f"{record['label']}: {','.join(dict.fromkeys(str(record['views']).split(',')))}"


def _probes(frame: pd.DataFrame, grammar: str) -> list[float]:
    """What a random network has on a grammar, level l read from layer l < L; empty if not run."""
    random = frame[(frame["rule"] == "readout_only") & frame["probe"].notna()]
    for name, runs in by_grammar(random):
        if name == grammar:
            return [float(p) for p in np.diag(mean_there(runs["probe"].tolist()))[:-1]]
    return []


def _bits(record: Mapping[Any, Any]) -> list[float]:
    v, n, m, s, L, seed = (int(str(record[name])) for name in (*"vnmsL", "seed"))
    views = str(record["views"]).split(",")
    found = [_budget(v, n, m, s, L, seed, view)[l] for l, view in enumerate(views)]
    return [np.nan if bits is None else bits for bits in found]


@cache
def _budget(v: int, n: int, m: int, s: int, L: int, seed: int, view: str) -> list[float | None]:
    return signal_budget(RandomHierarchyModel(v, n, m, s, L, seed), view)

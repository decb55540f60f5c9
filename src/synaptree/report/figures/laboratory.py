"""Figures of the masking laboratory: what masks are worth, and where.

Each is None where the frame has no runs that it could be drawn from.
"""

import json
from collections.abc import Callable
from typing import Any, cast

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synaptree.analysis.data_curves import bounded
from synaptree.analysis.statistics import mean_interval
from synaptree.report.figures.errors import COLOURS, STYLE, folded, labels, mean_there, tip
from synaptree.results.columns import SETTINGS, by_kind
from synaptree.rules import get

Panel = tuple[str, pd.DataFrame]


def _laboratory(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of the masking rule with its own gate, their dials as columns alpha, q and k."""
    runs = runs[runs["rule"] == "masking"]
    options = [json.loads(text) for text in runs["rule_options"]]
    depth = runs["L"].tolist()
    weights = [str(o["weights"]).partition(":") for o in options]
    masks = [str(o["masks"]).partition(":") for o in options]
    ends = {"transpose": 1.0, "random": 0.0}
    alpha = [float(w[2]) if w[2] else ends.get(w[0], np.nan) for w in weights]
    shut = {"true": 1.0, "none": 0.0}
    q = [float(m[2]) if m[0] == "kept" else shut.get(m[0], np.nan) for m in masks]
    k = [
        float(m[2]) if m[0] == "nearest" else shut.get(m[0], np.nan) * (L - 1)
        for m, L in zip(masks, depth, strict=True)
    ]
    dials = runs.assign(alpha=alpha, q=q, k=k)
    return dials[np.array([bool(o.get("own_gate", True)) for o in options], bool)]


def _panels(frame: pd.DataFrame, part: Callable[[pd.DataFrame], pd.DataFrame]) -> list[Panel]:
    found = [(name, part(runs)) for name, runs in by_kind(frame)]
    return [(name, runs) for name, runs in found if len(runs)]


def _cells(runs: pd.DataFrame) -> pd.DataFrame:
    found = _laboratory(runs).dropna(subset=["alpha", "q"])
    return found if min(found["alpha"].nunique(), found["q"].nunique()) > 1 else found.iloc[:0]


def _kept(runs: pd.DataFrame) -> pd.DataFrame:
    found = _laboratory(runs)
    found = found[found["alpha"] == 1].dropna(subset=["k"])
    return found if found["k"].nunique() > 1 else found.iloc[:0]


def phase_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs that `phase_diagram` draws the means of."""
    return _table(_panels(frame, _cells), "alpha", "q")


def masks_above_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs that `masks_above` draws; k: of how many layers above."""
    return _table(_panels(frame, _kept), "k")


def _table(panels: list[Panel], *dials: str) -> pd.DataFrame:
    runs = pd.concat([runs for _, runs in panels])
    return runs[[*"vnmsLP", "seed", *dials, "test_error"]]


def phase_diagram(frame: pd.DataFrame) -> Figure | None:
    """Test error over α (likeness of the feedback weights) × q (fraction of masks kept); means."""
    panels = _panels(frame, _cells)
    if not panels:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.4 * len(panels) + 0.6, 3.8), layout="constrained")
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axis, (name, cells) in zip(axes, panels, strict=True):
            table = cells.pivot_table(index="q", columns="alpha", values="test_error")
            values = table.to_numpy()
            axis.imshow(values, cmap="viridis", vmin=0, vmax=1, origin="lower")
            for (row, column), value in np.ndenumerate(values):
                text = "–" if np.isnan(value) else f"{value:.2f}"
                said = axis.text(column, row, text, ha="center", va="center", fontsize=8,
                                 color="#222222" if value > 0.6 else "white")  # fmt: skip
                dials = f"α={table.columns[column]:g} q={table.index[row]:g}"
                tip(said, f"{name}, {dials}: {value:.4f}")
            axis.set_xticks(range(len(table.columns)), [f"{a:g}" for a in table.columns])
            axis.set_yticks(range(len(table.index)), [f"{q:g}" for q in table.index])
            axis.set_xlabel("α: cosine of feedback with W at the start")
            axis.set_title(name, fontsize=10, loc="left")
        axes[0].set_ylabel("q: fraction of downstream masks kept")
        figure.colorbar(axes[0].images[0], ax=list(axes), label="test error", shrink=0.8)
    return figure


def masks_above(frame: pd.DataFrame) -> Figure | None:
    """Test error against the number of layers above whose masks backprop's chain keeps."""
    panels = _panels(frame, _kept)
    if not panels:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = _row(panels)
        for axis, (name, runs) in zip(axes, panels, strict=True):
            _line(axis, runs, "k", COLOURS["control"], "-", None)
            axis.set_xticks(range(int(runs["k"].max()) + 1))
            axis.set_xlabel("layers above whose masks are kept")
            axis.set_title(name, fontsize=10, loc="left")
        axes[0].set_ylabel("test error")
    return figure


LADDER = (
    (get("backprop"), "reference", "-"),
    (get("masking", masks="other_input"), "control", "--"),
    (get("masking", masks="none"), "control", "-"),
    (get("dfa"), "direct feedback", "-"),
)


def _rungs(frame: pd.DataFrame) -> pd.DataFrame:
    """Of each L and m the runs of the ladder's rules, labelled as these, on one kind of grammar, at
    one P and with one setting: that with most of the rules, of these the largest P."""
    found: list[pd.DataFrame] = []
    for rule, _, _ in LADDER:
        options = rule.model_dump(mode="json", exclude={"name"})
        of_rule = frame[frame["rule"] == rule.name]
        same = [json.loads(str(text)) == options for text in of_rule["rule_options"]]
        found.append(of_rule[np.array(same, bool)].assign(label=rule.label))
    done = pd.concat(found)
    done = done[done["status"] == "done"]
    settings = [name for name in SETTINGS if name in done]
    best: dict[tuple[int, int], tuple[tuple[int, int, int], pd.DataFrame]] = {}
    for _, runs in done.groupby([*"vnmsLP", *settings], dropna=False):
        first = runs.iloc[0]
        at, rank = (first["L"], first["m"]), (runs["label"].nunique(), first["P"], len(runs))
        if rank[0] > 1 and (at not in best or rank > best[at][0]):
            best[at] = rank, runs
    return pd.concat([done.iloc[:0], *(runs for _, runs in best.values())])


def ladder_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs that `ladder` draws."""
    return _rungs(frame)[["label", *"vnmsLP", "seed", "test_error"]]


def ladder(frame: pd.DataFrame) -> Figure | None:
    """Test error against m, a panel for each L: backprop, wrong masks, no masks, DFA."""
    done = _rungs(frame)
    panels = [
        (f"L={cast(int, L)}", runs)
        for L, runs in done.groupby("L")
        if runs["m"].nunique() > 1 and runs["label"].nunique() > 1
    ]
    if not panels:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = _row(panels)
        for axis, (name, runs) in zip(axes, panels, strict=True):
            for rule, kind, dash in LADDER:
                of_rule = runs[runs["label"] == rule.label]
                if len(of_rule):
                    _line(axis, of_rule, "m", COLOURS[kind], dash, rule.label)
            rungs = dict(sorted(zip(runs["m"], runs["P"], strict=True)))
            axis.set_xticks(list(rungs), [f"{m}\nP={P}" for m, P in rungs.items()], fontsize=8)
            axis.set_xlabel("m: synonyms of each feature")
            axis.set_title(name, fontsize=10, loc="left")
        axes[0].set_ylabel("test error")
        handles, names = axes[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False,
                      fontsize=9)  # fmt: skip
    return figure


def alignment(frame: pd.DataFrame) -> Figure | None:
    """The cosine of each layer's update with backprop's while learning, for each rule."""
    across = 5
    aligned = frame.dropna(subset=["curve_step", "curve_alignment", "curve_null"])
    aligned = aligned[np.array([_directions(each) for each in aligned["curve_alignment"]], bool)]
    panels = list(by_kind(aligned))
    if not panels:
        return None
    downs = [-(-len(labels(runs)) // across) for _, runs in panels]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.95 * across, 2.1 * sum(downs) + 0.5), layout="constrained")
        parts = figure.subfigures(len(panels), 1, squeeze=False, height_ratios=downs)[:, 0]
        for part, (name, runs), down in zip(parts, panels, downs, strict=True):
            part.suptitle(name, fontsize=10, weight="bold", x=0.01, ha="left")
            grid = part.subplots(down, across, squeeze=False, sharey=False)
            for axis in grid.flat:
                axis.set_axis_off()
            for axis, (label, kind) in zip(grid.flat, labels(runs), strict=False):
                axis.set_axis_on()
                _angles(axis, runs[runs["label"] == label])
                axis.set_title(folded(label), fontsize=9, color=COLOURS[kind])
                axis.tick_params(labelsize=8)
    return figure


def _directions(curve: Any) -> bool:
    """Whether any layer was updated at all."""
    return bool(np.isfinite(np.array(curve, float)).any())


def _angles(axis: Axes, runs: pd.DataFrame) -> None:
    shared = min(len(each) for each in runs["curve_step"])
    steps = runs["curve_step"].iloc[0][:shared]
    rule, null = (
        np.array([each[:shared] for each in runs[f"curve_{name}"]], float)
        for name in ("alignment", "null")
    )
    # The null's whole spread, over replicas and layers: what is within it means nothing.
    axis.fill_between(steps, np.nanmin(null, (0, 2)), np.nanmax(null, (0, 2)), color="#cccccc",
                      linewidth=0)  # fmt: skip
    layers = rule.shape[2]
    for l in range(layers):
        if np.isfinite(rule[:, :, l]).any():
            colour = mpl.colormaps["viridis"](0.8 * l / max(layers - 1, 1))
            mean = mean_there(rule[:, :, l])  # a layer may rest in all replicas at once
            last = np.flatnonzero(np.isfinite(mean))[-1]
            (line,) = axis.plot(steps, mean, color=colour, linewidth=1.3)
            said = f"{runs['label'].iloc[0]}, layer {l + 1}: cosine"
            tip(line, f"{said} {mean[last]:.3f} at the end")
            axis.annotate(f"{l + 1}", (steps[last], mean[last]), fontsize=7,
                          color=colour, xytext=(2, 0), textcoords="offset points")  # fmt: skip
    axis.set_ylim(min(-0.35, float(np.nanmin(rule, initial=0))), 1.05)
    axis.set_xticks([steps[-1]])


def _row(panels: list[Panel]) -> tuple[Figure, Any]:
    figure = Figure(figsize=(max(3.6 * len(panels), 4.5), 3.9), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axis in axes:
        axis.set_ylim(0, 1)
        axis.grid(axis="y", color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
    return figure, axes


def _line(
    axis: Axes, runs: pd.DataFrame, by: str, colour: str, dash: str, label: str | None
) -> None:
    """Mean test error with its 95% interval against a column; replicas as dots."""
    found = [(float(cast(float, x)), each["test_error"].tolist()) for x, each in runs.groupby(by)]
    intervals = [mean_interval(errors) for _, errors in found]
    x = [each for each, _ in found]
    axis.plot(x, [mean for mean, _, _ in intervals], dash, color=colour, label=label, linewidth=1.8)
    for (place, errors), (mean, low, high) in zip(found, intervals, strict=True):
        said = f"{runs['label'].iloc[0]}, {by}={place:g}: {bounded(mean, low, high, digits=4)}"
        if np.isfinite(low):
            axis.plot([place] * 2, [max(low, 0), min(high, 1)], color=colour, alpha=0.4)
        look: Any = {"color": colour, "markersize": 3, "alpha": 0.5, "mew": 0}
        (dots,) = axis.plot([place] * len(errors), errors, "o", **look)
        tip(dots, said)

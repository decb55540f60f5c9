"""How much data: error against P, P* beside backprop's, and how P* grows, beside theory."""

from itertools import count
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synaptree.measures.complexity import chance_error
from synaptree.measures.statistics import mean_interval
from synaptree.report.figures import COLOURS, STYLE, arranged, labels
from synaptree.study.efficiency import SHARE, Curve, best, compared, curves

DASHES = ("-", "--", ":", "-.")
MARKS = "osD^vP*Xd<>h8p"


def error_against_P(frame: pd.DataFrame) -> Figure | None:
    """Test error against P, a panel for each kind of grammar: mean and 95% interval over grammars.

    None where nothing was run at several P.
    """
    found = curves(frame)
    if not found:
        return None
    kinds = list(dict.fromkeys(c.name for c in found))
    with mpl.rc_context(STYLE):
        figure, axes = _panels(len(kinds), 3.3)
        look = _looks(frame)
        for axis, kind in zip(axes, kinds, strict=False):
            here = [c for c in found if c.name == kind]
            for curve in here:
                errors = np.stack([e.mean(0) for e in curve.errors.values()])
                mean, low, high = np.array([mean_interval(e.tolist()) for e in errors.T]).T
                colour, dash, mark = look[curve.label]
                axis.plot(curve.sizes, mean, dash, marker=mark, ms=4, color=colour, lw=1.4)
                bounds = (np.clip(low, 0, 1), np.clip(high, 0, 1))
                axis.fill_between(curve.sizes, *bounds, color=colour, alpha=0.1, lw=0)
            axis.axhline(SHARE * chance_error(here[0].kind["n"]), color="#999999", ls=":", lw=1)
            axis.set_xscale("log", base=2)
            axis.set_title(kind, fontsize=10, loc="left")
            axis.set_xlabel("P, training strings")
            axis.set_ylabel("test error")
            axis.set_ylim(0, 1)
        _legend(figure, found, look)
    return figure


def needs_beside_backprop(frame: pd.DataFrame) -> Figure | None:
    """P* of each rule over that of backprop at its best on the same grammars, with 95% intervals.

    None where backprop's P* is not known.
    """
    found = curves(frame)
    least = {k: c for k, c in best(found, "backprop").items() if not c.needs().censored}
    pairs = [(c, least[key]) for c in found if (key := tuple(c.kind.values())) in least]
    pairs = [(c, b) for c, b in pairs if c is not b]
    if not pairs:
        return None
    present = {c.label for c, _ in pairs}
    rows = [(label, kind) for label, kind in labels(frame) if label in present]
    kinds = list(dict.fromkeys(c.name for c, _ in pairs))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 0.34 * len(rows) + 1.6), layout="constrained")
        axis = figure.subplots()
        top = 1.0
        spread = np.linspace(-0.25, 0.25, len(kinds)) if len(kinds) > 1 else np.zeros(1)
        for curve, backprop in pairs:
            place = [label for label, _ in rows].index(curve.label)
            which = kinds.index(curve.name)
            value, low, high, n = compared(curve, backprop)
            colour = COLOURS[rows[place][1]]
            y, mark = place + spread[which], MARKS[which % len(MARKS)]
            if not np.isfinite(value):  # censored: more than was tried
                at = max(curve.sizes) / backprop.needs().value
                axis.plot([at], [y], ">", color=colour, mfc="none", ms=6)
                top = max(top, at)
            elif n:
                last = min(high, max(curve.sizes) / backprop.needs().value)
                axis.plot(
                    [max(low, 1e-2), max(last, value)], [y, y], color=colour, lw=1.6, alpha=0.5
                )
                axis.plot([value], [y], mark, color=colour, ms=5, mew=0)
                top = max(top, last, value)
        axis.axvline(1, color="#555555", lw=1)
        axis.set_xscale("log", base=2)
        axis.set_xlim(right=1.3 * top)
        axis.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        axis.set_xlabel("P* / P* of backprop at its best   (▷: not reached at the largest P)")
        axis.set_yticks(range(len(rows)), [label for label, _ in rows])
        for tick, (_, kind) in zip(axis.get_yticklabels(), rows, strict=True):
            tick.set_color(COLOURS[kind])
        axis.set_ylim(len(rows) - 0.5, -0.6)
        axis.grid(axis="x", color="#dddddd", linewidth=0.6)
        for which, kind in enumerate(kinds):
            axis.plot([], [], MARKS[which % len(MARKS)], color="#777777", ms=5, label=kind)
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def growth(frame: pd.DataFrame) -> Figure | None:
    """P* against m, a panel for each L, and against L, a panel for each m; theory as grey lines.

    None where no rule's P* is known at two of either.
    """
    found = [c for c in curves(frame) if not c.needs().censored]
    lines: dict[tuple[str, str], dict[str, list[Curve]]] = {}
    for along in ("m", "L"):
        for curve in found:
            rest = " ".join(f"{k}={curve.kind[k]}" for k in "vnmsL" if k != along)
            lines.setdefault((along, rest), {}).setdefault(curve.label, []).append(curve)
    lines = {
        key: kept
        for key, each in lines.items()
        if (kept := {label: line for label, line in each.items() if len(line) > 1})
    }
    if not lines:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = _panels(len(lines), 3.4)
        look = _looks(frame)
        for axis, ((along, rest), each) in zip(axes, lines.items(), strict=False):
            for label, line in each.items():
                line.sort(key=lambda c: c.kind[along])
                x = [c.kind[along] for c in line]
                needs = [c.needs() for c in line]
                colour, dash, mark = look[label]
                bars = [
                    [each.value - each.low for each in needs],
                    [min(each.high, 2 * each.value) - each.value for each in needs],
                ]
                axis.errorbar(x, [each.value for each in needs], bars, ls=dash, marker=mark,
                              ms=4, color=colour, lw=1.4, elinewidth=1)  # fmt: skip
            _theory(axis, [c for line in each.values() for c in line], along)
            axis.set_yscale("log", base=2)
            if along == "m":
                axis.set_xscale("log", base=2)
            ticks = sorted({c.kind[along] for line in each.values() for c in line})
            axis.set_xticks(ticks, [str(t) for t in ticks])
            axis.minorticks_off()
            axis.set_xlabel("m, synonyms of each symbol" if along == "m" else "L, levels")
            axis.set_ylabel("P*")
            axis.set_title(rest, fontsize=10, loc="left")
        _legend(
            figure, [c for each in lines.values() for line in each.values() for c in line], look
        )
    return figure


def _theory(axis: Axes, found: list[Curve], along: str) -> None:
    for name, dash in (("n·m**L", (0, (5, 2))), ("v·m³", (0, (1, 2)))):
        points = sorted({(c.kind[along], c.predicted[name]) for c in found})
        x, y = zip(*points, strict=True)
        axis.plot(x, y, color="#999999", ls=dash, lw=1.2)
        axis.annotate(name, (x[-1], y[-1]), color="#777777", fontsize=8, ha="right", va="bottom")


def _panels(number: int, height: float) -> tuple[Figure, list[Any]]:
    across, down = arranged(number)
    figure = Figure(figsize=(3.6 * across + 0.6, height * down + 0.9), layout="constrained")
    axes = list(figure.subplots(down, across, squeeze=False).flat)
    for axis in axes[number:]:
        axis.set_axis_off()
    for axis in axes[:number]:
        axis.grid(color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
    return figure, axes


def _looks(frame: pd.DataFrame) -> dict[str, tuple[str, str, str]]:
    """Of each label a colour, which its family shares, and dashes and a mark of its own."""
    found: dict[str, tuple[str, str, str]] = {}
    places = {kind: count() for kind in COLOURS}
    for label, kind in labels(frame):
        place = next(places[kind])
        dash = DASHES[place % len(DASHES)]
        found[label] = (COLOURS[kind], dash, MARKS[place % len(MARKS)])
    return found


def _legend(figure: Figure, found: list[Curve], look: dict[str, tuple[str, str, str]]) -> None:
    there = {c.label for c in found}
    axis = figure.axes[0]
    for label, (colour, dash, mark) in look.items():
        if label in there:
            axis.plot([], [], dash, marker=mark, ms=4, color=colour, lw=1.4, label=label)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9)

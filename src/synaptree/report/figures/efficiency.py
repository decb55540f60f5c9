"""How much data: error against P, P* beside backprop's, and how P* grows, beside theory."""

from collections.abc import Iterable
from itertools import count
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from synaptree.analysis.data_curves import (
    SHARE,
    DataCurve,
    bounded,
    compared,
    data_curves,
    needs_said,
    ratio_said,
    references,
)
from synaptree.analysis.growth import growth as fitted
from synaptree.analysis.growth import line_name, lines, shared_seeds
from synaptree.analysis.sample_complexity import chance_error
from synaptree.analysis.settings import short_views
from synaptree.analysis.statistics import mean_interval
from synaptree.report.figures.errors import COLOURS, CROWDED, STYLE, arranged, family, labels, tip

DASHES = ("-", "--", ":", "-.")
MARKS = "osD^vP*Xd<>h8p"


def error_against_P(frame: pd.DataFrame) -> Figure | None:
    """Test error against P, a panel for each kind of grammar: mean and 95% interval over grammars.

    A kind with many rules has a panel for each family, backprop at its best in each.  None where
    nothing was run at several P.
    """
    found = data_curves(frame)
    if not found:
        return None
    panels = _by_family(found)
    with mpl.rc_context(STYLE):
        figure, axes = _panels(len(panels), 3.3)
        look = _looks(labels(frame))
        for axis, (title, here) in zip(axes, panels.items(), strict=False):
            for curve in here:
                errors = np.stack([e.mean(0) for e in curve.errors.values()])
                mean, low, high = np.array([mean_interval(e.tolist()) for e in errors.T]).T
                colour, dash, mark = look[curve.label]
                axis.plot(curve.sizes, mean, dash, color=colour, lw=1.4)
                for P, *error in zip(curve.sizes, mean, low, high, strict=True):
                    (point,) = axis.plot([P], error[:1], mark, ms=4, color=colour)
                    tip(point, f"{curve.label}, P={P}: {bounded(*error, digits=4)}")
                bounds = (np.clip(low, 0, 1), np.clip(high, 0, 1))
                axis.fill_between(curve.sizes, *bounds, color=colour, alpha=0.1, lw=0)
            axis.axhline(SHARE * chance_error(here[0].kind["n"]), color="#999999", ls=":", lw=1)
            _by_octaves(axis.set_xscale, axis.xaxis)
            axis.set_title(title, fontsize=10, loc="left")
            axis.set_xlabel("P, training strings")
            axis.set_ylabel("test error")
            axis.set_ylim(0, 1)
        _legend(figure, look, {c.label for c in found})
    return figure


def _by_family(found: list[DataCurve]) -> dict[str, list[DataCurve]]:
    """Panels of `error_against_P` by their titles."""
    least = references(found)
    panels: dict[str, list[DataCurve]] = {}
    for kind in dict.fromkeys(tuple(c.kind.values()) for c in found):
        here = [c for c in found if tuple(c.kind.values()) == kind]
        if len(here) <= CROWDED:
            panels[here[0].name] = here
            continue
        families = [family(c.rule) for c in here]
        for name in (each for each in COLOURS if each in families):
            own = [c for c, of in zip(here, families, strict=True) if of == name]
            beside = [c for c in here if c is least.get(kind) and c not in own]
            panels[f"{here[0].name}\n{name}"] = [*beside, *own]
    return panels


def needs_beside_backprop(frame: pd.DataFrame) -> Figure | None:
    """P* of each rule over that of backprop at its best on the same grammars, with 95% intervals.

    None where backprop's P* is not known.
    """
    found = data_curves(frame)
    least = references(found)
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
            if curve.needs().censored:  # more than was tried
                (point,) = axis.plot([value], [y], ">", color=colour, mfc="none", ms=6)
                tip(point, f"{curve.label}, {curve.name}: more than {value:.2f}")
                top = max(top, value)
            elif n:
                last = max(min(high, max(curve.sizes) / backprop.needs().value), value)
                axis.plot([max(low, 1e-2), last], [y, y], color=colour, lw=1.6, alpha=0.5)
                if np.isinf(high):  # no end is known
                    axis.plot([last], [y], ">", color=colour, ms=4, alpha=0.5, mew=0)
                (point,) = axis.plot([value], [y], mark, color=colour, ms=5, mew=0)
                said = bounded(value, low, high, digits=2)
                tip(point, f"{curve.label}, {curve.name}: {said}, {n} grammars")
                top = max(top, last)
        axis.axvline(1, color="#555555", lw=1)
        _by_octaves(axis.set_xscale, axis.xaxis)
        axis.set_xlim(right=1.3 * top)
        axis.set_xlabel("P* / that of backprop (▷: not reached)", loc="right")
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
    found = _lines(data_curves(frame))
    if not found:
        return None
    with mpl.rc_context(STYLE):
        figure, axes = _panels(len(found), 3.4)
        look = _looks(
            {
                name: family(line[0].rule) for each in found.values() for name, line in each.items()
            }.items()
        )
        for axis, ((along, rest), each) in zip(axes, found.items(), strict=False):
            for label, line in each.items():
                x = [c.kind[along] for c in line]
                needs = [c.needs() for c in line]
                colour, dash, mark = look[label]
                axis.plot(x, [need.value for need in needs], dash, color=colour, lw=1.4)
                for at, need in zip(x, needs, strict=True):
                    above = min(need.high, 2 * need.value)
                    axis.plot([at, at], [need.low, above], color=colour, lw=1)
                    if above < need.high:  # it goes on
                        axis.plot([at], [above], "^", color=colour, ms=4, mew=0)
                    (point,) = axis.plot([at], [need.value], mark, ms=4, color=colour)
                    said = bounded(need.value, need.low, need.high)
                    tip(point, f"{label}, {rest} {along}={at}: P* {said}")
            _theory(axis, [c for line in each.values() for c in line], along)
            _by_octaves(axis.set_yscale, axis.yaxis)
            if along == "m":
                axis.set_xscale("log", base=2)
            ticks = sorted({c.kind[along] for line in each.values() for c in line})
            axis.set_xticks(ticks, [str(t) for t in ticks])
            axis.minorticks_off()
            axis.set_xlabel("m, synonyms of each symbol" if along == "m" else "L, levels")
            axis.set_ylabel("P*")
            axis.set_title(rest, fontsize=10, loc="left")
        _legend(figure, look, set(look))
    return figure


def needs_table(frame: pd.DataFrame) -> pd.DataFrame:
    """P* of every curve and over backprop's, with the ends of their 95% intervals (infinite: none
    is known; not reached: the largest P that was tried, and more)."""
    found = data_curves(frame)
    least = references(found)
    rows: list[dict[str, object]] = []
    for curve in found:
        needs, reference = curve.needs(), least.get(tuple(curve.kind.values()))
        row: dict[str, object] = {"label": curve.label, "views": curve.views, **curve.kind}
        row |= {"grammars": len(curve.errors), "P_least": curve.sizes[0], "P_most": curve.sizes[-1]}
        row |= {"reached": not needs.censored, "at_most": needs.below, "P*": needs.value}
        row |= {"P*_low": needs.low, "P*_high": needs.high}
        if reference is not None and reference is not curve:
            ratio, low, high, _ = compared(curve, reference)
            row |= {"ratio": ratio, "ratio_low": low, "ratio_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def growth_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The points that `growth` draws: P* of each line along m or L, beside theory."""
    return pd.DataFrame(
        {
            "line": label,
            **curve.kind,
            "along": along,
            "P*": (needs := curve.needs()).value,
            "P*_low": needs.low,
            "P*_high": needs.high,
            **curve.predicted,
        }
        for (along, _), each in _lines(data_curves(frame)).items()
        for label, line in each.items()
        for curve in line
    )


def needs_rows(frame: pd.DataFrame) -> list[dict[str, str]]:
    """One row a rule and kind of grammar that was run at several P: P*, and over backprop's."""
    found = data_curves(frame)
    least = references(found)
    rows: list[dict[str, str]] = []
    for kind in dict.fromkeys(tuple(c.kind.values()) for c in found):
        here = [c for c in found if tuple(c.kind.values()) == kind]
        theory = ", ".join(f"{name} = {value}" for name, value in here[0].predicted.items())
        for curve in sorted(here, key=lambda c: c.needs().value):
            reference = least.get(kind)
            over = ""
            if reference is not None and reference is not curve:
                over = ratio_said(curve, reference)
            rows.append(
                {
                    "grammar": f"{curve.name}: {theory}",
                    "label": curve.label,
                    "views": short_views(curve.views),
                    "grammars": str(len(curve.errors)),
                    "sizes": f"{curve.sizes[0]} – {curve.sizes[-1]}",
                    "needs": needs_said(curve),
                    "ratio": over,
                }
            )
    return rows


def growth_rows(frame: pd.DataFrame) -> list[dict[str, str]]:
    """One row a rule and line of grammars: the exponent of P* in m, or what each level multiplies
    P* by, beside what theory says of n·m**L and of v·m³."""
    rows: list[dict[str, str]] = []
    for (along, rest), each in _lines(data_curves(frame)).items():
        what = "the exponent in m" if along == "m" else "the factor of each level"
        for label, line in each.items():
            if not (seeds := shared_seeds(line)):  # other grammars at each point: nothing to pair
                continue
            law = fitted(line, seeds, by_level=along == "L")
            said = np.array([law.exponent, law.low, law.high])
            fixed = line[0].kind["L"] if along == "m" else line[0].kind["m"]
            rows.append(
                {
                    "grammar": f"{rest}: {what}, n·m**L: {fixed}, v·m³: {3 if along == 'm' else 1}",
                    "label": label,
                    "over": ", ".join(f"{along}={c.kind[along]}" for c in line),
                    "law": bounded(*(np.exp(said) if along == "L" else said), digits=2),
                }
            )
    return rows


def _lines(found: list[DataCurve]) -> dict[tuple[str, str], dict[str, list[DataCurve]]]:
    """Of what stays the same along m, and along L, the curves of each rule whose P* is known at two
    or more, by name."""
    kept: dict[tuple[str, str], dict[str, list[DataCurve]]] = {}
    for along in ("m", "L"):
        for rest, line in lines(found, along):
            if len(line) > 1:
                kept.setdefault((along, rest), {})[line_name(line)] = line
    return kept


def _theory(axis: Axes, found: list[DataCurve], along: str) -> None:
    for name, dash, end in (("n·m**L", (0, (5, 2)), -1), ("v·m³", (0, (1, 2)), 0)):
        points = sorted({(c.kind[along], c.predicted[name]) for c in found})
        x, y = zip(*points, strict=True)
        axis.plot(x, y, color="#999999", ls=dash, lw=1.2)
        side: Any = {"ha": "right" if end else "left", "va": "bottom"}
        axis.annotate(name, (x[end], y[end]), color="#777777", fontsize=8, **side)


def _by_octaves(scale: Any, axis: Any) -> None:
    """A logarithmic axis whose marks are plain numbers."""
    scale("log", base=2)
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


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


def _looks(named: Iterable[tuple[str, str]]) -> dict[str, tuple[str, str, str]]:
    """Of each label and family a colour, which the family shares, and dashes and a mark of its
    own."""
    found: dict[str, tuple[str, str, str]] = {}
    places = {kind: count() for kind in COLOURS}
    for label, kind in named:
        place = next(places[kind])
        dash = DASHES[place % len(DASHES)]
        found[label] = (COLOURS[kind], dash, MARKS[place % len(MARKS)])
    return found


def _legend(figure: Figure, look: dict[str, tuple[str, str, str]], there: set[str]) -> None:
    axis = figure.axes[0]
    for label, (colour, dash, mark) in look.items():
        if label in there:
            axis.plot([], [], dash, marker=mark, ms=4, color=colour, lw=1.4, label=label)
    wide = max(map(len, there)) > 34  # three columns of long labels are wider than the page
    figure.legend(loc="outside lower center", ncols=2 if wide else 3, frameon=False, fontsize=9)

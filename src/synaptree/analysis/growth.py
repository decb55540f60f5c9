"""How P* grows with the number of synonyms m and with depth L."""

from collections.abc import Sequence

import numpy as np

from synaptree.analysis.data_curves import DataCurve
from synaptree.analysis.needs_by_depth import AtDepth
from synaptree.analysis.sample_complexity import PowerLaw, power_law, slope_interval
from synaptree.results.columns import kind_name


def growth(curves: list[DataCurve], seeds: list[int], by_level: bool = False) -> PowerLaw:
    """The power law of P* in m, for curves that differ in m alone.

    by_level: in e**L instead, for curves that differ in L alone.  The exponent is then the log of
    the factor by which each level multiplies P*.
    """
    at = {float(np.exp(c.kind["L"])) if by_level else float(c.kind["m"]): c for c in curves}
    return power_law({x: c.needs(seeds) for x, c in at.items()}, len(seeds))


def factor_per_level(points: Sequence[AtDepth]) -> tuple[float, float, float]:
    """By what each level multiplies P*, with its 95% interval, over the L where P* is known.

    NaN where it is known at fewer than two.  Grammars of different L have nothing in common, so
    that each L is resampled by itself.
    """
    known = [(point.kind["L"], point.needs) for point in points if point.known and point.needs]
    if len({L for L, _ in known}) < 2:
        return np.nan, np.nan, np.nan
    levels = np.array([L for L, _ in known], float)
    slope = np.polyfit(levels, np.log([needs.value for _, needs in known]), 1)[0]
    draws = np.stack([np.random.default_rng(L).permutation(needs.draws) for L, needs in known])
    whole = np.isfinite(draws).all(0)
    slopes = np.full(draws.shape[1], np.nan)
    if whole.any():
        slopes[whole] = np.polyfit(levels, np.log(draws[:, whole]), 1)[0]
    interval = slope_interval(slopes, min(len(needs.errors) for _, needs in known))
    factor, low, high = np.exp([slope, *interval])
    return float(factor), float(low), float(high)


def lines(curves: list[DataCurve], along: str) -> list[tuple[str, list[DataCurve]]]:
    """For each rule its curves with a known P*, in ascending order of m or of L.

    along: ``m`` or ``L``.  Each line comes with the rest of its kind of grammar, as in
    ``v=8 n=8 s=2 L=3``.  A rule is taken at its best: on each kind of grammar the curve with the
    least P* counts, whatever its settings.  Other kinds of views (siblings, inputs of one class)
    make another line.
    """
    best: dict[tuple[object, ...], dict[int, DataCurve]] = {}
    for curve in curves:
        if not curve.known:
            continue
        rest = kind_name(curve.kind, leave_out=along)
        views = tuple(dict.fromkeys(curve.views.split(",")))  # the same at every depth
        line = best.setdefault((rest, curve.rule, curve.options, curve.source, views), {})
        x = curve.kind[along]
        if x not in line or curve.needs().value < line[x].needs().value:
            line[x] = curve
    return [(str(rest), [line[x] for x in sorted(line)]) for (rest, *_), line in best.items()]


def line_name(line: list[DataCurve]) -> str:
    """The rule of a line and the views that it compares, as ``clapp · sibling, same_class``."""
    rule = min((c.label for c in line), key=len).split(", views=")[0]
    views = ", ".join(dict.fromkeys(line[0].views.split(",")))
    return f"{rule} · {views}" if views else rule


def shared_seeds(curves: list[DataCurve]) -> list[int]:
    """The grammars that all of these curves were run on."""
    return sorted(set.intersection(*(set(c.errors) for c in curves))) if curves else []

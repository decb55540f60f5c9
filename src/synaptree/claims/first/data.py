"""Claim 4: layerwise rules need no more data than backprop."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from synaptree.analysis.data_curves import (
    DataCurve,
    compared,
    data_curves,
    references,
)
from synaptree.analysis.growth import growth, line_name, lines, shared_seeds
from synaptree.analysis.sample_complexity import slope_interval
from synaptree.claims.base import (
    Claim,
    Evidence,
    Findings,
    Results,
    Thresholds,
    compare_interval,
    members,
)
from synaptree.claims.effects import span

THRESHOLDS = {
    # P*(rule) / P*(backprop), where backprop is at its best
    "ratio_at_most": 1.5,
    # of P* in m: the rule's − backprop's; sibling: − 3, as in v·m³
    "exponents_differ_by_at_most": 0.5,
    # sibling: what each level multiplies P* by (n·m**L: by m)
    "growth_with_L_at_most": 1.5,
}
References = Mapping[tuple[int, ...], DataCurve]  # backprop's best curve by kind of grammar


def collect(results: Results, limits: Thresholds) -> Findings:
    """Compare P* of every layerwise rule with backprop's, and how it grows with m and L."""
    every_rule = data_curves(results.told_apart)
    backprop = references(every_rule)
    layerwise = members(results.told_apart, "layerwise")
    evidence: list[Evidence] = []
    ratios: dict[tuple[Any, ...], dict[str, float]] = {}
    ours: list[DataCurve] = []
    for curve in every_rule:
        kind = tuple(curve.kind.values())
        if curve.rule not in layerwise or kind not in backprop or not backprop[kind].known:
            continue
        measured = compared(curve, backprop[kind])
        reached = not curve.needs().censored
        what = f"P* of {curve.label}{'' if reached else ', not reached,'} / P* of backprop"
        most = limits["ratio_at_most"]
        evidence.append(compare_interval(what, curve.name, measured, "<=", most, curve.became))
        ratios.setdefault(kind, {})[curve.label] = measured[0] if reached else np.inf
        ours.append(curve)
    evidence += _growth_with_m(ours, backprop, limits["exponents_differ_by_at_most"])
    evidence += _growth_with_L(ours, limits["growth_with_L_at_most"])
    effects = [f"{backprop[kind].name}: {span(r, '{:.2f}')}" for kind, r in ratios.items()]
    return Findings([e for e in evidence if e.n], effects)


def _growth_with_m(ours: list[DataCurve], backprop: References, most: float) -> Iterator[Evidence]:
    """The exponent of P* in m, beside backprop's or, where siblings are compared, beside 3."""
    for rest, line in lines(ours, "m"):
        pairs = [(c, b) for c in line if (b := backprop[tuple(c.kind.values())]).known]
        seeds = shared_seeds([curve for pair in pairs for curve in pair])
        if len(pairs) < 3 or not seeds:
            continue
        own, reference = (growth([pair[i] for pair in pairs], seeds) for i in (0, 1))
        siblings = "sibling" in line[0].views
        slope, slopes = (3.0, 3.0) if siblings else (reference.exponent, reference.draws)
        low, high = slope_interval(own.draws - slopes, len(seeds))
        against = "3" if siblings else "backprop's"
        what = f"{line_name(line)}: exponent of P* in m − {against}"
        where = f"{rest} m={', '.join(str(c.kind['m']) for c, _ in pairs)}"
        measured = (own.exponent - slope, low, high, len(seeds))
        became = _became([curve for pair in pairs for curve in pair])
        yield compare_interval(what, where, measured, "within ±", most, became)


def _growth_with_L(ours: list[DataCurve], most: float) -> Iterator[Evidence]:
    """The factor by which P* grows with each level, where siblings are compared."""
    for rest, line in lines(ours, "L"):
        seeds = shared_seeds(line)
        if len(line) < 2 or not seeds or "sibling" not in line[0].views:
            continue
        law = growth(line, seeds, by_level=True)
        value, low, high = (float(np.exp(x)) for x in (law.exponent, law.low, law.high))
        what = f"{line_name(line)}: growth of P* with each level"
        where = f"{rest} L={', '.join(str(c.kind['L']) for c in line)}"
        measured = (value, low, high, len(seeds))
        yield compare_interval(what, where, measured, "<=", most, _became(line))


def _became(curves: list[DataCurve]) -> str:
    """What became of the runs of several curves, each kind of news once."""
    return next((c.became for c in curves if c.became.startswith("diverged")), "")


CLAIM = Claim(
    4,
    "Layerwise rules need no more data than backprop",
    THRESHOLDS,
    collect,
    ("backprop", "layerwise"),
    "no kind of grammar has runs of both at several P, from which P* is read",
)

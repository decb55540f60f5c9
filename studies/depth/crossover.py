"""P* against L of backprop and of the layerwise rules: where is the crossover?

python studies/depth/crossover.py FOLDER [FOLDER …]

FOLDERs have the results of `run-needs.yaml`, of others that measure P*, or of a rule of your own.
All are read as one. Prints a table for each m: P* at each L with its interval, by what each level
multiplies it from L=3 on, and from which level on a rule needs less data than backprop at its best.
Below stand the ratios, paired by grammar.
"""

import sys
from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd

from synaptree import load
from synaptree.analysis.data_curves import bounded
from synaptree.analysis.growth import factor_per_level
from synaptree.analysis.needs_by_depth import AtDepth, needs_by_depth
from synaptree.analysis.paired import Estimate, Needs, needs_ratio, ratio_of_medians
from synaptree.analysis.sample_complexity import Array, first_crossing
from synaptree.grammar.exact import predicted_sample_complexity
from synaptree.training.solved import solved_at

BACKPROP, AUTHORS = "backprop at its best", "backprop as its authors train it"
# A grammar with L=2 has only a few hundred strings: there all rules need most of them.
GROWS_FROM = 3
Lines = Mapping[str, Mapping[int, AtDepth]]  # by rule and L


def lines(frame: pd.DataFrame) -> dict[int, dict[str, dict[int, AtDepth]]]:
    """By m and rule the points at each L. The authors' recipe ends at a training loss; where it
    needs the least, it is backprop at its best."""
    authors = by_authors(frame)
    found: dict[int, dict[str, dict[int, AtDepth]]] = {}
    for runs, words in ((frame, BACKPROP), (frame[authors], AUTHORS)):
        for line in needs_by_depth(runs, levels=True):
            points = {point.kind["L"]: point for point in line if point.needs is not None}
            context = " (top alone)" if '"context": "top"' in line[0].words else ""
            name = words if line[0].rule == "backprop" else line[0].rule + context
            found.setdefault(line[0].kind["m"], {})[name] = points
    return found


def by_authors(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Which runs are backprop with the recipe of the RHM's authors."""
    return frame["rule"].eq("backprop") & frame["stop_loss"].gt(0)


def over_backprop(of_m: Lines, name: str) -> dict[int, Estimate]:
    """P* over that of backprop at its best at each L, on the grammars of both."""
    ratios: dict[int, Estimate] = {}
    for L, point in of_m[name].items():
        reference = of_m.get(BACKPROP, {}).get(L)
        if reference is None or name == BACKPROP:
            continue
        if set(point.seeds) & set(reference.seeds):
            ratios[L] = ratio(point, reference)
    return ratios


def ratio(point: AtDepth, reference: AtDepth) -> Estimate:
    """P* over that of another, on the grammars that both were run on: a rule that no size is enough
    for was run on few."""
    shared = set(point.seeds) & set(reference.seeds)
    return needs_ratio(on(point, shared), on(reference, shared))


def on(point: AtDepth, seeds: Collection[int]) -> Needs:
    """P* over some of the grammars."""
    assert point.needs is not None
    errors = point.needs.errors[[seed in seeds for seed in point.seeds]]
    return Needs.of(point.sizes, errors, solved_at(point.kind["n"]))


def by_grammar(point: AtDepth) -> Array:
    """P* of each grammar alone, from the sizes at which it was run; infinite if none is enough."""
    assert point.needs is not None
    threshold, found = solved_at(point.kind["n"]), []
    for errors in point.needs.errors:
        ran = ~np.isnan(errors)
        sizes = np.compress(ran, point.needs.sizes).tolist()
        found.append(float(first_crossing(sizes, errors[ran], threshold, stays=True)))
    return np.array(found)


def median_ratio(point: AtDepth, reference: AtDepth) -> Estimate:
    """P* of the median grammar over that of another rule, on the grammars of both. Unlike P* of the
    mean error it does not depend on a single grammar that stays unsolved."""
    shared = set(point.seeds) & set(reference.seeds)
    a, b = (by_grammar(at)[[seed in shared for seed in at.seeds]] for at in (point, reference))
    return ratio_of_medians(a, b)


def growth(points: Mapping[int, AtDepth]) -> tuple[float, float, float]:
    """By what each level multiplies P*, with its interval, from the first L that counts."""
    return factor_per_level([at for L, at in points.items() if L >= GROWS_FROM])


def ahead_from(ratios: Mapping[int, Estimate], proved: bool) -> int | None:
    """The L from which on the ratio is below 1; proved: its whole interval."""
    first = None
    for L in sorted(ratios, reverse=True):
        ratio = ratios[L]
        below = not ratio.at_least and (ratio.high if proved else ratio.value) < 1
        if not below:
            break
        first = L
    return first


def said(estimate: Estimate, most: float = np.inf, digits: int = 0) -> str:
    """An estimate with its interval, or a bound."""
    if estimate.at_least and estimate.at_most:
        return "?"
    if estimate.at_least:
        return f"> {min(estimate.value, most):.{digits}f}"
    sign = "≤ " * estimate.at_most
    return sign + bounded(estimate.value, estimate.low, estimate.high, digits=digits)


def table(of_m: Lines, m: int) -> Iterator[str]:
    """P* of each rule, its growth, and from which level on it is ahead of backprop."""
    levels = sorted({L for points in of_m.values() for L in points})
    heads = [*(f"L={L}" for L in levels), "a level", "less from", "proved from"]
    yield f"| P*, m={m} | " + " | ".join(heads) + " |"
    yield "|---" * (len(heads) + 1) + "|"
    for name, points in of_m.items():
        cells = []
        for L in levels:
            point = points.get(L)
            estimate = None if point is None else point.estimate
            cells.append("–" if estimate is None else said(estimate, points[L].sizes[-1]))
        factor = growth(points)
        cells.append("–" if np.isnan(factor[0]) else "× " + bounded(*factor, digits=2))
        ratios = over_backprop(of_m, name)
        first = [ahead_from(ratios, proved) for proved in (False, True)]
        cells += ["–" if L is None else f"L={L}" for L in first]
        yield f"| {name} | " + " | ".join(cells) + " |"
    laws = {L: predicted_sample_complexity(8, 8, m, 2, L) for L in levels}
    for name, law in (("n·m**L", "supervised"), ("v·m³/(1−m/v)", "latent_from_siblings")):
        values = " | ".join(f"{getattr(laws[L], law):.0f}" for L in levels)
        yield f"| {name} | {values} | | | |"


def ratio_table(of_m: Lines, m: int) -> Iterator[str]:
    """P* over that of backprop at its best, with its interval."""
    levels = sorted({L for points in of_m.values() for L in points})
    yield f"| over {BACKPROP}, m={m} | " + " | ".join(f"L={L}" for L in levels) + " |"
    yield "|---" * (len(levels) + 1) + "|"
    for name in of_m:
        ratios = over_backprop(of_m, name)
        if ratios:
            cells = (said(ratios[L], digits=2) if L in ratios else "–" for L in levels)
            yield f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the tables of all folders together."""
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    frame = pd.concat([load(folder, curves=False) for folder in sys.argv[1:]], ignore_index=True)
    for m, of_m in sorted(lines(frame).items()):
        for part in (table, ratio_table):
            print("\n".join(part(of_m, m)), end="\n\n")


if __name__ == "__main__":
    main()

"""Claim 1b: what direct feedback lacks is data, and how much more it needs than backprop."""

from collections.abc import Mapping

import numpy as np

from synaptree.analysis.paired import Estimate, ratio_of_medians
from synaptree.claims.second.base import Claim, not_asked, on_each_kind
from synaptree.claims.second.cells import Cell
from synaptree.claims.second.chance import OPEN, Chance, every
from synaptree.claims.second.outcome import Endpoint, Entry, Part
from synaptree.claims.second.study import Curve, Ground, Study, share, solves

THRESHOLDS = {
    # P*(rule) / P*(backprop), each with settings of its own: the ratio's lower bound
    "ratio_above": 2,
    # a rule that is said to need more than was tried was tried up to this P
    "tried_up_to": 131072,
}
FAMILIES = ("fixed direct feedback", "learned direct feedback", "perturbation")


def collect(study: Study, limits: Mapping[str, float]) -> list[Endpoint]:
    """An endpoint for each family: every rule of it needs more than twice backprop's data."""
    return [Endpoint(family, on_each_kind(study, _part, family, limits)) for family in FAMILIES]


def _part(study: Study, ground: Ground, family: str, limits: Mapping[str, float]) -> Part:
    backprop = study.best_curve(ground.kind)
    if backprop is None:
        return not_asked(ground, f"P* of backprop is not known on {ground.kind.name}")
    curves = [c for c in study.curves[ground.kind] if c.last.subfamily == family]
    if not curves:
        return not_asked(ground, f"no data curve of {family} on {ground.kind.name}")
    entries = [_entry(study, curve, backprop, limits) for curve in curves]
    lacking = tuple(entry.note for entry in entries if entry.note.startswith("not tried"))
    natures = dict.fromkeys(e.note for e in entries if e.note not in lacking)
    return Part(
        ground.kind,
        every(entry.chance for entry in entries),
        entries,
        depth=ground.depth,
        reference=solves(backprop.last),
        lacking=lacking,
        nature="; ".join(natures),
    )


def _entry(study: Study, curve: Curve, backprop: Curve, limits: Mapping[str, float]) -> Entry:
    ratio = curve.beside(backprop)
    if ratio is None:
        return Entry(curve.last, OPEN, note="no grammar in common with backprop")
    above = limits["ratio_above"]
    chance = Chance(ratio.above(above), ratio.below(above))
    others = {"steps": steps} if (steps := _steps(curve, backprop)) else {}
    return Entry(curve.last, chance, ratio, others=others, note=_reached(study, curve, limits))


def _reached(study: Study, curve: Curve, limits: Mapping[str, float]) -> str:
    """Whether the rule gets there at all: "never" only where fresh strings do not help either."""
    if curve.needs.reached:
        return "appetite"
    fresh = [c for c in study.of(curve.last.kind) if c.fresh and c.form == curve.last.form]
    if any(share(cell).answer == "yes" for cell in fresh):
        return "appetite"
    if fresh and all(share(cell).answer == "no" for cell in fresh):
        return "never"
    if limits["tried_up_to"] > curve.last.P:
        return f"not tried above P={curve.last.P}: {curve.last.label}"
    return f"not at P={curve.last.P}, fresh strings not decided"


def _steps(curve: Curve, backprop: Curve) -> Estimate | None:
    """Steps to solve over backprop's, at the largest P that both were run at."""
    at = {cell.P: cell for cell in backprop.cells}
    both = [(cell, at[cell.P]) for cell in curve.cells if cell.P in at]
    return steps_ratio(*both[-1]) if both else None


def steps_ratio(one: Cell, other: Cell) -> Estimate | None:
    """The ratio of the median steps until a grammar was solved, paired by grammar."""
    if one.steps is None or other.steps is None:
        return None
    shared = sorted(set(one.seeds) & set(other.seeds))
    a, b = one.steps[np.isin(one.seeds, shared)], other.steps[np.isin(other.seeds, shared)]
    drawn = ~(np.isnan(a) | np.isnan(b))
    return ratio_of_medians(a[drawn], b[drawn]) if drawn.any() else None


CLAIM = Claim(
    "1b",
    "Direct feedback needs more than twice the data of backprop, each with its own best settings",
    THRESHOLDS,
    collect,
)

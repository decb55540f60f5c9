"""Claim 2b: without masks backprop's own weights do not learn, however long they train."""

from collections.abc import Mapping, Sequence

from synaptree.claims.second.appetite import steps_ratio
from synaptree.claims.second.base import Claim, not_asked, on_each_kind
from synaptree.claims.second.cells import Cell
from synaptree.claims.second.chance import OPEN, Chance, every
from synaptree.claims.second.outcome import Endpoint, Entry, Part
from synaptree.claims.second.study import SAME, Ground, Study, share, solves
from synaptree.claims.second.weights_and_masks import corner

THRESHOLDS = {
    # of backprop's inputs: what a rule without masks is given at least
    "budget_times": 5,
    # of backprop's width, in at least one of the runs with that budget
    "width_times": 2,
    # of backprop's steps to solve: from here on missing masks slow learning
    "steps_slow_from_times": 2,
}


def collect(study: Study, limits: Mapping[str, float]) -> list[Endpoint]:
    """One endpoint: backprop's weights without masks fail with more steps and more width."""
    return [Endpoint("W without masks", on_each_kind(study, _part, limits))]


def _part(study: Study, ground: Ground, limits: Mapping[str, float]) -> Part:
    backprop = ground.backprop
    assert backprop is not None
    unmasked = [c for c in study.of(ground.kind, ground.P) if corner(c) == ("W", "none")]
    long = [
        c for c in unmasked if c.inputs >= limits["budget_times"] * (1 - SAME) * backprop.inputs
    ]
    wide = [c for c in long if _width(c) >= limits["width_times"] * _width(backprop)]
    where = f"{ground.kind.name} P={ground.P}"
    if not unmasked:
        return not_asked(ground, f"no run of W without masks on {where}")
    missing = [
        f"no run of W without masks with {words} on {where}"
        for words, those in (
            (f"{limits['budget_times']:g} times backprop's budget", long),
            (f"{limits['width_times']:g} times its width at that budget", wide),
        )
        if not those
    ]
    entries = [_entry(c, backprop) for c in (*long, *(c for c in unmasked if c not in long))]
    # Where such runs solve, with whatever budget, masks are not necessary. That they are takes the
    # longest and widest runs too.
    chances = [*(entry.chance for entry in entries), *([OPEN] if missing else [])]
    return Part(
        ground.kind,
        every(chances),
        entries,
        ground.P,
        ground.depth,
        solves(backprop),
        lacking=tuple(missing),
        nature=_nature(entries, limits["steps_slow_from_times"], prevents=not missing),
    )


def _width(cell: Cell) -> int:
    return int(cell.setting("width"))


def _entry(cell: Cell, backprop: Cell) -> Entry:
    solved = share(cell).chance
    steps = steps_ratio(cell, backprop)
    others = {} if steps is None else {"steps": steps}
    return Entry(cell, Chance(solved.no, solved.yes), others=others)


def _nature(entries: Sequence[Entry], slow_from: float, *, prevents: bool) -> str:
    """Whether missing masks prevent learning, slow it, or neither, as far as it is known.

    prevents: whether the runs that must fail are all there.
    """
    if all(entry.answer == "yes" for entry in entries):
        return "prevents" if prevents else ""
    solving = [entry for entry in entries if entry.answer == "no"]
    steps = [entry.others["steps"] for entry in solving if "steps" in entry.others]
    if not steps:
        return ""
    fastest = min(steps, key=lambda ratio: ratio.value)
    if fastest.low >= slow_from:
        return "slows"
    return "neither" if fastest.high < slow_from else ""


CLAIM = Claim(
    "2b",
    "Masks are necessary: without them backprop's own weights fail, with five times the steps and "
    "twice the width",
    THRESHOLDS,
    collect,
)

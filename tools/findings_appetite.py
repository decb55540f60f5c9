"""What is found of the rules with an output error: how many strings each needs at each depth, and
whether fresh strings help where no number of strings was enough."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pandas as pd
import tables
from findings_depth import crossover

from synaptree import load
from synaptree.analysis.needs_by_depth import AtDepth, needs_by_depth
from synaptree.report.row_names import row_name, usual_name
from synaptree.report.words import percent
from synaptree.results.columns import finished
from synaptree.training.solved import solved_at

M = 4
NEEDS, FRESH = "depth-needs-appetite", "depth-fresh"


def named(rule: str, options: str) -> str:
    """A rule's name in a sentence."""
    return usual_name(row_name(rule, options)[1])


BACKPROP = named("backprop", "{}")


@cache
def points() -> dict[str, dict[int, AtDepth]]:
    """The rules by name, backprop first, and for each its P* by L."""
    lines = needs_by_depth(load(tables.RESULTS / NEEDS, curves=False), levels=True)
    found = {named(own[0].rule, own[0].words): {at.kind["L"]: at for at in own} for own in lines}
    return {BACKPROP: found.pop(BACKPROP)} | found


@cache
def fresh() -> dict[tuple[str, int], pd.Series]:
    """The errors on fresh strings, a grammar each, by rule and L."""
    runs = finished(load(tables.RESULTS / FRESH, curves=False))
    keys = [
        (named(rule, options), int(L))
        for rule, options, L in zip(runs["rule"], runs["rule_options"], runs["L"], strict=True)
    ]
    return dict(runs["test_error"].groupby(pd.Series(keys, runs.index)))


def needed(name: str, L: int) -> str:
    """P* with its interval; where no P was enough, the largest one and the error there."""
    at = points()[name].get(L)
    if at is None or at.needs is None or at.estimate is None:
        return "–"
    found = crossover.said(at.estimate, at.sizes[-1])
    if not at.estimate.at_least:
        return found
    return f"{found} ({percent(float(np.nanmean(at.needs.errors[:, -1])))})"


def over_backprop(name: str, L: int) -> str:
    """P* over that of backprop, on the grammars of both."""
    of_m = {name: points()[name], crossover.BACKPROP: points()[BACKPROP]}
    ratio = crossover.over_backprop(of_m, name).get(L)
    return "–" if ratio is None else crossover.said(ratio, digits=1)


def on_fresh(name: str, L: int) -> str:
    """How many grammars fresh strings solve, and the mean error."""
    if (name, L) not in fresh():
        return "–"
    errors = fresh()[name, L]
    solved = int((errors <= solved_at(8)).sum())
    return f"{solved} of {len(errors)}, error {percent(float(errors.mean()))}"


def _table(head: str, cell: Callable[[str, int], str]) -> Iterator[str]:
    """A row a rule, a column an L; what was not run is left out."""
    of = {name: {L: cell(name, L) for L in levels()} for name in points()}
    shown = [L for L in levels() if any(cells[L] != "–" for cells in of.values())]
    yield f"| {head} | " + " | ".join(f"L={L}" for L in shown) + " |"
    yield "|---" * (1 + len(shown)) + "|"
    for name, cells in of.items():
        if any(cells[L] != "–" for L in shown):
            yield f"| {name} | " + " | ".join(cells[L] for L in shown) + " |"


def levels() -> list[int]:
    """Every L at which rules were run."""
    return sorted({L for own in points().values() for L in own})


def appetite() -> str:
    """The part of depth.md about the rules with an output error."""
    parts = [
        _table("P\\*, 12 000 steps", needed),
        _table("over backprop's", over_backprop),
        _table("fresh strings: grammars solved", on_fresh),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"

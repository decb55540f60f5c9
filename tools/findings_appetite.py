"""What is found of the rules with an output error: how many strings each needs at each depth, and
whether fresh strings help where no number of strings was enough."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pandas as pd
import tables
from findings import sure, thousands
from findings_depth import crossover
from numpy.typing import NDArray

from synaptree import load
from synaptree.analysis.needs_by_depth import AtDepth, needs_by_depth
from synaptree.report.row_names import row_name, usual_name
from synaptree.report.words import listed, percent
from synaptree.results.columns import finished
from synaptree.training.solved import solved_at

N = 8
NEEDS, FRESH = "depth-needs-appetite", "depth-fresh"


NAMES = {
    "backprop": "backprop",
    "backprop, no masks": "backprop without masks",
    "feedback_alignment": "feedback alignment",
    "direct_kolen_pollack": "direct Kolen–Pollack",
    "forward_dfa": "forward DFA",
    "least_squares_feedback": "least-squares direct feedback",
}
BACKPROP = NAMES["backprop"]


def named(rule: str, options: str) -> str:
    """A rule's name in a sentence."""
    label, title = row_name(rule, options)
    return NAMES.get(label) or usual_name(title)


@cache
def points() -> dict[str, dict[int, AtDepth]]:
    """The rules by name, backprop first, and for each its P* by L."""
    lines = needs_by_depth(load(tables.RESULTS / NEEDS, curves=False), levels=True)
    found = {named(own[0].rule, own[0].words): {at.kind["L"]: at for at in own} for own in lines}
    return {BACKPROP: found.pop(BACKPROP)} | found


@cache
def fresh() -> dict[tuple[str, int], pd.Series]:
    """The errors on fresh strings, a grammar each, by rule and L."""
    folder = tables.RESULTS / FRESH
    if not folder.exists():
        return {}
    runs = finished(load(folder, curves=False))
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
    return f"{found} ({_at_most(at)})" if at.estimate.at_least else found


def _at_most(at: AtDepth) -> str:
    """How many grammars are solved with the most strings, and the mean error."""
    assert at.needs is not None
    last = at.needs.errors[:, -1]
    return _solved(last[np.isfinite(last)])


def _solved(errors: NDArray[np.float64]) -> str:
    solved = int((errors <= solved_at(N)).sum())
    return f"{solved} of {len(errors)}, error {percent(float(errors.mean()))}"


def over_backprop(name: str, L: int) -> str:
    """P* over that of backprop, on the grammars of both."""
    if name == BACKPROP:
        return "–"
    of_m = {name: points()[name], crossover.BACKPROP: points()[BACKPROP]}
    ratio = crossover.over_backprop(of_m, name).get(L)
    return "–" if ratio is None else crossover.said(ratio, digits=1)


def on_fresh(name: str, L: int) -> str:
    """How many grammars fresh strings solve, and the mean error."""
    if (name, L) not in fresh():
        return "–"
    return _solved(fresh()[name, L].to_numpy(float))


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


def _said(L: int) -> str:
    """A sentence on one depth: which rules some P was enough for, and which not."""
    at = {name: own[L] for name, own in points().items() if L in own}
    enough = [name for name in at if at[name].known]
    enough.sort(key=lambda name: at[name].estimate.value)
    never = [f"{name} ({_at_most(at[name])})" for name in at if name not in enough]
    clauses = [f"solved by {listed(enough)}"] if enough else []
    if never:
        most = max(max(each.sizes) for each in at.values())
        clauses.append(f"not solved with {thousands(most)} strings by {listed(never)}")
    return f"**L={L}**: {'; '.join(clauses)}."


def _ratio(name: str, L: int) -> float:
    """P* over that of backprop; at least, where no P was enough."""
    of_m = {name: points()[name], crossover.BACKPROP: points()[BACKPROP]}
    return crossover.over_backprop(of_m, name)[L].value


def _grows() -> str:
    """By what factor the data that a rule needs exceeds backprop's, at two depths."""
    rules = [name for name in points() if name != BACKPROP and points()[name][3].known]
    said = [
        f"{name} from {over_backprop(name, 3)} to {over_backprop(name, 4)}"
        for name in sorted(rules, key=lambda name: _ratio(name, 4))
    ]
    sure(all(_ratio(name, 4) > _ratio(name, 3) for name in rules))
    return f"**From L=3 to L=4 the factor over backprop's P\\* grows** for {listed(said)}."


def in_short(folder: str = "") -> str:
    """The answer in short, for a page that is in another folder than the findings."""
    alone = [name for name in points() if points()[name][5].known]
    sure(alone == [BACKPROP], not points()["DFA"][4].known)
    most = max(points()["DFA"][4].sizes)
    return (
        "- **Direct feedback and depth.** With 12 000 steps, DFA needs "
        f"{over_backprop('DFA', 3)} times backprop's strings at L=3, m=4, and "
        f"{over_backprop('DFA', 4)} times at L=4. From L=5 on, no rule that sends the error "
        f"directly, or without masks, solves with {thousands(most)} strings "
        f"([depth]({folder}findings/depth.md#appetite-or-incapacity)).\n"
    )


def appetite() -> str:
    """The part of depth.md about the rules with an output error."""
    lines = [f"- {line}" for line in [*map(_said, levels()), _grows()]]
    parts = [
        _table("P\\*, 12 000 steps", needed),
        _table("over backprop's", over_backprop),
        _table("grammars solved, fresh strings", on_fresh) if fresh() else [],
    ]
    return "\n\n".join("\n".join(part) for part in [lines, *parts] if part) + "\n"

"""What is found of the rules with an output error: how many strings each needs at each depth, and
whether fresh strings help where no number of strings was enough."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import tables
from docs_site.tables import table
from findings import sure, thousands
from findings_bounds import crossover
from numpy.typing import NDArray

from synaptree import load
from synaptree.analysis.needs_by_depth import AtDepth, needs_by_depth
from synaptree.analysis.paired import Estimate
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
def fresh_runs() -> pd.DataFrame:
    """The runs on fresh strings."""
    return finished(load(tables.RESULTS / FRESH, curves=False))


def fresh_strings() -> int:
    """How many strings each of them saw, once."""
    (strings,) = fresh_runs()["P"].unique()
    return int(strings)


@cache
def fresh() -> dict[tuple[str, int], pd.Series]:
    """The errors on fresh strings, a grammar each, by rule and L."""
    runs = fresh_runs()
    keys = [
        (named(rule, options), int(L))
        for rule, options, L in zip(runs["rule"], runs["rule_options"], runs["L"], strict=True)
    ]
    by_rule = runs["test_error"].groupby(pd.Series(keys, runs.index))
    return dict(iter(by_rule))


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
    return solved_said(last[np.isfinite(last)])


def solved_said(errors: NDArray[np.float64], n: int = N) -> str:
    """How many grammars with n classes are solved, and the mean error."""
    solved = int((errors <= solved_at(n)).sum())
    return f"{solved} of {len(errors)}, error {percent(float(errors.mean()))}"


@cache
def ratios() -> dict[str, dict[int, Estimate]]:
    """P* over that of backprop, on the grammars of both, by rule and L."""
    best = points()[BACKPROP]
    return {
        name: crossover.over_backprop({name: own, crossover.BACKPROP: best}, name)
        for name, own in points().items()
        if name != BACKPROP
    }


def over_backprop(name: str, L: int) -> str:
    """P* over that of backprop; a dash for backprop itself."""
    ratio = ratios().get(name, {}).get(L)
    return "–" if ratio is None else crossover.said(ratio, digits=1)


def on_fresh(name: str, L: int) -> str:
    """How many grammars fresh strings solve, and the mean error."""
    if (name, L) not in fresh():
        return "–"
    return solved_said(fresh()[name, L].to_numpy(float))


def _table(head: str, cell: Callable[[str, int], str]) -> str:
    """A row a rule, a column an L; what was not run is left out."""
    of = {name: {L: cell(name, L) for L in levels()} for name in points()}
    shown = [L for L in levels() if any(cells[L] != "–" for cells in of.values())]
    rows = [(name, *(cells[L] for L in shown)) for name, cells in of.items()]
    ran = (row for row in rows if set(row[1:]) != {"–"})
    return table((head, *(f"L={L}" for L in shown)), ran)


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


def _grows() -> str:
    """By what factor the data that a rule needs exceeds backprop's, at two depths."""
    at = {name: own for name, own in ratios().items() if points()[name][3].known}
    sure(all(own[4].value > own[3].value for own in at.values()))
    said = [
        f"{name} from {over_backprop(name, 3)} to {over_backprop(name, 4)}"
        for name in sorted(at, key=lambda name: at[name][4].value)
    ]
    return f"**From L=3 to L=4 the factor over backprop's P\\* grows** for {listed(said)}."


def _fresh_said() -> str:
    """At which depths fresh strings are enough, and for which rules."""
    solving: dict[str, list[str]] = {}
    for L in sorted({L for _, L in fresh()}):
        ran = [name for name in points() if (name, L) in fresh()]
        names = [name for name in ran if fresh()[name, L].mean() <= solved_at(N)]
        solving.setdefault(listed(names) or "no rule", []).append(f"L={L}")
    said = [f"at {listed(depths)} for {names}" for names, depths in solving.items()]
    return (
        f"**Fresh strings.** {thousands(fresh_strings())} strings, each seen once, are enough "
        f"{'; '.join(said)}."
    )


def in_short(folder: str = "") -> str:
    """The answer in short, for a page that is in another folder than the findings."""
    alone = [name for name in points() if points()[name][5].known]
    sure(alone == [BACKPROP], not points()["DFA"][4].known)
    most = max(points()["DFA"][4].sizes)
    return (
        "- **Direct feedback and depth.** With 12 000 steps, DFA needs "
        f"{over_backprop('DFA', 3)} times backprop's strings at L=3, m=4, and "
        f"{over_backprop('DFA', 4)} times at L=4. At L=5 and L=6 no rule with direct feedback, "
        "nor backprop without masks, brings the mean error to a tenth of chance error within these "
        f"steps, with {thousands(most)} strings or with {fresh_strings() / 1e6:.1f} million that "
        "are seen once. Single grammars are solved "
        f"([depth]({folder}findings/depth.md#more-data-or-a-limit)).\n"
    )


def appetite() -> str:
    """The part of depth.md about the rules with an output error."""
    lines = [f"- {line}" for line in (*map(_said, levels()), _grows(), _fresh_said())]
    parts = [
        "\n".join(lines),
        _table("P\\*, 12 000 steps", needed),
        _table("over backprop's", over_backprop),
        _table("grammars solved, fresh strings", on_fresh),
    ]
    return "\n\n".join(parts) + "\n"

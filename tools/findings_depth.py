"""What is found of depth: how many strings each rule needs at each L, beside backprop."""

import importlib
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pandas as pd
import tables
from findings import sure, word

from synaptree import load
from synaptree.claims.second.outcome import Outcome
from synaptree.grammar.exact import predicted_sample_complexity
from synaptree.report.words import error_of, listed, number
from synaptree.reproduction import judged

NAMES = {
    "backprop at its best": "backprop, best of the search",
    "backprop as its authors train it": "backprop, the RHM authors' recipe",
    "clapp_pp": "CLAPP++ (T2)",
    "vicreg": "VICReg (T1)",
    "clapp": "CLAPP (T1)",
    "lpl": "LPL (T1)",
    "infonce": "InfoNCE (T1)",
    "end_to_end_ssl": "end-to-end self-supervision (T1)",
}
ENOUGH = 0.025  # one-sided, of all comparisons of one L together, by Holm's procedure


sys.path.append(str(tables.RESULTS.parent / "studies" / "depth"))
crossover: Any = importlib.import_module("crossover")
BEST, AUTHORS = crossover.BACKPROP, crossover.AUTHORS


@cache
def runs() -> pd.DataFrame:
    """The runs behind every P*, at all L that are there."""
    frame = load(tables.RESULTS / "depth-needs", curves=False)
    name = frame["rule"].replace("backprop", BEST).mask(crossover.by_authors(frame), AUTHORS)
    return frame.assign(name=name)


@cache
def verdicts() -> dict[str, Outcome]:
    """The outcomes of the second registration's claims, of these runs alone."""
    return {o.number: o for o in judged(runs(), {}).second}


@cache
def by_m() -> dict[int, dict[str, dict[int, Any]]]:
    """P* by m, rule and L, rules in the order of the table."""
    return {
        m: {name: found[name] for name in NAMES if name in found}
        for m, found in sorted(crossover.lines(runs()).items())
    }


@cache
def over_backprop(m: int) -> dict[str, dict[int, Any]]:
    """P* over that of backprop at its best, by rule and L."""
    return {name: crossover.over_backprop(by_m()[m], name) for name in by_m()[m]}


def ratios(m: int, L: int) -> dict[str, Any]:
    """P* over that of backprop at its best, for each other rule that was run."""
    return {name: own[L] for name, own in over_backprop(m).items() if L in own}


def less(m: int, L: int) -> list[str]:
    """The rules that need less data than backprop at its best, certain ones by Holm's procedure,
    the least first."""
    tested = {n: r.below(1) for n, r in ratios(m, L).items() if n != AUTHORS and not r.at_least}
    certain: list[str] = []
    for place, name in enumerate(sorted(tested, key=lambda name: tested[name])):
        if tested[name] > ENOUGH / (len(tested) - place):
            break
        certain.append(name)
    return sorted(certain, key=lambda name: ratios(m, L)[name].value)


def at(m: int, L: int, name: str, P: int) -> pd.Series:
    """Mean errors of a rule on all its grammars at a size: of tests and of training strings."""
    frame = runs()
    own = frame[(frame["m"] == m) & (frame["L"] == L) & (frame["P"] == P) & (frame["name"] == name)]
    return own[["test_error", "train_error"]].mean()


def _times(m: int, L: int, name: str) -> str:
    ratio = ratios(m, L)[name]
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"


def depth() -> str:
    """The part of depth.md about the data that rules need."""
    ahead, beside = less(4, 5), ratios(4, 5)
    gap = at(4, 5, BEST, 5793)
    layerwise = {name: at(4, 5, name, 5793) for name in ("clapp", "lpl", "vicreg", "infonce")}
    widest = max(own["test_error"] - own["train_error"] for own in layerwise.values())
    sure(
        ahead == ["clapp_pp", "vicreg", "clapp", "lpl"],
        0.9 < beside["infonce"].low < 1 < beside["infonce"].high,
        0.9 < beside[AUTHORS].low < 1.01,
        beside["end_to_end_ssl"].at_least,
        gap["train_error"] == 0,
        widest < 0.03,
        verdicts()["4a"].verdict == verdicts()["4b"].verdict == "holds",
        [kind.L for e in verdicts()["4b"].primary for kind in e.scope] == [5, 5],
    )
    said = [f"{NAMES[name].split(' (')[0]} {_times(4, 5, name)}" for name in ahead]
    infonce = layerwise["infonce"]
    answer = [
        f"**At L=5, m=4, {word(len(ahead))} of five layerwise rules need less data than backprop "
        f"at its best**: {listed(said)} times as many strings. InfoNCE is open with "
        f"{_times(4, 5, 'infonce')}. Backprop as the RHM's authors train it needs "
        f"{_times(4, 5, AUTHORS)} times as many as at its best. Below L=5 it was the other way "
        "round ([layerwise](layerwise.md)), though at another width.",
        "**Claims 4a and 4b hold at L=5.** [Claim 4b](../claims.md) asks for at least one "
        "contrastive and one non-contrastive rule that compares siblings below the top and needs "
        "less data than backprop at its best, and 4a for rules that need at most 1.5 times as "
        "much, also beside the authors' recipe.",
        "**Backprop lacks data, layerwise rules do not overfit.** With 5793 strings, just less "
        f"than it needs, backprop makes no error on them and errs on {error_of(gap['test_error'])} "
        "of others. The errors of layerwise rules on strings that they have seen and on others "
        f"differ by at most {100 * widest:.0f} points: InfoNCE has "
        f"{error_of(infonce['train_error'])} and {error_of(infonce['test_error'])}. So more steps "
        "might lower their P\\*, while backprop already knows its strings by heart.",
        "**The lead is not self-supervision's as such.** With the same loss at the top alone and "
        "its error propagated down, in the best of nine settings, a network solves no grammar with "
        "up to 65 536 strings.",
    ]
    lines = [*(f"- {each}" for each in answer), ""]
    for m in by_m():
        lines += [*_table(m), ""]
    lines += [
        "P\\* on ten grammars (200–209; a bound on at least three) with its 95% interval; behind "
        "it the ratio to the first row, paired by grammar. The intervals are over grammars: "
        "between the two sizes next to it, a factor of 1.4 apart, P\\* is interpolated. T1 and T2 "
        "say [where labels choose pairs](../question/5-views.md).",
    ]
    return "\n".join(lines) + "\n"


def _table(m: int) -> Iterator[str]:
    """P* of each rule by L, with the ratio to backprop at its best."""
    levels = sorted({L for points in by_m()[m].values() for L in points})
    yield f"| P\\*, m={m} | " + " | ".join(f"L={L} | ratio" for L in levels) + " |"
    yield "|---" * (1 + 2 * len(levels)) + "|"
    for name, points in by_m()[m].items():
        cells: list[str] = []
        for L in levels:
            needs = points[L].estimate if L in points else None
            cells.append("–" if needs is None else crossover.said(needs, points[L].sizes[-1]))
            if (ratio := ratios(m, L).get(name)) is None:
                cells.append("–")
            elif ratio.at_least:
                cells.append(f"> {number(ratio.value)}")
            else:
                cells.append(_times(m, L, name))
        yield f"| {NAMES[name]} | " + " | ".join(cells) + " |"
    laws = {L: predicted_sample_complexity(8, 8, m, 2, L) for L in levels}
    for words, law in (
        ("law of labels, n·m^L", "supervised"),
        ("law of siblings, v·m³/(1−m/v)", "latent_from_siblings"),
    ):
        yield f"| {words} | " + " | ".join(f"{getattr(laws[L], law):.0f} | " for L in levels) + "|"

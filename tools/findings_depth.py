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
from synaptree.analysis.data_curves import bounded
from synaptree.analysis.growth import factor_per_level
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
    return crossover.said(ratios(m, L)[name], digits=2)


def _plain(name: str) -> str:
    return NAMES[name].split(" (")[0]


def _factor(name: str) -> tuple[float, float, float]:
    """By what each level multiplies P* at m=4, with its interval."""
    return factor_per_level(list(by_m()[4][name].values()))


def _ahead() -> str:
    """Which rules are ahead of backprop at its best at L=5 and at L=6, by how much."""
    five, six = less(4, 5), less(4, 6)
    sure(
        five == ["clapp_pp", "vicreg", "clapp", "lpl"],
        six == ["clapp_pp", "clapp", "lpl", "infonce"],
        0.9 < ratios(4, 5)["infonce"].low < 1 < ratios(4, 5)["infonce"].high,
        all(ratios(4, 6)[name].high < ratios(4, 5)[name].low for name in six),
        0.9 < ratios(4, 5)[AUTHORS].low < ratios(4, 6)[AUTHORS].high < 2,
    )
    at_five, at_six = (
        listed([f"{_plain(name)} {_times(4, L, name)}" for name in names])
        for L, names in ((5, five), (6, six))
    )
    return (
        "**In deep trees layerwise rules need less data than backprop at its best, and more so "
        f"the deeper the tree.** At L=6, m=4 all {word(len(six))} rules that were run do: {at_six} "
        f"times as many strings. At L=5 {word(len(five))} of five do: {at_five}. "
        f"InfoNCE is open there, with {_times(4, 5, 'infonce')}. Backprop as the RHM's authors "
        f"train it needs {_times(4, 5, AUTHORS)} times as many strings as at its best at L=5, and "
        f"{_times(4, 6, AUTHORS)} times at L=6."
    )


def _grows() -> str:
    """By what each level multiplies P* of backprop and of the others."""
    of = {name: _factor(name) for name in by_m()[4] if len(by_m()[4][name]) > 1}
    own, rules = of.pop(BEST), {name: of[name] for name in less(4, 6)}
    sure(all(high < own[1] for _, _, high in rules.values()))
    ranked = sorted(rules, key=lambda name: rules[name][0])
    return (
        f"**From L=5 to L=6 backprop's P\\* grows by a factor of {bounded(*own, digits=2)}**, and "
        "that of layerwise rules by less: "
        + listed([f"{_plain(name)}'s by {bounded(*rules[name], digits=2)}" for name in ranked])
        + ". Theory has m=4 for labels, and 1 for siblings."
    )


def in_short(folder: str = "") -> str:
    """The answer in two sentences, for a page that is in another folder than the findings."""
    five, six = ([_times(4, L, n) for n in less(4, L)] for L in (5, 6))
    return (
        f"- **In deeper trees layerwise rules need less data than backprop** at its best: {six[0]} "
        f"to {six[-1]} times as many strings at L=6 m=4, and {five[0]} to {five[-1]} at L=5 m=4, "
        f"where InfoNCE is open ([depth]({folder}findings/depth.md)).\n"
    )


def depth() -> str:
    """The part of depth.md about the data that rules need."""
    five, six = at(4, 5, BEST, 5793), at(4, 6, BEST, 11585)
    layerwise = {name: at(4, 5, name, 5793) for name in ("clapp", "lpl", "vicreg", "infonce")}
    widest = max(own["test_error"] - own["train_error"] for own in layerwise.values())
    sure(
        ratios(4, 5)["end_to_end_ssl"].at_least,
        five["train_error"] == 0,
        six["train_error"] < 0.01 < 0.3 < six["test_error"],
        widest < 0.03,
        verdicts()["4a"].verdict == verdicts()["4b"].verdict == "holds",
        [sorted(k.L for k in e.scope) for e in verdicts()["4b"].primary] == [[5, 6], [5, 6]],
    )
    infonce = layerwise["infonce"]
    answer = [
        _ahead(),
        _grows(),
        "**Claims 4a and 4b hold at L=5 and L=6.** [Claim 4b](../claims.md) asks for at least one "
        "contrastive and one non-contrastive rule that compares siblings below the top and needs "
        "less data than backprop at its best, and 4a for rules that need at most 1.5 times as "
        "much, also beside the authors' recipe.",
        "**Backprop lacks data, layerwise rules do not overfit.** With 5793 strings at L=5, just "
        "less than it needs, backprop makes no error on them and errs on "
        f"{error_of(five['test_error'])} of others; with 11 585 strings at L=6 on "
        f"{error_of(six['train_error'])} and {error_of(six['test_error'])}. At L=5 the errors "
        "of layerwise rules on strings that they have seen and on others differ by at most "
        f"{100 * widest:.0f} points: InfoNCE "
        f"has {error_of(infonce['train_error'])} and {error_of(infonce['test_error'])}. So more "
        "steps might lower their P\\*, while backprop already knows its strings by heart.",
        "**The lead is not self-supervision's as such.** With the same loss at the top alone and "
        "its error propagated down, in the best of nine settings, a network solves no grammar with "
        "up to 65 536 strings at L=5.",
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

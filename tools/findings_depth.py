"""What is found of depth: how many strings each rule needs at each L, beside backprop."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import findings_bounds
import pandas as pd
import tables
import yaml
from docs_site.tables import table
from findings import sure, thousands
from findings_bounds import crossover

from synaptree import load
from synaptree.analysis.data_curves import bounded
from synaptree.analysis.paired import Estimate
from synaptree.analysis.shares import holm
from synaptree.claims.second.outcome import Outcome
from synaptree.report.words import listed
from synaptree.reproduction import judged
from synaptree.results.columns import DEFAULTS
from synaptree.results.sessions import sessions

NAMES = {
    "backprop at its best": "backprop at its best",
    "backprop as its authors train it": "backprop, the RHM authors' recipe",
    "clapp_pp": "CLAPP++ (T2)",
    "clapp_pp (top alone)": "CLAPP++ with the top's context alone (T2)",
    "vicreg": "VICReg (T1)",
    "clapp": "CLAPP (T1)",
    "lpl": "LPL (T1)",
    "infonce": "InfoNCE (T1)",
    "end_to_end_ssl": "end-to-end self-supervision (T1)",
}
FOLDERS = ("depth-needs", "depth-needs-longer", "depth-needs-contexts")
ENOUGH = 0.025  # one-sided, of all comparisons of one L together, by Holm's procedure


BEST, AUTHORS = crossover.BACKPROP, crossover.AUTHORS


@cache
def runs() -> pd.DataFrame:
    """The runs behind every P*, at all L that are there."""
    each = [load(tables.RESULTS / name, curves=False) for name in FOLDERS]
    return pd.concat(each, ignore_index=True)


@cache
def verdicts() -> dict[str, Outcome]:
    """The outcomes of the second registration's claims, of these runs alone."""
    return verdicts_on(runs())


def verdicts_on(frame: pd.DataFrame) -> dict[str, Outcome]:
    """The outcomes of its claims, by number, of the runs of a frame."""
    return {outcome.number: outcome for outcome in judged(frame, {}).second}


@cache
def by_m() -> dict[int, dict[str, dict[int, Any]]]:
    """P* by m, rule and L, rules in the order of the table."""
    return {
        m: {name: found[name] for name in NAMES if name in found}
        for m, found in sorted(crossover.lines(runs()).items())
    }


def levels(m: int) -> list[int]:
    """Every L at which P* is known or bounded."""
    return sorted({L for points in by_m()[m].values() for L in points})


@cache
def over_backprop(m: int) -> dict[str, dict[int, Any]]:
    """P* over that of backprop at its best, by rule and L."""
    return {name: crossover.over_backprop(by_m()[m], name) for name in by_m()[m]}


def ratios(m: int, L: int) -> dict[str, Any]:
    """P* over that of backprop at its best, for each other rule that was run."""
    return {name: own[L] for name, own in over_backprop(m).items() if L in own}


def beside(m: int, L: int) -> dict[str, list[str]]:
    """The rules by whether they need less or more data than backprop at its best."""
    return sides({name: ratio for name, ratio in ratios(m, L).items() if name != AUTHORS})


def sides(tested: Mapping[str, Estimate]) -> dict[str, list[str]]:
    """Rules by whether their ratio to backprop is below or above 1, or neither is certain, by
    Holm's procedure; the least first."""
    p = holm([min(ratio.below(1), ratio.above(1)) for ratio in tested.values()])
    found: dict[str, list[str]] = {"less": [], "open": [], "more": []}
    for (name, ratio), adjusted in zip(tested.items(), p, strict=True):
        side = "less" if ratio.below(1) < 0.5 else "more"
        found[side if adjusted <= ENOUGH else "open"].append(name)
    return {k: sorted(names, key=lambda n: tested[n].value) for k, names in found.items()}


def _times(m: int, L: int, name: str) -> str:
    return crossover.said(ratios(m, L)[name], digits=2)


def plain(name: str) -> str:
    """A rule's name without the tier of its labels."""
    return NAMES[name].split(" (")[0]


def _said(m: int, L: int) -> str:
    """A sentence on one depth: which rules need less data, which more, and which are open."""
    bound = [name for name, ratio in ratios(m, L).items() if ratio.at_least]
    of = {
        side: listed([f"{plain(n)} ({_times(m, L, n)})" for n in names if n not in bound])
        for side, names in beside(m, L).items()
    }
    most = {thousands(by_m()[m][name][L].sizes[-1]) for name in bound}
    clauses = [
        f"less data than backprop at its best for {of['less']}" if of["less"] else "",
        f"more for {of['more']}" if of["more"] else "",
        f"open for {of['open']}" if of["open"] else "",
        f"no P up to {listed(sorted(most))} is enough for {listed([plain(n) for n in bound])}"
        if bound
        else "",
    ]
    return f"**L={L}, m={m}**: {'; '.join(filter(None, clauses))}."


def _grows() -> str:
    """By what each level multiplies P* of backprop and of the others, where it is known."""
    own = by_m()[4]
    known = {
        name: [L for L, at in points.items() if at.known and L >= crossover.GROWS_FROM]
        for name, points in own.items()
    }
    factors = {name: crossover.growth(own[name]) for name in own if len(known[name]) > 1}
    said = [
        f"by {bounded(*factors[name], digits=2)} for {plain(name)}"
        + f" (to L={max(known[name])})" * (max(known[name]) < max(levels(4)))
        for name in sorted(factors, key=lambda name: factors[name][0])
    ]
    return (
        f"**Each further level multiplies P\\*** {listed(said)}, from L=3 to L={max(levels(4))}. "
        "Theory predicts a factor of m = 4 if a rule learns from labels, and of 1 if it learns "
        "from siblings. L=2 does not count here, since such a grammar has 512 strings in all."
    )


def _claims() -> str:
    """The verdicts on the two claims about data, and why the second one cannot be decided."""
    said = {claim: verdicts()[claim] for claim in ("4a", "4b")}
    sure(*(o.verdict == "mixed" for o in said.values()), said["4b"].alone == "holds within")
    return (
        "**Claims.** Judged on these runs alone, [claims 4a and 4b](../claims.md) are *mixed*. 4b "
        "asks for a contrastive and a non-contrastive rule that know labels in the top layer alone "
        "(T1) and need less data than backprop at its best; 4a for rules that need at most 1.5 "
        "times as much. If 4b were the only question, it would hold at L=6. With ten grammars the "
        "smallest possible p-value is 1/1024. The correction multiplies it by the numbers of "
        "settings, kinds and questions, so these runs could not decide 4b. The lead was therefore "
        "asked again, with one setting for each rule and as one question (below)."
    )


def _first_search() -> dict[int, Any]:
    """P* of backprop by L, with the settings of the first search, where there was a second one."""
    frame, first = runs(), []
    for L in (5, 6):
        winners = tables.RESULTS / f"depth-search-L{L}" / "winners.yaml"
        found = yaml.safe_load(winners.read_text("utf-8"))["runs"]
        (best,) = (run for run in found if run["rule"] == "backprop")
        own = frame["rule"].eq("backprop") & frame["L"].eq(L) & ~crossover.by_authors(frame)
        for name in ("lr", "weight_decay", "width", "validation"):
            own &= frame[name].eq(best.get(name, DEFAULTS.get(name, 0)))
        first.append(frame[own])
    return crossover.lines(pd.concat(first))[4][BEST]


def _tuned() -> str:
    """What a search near P* does to backprop."""
    first, now = ({L: of[L].estimate for L in (5, 6)} for of in (_first_search(), by_m()[4][BEST]))
    sure(now[5].value < 0.8 * first[5].value, now[6].value > 0.8 * first[6].value)
    return (
        "**P\\* depends on where settings are searched.** With n·m^L strings many settings of "
        "backprop solve all grammars, so the search cannot tell which of them needs the fewest "
        f"strings. At L=5 the setting that it chose needs {crossover.said(first[5])} strings; the "
        f"best of two later searches with fewer strings needs {crossover.said(now[5])}. At L=6 "
        "three later searches, two of them with more inputs, change less, from "
        f"{crossover.said(first[6])} to {crossover.said(now[6])}."
    )


def hours() -> str:
    """What each part of the study has taken, from the records of its sessions."""
    rows: list[tuple[str, ...]] = []
    total = 0.0
    for folder in sorted(path for path in tables.RESULTS.glob("depth-*") if path.is_dir()):
        own = sessions(folder)
        assert all(session["cores"] == 2 for session in own)
        minutes = sum(session["wall_s"] for session in own) / 60
        total += minutes
        rows.append((folder.name, f"{sum(s['runs'] for s in own)}", f"{minutes:.0f}"))
    rows.append(("all", "", f"{total:.0f}, or {total / 60:.1f} hours"))
    return table(("part", "runs trained", "minutes on two cores"), rows) + "\n"


def in_short(folder: str = "") -> str:
    """The answer in short, for a page that is in another folder than the findings."""
    five, six = beside(4, 5), beside(4, 6)
    sure(
        five["less"] == five["more"] == [],
        len(six["less"]) == 4,
        verdicts()["4b"].verdict == "mixed",
    )
    return (
        f"- **Deeper trees.** At L=6, m=4 all four layerwise rules that were run need less data "
        f"than backprop at its best, {_times(4, 6, six['less'][0])} to "
        f"{_times(4, 6, six['less'][-1])} times as much. At L=5 it is open: the best, CLAPP++, "
        f"needs {_times(4, 5, 'clapp_pp')} times as much. No rule has more inputs than backprop, "
        f"and backprop's settings were searched the most ([depth]({folder}findings/depth.md)).\n"
    )


def depth() -> str:
    """The part of depth.md about the data that rules need."""
    sure(
        *(
            ratios(4, L)[name].at_least
            for name in ("end_to_end_ssl", "clapp_pp (top alone)")
            for L in (4, 5)
        ),
        *(ratios(4, L)["clapp"].value > ratios(4, L)["clapp_pp"].value for L in (3, 4, 5, 6)),
    )
    answer = [
        *(_said(m, L) for m in sorted(by_m(), reverse=True) for L in sorted(by_m()[m][BEST])[::-1]),
        _grows(),
        findings_bounds.compared(by_m()[4]),
        _claims(),
        _tuned(),
        "**A layer's own loss matters, not self-supervision as such.** With the same loss at the "
        "top alone and its error propagated down, in the best of nine settings, a network solves "
        "L=3, but at L=4 and L=5 no grammar with up to 32 768 and 65 536 strings.",
        "**CLAPP++ is ahead because of both contexts.** Its layers predict from their own context "
        "and from the top's. CLAPP, with its own alone, needs more at each L from 3 to 6. With the "
        "top's alone, in the best of nine settings, 65 536 strings are not enough at L=5, where "
        "the error stays near chance.",
    ]
    lines = ["In brackets stands P\\* over that of backprop at its best.", ""]
    lines += [*(f"- {each}" for each in answer), ""]
    for m in by_m():
        lines += [*_table(m), ""]
    lines += [
        "P\\* on ten grammars (200–209; a bound on at least three) with its 95% interval; then the "
        "ratio to the first row, paired by grammar. Intervals say how much P\\* varies with the "
        'grammars. Between two sizes, a factor of 1.4 apart, P\\* is interpolated. ">" names the '
        "largest size that was tried. T1 and T2 say [where labels choose "
        "pairs](../question/5-views.md).",
    ]
    return "\n".join(lines) + "\n"


def _table(m: int) -> Iterator[str]:
    """P* of each rule by L; below it the ratios to backprop at its best."""
    heads = tuple(f"L={L}" for L in levels(m))
    rows = [
        (
            NAMES[name],
            *(
                crossover.said(points[L].estimate, points[L].sizes[-1]) if L in points else "–"
                for L in levels(m)
            ),
        )
        for name, points in by_m()[m].items()
    ]
    yield table((f"P\\*, m={m}", *heads), rows + findings_bounds.rows(m, levels(m)))
    yield ""
    beside_best = (
        (NAMES[name], *(_times(m, L, name) if L in own else "–" for L in levels(m)))
        for name, own in over_backprop(m).items()
        if name != BEST
    )
    yield table((f"over backprop at its best, m={m}", *heads), beside_best)

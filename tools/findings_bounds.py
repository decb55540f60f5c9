"""What strings alone allow at each depth: two laws, and two oracles that cluster patches."""

import importlib
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

import pandas as pd
import tables
from findings import sure

from synaptree.analysis.data_curves import bounded
from synaptree.analysis.needs_by_depth import AtDepth
from synaptree.analysis.paired import Estimate
from synaptree.grammar.exact import predicted_sample_complexity
from synaptree.report.words import listed

KEPT = "depth-oracles.csv.gz"
Lines = Mapping[str, Mapping[int, AtDepth]]  # by rule and L
SIBLINGS, CLASS = "siblings", "class"
NAMES = {SIBLINGS: "oracle of siblings", CLASS: "oracle of classes"}

sys.path.append(str(tables.RESULTS.parent / "studies" / "depth"))
crossover: Any = importlib.import_module("crossover")
study: Any = importlib.import_module("oracles")


@cache
def oracles() -> dict[str, dict[int, dict[int, AtDepth]]]:
    """P* of each oracle, by m and L."""
    return study.points(pd.read_csv(tables.RESULTS / KEPT))


def laws(m: int, levels: list[int]) -> dict[str, list[float]]:
    """The law of labels and the law of siblings, at each level."""
    each = [predicted_sample_complexity(8, 8, m, 2, L) for L in levels]
    return {
        "law of labels, n·m^L": [law.supervised for law in each],
        "law of siblings, v·m³/(1−m/v)": [law.latent_from_siblings for law in each],
    }


def rows(m: int, levels: list[int]) -> list[tuple[str, ...]]:
    """The rows of the table of P* that no network has made."""
    found: list[tuple[str, ...]] = []
    for oracle, name in NAMES.items():
        own = oracles()[oracle].get(m, {})
        cells = (
            crossover.said(own[L].estimate, own[L].sizes[-1]) if L in own else "–" for L in levels
        )
        found.append((name, *cells))
    return found + [(words, *(f"{P:.0f}" for P in of)) for words, of in laws(m, levels).items()]


def _over(points: Mapping[int, AtDepth], oracle: str, m: int = 4) -> list[Estimate]:
    """A rule's P* over that of an oracle, on the same grammars, from L=3 to 6."""
    return [crossover.ratio(points[L], oracles()[oracle][m][L]) for L in range(3, 7)]


def _said(ratios: list[Estimate]) -> str:
    return listed([crossover.said(each, digits=1 if each.value >= 1 else 2) for each in ratios])


def grows(oracle: str, m: int = 4) -> str:
    """By what each level multiplies P* of an oracle."""
    return bounded(*crossover.growth(oracles()[oracle][m]), digits=2)


def compared(of_m: Lines) -> str:
    """A sentence on the two oracles, beside backprop and CLAPP++."""
    backprop, clapp = _over(of_m[crossover.BACKPROP], CLASS), _over(of_m["clapp_pp"], SIBLINGS)
    sure(*(a.value < b.value for a, b in pairwise(clapp)))
    return (
        "**Oracles.** Two simple learners that cluster patches level by level are a yardstick, and "
        "no lower bound: one clusters patches by what stands beside them, the other by the classes "
        "of the strings that they occur in ([method](#method)). From L=3 on, each level multiplies "
        f"P\\* of the oracle of siblings by {grows(SIBLINGS)}, and that of the oracle of classes "
        f"by {grows(CLASS)}. At L=3 to 6, backprop at its best needs {_said(backprop)} times as "
        f"many strings as the oracle of classes. CLAPP++ needs {_said(clapp)} times as many as "
        "that of siblings: this factor grows with L."
    )

"""What is found at L=6 on ten further grammars, with the settings that needed the least before."""

from functools import cache

import pandas as pd
import tables
from docs_site.tables import table
from findings import sure
from findings_bounds import crossover
from findings_depth import BEST, NAMES, by_m, plain, ratios, sides, verdicts_on

from synaptree import load
from synaptree.analysis.paired import Estimate
from synaptree.report.words import listed

FOLDER = "depth-needs-confirm"
L, M = 6, 4


@cache
def runs() -> pd.DataFrame:
    """The runs on the further grammars."""
    return load(tables.RESULTS / FOLDER, curves=False)


def confirmed() -> str:
    """The part of depth.md on these grammars."""
    points = crossover.lines(runs())[M]
    over = {name: crossover.over_backprop(points, name)[L] for name in points if name != BEST}
    rows = [
        (
            NAMES[name],
            crossover.said(by_m()[M][name][L].estimate),
            crossover.said(points[name][L].estimate, points[name][L].sizes[-1]),
            "–" if name == BEST else crossover.said(ratios(M, L)[name], digits=2),
            "–" if name == BEST else crossover.said(over[name], digits=2),
        )
        for name in NAMES
        if name in points
    ]
    heads = (
        "L=6, m=4",
        "P\\*, 200–209",
        "P\\*, 210–219",
        "over backprop",
        "over backprop, 210–219",
    )
    return "\n\n".join([_said(over), table(heads, rows)]) + "\n"


def _said(over: dict[str, Estimate]) -> str:
    """Which rules need less data on these grammars, and what claim 4b says of these runs alone."""
    less, claim = sides(over)["less"], verdicts_on(runs())["4b"]
    sure(len(less) == len(over))
    held = [each.about for each in claim.primary if each.scope]
    return (
        "The lead at L=6 was asked again on ten further grammars (210–219), with one setting for "
        "each rule: the one that needs the least on 200–209, backprop's among them. There "
        f"{listed([plain(name) for name in less])} need less data than backprop. Claim 4b, judged "
        f"on these runs alone, *{claim.verdict}*, for {listed(held)} rules. All this is about L=6. "
        "At L=5 it stays open, and on all first runs together, L=5 among them, the claim is mixed."
    )

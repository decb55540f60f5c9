"""How P* grows, in numbers."""

from collections.abc import Iterator

import numpy as np

from synaptree.analysis.data_curves import DataCurve, bounded
from synaptree.analysis.growth import growth, shared_seeds
from synaptree.report.figures.growth import grown
from synaptree.report.inputs import Inputs
from synaptree.report.tables.base import Row, Table


def rows(inputs: Inputs) -> Iterator[Row]:
    """A row a rule and line of grammars that differ in m alone, or in L alone.

    Lines over other grammars at each point have no row: there is nothing to pair.
    """
    for (along, rest), lines in grown(inputs.curves).items():
        for label, line in lines.items():
            if seeds := shared_seeds(line):
                yield _row(along, rest, label, line, seeds)


def _row(along: str, rest: str, label: str, line: list[DataCurve], seeds: list[int]) -> Row:
    kind = line[0].kind
    law = growth(line, seeds, by_level=along == "L")
    exponent = np.array([law.exponent, law.low, law.high])
    over = ", ".join(f"{along}={curve.kind[along]}" for curve in line)
    if along == "m":
        group = f"{rest}: the exponent in m, n·m**L: {kind['L']}, v·m³: 3"
        return Row(group, label, (over, bounded(*exponent, digits=2)))
    group = f"{rest}: the factor of each level, n·m**L: {kind['m']}, v·m³: 1"
    return Row(group, label, (over, bounded(*np.exp(exponent), digits=2)))


TABLE = Table(
    "growth-law",
    "Growth in numbers",
    "A power law in m, or a factor for each level, fitted over the grammars where P* is known, "
    "beside what theory says.",
    ("Rule", "Over", "Growth of P*"),
    rows,
    words=2,
    beside="growth",
)

"""What errors vary with, where several networks learned the same strings."""

import math
from collections.abc import Iterator

from synaptree.analysis.variance import variance_shares
from synaptree.report.inputs import Inputs
from synaptree.report.tables.base import Row, Table


def rows(inputs: Inputs) -> Iterator[Row]:
    """A row a rule and kind of grammar with two or more networks on two or more grammars."""
    for row in variance_shares(inputs.frame).to_dict("records"):
        shares = (row["of_grammars"], row["of_networks"])
        cells = (str(row["grammars"]), str(row["networks"]), *map(_share, shares))
        yield Row(str(row["kind"]), str(row["label"]), cells)


def _share(part: float) -> str:
    return "nothing varies" if math.isnan(part) else f"{100 * part:.0f}%"


TABLE = Table(
    "variance",
    "Do errors vary with the grammar or with the network?",
    "Shares of the variance of test errors, where several networks learned from the same grammars. "
    "Networks differ in their first weights and in the order of their batches.",
    ("Rule", "Grammars", "Networks on each", "Between grammars", "Between networks"),
    rows,
)

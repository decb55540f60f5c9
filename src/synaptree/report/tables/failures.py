"""Runs that failed, with their errors."""

from collections.abc import Iterator

from synaptree.report.inputs import Inputs
from synaptree.report.tables.base import Row, Table
from synaptree.results.columns import failed


def rows(inputs: Inputs) -> Iterator[Row]:
    """A row a run that failed."""
    for run in failed(inputs.frame).to_dict("records"):
        kind = " ".join(f"{k}={run[k]}" for k in "vnmsLP")
        yield Row("", str(run["label"]), (f"{kind} seed={run['seed']}", str(run["error"])))


TABLE = Table(
    "failures", "Runs that failed", "", ("Rule", "Grammar", "Error"), rows, words=3
)  # fmt: skip

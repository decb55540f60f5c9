"""Runs that failed, with their errors."""

from collections.abc import Iterator

from synaptree.report.inputs import Inputs
from synaptree.report.tables.base import Row, Table


def rows(inputs: Inputs) -> Iterator[Row]:
    """A row a run that failed."""
    failed = inputs.frame[inputs.frame["status"] == "failed"]
    for run in failed.to_dict("records"):
        kind = " ".join(f"{k}={run[k]}" for k in "vnmsLP")
        yield Row("", str(run["label"]), (f"{kind} seed={run['seed']}", str(run["error"])))


TABLE = Table(
    "failures", "Runs that failed", "", ("Rule", "Grammar", "Error"), rows, words=3
)  # fmt: skip

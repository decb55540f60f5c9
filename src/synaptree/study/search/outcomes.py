"""What a search knows of a run: all that its decisions depend on."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from synaptree.results.journal import rows
from synaptree.results.row import Row
from synaptree.training.solved import chance_error, solved_at


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    error: its test error; that of guessing for a run that failed or diverged.  inputs: how many it
    had seen when its learning curve came down to where the task is solved, for good; all of them
    where it never did.  loss: the training loss at the end of the curve.
    """

    error: float
    inputs: float
    loss: float
    failed: bool = False


def outcome_of(row: Row) -> Outcome:
    """The outcome of a run, from its row."""
    spec = row["spec"]
    chance, budget = chance_error(spec["n"]), spec["steps"] * spec["batch"]
    if row["status"] != "done":
        return Outcome(chance, budget, float("inf"), failed=True)
    if row.get("diverged") or row["test_error"] is None:
        return Outcome(chance, budget, float("inf"))
    curve = row["curve"]
    inputs = budget
    for step, error in zip(reversed(curve["step"]), reversed(curve["test_error"]), strict=True):
        if error is None or error > solved_at(spec["n"]):
            break
        inputs = step * spec["batch"]
    loss = curve["train_loss"][-1] if curve["train_loss"] else None
    return Outcome(row["test_error"], inputs, float("inf") if loss is None else loss)


def outcomes_in(folder: Path, wanted: Collection[str] | None = None) -> dict[str, Outcome]:
    """The outcomes of the runs in a folder of results, by their ids: of those wanted, or of all."""
    return {
        row["run_id"]: outcome_of(row)
        for row in rows(folder)
        if wanted is None or row["run_id"] in wanted
    }

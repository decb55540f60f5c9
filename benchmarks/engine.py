"""What a study costs besides its training: workers, the engine's own work, reading results.

    python benchmarks/engine.py [--seconds 5]

- The same groups on one worker and on two: the ratio of the times should be 1.8 or more.
- Groups of about 5 seconds each on one worker: the time from the end of the first to the end of
  the last, divided by the time that the groups in between took by themselves. What is above 1 is
  the engine's overhead (sending groups out and rows back, writing them); it should be below 2%.
- 100 000 rows, each as large as one of `results/quick`, should load in less than 3 seconds.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import options

from synaptree import load, make_spec, train_replicas
from synaptree.results.journal import rows
from synaptree.study.engine import run
from synaptree.study.update import Update
from synaptree.training.spec import RunSpec

Groups = list[list[RunSpec]]


def seconds(what: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def by_engine(groups: Groups, workers: int) -> tuple[float, float]:
    """Seconds without starting the workers, and the part that the engine adds to training.

    The second is meaningful for one worker only.
    """
    first = last = 0.0
    ends: list[float] = []

    def tell(update: Update) -> None:
        nonlocal first, last
        last = time.perf_counter()
        first = first or last
        if update.failed is not None:
            ends.append(last)

    with tempfile.TemporaryDirectory() as folder:
        run(groups, Path(folder), workers=workers, progress=tell)
        took = [row["wall_s"] for row in rows(Path(folder))]
    return last - first, (ends[-1] - ends[0]) / sum(took[1:]) - 1


def groups_of(count: int, length: float) -> Groups:
    """Groups of one run, each of about `length` seconds, that differ in their grammars alone."""
    spec = make_spec(rule="backprop", v=8, n=8, m=6, L=4, P=16384, steps=100, evaluations=1)
    steps = max(1, int(100 * length / seconds(lambda: train_replicas([spec]))))
    seeds = {"data_seed": 0, "network_seed": 0}
    return [
        [spec.model_copy(update={"steps": steps, "grammar_seed": i, **seeds})] for i in range(count)
    ]


def loading(rows: int) -> tuple[float, float]:
    """Seconds to load rows as large as those of the quick run, with curves and without."""
    quick = Path(__file__).parent.parent / "results" / "quick" / "journal"
    lines = [json.loads(line) for file in quick.glob("*.jsonl") for line in file.open()]
    with tempfile.TemporaryDirectory() as name:
        journal = Path(name) / "journal"
        journal.mkdir()
        with (journal / "rows.jsonl").open("w") as file:
            for i in range(rows):
                file.write(json.dumps(lines[i % len(lines)] | {"run_id": f"{i:016x}"}) + "\n")
        return (
            min(seconds(lambda: load(name)) for _ in range(3)),
            min(seconds(lambda: load(name, curves=False)) for _ in range(3)),
        )


def section(length: float) -> list[str]:
    """All three figures, with groups of `length` seconds."""
    groups = groups_of(8, length)
    (one, overhead), (two, _) = by_engine(groups, 1), by_engine(groups, 2)
    whole, short = loading(100_000)
    return [
        f"- 2 workers against 1: {one / two:.2f} times as fast ({one:.1f} s, {two:.1f} s)",
        f"- the engine's overhead: {100 * overhead:.2f}%, groups of {one / 8:.1f} s",
        f"- 100 000 rows load in {whole:.1f} s, without curves in {short:.1f} s",
        "",
    ]


if __name__ == "__main__":
    print("\n".join(section(options(__doc__, 5.0).seconds)))

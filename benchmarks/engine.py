"""What a study costs besides its training: workers, the engine's own work, reading results.

    python benchmarks/engine.py [--seconds 5] [--runs 100000]

- The same groups on one worker and on two: the ratio of the times should be 1.8 or more.
- Groups of about 5 seconds each on one worker: the time from the end of the first to the end of
  the last, divided by the time that the groups in between took by themselves. What is above 1 is
  the engine's overhead (sending groups out and rows back, writing them); it should be below 2%.
- Tiny runs whose work is an instant result, each a group of its own: what the driver does for
  one, in CPU time and by the clock (below 1 ms); by how much its memory grows; how large a row is
  without its curve (below 1 kB); how long it takes to find what is left when the study goes on
  (below 10 s for 100 000).
- 100 000 rows, each as large as one of `results/quick-1`, should load in less than 3 seconds.
"""

import json
import pickle
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from common import options

from synaptree import load, make_spec, train_replicas
from synaptree.results.journal import rows
from synaptree.results.record import Reader
from synaptree.results.row import row_of
from synaptree.study import engine
from synaptree.study import plan as planning
from synaptree.study.engine import run
from synaptree.study.update import Update
from synaptree.training.result import LearningCurve, Result
from synaptree.training.spec import RunSpec

Groups = list[list[RunSpec]]


def seconds(what: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def cpu_seconds(what: Callable[[], object]) -> float:
    """How much CPU time a call takes in this process."""
    began = time.process_time()
    what()
    return time.process_time() - began


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


def instant(
    groups: list[tuple[int, bytes]], topic: str, **_: object
) -> list[list[dict[str, object]]]:
    """Takes the place of the work of a task: results at once, with one piece of news of each
    group that the engine would have sent."""
    from distributed import get_worker

    made: list[list[dict[str, object]]] = []
    for group, pickled in groups:
        specs: list[RunSpec] = pickle.loads(pickled)
        get_worker().log_event(topic, (group, specs[0].steps, 0.5))
        made.append([row_of(result_of(spec)) for spec in specs])
    return made


def result_of(spec: RunSpec) -> Result:
    """A result as small as one can be."""
    curve = LearningCurve([spec.steps], [0.5], [1.0], [0.5], [[0.5] * spec.L], [[0.5] * spec.L])
    numbers = {"test_error": 0.5, "train_error": 0.25, "wall_s": 0.125, "replicas": 1}
    return Result(
        spec, spec.steps, False, False, curve=curve, portrait=None, switches=[], collapsed=None,
        **numbers,
    )  # fmt: skip


def tiny(runs: int) -> dict[str, float]:
    """What the engine does for tiny runs that differ in their learning rates."""
    kind = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "tests": 16}
    first = make_spec(rule="dfa", steps=4, **kind)
    specs = [first.model_copy(update={"lr": 1e-3 * (1 + i / runs)}) for i in range(runs)]
    figures: dict[str, float] = {}
    began = time.process_time()
    groups = planning.plan(specs)
    figures["plan"] = time.process_time() - began
    process, ended = psutil.Process(), 0
    marks: dict[int, tuple[float, float, int]] = {}

    def tell(update: Update) -> None:
        nonlocal ended
        ended += update.failed is not None
        if ended in (runs // 10, runs):
            now = time.perf_counter(), time.process_time(), process.memory_info().rss
            marks.setdefault(ended, now)

    engine.work = instant
    with tempfile.TemporaryDirectory() as folder:
        run(groups, Path(folder), workers=2, progress=tell)
        # From a tenth on, when all that is kept for the study is there.
        (wall, cpu, memory), (wall_end, cpu_end, memory_end) = marks[runs // 10], marks[runs]
        counted = runs - runs // 10
        figures |= {"wall": (wall_end - wall) / counted, "cpu": (cpu_end - cpu) / counted}
        figures["memory"] = memory_end - memory
        lines = [line for file in (Path(folder) / "journal").iterdir() for line in file.open()]
        short = [json.loads(line) | {"curve": None} for line in lines[:1000]]
        figures["bytes"] = sum(map(len, map(json.dumps, short))) / len(short)
        began = time.process_time()
        reader = Reader(curves=False).know(group[0] for group in groups)
        left = planning.left(groups, planning.done_in(Path(folder), reader=reader))
        figures["resume"] = time.process_time() - began
        assert not left
    return figures


def row_text(row: dict[str, object]) -> str:
    """A row as a journal has it."""
    return json.dumps(row, separators=(",", ":")) + "\n"


def loading(rows: int) -> tuple[float, float]:
    """CPU seconds to load rows as large as those of the quick run, with curves and without."""
    quick = Path(__file__).parent.parent / "results" / "quick-1" / "journal"
    lines = [json.loads(line) for file in quick.glob("*.jsonl") for line in file.open()]
    with tempfile.TemporaryDirectory() as name:
        journal = Path(name) / "journal"
        journal.mkdir()
        with (journal / "rows.jsonl").open("w") as file:
            for i in range(rows):
                file.write(row_text(lines[i % len(lines)] | {"run_id": f"{i:016x}"}))
        return (
            min(cpu_seconds(lambda: load(name)) for _ in range(3)),
            min(cpu_seconds(lambda: load(name, curves=False)) for _ in range(3)),
        )


def section(length: float, runs: int = 100_000) -> list[str]:
    """All figures, with groups of `length` seconds."""
    groups = groups_of(8, length)
    (one, overhead), (two, _) = by_engine(groups, 1), by_engine(groups, 2)
    whole, short = loading(100_000)
    engine_alone = tiny(runs)
    return [
        f"- 2 workers against 1: {one / two:.2f} times as fast ({one:.1f} s, {two:.1f} s)",
        f"- the engine's overhead: {100 * overhead:.2f}%, groups of {one / 8:.1f} s",
        f"- {runs} tiny runs: {1e3 * engine_alone['wall']:.2f} ms a run by the clock, "
        f"{1e3 * engine_alone['cpu']:.2f} ms of the driver's CPU time; planned in "
        f"{engine_alone['plan']:.1f} s; memory grows by {engine_alone['memory'] / 1e6:.0f} MB; "
        f"{engine_alone['bytes']:.0f} bytes a row without its curve; what is left is found in "
        f"{engine_alone['resume']:.1f} s",
        f"- 100 000 rows load in {whole:.1f} s, without curves in {short:.1f} s",
        "",
    ]


if __name__ == "__main__":
    chosen = options(__doc__, 5.0, runs=100_000)
    print("\n".join(section(chosen.seconds, chosen.runs)))

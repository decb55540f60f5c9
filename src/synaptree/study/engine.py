"""Runs a list of specs: replicas together, programs beside each other, finished runs kept.

Runs that differ in their seeds alone train as one program; programs are spread over worker
processes of one thread each (more threads slow such small products down). A worker writes its rows
to a journal file of its own and only then says that they are done.
"""

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from synaptree.errors import SynaptreeError
from synaptree.spec import RunSpec
from synaptree.study.journal import Journal, Row, row_of, rows
from synaptree.training import Program, Progress, train_replicas

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
# glibc gives the pages of large blocks back at every step, only to fault them in again at the next:
# keeping them makes a step 10 to 20% faster. Other C libraries ignore these names.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**26),
}


@dataclass(frozen=True)
class Update:
    """News of one program: where it is, or, once it ended, how many of its runs failed."""

    program: int
    progress: Progress | None = None
    failed: int | None = None


CACHE = 2**20  # bytes of a layer's activity up to which replicas share a CPU core's cache


def plan(specs: Sequence[RunSpec], done: set[str], device: str = "cpu") -> list[list[RunSpec]]:
    """The programs that are left: missing runs, grouped by what may be replicas, longest first.

    On a CPU no more replicas train at once than fit its cache together: larger tensors only wait
    for memory. Results do not depend on it.
    """
    alike: dict[str, list[RunSpec]] = {}
    for spec in specs:
        if spec.run_id not in done:
            alike.setdefault(spec.program, []).append(spec)
    programs: list[list[RunSpec]] = []
    for runs in alike.values():
        spec = runs[0]
        activity = 4 * spec.batch * spec.s ** (spec.L - 1) * spec.width
        at_once = len(runs) if device == "cuda" else max(1, CACHE // activity)
        programs += [runs[i : i + at_once] for i in range(0, len(runs), at_once)]
    return sorted(programs, key=_cost, reverse=True)


def _cost(program: Sequence[RunSpec]) -> float:
    spec = program[0]
    nodes = sum(spec.s**k for k in range(spec.L))
    # Layerwise rules have predictors beside each layer; a trained readout alone costs little.
    weight = 2.0 if spec.rule.needs_views else 0.3 if spec.rule.name == "readout_only" else 1.0
    return weight * spec.steps * spec.batch * nodes * len(program)


def done_in(folder: Path, failed_too: bool = False) -> set[str]:
    """The ids of the runs that are done in a folder of results, or that ended in an error."""
    return {row["run_id"] for row in rows(folder) if failed_too or row["status"] == "done"}


def shard(programs: Sequence[list[RunSpec]], part: int, parts: int) -> list[list[RunSpec]]:
    """The share of one of several independent drivers: part 1..parts of a plan with nothing done.

    Every driver makes the same plan, so that the shares are disjoint and together complete.
    """
    return list(programs)[part - 1 :: parts]


def seconds_left(programs: Sequence[Sequence[RunSpec]], device: str = "cpu") -> float:
    """An estimate of the seconds of one worker that programs take, from a few measured steps.

    Programs of the same shape are measured once.  Data, evaluation and portraits are not counted:
    they are a small part of runs of usual length.
    """
    measured: dict[str, float] = {}
    seconds = 0.0
    for specs in programs:
        spec = specs[0]
        short = spec.model_copy(update={"P": min(spec.P, 4 * max(spec.batch, 256)), "steps": 1})
        same = {"grammar_seed": 0, "data_seed": 0, "network_seed": 0, "lr": 1e-3}
        key = f"{len(specs)} {short.model_copy(update=same).run_id}"
        if key not in measured:
            replicas = [s.model_copy(update={"P": short.P}) for s in specs]
            measured[key] = _seconds_a_step(Program(replicas, device))
        seconds += measured[key] * spec.steps
    return seconds


def _seconds_a_step(program: Program) -> float:
    for _ in range(3):
        program.step()
    began = time.perf_counter()
    for _ in range(10):
        program.step()
    return (time.perf_counter() - began) / 10


def run(
    programs: Sequence[Sequence[RunSpec]],
    folder: Path,
    *,
    workers: int,
    device: str = "cpu",
    tell: Callable[[Update], None] = lambda _: None,
) -> int:
    """Train the programs, append their rows to the journal, return how many runs failed.

    A failing run is recorded with its error and does not stop the others.  On Ctrl-C workers are
    stopped and KeyboardInterrupt goes on; what was done is kept.  Raises SynaptreeError where the
    folder cannot be written, or where a worker was killed.
    """
    context = multiprocessing.get_context("spawn")
    news: Any = context.Queue()
    failed = 0
    with _environment(ONE_THREAD | KEEP_MEMORY), _telling(news, tell):
        pool = ProcessPoolExecutor(
            max(1, min(workers, len(programs))), context, _begin_worker, (news, str(folder), device)
        )
        try:
            left: set[Future[int]] = {
                pool.submit(_work, i, list(specs)) for i, specs in enumerate(programs)
            }
            while left:
                ended, left = wait(left, return_when=FIRST_COMPLETED)
                failed += sum(future.result() for future in ended)
        except BrokenProcessPool:
            raise SynaptreeError(
                "workers: a worker process was killed (out of memory?); finished runs are kept: "
                "start the same command again, perhaps with fewer --workers"
            ) from None
        except BaseException:
            for process in list(pool._processes.values()):  # pyright: ignore[reportPrivateUsage]
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return failed


@contextmanager
def _environment(values: dict[str, str]) -> Generator[None]:
    """Set variables while workers start: thread counts must be known before torch loads."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _telling(news: Any, tell: Callable[[Update], None]) -> Generator[None]:
    """Pass the workers' news on, from a thread of its own, until the block ends."""
    ended = threading.Event()

    def listen() -> None:
        while True:
            try:
                tell(news.get(timeout=0.2))
            except queue.Empty:
                if ended.is_set():
                    return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


# In the worker ------------------------------------------------------------------------------------

_worker: dict[str, Any] = {}


def _begin_worker(news: Any, folder: str, device: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what Ctrl-C stops
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_driver, daemon=True).start()
    _worker.update(news=news, folder=Path(folder), device=device, journal=None)


def _end_with_driver() -> None:
    """A worker whose driver was killed has nobody to report to: it stops at once."""
    driver = multiprocessing.parent_process()
    assert driver is not None
    driver.join()
    os._exit(1)


def _work(program: int, specs: list[RunSpec]) -> int:
    news = _worker["news"]
    if _worker["journal"] is None:
        _worker["journal"] = Journal(_worker["folder"])
    journal: Journal = _worker["journal"]
    found: list[Row]
    try:
        results = train_replicas(
            specs,
            device=_worker["device"],
            progress=lambda progress: news.put(Update(program, progress)),
        )
        found, failed = [row_of(result) for result in results], 0
    except Exception as fault:
        reason = f"{type(fault).__name__}: {fault}"
        found, failed = [failed_row(spec, reason) for spec in specs], len(specs)
    for row in found:
        journal.append(row)
    news.put(Update(program, failed=failed))
    return failed


def failed_row(spec: RunSpec, reason: str) -> Row:
    """The journal's row of a run that ended in an error."""
    return {
        "run_id": spec.run_id,
        "status": "failed",
        "error": reason,
        "label": spec.rule.label,
        "spec": spec.model_dump(mode="json"),
    }

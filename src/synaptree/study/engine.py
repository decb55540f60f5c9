"""Runs programs beside each other and keeps what is finished.

Programs are tasks of a Dask cluster,
one of this machine's own or one that runs already. Tasks are pure: they return the rows of their
runs, and the driver alone writes them to its journal, and only then says that they are done. So a
task that is run twice, because its worker died, leaves nothing twice.
"""

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from itertools import islice
from pathlib import Path

from distributed import Future, KilledWorker, as_completed

from synaptree.errors import SynaptreeError
from synaptree.results.journal import Journal
from synaptree.results.row import Row, failed_row
from synaptree.results.sessions import Session
from synaptree.study.cluster import connect
from synaptree.study.progress import Update
from synaptree.study.worker import work
from synaptree.training.loop import Progress
from synaptree.training.spec import RunSpec

WINDOW = 1000  # programs handed to the cluster at once: a study may have a hundred times as many


def run(
    programs: Sequence[Sequence[RunSpec]],
    folder: Path,
    *,
    workers: int,
    scheduler: str | None = None,
    device: str = "cpu",
    command: str = "",
    tell: Callable[[Update], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Train the programs, append their rows to the journal, return how many runs failed.

    workers: processes of this machine; or scheduler: the address of a running Dask cluster, as
    ``tcp://host:8786``.  A failing run is recorded with its error and does not stop the others, as
    is one whose workers die again and again.  command: what a person would type to do this, kept
    with the session.  On Ctrl-C workers are stopped and KeyboardInterrupt
    goes on; what was done is kept.  `say` gets a line for a person now and then.  Raises
    SynaptreeError where the folder cannot be written, or the cluster cannot be reached or is lost.
    """
    journal = Journal(folder)
    session = Session(folder, None if scheduler else workers, device, command)
    failed = 0
    name = f"synaptree-{uuid.uuid4().hex[:12]}"
    begun: dict[Future[list[Row]], int] = {}
    try:
        with connect(scheduler, min(workers, len(programs)), say) as client:
            client.subscribe_topic(name, lambda event: tell(_update(*event[1])))  # pyright: ignore[reportUnknownLambdaType]

            def begin(program: int) -> Future[list[Row]]:
                future = client.submit(
                    *(work, program, list(programs[program]), device, name),
                    key=f"{name}-{program}",
                    priority=-program,
                    pure=False,
                )
                begun[future] = program
                return future

            waiting = iter(range(len(programs)))
            ended = as_completed(
                [begin(program) for program in islice(waiting, WINDOW)], loop=client.loop
            )
            try:
                for future in ended:
                    program = begun.pop(future)
                    found = _rows_of(future, programs[program], scheduler)
                    journal.append(*found)
                    session.finished(len(found))
                    lost = sum(row["status"] == "failed" for row in found)
                    failed += lost
                    tell(Update(program, failed=lost))
                    for following in islice(waiting, 1):
                        ended.add(begin(following))
            finally:
                client.cancel(list(begun), force=True)
    finally:
        journal.close()
    return failed


def _update(program: int, made: tuple[int, int, float | None]) -> Update:
    return Update(program, Progress(*made))


def _rows_of(
    future: Future[list[Row]], specs: Sequence[RunSpec], scheduler: str | None
) -> list[Row]:
    try:
        return future.result()
    except KilledWorker:
        reason = "worker died again and again (out of memory?)"
        return [failed_row(spec, reason) for spec in specs]
    except CancelledError:
        raise SynaptreeError(
            f"scheduler: the connection to {scheduler!r} was lost; finished runs are kept: start "
            "the same command again once the cluster is back"
        ) from None
    except Exception as fault:
        # An error of a run is in its row; this one is of the worker itself.
        raise SynaptreeError(
            f"workers: a worker cannot run programs ({type(fault).__name__}: {fault}); expected "
            "the same versions of synaptree and its dependencies on workers and driver"
        ) from None

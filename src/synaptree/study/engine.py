"""Trains groups of runs beside each other, and keeps what is finished.

Groups are tasks of a Dask cluster: one of this machine's own, or one that runs already; many tiny
groups are one task.  Tasks are pure: they return the rows of their runs, and the driver alone
writes them to its journal, and only then says that they are done.  So a task that runs twice,
because its worker died, leaves nothing twice.  A long group keeps checkpoints, from which it goes
on to the same rows.
"""

import pickle
import uuid
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from typing import Any

from distributed import Client, Future, KilledWorker, as_completed
from distributed.comm.core import CommClosedError

from synaptree.errors import SynaptreeError
from synaptree.results.journal import Journal
from synaptree.results.row import Row, failed_row
from synaptree.results.sessions import Session
from synaptree.rules import source_of
from synaptree.study import plan as planning
from synaptree.study.check import check_process
from synaptree.study.cluster import connect
from synaptree.study.update import Teller, Update
from synaptree.study.worker import work
from synaptree.training.checkpoint import CHECKPOINTS, Checkpoint
from synaptree.training.spec import RunSpec

CHECKPOINT_EVERY = 30.0  # seconds, at the least, between two checkpoints of a group
WINDOW = 1000  # tasks handed to the cluster at once: a study may have a hundred times as many


def run(
    groups: Sequence[Sequence[RunSpec]],
    folder: Path,
    *,
    workers: int,
    scheduler: str | None = None,
    device: str = "cpu",
    command: str = "",
    done: Collection[str] = (),
    portrait: bool = True,
    save: bool = False,
    progress: Callable[[Update], None] | None = None,
) -> int:
    """Train the groups, append their rows to the folder's journal, return how many runs failed.

    done: the ids of runs that are companions alone: they train, and their rows are not kept.
    portrait: whether to measure what each layer represents.  save: whether to keep the networks.
    workers: processes of this machine; or scheduler: the address of a running Dask cluster, as
    ``tcp://host:8786``.  command: what a person would type to do this, kept with the session.

    A run that fails is recorded with its error and does not stop the others; so is a group whose
    workers die again and again.  Ctrl-C stops the workers and goes on as KeyboardInterrupt; what
    was done is kept.  Raises SynaptreeError where the folder cannot be written, or the cluster
    cannot be reached or is lost, WorkersError where no worker can start, and what `progress`
    raises.
    """
    check_process(scheduler)
    tell = Teller(progress)

    def say(message: str) -> None:
        tell(Update(groups, message=message))

    session = Session(folder, None if scheduler else workers, device, command)
    handed = planning.tasks(groups)
    options: dict[str, Any] = {"device": device, "portrait": portrait, "save": save}
    if scheduler is None:  # machines of a cluster may have other disks
        options |= {"folder": folder.absolute(), "every": CHECKPOINT_EVERY}
    failed = 0
    with (
        closing(Journal(folder)) as journal,
        connect(scheduler, min(workers, len(handed)), say) as client,
        closing(_finished(client, groups, handed, scheduler, tell, options)) as finished,
    ):
        for trained in finished:
            kept = {
                group: [row for row in rows if row["run_id"] not in done] for group, rows in trained
            }
            journal.append(*chain.from_iterable(kept.values()))
            session.finished(sum(map(len, kept.values())))
            if (folder / CHECKPOINTS).is_dir():
                for group in kept:
                    Checkpoint.of(folder, groups[group]).remove()
            for group, rows in kept.items():
                lost = sum(row["status"] == "failed" for row in rows)
                failed += lost
                took = max((row.get("wall_s", 0.0) for row in rows), default=0.0) or None
                tell(Update(groups, group, groups[group][0].steps, failed=lost, seconds=took))
            tell.check()
    return failed


def _finished(
    client: Client,
    groups: Sequence[Sequence[RunSpec]],
    handed: Sequence[Sequence[int]],
    scheduler: str | None,
    tell: Teller,
    options: Mapping[str, Any],
) -> Generator[list[tuple[int, list[Row]]]]:
    """The rows of the groups of each task, in the order in which tasks end.  On closing, the rest
    is dropped."""
    topic = f"synaptree-{uuid.uuid4().hex[:12]}"
    begun: dict[Future[list[list[Row]]], Sequence[int]] = {}

    def begin(together: Sequence[int]) -> Future[list[list[Row]]]:
        sources = {source_of(type(groups[group][0].rule)) for group in together} - {None}
        key = f"{topic}-{together[0]}-{len(together)}"
        future = client.submit(
            work,
            task=key,
            groups=[(group, pickle.dumps(list(groups[group]))) for group in together],
            sources=list(sources),
            topic=topic,
            **options,
            key=key,
            priority=-together[0],
            pure=False,
        )
        begun[future] = together
        return future

    client.subscribe_topic(topic, lambda event: tell(_update(groups, event[1])))  # pyright: ignore[reportUnknownLambdaType]
    waiting = iter(handed)
    ended = as_completed([begin(each) for each in islice(waiting, WINDOW)], loop=client.loop)
    try:
        for future in ended:
            together = begun.pop(future)
            rows = _rows_of(future, [groups[group] for group in together], scheduler)
            if rows is None:  # one of several has killed its workers, and is found by itself
                for group in together:
                    ended.add(begin([group]))
                continue
            yield list(zip(together, rows, strict=True))
            for following in islice(waiting, 1):
                ended.add(begin(following))
    finally:
        client.cancel(list(begun), force=True)


def _update(
    groups: Sequence[Sequence[RunSpec]], news: tuple[int, int, float | None, str]
) -> Update:
    group, step, test_error, warning = news
    return Update(groups, group, step, test_error, message=warning)


def _rows_of(
    future: Future[list[list[Row]]], groups: Sequence[Sequence[RunSpec]], scheduler: str | None
) -> list[list[Row]] | None:
    """The rows of the groups of a task; None where it killed its workers and has several groups."""
    try:
        return future.result()
    except KilledWorker:
        if len(groups) > 1:
            return None
        reason = "worker died again and again (out of memory?)"
        return [[failed_row(spec, reason) for spec in specs] for specs in groups]
    except (CancelledError, CommClosedError):
        raise SynaptreeError(
            f"scheduler: the connection to {scheduler!r} was lost; finished runs are kept: start "
            "the same command again once the cluster is back"
        ) from None
    except Exception as fault:
        # The error of a run is in its row; this one is of the worker itself.
        raise SynaptreeError(
            f"workers: a worker cannot run this study ({type(fault).__name__}: {fault}); expected "
            "the same versions of synaptree and its dependencies on workers and driver"
        ) from None

"""What happens in a worker: one group of runs is trained, and its rows go back to the driver."""

import pickle
from collections.abc import Sequence

from distributed import get_worker

from synaptree import rules
from synaptree.results.row import Row, failed_row, row_of
from synaptree.training.loop import Progress, train_replicas
from synaptree.training.process import prepare
from synaptree.training.spec import RunSpec


class Cancelled(BaseException):
    """The driver is gone or has stopped: nobody waits for this group any more."""


def work(
    group: int,
    pickled: bytes,
    sources: Sequence[rules.Source],
    device: str,
    topic: str,
    portrait: bool = True,
) -> list[Row]:
    """The rows of a group's runs.  An error fails its runs, not the study.

    pickled: the specs of the group.  sources: the files that its rules come from, which this
    machine need not have.  The group's progress is sent as events of the topic.
    """
    prepare()
    rules.adopt(sources)
    specs: list[RunSpec] = pickle.loads(pickled)
    worker = get_worker()
    key = f"{topic}-{group}"

    def send(progress: Progress) -> None:
        task = worker.state.tasks.get(key)
        if task is None or task.state == "cancelled":
            raise Cancelled
        worker.log_event(topic, (group, progress.step, progress.test_error))

    try:
        results = train_replicas(specs, device=device, progress=send, portrait=portrait)
        return [row_of(result) for result in results]
    except Exception as fault:
        reason = f"{type(fault).__name__}: {fault}"
        return [failed_row(spec, reason) for spec in specs]

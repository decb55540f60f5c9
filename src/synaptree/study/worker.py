"""What happens in a worker: groups of runs are trained, and their rows go back to the driver."""

import math
import pickle
import time
from collections.abc import Callable, Sequence
from functools import partial

from distributed import get_worker

from synaptree import rules
from synaptree.results.row import Row, failed_row, row_of
from synaptree.training.loop import Progress, train_replicas
from synaptree.training.process import prepare
from synaptree.training.spec import RunSpec

SEND_EVERY = 0.1  # seconds


class Cancelled(BaseException):
    """The driver is gone or has stopped: nobody waits for these groups any more."""


def work(
    task: str,
    groups: Sequence[tuple[int, bytes]],
    sources: Sequence[rules.Source],
    device: str,
    topic: str,
    portrait: bool = True,
) -> list[list[Row]]:
    """The rows of each group's runs.  An error fails the runs of its group, not the study.

    task: the key under which this was handed out.  groups: their places in the study, and their
    specs, pickled.  sources: the files that their rules come from, which this machine need not
    have.  How far the groups are is sent as events of the topic.
    """
    prepare()
    rules.adopt(sources)
    worker = get_worker()
    sent = -math.inf

    def send(group: int, progress: Progress) -> None:
        nonlocal sent
        held = worker.state.tasks.get(task)
        if held is None or held.state == "cancelled":
            raise Cancelled
        if time.monotonic() - sent >= SEND_EVERY:  # tiny runs have more to tell than to do
            worker.log_event(topic, (group, progress.step, progress.test_error))
            sent = time.monotonic()

    return [
        _trained(pickle.loads(specs), device, portrait, partial(send, group))
        for group, specs in groups
    ]


def _trained(
    specs: Sequence[RunSpec],
    device: str,
    portrait: bool,
    progress: Callable[[Progress], None],
) -> list[Row]:
    try:
        results = train_replicas(specs, device=device, progress=progress, portrait=portrait)
        return [row_of(result) for result in results]
    except Exception as fault:
        reason = f"{type(fault).__name__}: {fault}"
        return [failed_row(spec, reason) for spec in specs]

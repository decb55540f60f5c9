"""What happens in a worker: groups of runs are trained, and their rows go back to the driver."""

import math
import pickle
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from distributed import get_worker

from synaptree import rules
from synaptree.results.row import Row, failed_row, row_of
from synaptree.training.checkpoint import Checkpoint
from synaptree.training.loop import Progress, train_replicas
from synaptree.training.process import prepare
from synaptree.training.saving import save_in
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
    folder: Path | None = None,
    save: bool = False,
    every: float = 0.0,
) -> list[list[Row]]:
    """The rows of each group's runs.  An error fails the runs of its group, not the study.

    task: the key under which this was handed out.  groups: their places in the study, and their
    specs, pickled.  sources: the files that their rules come from, which this machine need not
    have.  How far the groups are is sent as events of the topic.  folder: where this machine keeps
    checkpoints, written at most `every` seconds, and, to `save`, networks; None if it keeps none.
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
        now = time.monotonic()
        # Tiny runs have more to tell than to do.
        if now - sent >= SEND_EVERY or progress.warning:
            news = (group, progress.step, progress.test_error, progress.warning)
            worker.log_event(topic, news)
            sent = now

    return [
        _trained(
            pickle.loads(specs),
            folder,
            every,
            keep=save,
            device=device,
            portrait=portrait,
            progress=partial(send, group),
        )
        for group, specs in groups
    ]


def _trained(
    specs: Sequence[RunSpec], folder: Path | None, every: float, keep: bool, **options: Any
) -> list[Row]:
    try:
        checkpoint = None if folder is None else Checkpoint.of(folder, specs, every)
        results = train_replicas(specs, keep=keep, checkpoint=checkpoint, **options)
        if keep and folder is not None:
            save_in(folder, results)
        return [row_of(result) for result in results]
    except Exception as fault:
        reason = f"{type(fault).__name__}: {fault}"
        return [failed_row(spec, reason) for spec in specs]

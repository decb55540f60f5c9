"""What happens in a worker: one program is trained, and its rows go back to the driver."""

import ctypes
from collections.abc import Sequence
from contextlib import suppress
from functools import cache

import torch
from distributed import get_worker

from synaptree.spec import RunSpec
from synaptree.study.journal import Row, failed_row, row_of
from synaptree.training import Progress, train_replicas


class Cancelled(BaseException):
    """The driver is gone or has stopped: nobody waits for this program any more."""


def work(program: int, specs: Sequence[RunSpec], device: str, topic: str) -> list[Row]:
    """The rows of a program's runs.  An error fails its runs, not the study.

    Where the program is goes out as events of the topic, for the driver's live view.
    """
    prepare()
    worker = get_worker()
    key = f"{topic}-{program}"

    def tell(progress: Progress) -> None:
        task = worker.state.tasks.get(key)
        if task is None or task.state == "cancelled":
            raise Cancelled
        worker.log_event(topic, (program, (progress.step, progress.steps, progress.test_error)))

    try:
        return [row_of(result) for result in train_replicas(specs, device=device, progress=tell)]
    except Exception as fault:
        reason = f"{type(fault).__name__}: {fault}"
        return [failed_row(spec, reason) for spec in specs]


@cache
def prepare() -> None:
    """Once a process: one thread, and memory that is kept between the steps."""
    torch.set_num_threads(1)
    # glibc gives the pages of large blocks back at every step, only to fault them in again at the
    # next. Dask's workers are told to do so all the more, which halves the speed of a step.
    with suppress(OSError, AttributeError):  # other C libraries have no mallopt
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((-3, 2**25), (-1, 2**31 - 1), (-2, 2**26)):
            mallopt(parameter, value)  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD

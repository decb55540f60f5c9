"""What happens in a worker: one program is trained, and its rows go back to the driver."""

from collections.abc import Sequence

from distributed import get_worker

from synaptree.results.row import Row, failed_row, row_of
from synaptree.training.loop import Progress, train_replicas
from synaptree.training.process import prepare
from synaptree.training.spec import RunSpec


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

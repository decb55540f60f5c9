"""News from a study at work: what `run_study` tells its caller."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synaptree.training.spec import RunSpec


@dataclass(frozen=True)
class Update:
    """One piece of news from a study at work.

    groups: all groups of runs that this call trains, longest first; the same in every update.
    group: the index of the group that the news is about; None where it is about the whole study.
    step, test_error: how many steps the group has made, and the mean of its runs' latest test
    errors (None before the first evaluation).
    failed: None while the group trains; once its rows are on the disk, how many of its runs failed.
    seconds: then, how long the group took its worker; None where it failed.
    message: a sentence for a person, or empty.
    """

    groups: Sequence[Sequence[RunSpec]]
    group: int | None = None
    step: int = 0
    test_error: float | None = None
    failed: int | None = None
    message: str = ""
    seconds: float | None = None


class Teller:
    """Calls a callback with updates, one at a time, from whatever thread the news comes.

    A callback that raises is not called again; its error waits for `check`, in the thread that
    called for the work.
    """

    def __init__(self, progress: Callable[[Update], None] | None) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._fault: Exception | SystemExit | None = None

    def __call__(self, update: Update) -> None:
        """Pass an update on."""
        with self._lock:
            if self._progress is None or self._fault is not None:
                return
            try:
                self._progress(update)
            except (Exception, SystemExit) as fault:  # rich exits where its reader went away
                self._fault = fault

    def check(self) -> None:
        """Raise what the callback raised."""
        if self._fault is not None:
            raise self._fault

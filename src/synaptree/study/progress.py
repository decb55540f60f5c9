"""Live progress: a bar for each rule in a terminal, plain lines anywhere else."""

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from synaptree.spec import RunSpec
from synaptree.study.engine import Update


def title(spec: RunSpec) -> str:
    """What a program is called: its rule and its grammar."""
    return f"{spec.rule.label} · L={spec.L} m={spec.m}"


class Live:
    """Shows updates of programs as they come; use as a context manager. Safe between threads."""

    EVERY = 10.0  # seconds between plain lines of one program

    def __init__(self, programs: Sequence[Sequence[RunSpec]], console: Console) -> None:
        self.titles = [title(specs[0]) for specs in programs]
        self.replicas = [len(specs) for specs in programs]
        self.steps = [specs[0].steps for specs in programs]
        self.console = console
        self.lock = threading.Lock()
        self.began: dict[int, float] = {}
        self.said: dict[int, float] = {}
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[error]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
        )
        self.tasks: dict[int, TaskID] = {}

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.bars.start()
            for i, name in enumerate(self.titles):
                # A bar's clock starts when its program does, not when it is listed.
                self.tasks[i] = self.bars.add_task(
                    name, total=self.steps[i], error="waiting", start=False
                )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.console.is_terminal:
            self.bars.stop()

    def __call__(self, update: Update) -> None:
        """Show one update."""
        with self.lock:
            if self.console.is_terminal:
                self._draw(update)
            else:
                self._print(update)

    def _draw(self, update: Update) -> None:
        i, task = update.program, self.tasks[update.program]
        if update.failed is not None:
            if update.failed:
                self.bars.update(task, error=f"[red]{update.failed} failed")
            self.bars.stop_task(task)
        elif update.progress is not None:
            if i not in self.began:
                self.began[i] = time.monotonic()
                self.bars.start_task(task)
            done = update.progress
            error = "" if done.test_error is None else f"error {done.test_error:.3f}"
            self.bars.update(task, completed=done.step, error=error)

    def _print(self, update: Update) -> None:
        i, now = update.program, time.monotonic()
        if update.failed is not None:
            kept = self.replicas[i] - update.failed
            took = now - self.began.get(i, now)
            failed = f", {update.failed} failed" if update.failed else ""
            self._line(
                f"{self.titles[i]}: {kept} of {self.replicas[i]} runs done{failed} ({took:.0f} s)"
            )
        elif update.progress is not None:
            self.began.setdefault(i, now)
            done = update.progress
            if now - self.said.setdefault(i, now - self.EVERY / 2) < self.EVERY:
                return
            self.said[i] = now
            error = "" if done.test_error is None else f", error {done.test_error:.3f}"
            left = (now - self.began[i]) / done.step * (done.steps - done.step)
            self._line(
                f"{self.titles[i]}: {done.step} of {done.steps} steps{error}, {left:.0f} s left"
            )

    def _line(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

"""Live progress: a bar for each rule in a terminal, plain lines anywhere else."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from synaptree.spec import RunSpec
from synaptree.study.engine import Update


def title(spec: RunSpec) -> str:
    """What a program is called: its rule and its grammar."""
    return f"{spec.rule.label} · L={spec.L} m={spec.m}"


@dataclass
class Line:
    """What is shown of one rule on one kind of grammar: its programs together."""

    title: str
    replicas: int = 0
    steps: int = 0
    made: dict[int, int] = field(default_factory=dict[int, int])
    errors: dict[int, float] = field(default_factory=dict[int, float])
    ended: int = 0
    failed: int = 0
    began: float | None = None
    said: float = 0.0

    @property
    def error(self) -> str:
        """The mean test error so far."""
        return f"error {fmean(self.errors.values()):.3f}" if self.errors else ""


class Live:
    """Shows updates of programs as they come; use as a context manager. Safe between threads."""

    EVERY = 10.0  # seconds between plain lines of one rule

    def __init__(self, programs: Sequence[Sequence[RunSpec]], console: Console) -> None:
        lines: dict[str, Line] = {}
        self.lines: list[Line] = []  # of each program
        self.replicas = [len(specs) for specs in programs]
        for specs in programs:
            name = title(specs[0])
            line = lines.setdefault(name, Line(name))
            line.replicas += len(specs)
            line.steps += specs[0].steps
            self.lines.append(line)
        self.console = console
        self.lock = threading.Lock()
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[error]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
        )
        # A bar's clock starts when its program does, not when it is listed.
        self.tasks = {
            name: self.bars.add_task(name, total=line.steps, error="waiting", start=False)
            for name, line in lines.items()
        }

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.bars.start()
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
            line, now = self.lines[update.program], time.monotonic()
            if line.began is None:
                line.began, line.said = now, now - self.EVERY / 2
                self.bars.start_task(self.tasks[line.title])
            if update.failed is not None:
                line.ended += self.replicas[update.program]
                line.failed += update.failed
            elif update.progress is not None:
                line.made[update.program] = update.progress.step
                if update.progress.test_error is not None:
                    line.errors[update.program] = update.progress.test_error
            self._draw(line) if self.console.is_terminal else self._print(line, now)

    def _draw(self, line: Line) -> None:
        task = self.tasks[line.title]
        error = f"[red]{line.failed} failed" if line.failed else line.error
        self.bars.update(task, completed=sum(line.made.values()), error=error)
        if line.ended == line.replicas:
            self.bars.stop_task(task)

    def _print(self, line: Line, now: float) -> None:
        took = now - (now if line.began is None else line.began)
        if line.ended == line.replicas:
            failed = f", {line.failed} failed" if line.failed else ""
            kept = f"{line.replicas - line.failed} of {line.replicas} runs done{failed}"
            self._say(f"{line.title}: {kept} ({took:.0f} s)")
        elif now - line.said >= self.EVERY:
            line.said = now
            made = sum(line.made.values())
            left = took / max(made, 1) * (line.steps - made)
            error = f", {line.error}" if line.error else ""
            self._say(f"{line.title}: {made} of {line.steps} steps{error}, {left:.0f} s left")

    def _say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

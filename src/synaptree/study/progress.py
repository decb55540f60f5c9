"""Live progress: a bar for each rule in a terminal, plain lines anywhere else."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from synaptree.safely import printable
from synaptree.study.plan import cost
from synaptree.training.loop import Progress
from synaptree.training.spec import RunSpec


@dataclass(frozen=True)
class Update:
    """News of one program: where it is, or, once its rows are kept, how many of its runs failed."""

    program: int
    progress: Progress | None = None
    failed: int | None = None


def title(spec: RunSpec) -> str:
    """What a program is called: its rule and its grammar."""
    return f"{spec.rule.label} · L={spec.L} m={spec.m}"


@dataclass
class Line:
    """What is shown of one rule on one kind of grammar: its programs together."""

    title: str
    runs: int = 0
    steps: int = 0
    made: dict[int, int] = field(default_factory=dict[int, int])
    errors: dict[int, float] = field(default_factory=dict[int, float])
    ended: int = 0
    failed: int = 0
    began: float | None = None
    said: float = 0.0

    @property
    def best(self) -> str:
        """The lowest test error of a program so far: its mean over the program's replicas."""
        return f"best error {min(self.errors.values()):.3f}" if self.errors else ""


class Live:
    """Shows updates of programs as they come; use as a context manager. Safe between threads."""

    EVERY = 10.0  # seconds between plain lines of one rule, and a third of those on the whole
    ROWS = 20  # lines of a terminal: of a longer study only what is running is shown

    def __init__(self, programs: Sequence[Sequence[RunSpec]], console: Console) -> None:
        lines: dict[str, Line] = {}
        self.lines: list[Line] = []  # of each program
        self.runs = [len(specs) for specs in programs]
        self.steps = [specs[0].steps for specs in programs]
        self.costs = [cost(specs) for specs in programs]
        self.made = [0.0] * len(programs)  # the fraction of each program
        for specs in programs:
            name = title(specs[0])
            line = lines.setdefault(name, Line(name))
            line.runs += len(specs)
            line.steps += specs[0].steps
            self.lines.append(line)
        self.console = console
        self.lock = threading.Lock()
        self.began = self.said = time.monotonic()
        self.done = self.failed = 0
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[counts]}"),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
        )
        # A bar's clock starts when its first program does, not when it is listed.
        self.many = len(lines) > self.ROWS
        self.tasks = {
            name: self.bars.add_task(
                escape(printable(name)),
                total=line.steps,
                counts="",
                note="",
                start=False,
                visible=not self.many,
            )
            for name, line in lines.items()
        }
        self.whole = self.bars.add_task("all runs", total=sum(self.costs), counts="", note="")

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
            program, line, now = update.program, self.lines[update.program], time.monotonic()
            if line.began is None:
                line.began, line.said = now, now - self.EVERY / 2
                self.bars.start_task(self.tasks[line.title])
            if update.failed is not None:
                line.ended += self.runs[program]
                line.failed += update.failed
                line.made[program], self.made[program] = self.steps[program], 1.0
                self.failed += update.failed
                self.done += self.runs[program] - update.failed
            elif update.progress is not None:
                made = update.progress
                line.made[program], self.made[program] = made.step, made.step / made.steps
                if made.test_error is not None:
                    line.errors[program] = made.test_error
            self._draw(line) if self.console.is_terminal else self._print(line, now)

    @property
    def counts(self) -> str:
        """Runs done, failed and left."""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} done{failed}, {sum(self.runs) - self.done - self.failed} left"

    def note(self, text: str) -> None:
        """A line for a person."""
        with self.lock:
            self._say(text)

    def _draw(self, line: Line) -> None:
        task, over = self.tasks[line.title], line.ended == line.runs
        self.bars.update(
            task,
            completed=sum(line.made.values()),
            counts=f"{line.ended}/{line.runs} runs",
            note=f"[red]{line.failed} failed" if line.failed else line.best,
            visible=not (self.many and over),
        )
        if over:
            self.bars.stop_task(task)
        made = sum(c * f for c, f in zip(self.costs, self.made, strict=True))
        self.bars.update(self.whole, completed=made, counts=self.counts)

    def _print(self, line: Line, now: float) -> None:
        took = now - (now if line.began is None else line.began)
        if line.ended == line.runs:
            failed = f", {line.failed} failed" if line.failed else ""
            best = f", {line.best}" if line.errors else ""
            kept = f"{line.runs - line.failed} of {line.runs} runs done{failed}{best}"
            self._say(f"{line.title}: {kept} ({took:.0f} s)")
        elif now - line.said >= self.EVERY:
            line.said = now
            best = f", {line.best}" if line.errors else ""
            self._say(f"{line.title}: {sum(line.made.values())} of {line.steps} steps{best}")
        if now - self.said >= 3 * self.EVERY:
            self.said = now
            made = sum(c * f for c, f in zip(self.costs, self.made, strict=True))
            left = (now - self.began) * (sum(self.costs) / max(made, 1e-9) - 1)
            self._say(f"all runs: {self.counts}, about {duration(left)}")

    def _say(self, text: str) -> None:
        self.console.print(printable(text), highlight=False, markup=False, soft_wrap=True)


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

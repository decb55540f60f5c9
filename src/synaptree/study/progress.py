"""The live view of a study: bars in a terminal or a notebook, plain lines anywhere else."""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TextColumn

from synaptree.bars import Bars
from synaptree.safely import printable
from synaptree.study.time_left import TimeLeft
from synaptree.study.update import Update
from synaptree.training.live import title
from synaptree.training.spec import RunSpec


@dataclass
class Line:
    """What is shown of one rule on one kind of grammar: its groups together."""

    title: str
    runs: int = 0
    steps: int = 0
    made: int = 0
    lowest: float = math.inf  # test error of a group at any time: its mean over the group's runs
    ended: int = 0
    failed: int = 0
    began: float | None = None
    printed: float = 0.0

    @property
    def best(self) -> str:
        """The lowest test error so far, as a note."""
        return f"best error {self.lowest:.3f}" if self.lowest < math.inf else ""

    @property
    def over(self) -> bool:
        """Whether all runs have ended."""
        return self.ended == self.runs


class Live:
    """Shows the updates of a study as they come.  Use it as a context manager; it may be called
    from several threads."""

    EVERY = 10.0  # seconds between plain lines of one rule; on the whole study three times that
    ROWS = 20  # lines of a terminal: of a longer study only what is running is shown

    def __init__(self, console: Console) -> None:
        self.console = console
        self.lock = threading.Lock()
        self.groups: Sequence[Sequence[RunSpec]] | None = None
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[counts]}"),
            TextColumn("{task.fields[note]}"),
            TextColumn("{task.fields[left]}"),
            console=console,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.bars.showing:
            self.bars.stop()

    def __call__(self, update: Update) -> None:
        """Show one update."""
        with self.lock:
            if self.groups is None:
                self._begin(update.groups)
            if update.message:
                self._say(update.message)
            if update.group is not None:
                self._show(update, update.group, time.monotonic())

    def _begin(self, groups: Sequence[Sequence[RunSpec]]) -> None:
        self.groups = groups
        self.time_left = TimeLeft(groups)
        self.left, self.counted = "measuring the time left", -math.inf  # the note, and since when
        self.printed = time.monotonic()
        self.steps = [0] * len(groups)  # that each group has made
        self.done = self.failed = 0
        self.runs = sum(map(len, groups))
        self.lines: dict[str, Line] = {}
        for group in groups:
            name = title(group[0])
            line = self.lines.setdefault(name, Line(name))
            line.runs += len(group)
            line.steps += group[0].steps
        self.many = len(self.lines) > self.ROWS
        if self.bars.possible and groups:
            self.tasks = {
                name: self._bar(name, line.steps, visible=not self.many)
                for name, line in self.lines.items()
            }
            self.whole = self._bar("all runs", self.runs)
            self.bars.start()

    def _bar(self, name: str, total: float, visible: bool = True) -> TaskID:
        return self.bars.add_task(
            escape(printable(name)), total=total, visible=visible, counts="", note="", left=""
        )

    def _show(self, update: Update, index: int, now: float) -> None:
        assert self.groups is not None
        group = self.groups[index]
        line = self.lines[title(group[0])]
        self.time_left(update, now)
        if line.began is None:
            line.began, line.printed = now, now - self.EVERY / 2
        line.made += update.step - self.steps[index]
        self.steps[index] = update.step
        if update.test_error is not None:
            line.lowest = min(line.lowest, update.test_error)
        if update.failed is not None:
            line.ended += len(group)
            line.failed += update.failed
            self.failed += update.failed
            self.done += len(group) - update.failed
        if self.bars.possible:
            self._draw(line, now)
        else:
            self._print(line, now)

    @property
    def counts(self) -> str:
        """Runs done, failed and left."""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} done{failed}, {self.runs - self.done - self.failed} left"

    def _left(self, now: float) -> str:
        """How long the study will still take, counted anew once a second."""
        if now - self.counted >= 1.0:
            self.counted = now
            seconds = self.time_left.seconds(now)
            if seconds is not None:
                self.left = f"about {duration(seconds)} left"
        return self.left

    def _draw(self, line: Line, now: float) -> None:
        took = duration(now - (now if line.began is None else line.began))
        self.bars.update(
            self.tasks[line.title],
            completed=line.made,
            counts=f"{line.ended}/{line.runs} runs",
            note=f"[red]{line.failed} failed" if line.failed else line.best,
            left=took if line.over else "",
            visible=not (self.many and line.over),
        )
        over, left = self.done + self.failed, self._left(now)
        self.bars.update(self.whole, completed=over, counts=self.counts, left=left)

    def _print(self, line: Line, now: float) -> None:
        best = f", {line.best}" if line.best else ""
        if line.over:
            took = now - (now if line.began is None else line.began)
            failed = f", {line.failed} failed" if line.failed else ""
            done = f"{line.runs - line.failed} of {line.runs} runs done{failed}{best}"
            self._say(f"{line.title}: {done} ({took:.0f} s)")
        elif now - line.printed >= self.EVERY:
            line.printed = now
            self._say(f"{line.title}: {line.made} of {line.steps} steps{best}")
        if now - self.printed >= 3 * self.EVERY:
            self.printed = now
            self._say(f"all runs: {self.counts}, {self._left(now)}")

    def _say(self, text: str) -> None:
        self.console.print(printable(text), highlight=False, markup=False, soft_wrap=True)


def duration(seconds: float) -> str:
    """Seconds in the unit that a person would use."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

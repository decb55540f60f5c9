"""How far a training is: a bar in a terminal or a notebook, plain lines elsewhere."""

import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from synaptree import bars
from synaptree.bars import Bars, beside_output
from synaptree.safely import printable
from synaptree.training.result import Progress
from synaptree.training.spec import RunSpec

EVERY = 10.0  # seconds between plain lines
Told = Callable[[Progress], None]


@contextmanager
def telling(progress: Told | bool | None, spec: RunSpec, runs: int) -> Generator[Told]:
    """What is called with the progress of some runs; for True what shows it."""
    with bars.telling(progress, lambda: _showing(spec, runs), "a Progress") as tell:
        yield tell or (lambda _: None)


def title(spec: RunSpec) -> str:
    """What runs are called while they train: their rule, and their grammar or data."""
    label = spec.rule.label
    if spec.data:
        return f"{label} · {spec.data.name}"
    variant = re.sub(r"@[0-9a-f]{16}", "", f"{spec.variant} ") if spec.variant else ""
    return f"{label} · {variant}L={spec.L} m={spec.m}"


@contextmanager
def _showing(spec: RunSpec, runs: int) -> Generator[Told]:
    name = printable(title(spec))
    name += f" × {runs}" if runs > 1 else ""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    note = TextColumn("{task.fields[note]}")
    shown = Bars(*columns, note, TimeRemainingColumn(), console=beside_output())
    task = shown.add_task(escape(name), total=spec.steps, note="")
    printed, last = time.monotonic(), 0  # when a line was, and of which step

    def say(text: str) -> None:
        shown.console.print(printable(text), highlight=False, markup=False, soft_wrap=True)

    def tell(news: Progress) -> None:
        nonlocal printed, last
        error = "" if news.test_error is None else f"test error {news.test_error:.3f}"
        for sentence in filter(None, (news.warning, news.doing)):
            say(sentence)
        if shown.possible:
            shown.update(task, completed=news.step, note=error)
        elif news.step > last and (time.monotonic() - printed >= EVERY or news.step == news.steps):
            printed, last = time.monotonic(), news.step
            said = f", {error}" if error else ""
            say(f"{name}: {news.step} of {news.steps} steps{said}")

    if shown.possible:
        shown.start()
    try:
        yield tell
    finally:
        if shown.showing:
            shown.stop()

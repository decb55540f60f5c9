"""How far a training is: a bar in a terminal or a notebook, plain lines elsewhere."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from synaptree.bars import Bars, beside_output
from synaptree.errors import SynaptreeError, shown
from synaptree.safely import printable
from synaptree.training.result import Progress
from synaptree.training.spec import RunSpec

EVERY = 10.0  # seconds between plain lines
Told = Callable[[Progress], None]


@contextmanager
def telling(progress: Told | bool | None, spec: RunSpec, runs: int) -> Generator[Told]:
    """What is called with the progress of some runs: the caller's own function, or for True what
    shows it."""
    if progress is True:
        with _showing(spec, runs) as tell:
            yield tell
    elif not progress:
        yield lambda _: None
    elif callable(progress):
        yield progress
    else:
        raise SynaptreeError(
            f"progress: {shown(progress)} given; expected True, or a function of what is new"
        )


@contextmanager
def _showing(spec: RunSpec, runs: int) -> Generator[Told]:
    name = printable(f"{spec.rule.label} · L={spec.L} m={spec.m}")
    name += f" × {runs}" if runs > 1 else ""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    note = TextColumn("{task.fields[note]}")
    bars = Bars(*columns, note, TimeRemainingColumn(), console=beside_output())
    task = bars.add_task(escape(name), total=spec.steps, note="")
    printed, last = time.monotonic(), 0  # when a line was, and of which step

    def say(text: str) -> None:
        bars.console.print(printable(text), highlight=False, markup=False, soft_wrap=True)

    def tell(news: Progress) -> None:
        nonlocal printed, last
        error = "" if news.test_error is None else f"test error {news.test_error:.3f}"
        for sentence in filter(None, (news.warning, news.doing)):
            say(sentence)
        if bars.possible:
            bars.update(task, completed=news.step, note=error)
        elif news.step > last and (time.monotonic() - printed >= EVERY or news.step == news.steps):
            printed, last = time.monotonic(), news.step
            said = f", {error}" if error else ""
            say(f"{name}: {news.step} of {news.steps} steps{said}")

    if bars.possible:
        bars.start()
    try:
        yield tell
    finally:
        if bars.showing:
            bars.stop()

"""Bars of progress: in a terminal rich's, in a notebook the same ones.

Elsewhere there are none, and their caller prints plain lines."""

import io
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import Progress, ProgressColumn, TaskID

from synaptree.errors import SynaptreeError, shown

News = TypeVar("News")

NOTEBOOK_EVERY = 0.2  # seconds between drawings in a notebook
NOTEBOOK_WIDTH = 100  # columns
PAGE = (
    '<pre style="white-space:pre;overflow-x:auto;line-height:normal;'
    "font-family:Menlo,'DejaVu Sans Mono',consolas,monospace\">{code}</pre>"
)


def beside_output() -> Console:
    """Where progress is shown that a Python program asks for: on standard error, as tqdm does, so
    that what the program prints stays clean."""
    console = Console(stderr=True)
    if not console.is_terminal and not console.is_jupyter:
        console.width = 10_000  # so that no line is folded
    return console


def telling(
    progress: Callable[[News], None] | bool | None,
    show: Callable[[], AbstractContextManager[Callable[[News], None]]],
    news: str,
) -> AbstractContextManager[Callable[[News], None] | None]:
    """What is called with news, as a caller's `progress` says: his own function, what `show` makes
    for True, and nothing for False or None.  news: the name of its type."""
    if progress is True:
        return show()
    if progress is None or progress is False:
        return nullcontext(None)
    if callable(progress):
        return nullcontext(progress)
    raise SynaptreeError(
        f"progress: {shown(progress)} given; expected True, False, or a function of {news}"
    )


class Bars(Progress):
    """rich's bars, which need no widgets in a notebook."""

    def __init__(self, *columns: str | ProgressColumn, console: Console) -> None:
        super().__init__(*columns, console=console)
        self._display: Any = None
        self._drawn_at = 0.0

    @property
    def possible(self) -> bool:
        """Whether there is anything to draw bars on."""
        return self.console.is_terminal or self.console.is_jupyter

    @property
    def showing(self) -> bool:
        """Whether they are being drawn."""
        return self.live.is_started or self._display is not None

    def start(self) -> None:
        """Begin to draw."""
        if not self.console.is_jupyter:
            super().start()
            return
        from IPython.display import display  # pyright: ignore

        self._display = display(self._page(), display_id=True)

    def stop(self) -> None:
        """Draw for the last time."""
        if self._display is None:
            super().stop()
        else:
            self._display.update(self._page())
            self._display = None

    def update(self, task_id: TaskID, **fields: Any) -> None:
        """Change a bar; see `rich.progress.Progress`."""
        super().update(task_id, **fields)
        if self._display is not None and time.monotonic() - self._drawn_at > NOTEBOOK_EVERY:
            self._drawn_at = time.monotonic()
            self._display.update(self._page())

    def _page(self) -> Any:
        from IPython.display import HTML  # pyright: ignore

        page = Console(
            file=io.StringIO(), record=True, width=NOTEBOOK_WIDTH, force_terminal=True,
            force_jupyter=False, color_system="standard", legacy_windows=False,
        )  # fmt: skip
        page.print(self.get_renderable())
        return HTML(page.export_html(inline_styles=True, code_format=PAGE))

"""The live view of runs that go in rounds: each round is shown as a study of its own."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

from rich.console import Console

from synaptree import bars
from synaptree.bars import beside_output
from synaptree.study.progress import Live
from synaptree.study.update import Update
from synaptree.training.spec import RunSpec

Told = Callable[[Update], None]


class Rounds(ExitStack):
    """Shows the updates of rounds of runs as they come."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._live: Live | None = None
        self._groups: Sequence[Sequence[RunSpec]] = ()

    def __call__(self, update: Update) -> None:
        """Show one update."""
        if self._live is None or update.groups is not self._groups:
            self.close()
            self._groups = update.groups
            self._live = self.enter_context(Live(self._console))
        self._live(update)


def telling(progress: Told | bool | None) -> AbstractContextManager[Told | None]:
    """What is called with updates; for True the live view."""
    return bars.telling(progress, lambda: Rounds(beside_output()), "an Update")

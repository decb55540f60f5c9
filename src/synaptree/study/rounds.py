"""The live view of runs that go in rounds: each round is shown as a study of its own."""

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager

from rich.console import Console

from synaptree.bars import beside_output
from synaptree.errors import SynaptreeError, shown
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


@contextmanager
def telling(progress: Told | bool | None) -> Generator[Told | None]:
    """What is called with updates: the caller's own function, or for True the live view."""
    if progress is True:
        with Rounds(beside_output()) as rounds:
            yield rounds
    elif progress is None or progress is False:
        yield None
    elif callable(progress):
        yield progress
    else:
        raise SynaptreeError(
            f"progress: {shown(progress)} given; expected True, or a function of an Update"
        )

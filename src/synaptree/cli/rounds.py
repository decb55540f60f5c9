"""The live view of what goes in rounds: each round of runs is shown as a study of its own."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

from synaptree.cli.words import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synaptree.study.progress import Live
    from synaptree.study.update import Update
    from synaptree.training.spec import RunSpec


class Rounds(ExitStack):
    """Shows the updates of rounds of runs as they come.  stderr: where it prints."""

    def __init__(self, stderr: bool = False) -> None:
        super().__init__()
        self._stderr = stderr
        self._live: Live | None = None
        self._groups: Sequence[Sequence[RunSpec]] = ()

    def __call__(self, update: "Update") -> None:
        """Show one update."""
        from synaptree.study.progress import Live

        if self._live is None or update.groups is not self._groups:
            self.close()
            self._groups = update.groups
            self._live = self.enter_context(Live(terminal(self._stderr)))
        self._live(update)

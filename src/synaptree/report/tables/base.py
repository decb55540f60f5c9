"""What a table of the report is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from synaptree.report.inputs import Inputs


@dataclass(frozen=True)
class Row:
    """A line of a table: its head, a note below the head, a warning beside it, and its cells."""

    group: str
    head: str
    cells: tuple[str, ...]
    note: str = ""
    warning: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the report.

    heads: of the columns; that of the first column belongs to the heads of rows.  words: how many
    of the columns hold words, which stand at the left; the rest are numbers.  beside: the figure
    that it stands under; none: after all figures.
    """

    name: str
    title: str
    caption: str
    heads: tuple[str, ...]
    rows: Callable[[Inputs], Iterable[Row]]
    words: int = 1
    beside: str = ""

    def groups(self, inputs: Inputs) -> list[tuple[str, list[Row]]]:
        """The rows under the kinds of grammar that they stand for."""
        return [(name, list(same)) for name, same in groupby(self.rows(inputs), lambda r: r.group)]


def percent(fraction: float) -> str:
    """A fraction as a percentage with one decimal."""
    return f"{100 * fraction:.1f}%"

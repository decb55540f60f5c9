"""What the data say for and against a statement, and statements made of several."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from synaptree.analysis.shares import above_and_below, clopper_pearson

Answer = Literal["yes", "no", "mixed"]
LEVEL = 0.025  # of a one-sided test, so that both directions together have 0.05


@dataclass(frozen=True)
class Chance:
    """How surprising the data would be: if a statement were wrong (yes), or right (no).

    Two one-sided p-values.
    """

    yes: float
    no: float

    def answer(self, times: float = 1.0) -> Answer:
        """What can be said where p-values count so many times, as many questions are asked."""
        if times * self.yes <= LEVEL:
            return "yes"
        return "no" if times * self.no <= LEVEL else "mixed"


OPEN = Chance(1.0, 1.0)  # nothing is known
CERTAINLY_NOT = Chance(1.0, 0.0)  # known without a measurement


def every(chances: Iterable[Chance]) -> Chance:
    """That all of several statements are right.

    The intersection–union test for it (Berger, Technometrics 24, 1982) needs no correction; that
    one of them is wrong is corrected for their number, as Holm's first step is.
    """
    those = list(chances)
    if not those:
        return OPEN
    return Chance(max(c.yes for c in those), min(1.0, len(those) * min(c.no for c in those)))


def some(chances: Iterable[Chance]) -> Chance:
    """That at least one of several statements is right."""
    contrary = every(Chance(c.no, c.yes) for c in chances)
    return Chance(contrary.no, contrary.yes)


@dataclass(frozen=True)
class Share:
    """How many grammars of how many, with the interval of Clopper and Pearson."""

    hits: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        return clopper_pearson(self.hits, self.of)

    @property
    def low(self) -> float:
        return self.interval[0]

    @property
    def high(self) -> float:
        return self.interval[1]

    @property
    def chance(self) -> Chance:
        """Of the statement that the share is above one half."""
        return Chance(*above_and_below(self.hits, self.of))

    @property
    def answer(self) -> Answer:
        """Whether the interval lies above one half (yes), below (no), or around it (mixed)."""
        return self.chance.answer()

"""P* by bisection: what to run next, on how many grammars, until P* and its interval stand.

A grid trains every grammar at every P.  But P far from P* need no more than a grammar or two: they
only say on which side P* lies.  Here a few grammars find the two neighbouring sizes between which
the mean error comes to the threshold, and all grammars run at these two.

P* is the P from which on the error *stays* solved, and errors of some rules rise again where data
is plenty.  So what lies above is looked at as well, at the largest size always.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

import numpy as np

from synaptree.analysis.paired import Needs, needs_estimate
from synaptree.analysis.sample_complexity import Array

FEW = 3  # grammars that show whether a size is near P*
CHECKED = 2  # grammars at the largest size
CLEAR, NEAR = log(3), log(2)  # how far from the threshold a mean error is, as a factor


def ladder(least: float, most: float) -> list[int]:
    """Sizes from the least to the most, ascending: these, and the powers of √2 between them.

    A power within a quarter of an octave of an end is left out.
    """
    apart = 2**0.25
    steps = range(2 * int(np.log2(most)) + 2)
    between = (round(2 ** (step / 2)) for step in steps)
    inside = [P for P in between if least * apart <= P <= most / apart]
    return sorted({round(least), *inside, round(most)})


@dataclass(frozen=True, eq=False)
class Bisection:
    """What is known of the errors of one rule on one kind of grammar, and what to run next.

    sizes: P that may be run, ascending.  errors: (grammars, sizes), NaN where not run; at each size
    the first few grammars have run, or all.  threshold: the error at which the task is solved.
    start: the P to begin at.
    """

    sizes: tuple[int, ...]
    errors: Array
    threshold: float
    start: float

    @cached_property
    def counts(self) -> list[int]:
        """On how many grammars each size has run."""
        return (~np.isnan(self.errors)).sum(0).tolist()

    @cached_property
    def measured(self) -> list[int]:
        """The places of the sizes that have run."""
        return [place for place, count in enumerate(self.counts) if count]

    @property
    def means(self) -> list[float]:
        """The mean error at each size that has run."""
        return np.nanmean(self.errors[:, self.measured], 0).tolist()

    @cached_property
    def ends(self) -> tuple[int, int]:
        """The places between which P* lies: the last size that is not solved, and the next.

        -1 for the first where all sizes are solved that have run, and the number of sizes for the
        second where the largest that has run is not.
        """
        unsolved = [place for place in self.measured if self._distance(place) > 0]
        last = max(unsolved, default=-1)
        return last, min((p for p in self.measured if p > last), default=len(self.sizes))

    @cached_property
    def needs(self) -> Needs:
        """P* of what has run."""
        sizes = [self.sizes[place] for place in self.measured]
        return Needs.of(sizes, self.errors[:, self.measured], self.threshold)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of P*."""
        estimate = needs_estimate(self.needs)
        return estimate.low, estimate.high

    @property
    def reason(self) -> str:
        """What P* rests on, as a phrase."""
        last, first = self.ends
        if first == len(self.sizes):
            return f"not solved at P={self._shown(last)}"
        held = (
            f", still at {self._shown(len(self.sizes) - 1)}" if first < len(self.sizes) - 1 else ""
        )
        if last < 0:
            return f"solved at P={self._shown(first)}{held}"
        return f"not solved at P={self._shown(last)}, solved at {self._shown(first)}{held}"

    @property
    def rise(self) -> str:
        """That the task is solved at a size and not at a larger one, as a phrase; or nothing.

        Both errors are of the same grammars, at least a few.
        """
        for place in reversed(self.measured):
            for above in self.measured:
                count = min(self.counts[place], self.counts[above])
                if above > place and count >= self._few():
                    low, high = self.errors[:count, [place, above]].mean(0)
                    if low <= self.threshold < high:
                        return (
                            f"not monotone: error {100 * low:.1f}% at P={self.sizes[place]}, "
                            f"{100 * high:.1f}% at {self.sizes[above]}"
                        )
        return ""

    def _shown(self, place: int) -> str:
        count = self.counts[place]
        error = 100 * self.errors[:count, place].mean()
        return f"{self.sizes[place]} ({error:.1f}% on {count})"

    def asks(self) -> dict[int, int]:
        """On how many grammars, the first ones, sizes (by their places) shall run next.

        Nothing once P* and its interval stand.
        """
        return self._where() or self._above() or self._at_the_ends() or self._beside()

    def _distance(self, place: int) -> float:
        """How far the mean error at a size is above the threshold, as the log of a factor."""
        ran = self.errors[: self.counts[place], place]
        return log(max(float(ran.mean()), self.threshold / 100) / self.threshold)

    def _where(self) -> dict[int, int]:
        """One grammar at a size between the ends, so long as they are no neighbours."""
        if not self.measured:
            away = np.abs(np.log(np.asarray(self.sizes) / self.start))
            return {int(away.argmin()): 1}
        last, first = self.ends
        if first - last == 1:
            return {}
        down = up = (last + first) // 2
        if first < len(self.sizes):
            above = (place for place in self.measured if place > first)
            down = first - self._step(first, min(above, default=first))
        if last >= 0:
            below = (place for place in self.measured if place < last)
            up = last + self._step(last, max(below, default=last))
        if last < 0:
            return {max(0, down): 1}
        if first == len(self.sizes):
            return {min(up, first - 1): 1}
        return {min(up, max(down, (last + first) // 2)): 1}

    def _step(self, end: int, before: int) -> int:
        """How many sizes to go beyond an end: one where its error is near the threshold, else twice
        as many as it is from the size before."""
        return 1 if abs(self._distance(end)) < CLEAR else 2 * max(1, abs(end - before))

    def _above(self) -> dict[int, int]:
        """The largest size, to see whether the error stays solved, and what is not clear."""
        first, largest = self.ends[1], len(self.sizes) - 1
        if first >= largest:
            return {}
        wanted = {largest: self._few(CHECKED)}
        for place in self.measured:
            if place > first and self._distance(place) > -CLEAR:
                wanted[place] = self._more(place)
        return self._missing(wanted)

    def _at_the_ends(self) -> dict[int, int]:
        """More grammars at the sizes between which P* lies."""
        everything = len(self.errors)
        here = [place for place in self.ends if 0 <= place < len(self.sizes)]
        if len(here) == 1:  # P* is beyond the sizes
            return {} if self._certain(here[0]) else self._missing({here[0]: self._more(here[0])})
        here = [place for place in here if self.counts[place] < everything]
        if not here:
            return {}
        nearest = min(here, key=lambda place: abs(self._distance(place)))
        if self.counts[nearest] < self._few():
            return {nearest: self._few()}
        if abs(self._distance(nearest)) < NEAR:  # it may be on the other side
            return {nearest: everything}
        return dict.fromkeys(here, everything)

    def _beside(self) -> dict[int, int]:
        """Sizes beyond the ends that resamples reach, and a few grammars where a smaller size seems
        solved.

        Below P* errors lie between the threshold and chance, and one grammar is enough where
        resamples go less than half the way.  Above it they may be anything: all grammars run.
        """
        last, first = self.ends
        solved = {p: self._few() for p in self.measured if p < last and self._distance(p) < -CLEAR}
        if missing := self._missing(solved):
            return missing
        if len(self.errors) < 3 or last < 0 or first == len(self.sizes):
            return {}
        low, high = needs_estimate(self.needs).drawn
        low, high = max(low, 1), min(high, 2 * self.sizes[-1])
        below, above = range(last - 1, -1, -1), range(first + 1, len(self.sizes))
        return self._towards(low, last, below, 1 / 2) | self._towards(high, first, above, 0)

    def _towards(
        self, bound: float, end: int, places: Sequence[int], enough: float
    ) -> dict[int, int]:
        """The next of the places beyond an end that a bound of the interval rests on.

        enough: the share of the way to it up to which one grammar is.
        """
        for place in places:
            share = log(self.sizes[end] / bound) / log(self.sizes[end] / self.sizes[place])
            if share <= 0:
                break
            known = self.counts[place] or not enough  # else it says nothing of the way yet
            wanted = len(self.errors) if known and share > enough else 1
            if self.counts[place] < wanted:
                return {place: wanted}
            end = place
        return {}

    def _certain(self, place: int) -> bool:
        """Whether a few grammars agree on which side of the threshold a size is."""
        ran = self.errors[: self.counts[place], place]
        agree = len(set((ran > self.threshold).tolist())) == 1
        return agree and len(ran) >= self._few() and abs(self._distance(place)) > CLEAR

    def _few(self, count: int = FEW) -> int:
        return min(count, len(self.errors))

    def _more(self, place: int) -> int:
        """The number of grammars that comes after those which have run at a size."""
        return self._few() if self.counts[place] < self._few() else len(self.errors)

    def _missing(self, wanted: dict[int, int]) -> dict[int, int]:
        return {place: count for place, count in wanted.items() if count > self.counts[place]}

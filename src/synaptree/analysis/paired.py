"""Comparisons that are paired by grammar: a bootstrap over grammars, and what it lets one say.

A grammar is the unit of everything here. Its replicas are averaged first. Errors of rules that
either learn a grammar or do not are bimodal, so that no interval assumes a normal distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf, isfinite, log

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from synaptree.analysis.sample_complexity import Array, first_crossing, interval

RESAMPLES = 2000
RARE = 0.01  # a part of the resamples below which a tail is extrapolated


@lru_cache(64)
def weights(grammars: int, resamples: int = RESAMPLES) -> Array:
    """What each grammar weighs in each resample, (resamples, grammars). Rows sum to 1.

    The same for every quantity of so many grammars, so that ratios and differences are paired.
    """
    rng = np.random.default_rng([grammars, 0xB007])
    counts = rng.multinomial(grammars, np.full(grammars, 1 / grammars), size=resamples)
    return counts / grammars


def p_above(draws: Array, threshold: float, grammars: int) -> float:
    """The one-sided p-value of "the true value is above the threshold".

    draws: the value in each resample.  It is the level at which `interval`, one-sided, begins to
    exclude the threshold; where hardly a resample is on the other side, the tail is extrapolated
    from the draws' lower half as that of a normal distribution.  It is never less than a sign test
    gives to as many grammars that all agree, 2**-grammars.
    """
    if grammars < 2:
        return 1.0
    contrary = float((draws <= threshold).mean())
    if contrary == 1:
        return 1.0
    z = float(stats.norm.isf(contrary)) if contrary > 0 else inf
    if contrary < RARE:
        ordered = np.sort(draws)
        middle, low = (float(ordered[int(share * (len(ordered) - 1))]) for share in (0.5, 0.025))
        if isfinite(middle) and middle > low:
            z = (middle - threshold) / (middle - low) * float(stats.norm.isf(0.025))
        elif isfinite(low) and middle > low:  # more than half of the draws are infinite
            z = float(stats.norm.isf((contrary * len(draws) + 1) / (len(draws) + 1)))
    t = z * ((grammars - 1) / grammars) ** 0.5
    return max(float(stats.t.sf(t, grammars - 1)), 0.5**grammars)


@dataclass(frozen=True, eq=False)
class Estimate:
    """A quantity with its 95% interval over so many grammars, and its resamples.

    least, most: what the quantity is at least and at most in each resample; they differ where it is
    censored.  at_least, at_most: whether the value itself is only a bound.  ratio: whether it is a
    ratio, whose logarithm is what varies evenly.
    """

    value: float
    low: float
    high: float
    grammars: int
    least: Array
    most: Array
    at_least: bool = False
    at_most: bool = False
    ratio: bool = False

    def above(self, threshold: float) -> float:
        """The one-sided p-value of "it is above the threshold"."""
        return p_above(*self._scaled(self.least, threshold), self.grammars)

    def below(self, threshold: float) -> float:
        """The one-sided p-value of "it is below the threshold"."""
        draws, threshold = self._scaled(self.most, threshold)
        return p_above(-draws, -threshold, self.grammars)

    def _scaled(self, draws: Array, threshold: float) -> tuple[Array, float]:
        if not self.ratio:
            return draws, threshold
        with np.errstate(divide="ignore"):
            return np.log(draws), log(threshold)


def mean_of(values: Array, farthest: float | None = None) -> Estimate:
    """The mean over grammars of a number for each.

    farthest: the value that a grammar which was not drawn may have.  One such grammar is counted
    where the mean is said to be below something: where a few grammars in a hundred have large
    values, the others alone say nothing about the mean.
    """
    estimate = share_of(values, np.ones_like(values))
    if farthest is None:
        return estimate
    more = np.append(values, farthest)
    return replace(estimate, most=weights(len(more)) @ more)


def share_of(parts: Array, wholes: Array) -> Estimate:
    """The ratio of two means over grammars, paired; NaN where the second is 0."""
    W = weights(len(parts))
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = (W @ parts) / (W @ wholes)
        value = float(np.mean(parts) / np.mean(wholes))
    sound = draws[np.isfinite(draws)]
    low, high = interval(sound, len(parts)) if len(sound) else (-inf, inf)
    if len(parts) < 2:
        low = -inf
    return Estimate(value, low, high, len(parts), draws, draws)


def ratio_of_medians(a: Array, b: Array) -> Estimate:
    """The ratio of medians over grammars of two numbers that may be infinite, paired."""
    W = weights(len(a))
    chosen = _drawn(len(a), len(W))
    tops, bottoms = np.median(a[chosen], 1), np.median(b[chosen], 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = np.where(np.isfinite(bottoms), tops / bottoms, np.nan)
        value = float(np.median(a) / np.median(b))
    sound = draws[~np.isnan(draws)]
    low, high = interval(sound, len(a)) if len(sound) else (0.0, inf)
    return Estimate(value, low, high, len(a), draws, draws, at_least=not isfinite(value))


@lru_cache(64)
def _drawn(grammars: int, resamples: int) -> NDArray[np.intp]:
    rng = np.random.default_rng([grammars, 0x3ED])
    return rng.integers(grammars, size=(resamples, grammars))


@dataclass(frozen=True, eq=False)
class Needs:
    """P* of one rule on one kind: the P from which on the mean error stays at or below a threshold.

    sizes: P, ascending.  errors: (grammars, sizes).  value: infinite where the threshold is above
    the error at the largest size.  draws: P* of each resample.
    """

    sizes: tuple[int, ...]
    errors: Array
    value: float
    draws: Array

    @classmethod
    def of(cls, sizes: Sequence[int], errors: Array, threshold: float) -> "Needs":
        """P* of these errors, with a bootstrap over grammars."""
        mean = errors.mean(0)
        value = float(first_crossing(sizes, mean, threshold, stays=True))
        draws = first_crossing(sizes, weights(len(errors)) @ errors, threshold, stays=True)
        return cls(tuple(sizes), errors, value, draws)

    @property
    def reached(self) -> bool:
        """Whether the largest size was enough."""
        return isfinite(self.value)

    @property
    def at_once(self) -> bool:
        """Whether the smallest size was enough, so that P* is only known to be below."""
        return self.value <= self.smallest

    @property
    def smallest(self) -> float:
        """What P* is at most where the smallest size was enough: logarithms round."""
        return self.sizes[0] * (1 + 1e-9)


def needs_ratio(a: Needs, b: Needs) -> Estimate:
    """P*(a) / P*(b) over the same grammars.

    P* that was not reached is larger than the largest size, and may be infinite; one at the
    smallest size may be anything below it.
    """
    a_least = np.where(a.draws > a.smallest, np.minimum(a.draws, a.sizes[-1]), 0.0)
    b_least = np.where(b.draws > b.smallest, np.minimum(b.draws, b.sizes[-1]), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.where(np.isfinite(b.draws), a_least / b.draws, 0.0)
        most = np.where(b_least > 0, a.draws / b_least, inf)
    value = min(a.value, a.sizes[-1]) / min(b.value, b.sizes[-1])
    count = len(a.errors)
    return Estimate(
        value=value,
        low=interval(least, count)[0] if count > 1 else 0.0,
        high=interval(most, count)[1] if count > 1 else inf,
        grammars=count,
        least=least,
        most=most,
        at_least=not a.reached or (b.at_once and not a.at_once),
        at_most=a.at_once or not b.reached,
        ratio=True,
    )

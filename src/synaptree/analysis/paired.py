"""Comparisons that are paired by grammar: a bootstrap over grammars, and what it lets one say.

A grammar is the unit of everything here. Its replicas are averaged first. Errors of rules that
either learn a grammar or do not are bimodal, so that no interval assumes a normal distribution.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import inf, isfinite, log

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from synaptree.analysis.sample_complexity import Array, first_crossing

RESAMPLES = 1000
CONFIDENCE = 0.95


@lru_cache(64)
def weights(grammars: int, resamples: int = RESAMPLES) -> Array:
    """What each grammar weighs in each resample, (resamples, grammars). Rows sum to 1.

    The same for every quantity of so many grammars, so that ratios and differences are paired.
    """
    rng = np.random.default_rng([grammars, 0xB007])
    counts = rng.multinomial(grammars, np.full(grammars, 1 / grammars), size=resamples)
    return counts / grammars


def p_above(draws: Array, threshold: float, grammars: int, estimated: int = 1) -> float:
    """The one-sided p-value of "the true value is above the threshold".

    draws: the value in each resample.  estimated: how many means the value is made of.  The larger
    of two approximations counts, that of the resamples' percentiles and that of a normal
    distribution with their spread; both are widened as Student's t is, for so few grammars.  It is
    never less than a sign test gives to as many grammars that all agree, 2**-grammars.
    """
    free = grammars - estimated
    contrary = float((draws <= threshold).mean())
    if free < 1 or contrary == 1:
        return 1.0
    z = float(stats.norm.isf(contrary)) if contrary else inf
    middle, spread = _middle_and_spread(draws)
    if spread:
        z = min(z, (middle - threshold) / spread)
    return max(float(stats.t.sf(z * (free / grammars) ** 0.5, free)), 0.5**grammars)


def lower_bound(draws: Array, grammars: int, estimated: int = 1) -> float:
    """The threshold at which `p_above` is 2.5%: the lower end of a 95% interval."""
    free = grammars - estimated
    if free < 1:
        return -inf
    low = _percentile(draws, grammars, free)
    middle, spread = _middle_and_spread(draws)
    return min(low, middle - _widened(grammars, free) * spread) if spread else low


def _percentile(draws: Array, grammars: int, free: int) -> float:
    ordered = np.sort(draws)  # infinities last, and no interpolation with them
    return float(ordered[int(stats.norm.cdf(-_widened(grammars, free)) * (len(ordered) - 1))])


@lru_cache(64)
def _widened(grammars: int, free: int) -> float:
    t = float(stats.t.ppf((1 + CONFIDENCE) / 2, free))
    return t * (grammars / free) ** 0.5


def _middle_and_spread(draws: Array) -> tuple[float, float]:
    """Mean and standard deviation; where draws are infinite, those of their finite lower half.

    0 for the second where there is no spread to speak of.
    """
    with np.errstate(invalid="ignore"):  # of infinities of both signs
        mean = float(draws.mean())
    spread = float(draws.std()) if isfinite(mean) else inf
    if isfinite(spread):
        return mean, spread if spread > 1e-12 * (1 + abs(mean)) else 0.0
    ordered = np.sort(draws)
    last = len(ordered) - 1
    middle, low = (float(ordered[int(share * last)]) for share in (0.5, 0.025))
    if not (isfinite(middle) and isfinite(low)):
        return mean, 0.0
    return middle, (middle - low) / float(stats.norm.isf(0.025))


@dataclass(frozen=True, eq=False)
class Estimate:
    """A quantity with its 95% interval over so many grammars, and its resamples.

    least, most: what the quantity is at least and at most in each resample; they differ where it is
    censored.  at_least, at_most: whether the value itself is only a bound.  ratio: whether it is a
    ratio of two estimated quantities, whose logarithm is what varies evenly.
    """

    value: float
    grammars: int
    least: Array
    most: Array
    at_least: bool = False
    at_most: bool = False
    ratio: bool = False

    def above(self, threshold: float) -> float:
        """The one-sided p-value of "it is above the threshold"."""
        return p_above(*self._scaled(self.least, threshold), self.grammars, 1 + self.ratio)

    def below(self, threshold: float) -> float:
        """The one-sided p-value of "it is below the threshold"."""
        draws, threshold = self._scaled(self.most, threshold)
        return p_above(-draws, -threshold, self.grammars, 1 + self.ratio)

    @cached_property
    def low(self) -> float:
        """The lower end of the 95% interval."""
        draws, _ = self._scaled(self.least, 1)
        low = lower_bound(draws, self.grammars, 1 + self.ratio)
        return float(np.exp(low)) if self.ratio else low

    @cached_property
    def high(self) -> float:
        """The upper end of the 95% interval."""
        draws, _ = self._scaled(self.most, 1)
        high = -lower_bound(-draws, self.grammars, 1 + self.ratio)
        return float(np.exp(high)) if self.ratio else high

    @property
    def drawn(self) -> tuple[float, float]:
        """The interval by the resamples' percentiles alone: how far they really go."""
        free = self.grammars - 1 - self.ratio
        if free < 1:
            return -inf, inf
        low, high = (_percentile(d, self.grammars, free) for d in (self.least, -self.most))
        return low, -high

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
    """The ratio of two means over grammars, paired.  Resamples without a whole are left out."""
    W = weights(len(parts))
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = (W @ parts) / (W @ wholes)
        value = float(np.mean(parts) / np.mean(wholes))
    sound = draws[np.isfinite(draws)]
    return Estimate(value, len(parts) if len(sound) else 0, sound, sound)


def ratio_of_medians(a: Array, b: Array) -> Estimate:
    """The ratio of medians over grammars of two positive numbers that may be infinite, paired."""
    chosen = _drawn(len(a), RESAMPLES)
    tops, bottoms = np.median(a[chosen], 1), np.median(b[chosen], 1)
    reached = np.isfinite(bottoms)
    with np.errstate(invalid="ignore"):
        least, most = np.where(reached, tops / bottoms, 0.0), np.where(reached, tops / bottoms, inf)
        value = float(np.median(a) / np.median(b))
    at_least = not isfinite(value)
    return Estimate(value, len(a), least, most, at_least=at_least, ratio=True)


@lru_cache(64)
def _drawn(grammars: int, resamples: int) -> NDArray[np.intp]:
    rng = np.random.default_rng([grammars, 0x3ED])
    return rng.integers(grammars, size=(resamples, grammars))


@dataclass(frozen=True, eq=False)
class Needs:
    """P* of one rule on one kind: the P from which on the mean error stays at or below a threshold.

    sizes: P, ascending.  errors: (grammars, sizes), NaN where a grammar was not run; at every size
    one was.  value: infinite where the threshold is above the error at the largest size.  draws: P*
    of each resample.
    """

    sizes: tuple[int, ...]
    errors: Array
    value: float
    draws: Array

    @classmethod
    def of(cls, sizes: Sequence[int], errors: Array, threshold: float) -> "Needs":
        """P* of these errors, with a bootstrap over grammars.  Sizes without a run are left out."""
        ran = ~np.isnan(errors).all(0)
        sizes, errors = tuple(np.compress(ran, sizes).tolist()), errors[:, ran]
        value = float(first_crossing(sizes, np.nanmean(errors, 0), threshold, stays=True))
        draws = first_crossing(sizes, _means(errors), threshold, stays=True)
        return cls(sizes, errors, value, draws)

    @property
    def reached(self) -> bool:
        """Whether the largest size was enough."""
        return isfinite(self.value)

    @property
    def at_once(self) -> bool:
        """Whether the smallest size was enough, so that P* is only known to be below."""
        return self.value <= self.smallest

    @property
    def decided_by(self) -> tuple[int, ...]:
        """The two sizes between which the mean error comes to the threshold for good; the last or
        the first alone, where it does not come to it or is there at once."""
        if not self.reached:
            return self.sizes[-1:]
        if self.at_once:
            return self.sizes[:1]
        above = int(np.searchsorted(self.sizes, self.value * (1 - 1e-9)))
        return self.sizes[above - 1], self.sizes[above]

    @property
    def smallest(self) -> float:
        """What P* is at most where the smallest size was enough: logarithms round."""
        return self.sizes[0] * (1 + 1e-9)


def needs_estimate(needs: Needs) -> Estimate:
    """P* with its interval: like a ratio it is made of two means, and its logarithm varies evenly.

    P* that was not reached may be infinite; one at the smallest size may be anything below it.
    """
    return Estimate(
        value=needs.value,
        grammars=len(needs.errors),
        least=np.where(needs.draws > needs.smallest, needs.draws, 0.0),
        most=needs.draws,
        at_least=not needs.reached,
        at_most=needs.at_once,
        ratio=True,
    )


def _means(errors: Array) -> Array:
    """The mean error of each resample at each size, over those of its grammars that ran there.

    Where none of them did, the mean over all that did stands for it.
    """
    W, ran = weights(len(errors)), ~np.isnan(errors)
    if ran.all():
        return W @ errors
    weight = W @ ran
    with np.errstate(invalid="ignore"):
        means = (W @ np.nan_to_num(errors)) / weight
    return np.where(weight > 0, means, np.nanmean(errors, 0))


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
    return Estimate(
        value=min(a.value, a.sizes[-1]) / min(b.value, b.sizes[-1]),
        grammars=len(a.errors),
        least=least,
        most=most,
        at_least=not a.reached or (b.at_once and not a.at_once),
        at_most=a.at_once or not b.reached,
        ratio=True,
    )

"""Sample complexity: how many strings a rule needs, and how that grows.

P* is the P at which the mean test error first falls to a threshold, a tenth of chance error, as for
the RHM (Cagnetta et al., arXiv 2307.02129).  Between the sizes that were run it is interpolated,
log error against log P.  Beyond the largest size it is never guessed: P* is then *censored*, that
is infinite.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
# Test errors of one rule: for each grammar (replicas, sizes).
Errors = Sequence[Array]


@dataclass(frozen=True)
class SampleComplexity:
    """P* with its 95% interval, in strings.

    value: infinite where the error fell to the threshold at no size.  high: infinite where that
    happens in some resamples.  below: whether the smallest size was already enough, so that value
    is an upper bound.  draws: P* of each resample.
    """

    value: float
    low: float
    high: float
    below: bool
    draws: Array

    @property
    def censored(self) -> bool:
        """Whether the threshold was not reached."""
        return not isfinite(self.value)


@dataclass(frozen=True)
class PowerLaw:
    """``P* = c · x**exponent``, with the exponent's 95% interval.

    points: the number of finite P* in the fit; with fewer than two all else is NaN.  draws: the
    exponent of each resample, NaN where one of its P* is infinite.
    """

    exponent: float
    low: float
    high: float
    constant: float
    points: int
    draws: Array


def first_crossing(
    P: Sequence[float], error: Array, threshold: float, stays: bool = False
) -> Array:
    """The P at which curves first fall to the threshold, (...), from error (..., sizes).

    stays: the P from which on they are at or below it instead.

    P: ascending.  The log of the error is interpolated against log P, between the first size at or
    below the threshold and the size before it, since errors fall as powers of P there.  Errors
    below a hundredth of the threshold, 0 included, count as a hundredth.  The result is the
    smallest size where that is below already, and infinite where no size is.
    """
    sizes = np.log(np.asarray(P, float))
    threshold = max(threshold, np.finfo(float).tiny)
    error = np.log(np.maximum(np.asarray(error, float), threshold / 100))
    threshold = np.log(threshold)
    under = error <= threshold
    if stays:
        under = np.logical_and.accumulate(under[..., ::-1], axis=-1)[..., ::-1]
    first = under.argmax(-1)
    before = np.maximum(first - 1, 0)

    def at(index: NDArray[np.intp]) -> Array:
        return np.take_along_axis(error, index[..., None], -1)[..., 0]

    high, low = at(before), at(first)
    fall = np.where(high > low, high - low, 1.0)
    share = np.where(first > 0, (high - threshold) / fall, 1.0)
    where = sizes[before] + share * (sizes[first] - sizes[before])
    return np.where(under.any(-1), np.exp(where), inf)


def sample_complexity(
    P: Sequence[float],
    errors: Errors,
    threshold: float,
    resamples: int = 2000,
    seed: int = 0,
) -> SampleComplexity:
    """P* of the mean error, over grammars and their replicas, with a two-level bootstrap.

    errors: one (replicas, sizes) array for each grammar.  Grammars are resampled, then replicas
    within each; the percentiles are widened as Student's t is for so few grammars (Hesterberg, The
    American Statistician 69, 2015).  Where grammars differ by a quarter in P*, the interval covers
    the truth in 95 of 100 studies with ten grammars and in 91 with five: slow grammars weigh much
    in a mean error and are easily missed.  One grammar has an interval from 0 to infinity.
    Raises ValueError for sizes that are not ascending or not those of the errors.
    """
    sizes = np.asarray(P, float)
    if len(sizes) == 0 or (np.diff(sizes) <= 0).any():
        raise ValueError(f"sample_complexity: P = {list(P)} given; expected ascending sizes")
    if not errors or any(e.ndim != 2 or e.shape[1] != len(sizes) or not len(e) for e in errors):
        raise ValueError(
            f"sample_complexity: errors of shapes {[e.shape for e in errors]} given; expected "
            f"(replicas, {len(sizes)}) for each grammar"
        )
    mean = np.mean([e.mean(0) for e in errors], axis=0)
    value = float(first_crossing(P, mean, threshold))
    draws = first_crossing(P, resampled(errors, resamples, seed), threshold)
    low, high = interval(draws, len(errors))
    return SampleComplexity(value, low, high, bool(mean[0] <= threshold), draws)


def resampled(errors: Errors, resamples: int, seed: int) -> Array:
    """The mean curve of each resample of a two-level bootstrap, (resamples, sizes)."""
    rng = np.random.default_rng([seed, 0xB007])
    G = len(errors)
    total = np.zeros((resamples, errors[0].shape[1]))
    chosen = rng.integers(G, size=(resamples, G))
    for place in range(G):  # one grammar of each resample at a time
        for g, e in enumerate(errors):
            rows = np.flatnonzero(chosen[:, place] == g)
            within = rng.integers(len(e), size=(len(rows), len(e)))
            total[rows] += e[within].mean(1)
    return total / G


def interval(draws: Array, groups: int, confidence: float = 0.95) -> tuple[float, float]:
    """The expanded percentile interval of a bootstrap over so many independent groups.

    With n groups plain percentiles are too narrow by √((n−1)/n), and by the ratio of Student's t to
    the normal distribution.
    """
    if groups < 2:
        return 0.0, inf
    t = stats.t.ppf((1 + confidence) / 2, groups - 1) * (groups / (groups - 1)) ** 0.5
    tail = float(stats.norm.cdf(-t))
    ordered = np.sort(draws)  # infinities last, and no interpolation with them
    last = len(ordered) - 1
    return float(ordered[int(np.floor(tail * last))]), float(
        ordered[int(np.ceil((1 - tail) * last))]
    )


def ratio(
    a: SampleComplexity, b: SampleComplexity, groups: int, sizes: Sequence[float]
) -> tuple[float, float, float]:
    """P*(a)/P*(b) with its 95% interval, where P*(b) was reached.

    groups: the number of grammars, on which both were run.  sizes: the P that were tried for a,
    ascending.  The resamples are paired: with the same seed and number of grammars they drew the
    same grammars.  A P* that was not reached is at least the largest size; one at the smallest size
    may be anything below it.
    """
    reached = np.isfinite(b.draws)
    over = np.where(reached, b.draws, inf)
    least = np.where(a.draws > sizes[0], np.minimum(a.draws, sizes[-1]) / over, 0.0)
    with np.errstate(invalid="ignore"):
        most = np.where(reached, a.draws / over, inf)
    value = min(a.value, sizes[-1]) / b.value
    return value, interval(least, groups)[0], interval(most, groups)[1]


def power_law(needs: Mapping[float, SampleComplexity], groups: int) -> PowerLaw:
    """The exponent of P* in x, by least squares in logarithms, over the x where P* is finite.

    needs: P* at each x.  The interval comes from fits to each resample over the same x.  A resample
    is left out if its P* is infinite at any of these; if that is more than one in twenty, the
    exponent has no upper bound.
    """
    xs = [x for x, at in sorted(needs.items()) if isfinite(at.value)]
    count = len(next(iter(needs.values())).draws) if needs else 0
    slopes = np.full(count, np.nan)
    if len(xs) < 2:
        return PowerLaw(np.nan, np.nan, np.nan, np.nan, len(xs), slopes)
    log_x = np.log(xs)
    exponent, constant = np.polyfit(log_x, np.log([needs[x].value for x in xs]), 1)
    draws = np.log(np.stack([needs[x].draws for x in xs]))
    whole = np.isfinite(draws).all(0)
    slopes[whole] = np.polyfit(log_x, draws[:, whole], 1)[0] if whole.any() else np.nan
    low, high = slope_interval(slopes, groups)
    return PowerLaw(float(exponent), low, high, float(np.exp(constant)), len(xs), slopes)


def slope_interval(slopes: Array, groups: int) -> tuple[float, float]:
    """The 95% interval of an exponent, or of a difference of two, from its resamples."""
    whole = np.isfinite(slopes)
    if groups < 2 or not whole.any():
        return -inf, inf
    low, high = interval(slopes[whole], groups)
    return low, high if whole.mean() >= 0.95 else inf

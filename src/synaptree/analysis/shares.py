"""Shares of grammars, compared with one half, and many answers at once.

How many grammars decide what, by the 95% interval of Clopper and Pearson: of 20 grammars 15 lie
above one half and 5 below; of 10, 9 and 1; of 6, all and none. Five of five decide nothing.
"""

from collections.abc import Sequence
from functools import lru_cache

from scipy import stats


@lru_cache(10_000)
def clopper_pearson(hits: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share (Clopper & Pearson, Biometrika 26, 1934); [0, 1] of nothing.

    Raises ValueError where there are more hits than trials, or fewer than none.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"clopper_pearson: {hits} hits of {of} given; expected 0 to {of}")
    tail = (1 - confidence) / 2
    low = float(stats.beta.ppf(tail, hits, of - hits + 1)) if hits else 0.0
    high = float(stats.beta.isf(tail, hits + 1, of - hits)) if hits < of else 1.0
    return low, high


@lru_cache(10_000)
def above_and_below(hits: int, of: int) -> tuple[float, float]:
    """Exact one-sided p-values of a share: that it is above one half, and that it is below.

    The first is at most 0.025 exactly where `clopper_pearson`'s 95% interval lies above one half.
    """
    above = float(stats.binom.sf(hits - 1, of, 0.5))
    return above, float(stats.binom.cdf(hits, of, 0.5))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values (Holm, Scand. J. Stat. 6, 1979), in the order that was given."""
    order = sorted(range(len(p)), key=p.__getitem__)
    adjusted = [1.0] * len(p)
    so_far = 0.0
    for rank, place in enumerate(order):
        so_far = max(so_far, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = so_far
    return adjusted

"""Means over replicas, with intervals."""

from collections.abc import Sequence

import numpy as np
from scipy import stats


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean and Student's t interval of independent replicas: (mean, low, high).

    Equal values have an interval of no width.  One replica has an interval without bounds, since
    its spread is unknown.  Raises ValueError where there are no values.
    """
    if not len(values):
        raise ValueError("mean_interval: no values given; expected at least one")
    x = np.asarray(values, dtype=float)
    mean = float(x.mean())
    if len(x) == 1:
        return mean, float("-inf"), float("inf")
    half = float(stats.t.ppf((1 + confidence) / 2, len(x) - 1) * x.std(ddof=1) / len(x) ** 0.5)
    return mean, mean - half, mean + half

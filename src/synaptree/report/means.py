"""Means over runs of which some may lack a value."""

from typing import Any

import numpy as np


def mean_there(values: Any) -> Any:
    """The mean over the first axis of the values that are there; NaN only where none is."""
    numbers = np.array(values, float)
    there = np.isfinite(numbers)
    total = np.where(there, numbers, 0).sum(0)
    return np.where(there.any(0), total / np.maximum(there.sum(0), 1), np.nan)

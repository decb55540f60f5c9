"""What errors vary with: the grammar, or the network and the data that a run drew for it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synaptree.analysis.settings import apart
from synaptree.results.columns import by_kind, finished


def components(errors: NDArray[np.float64]) -> tuple[float, float]:
    """The variance between grammars, and between runs on one grammar, from (grammars, runs).

    The moment estimates of a one-way analysis of variance with random effects; the first is at
    least 0.  Raises ValueError for fewer than two grammars or two runs on each.
    """
    grammars, runs = errors.shape
    if grammars < 2 or runs < 2:
        raise ValueError(f"components: {errors.shape} errors given; expected two of each or more")
    within = float(errors.var(1, ddof=1).mean())
    between = float(errors.mean(1).var(ddof=1)) - within / runs
    return max(0.0, between), within


def variance_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """For each rule on each kind of grammar and P: which share of the variance of test errors is
    between grammars, and which between networks on one grammar.

    One row each: kind, label, grammars, networks, of_grammars, of_networks (they sum to 1; NaN
    where nothing varies).  Only grammars with as many runs as the one with most are used; rules
    that have two or more on no two grammars are left out.
    """
    rows: list[dict[str, object]] = []
    for kind, runs in by_kind(apart(finished(frame))):
        for label, of_rule in runs.groupby("label"):
            by_seed = [np.array(own["test_error"]) for _, own in of_rule.groupby("seed")]
            most = max(len(own) for own in by_seed)
            several = [own for own in by_seed if len(own) == most]
            if most < 2 or len(several) < 2:
                continue
            between, within = components(np.stack(several))
            whole = between + within
            rows.append(
                {
                    "kind": kind,
                    "label": label,
                    "grammars": len(several),
                    "networks": most,
                    "of_grammars": between / whole if whole else np.nan,
                    "of_networks": within / whole if whole else np.nan,
                }
            )
    return pd.DataFrame(rows)

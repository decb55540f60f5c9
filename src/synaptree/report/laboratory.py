"""What the figures of the masking laboratory share."""

import json

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from synaptree.analysis.data_curves import bounded
from synaptree.analysis.paired import mean_of
from synaptree.report import style

WEIGHTS = {"transpose": 1.0, "random": 0.0}  # α of the ends of the dial
MASKS = {"true": 1.0, "none": 0.0}  # the fraction of masks that is kept


def with_dials(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of the masking rule with its own gate, and its dials as columns.

    alpha: the cosine of the feedback weights with the forward weights at the start.  q: the
    fraction of the masks above that is kept.  k: of how many layers above the masks are kept.  NaN
    where a run is not on that dial.
    """
    runs = runs[runs["rule"] == "masking"]
    options = [json.loads(text) for text in runs["rule_options"]]
    weights = [str(o["weights"]).partition(":") for o in options]
    masks = [str(o["masks"]).partition(":") for o in options]
    alpha = [float(w[2]) if w[2] else WEIGHTS.get(w[0], np.nan) for w in weights]
    q = [float(m[2]) if m[0] == "kept" else MASKS.get(m[0], np.nan) for m in masks]
    k = [
        float(m[2]) if m[0] == "nearest" else MASKS.get(m[0], np.nan) * (L - 1)
        for m, L in zip(masks, runs["L"], strict=True)
    ]
    own_gate = np.array([bool(o.get("own_gate", True)) for o in options], bool)
    return runs.assign(alpha=alpha, q=q, k=k)[own_gate]


def error_line(axis: Axes, runs: pd.DataFrame, by: str, look: style.Look, name: str) -> None:
    """Mean test error with its 95% interval against a column; runs as dots."""
    groups = [(float(str(x)), own["test_error"].to_numpy(float)) for x, own in runs.groupby(by)]
    means = [mean_of(errors) for _, errors in groups]
    x = [at for at, _ in groups]
    axis.plot(x, [mean.value for mean in means], look.dash, color=look.colour, lw=1.8)
    for (at, errors), mean in zip(groups, means, strict=True):
        if np.isfinite(mean.low):
            ends = [max(mean.low, 0), min(mean.high, 1)]
            axis.plot([at, at], ends, color=look.colour, alpha=0.4)
        dots = axis.plot([at] * len(errors), errors, "o", color=look.colour, ms=3, alpha=0.5, mew=0)
        style.tip(
            dots[0], f"{name}, {by}={at:g}: {bounded(mean.value, mean.low, mean.high, digits=4)}"
        )

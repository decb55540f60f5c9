"""Effective depth: how many levels of a kind of grammar are left for learning to find."""

import numpy as np
import pandas as pd

from synaptree.measures.portrait import READ
from synaptree.results.columns import DEFAULTS, GRAMMAR, finished

# What the activity of an untrained network depends on, beside the seeds.
NETWORK = ("width", "parametrisation", "connectivity")


def effective_depth(probe: np.ndarray) -> int | None:
    """How many levels l are not read from layer l of untrained networks, (runs, layers, levels).

    The mean over the runs counts; None where nothing was measured.
    """
    own = np.diagonal(probe, axis1=1, axis2=2)  # (runs, levels)
    if not np.isfinite(own).any(0).all():
        return None
    return int((np.nanmean(own, 0) < READ).sum())


def with_depth(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a column `depth`: the effective depth of each run's kind for its network.

    It is measured in the frame's own `readout_only` runs, whose hidden layers do not learn, of the
    same kind, width, parametrisation and connectivity; NaN where the frame has none with probes.
    """
    keys = [*GRAMMAR, *NETWORK]
    filled = frame.assign(**{name: DEFAULTS[name] for name in NETWORK if name not in frame})
    done = finished(filled) if "status" in filled else filled
    if "probe" not in done:
        return frame.assign(depth=np.nan)
    untrained = done[done["rule"].eq("readout_only") & done["probe"].notna()]
    depths: dict[tuple[object, ...], float] = {}
    for key, runs in untrained.groupby(keys):
        found = effective_depth(np.array(runs["probe"].tolist(), dtype=float))
        if found is not None:
            depths[key] = found
    rows = zip(*(filled[name] for name in keys), strict=True)
    return frame.assign(depth=[depths.get(row, np.nan) for row in rows])

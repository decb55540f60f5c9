"""Effect sizes in words: the short lines beside a verdict."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


def kind_and_size(runs: pd.DataFrame) -> str:
    """The kind of grammar and P of these runs, in short, as "L=3 m=8 P=16384"."""
    first = runs.iloc[0]
    return " ".join(f"{name}={first[name]}" for name in ("L", "m", "P"))


def mean(values: Any) -> float:
    """The mean of a number or of several, without those that are NaN; NaN if none is left."""
    there = [float(value) for value in np.atleast_1d(values) if not np.isnan(value)]
    return float(np.mean(there)) if there else np.nan


def percent(errors: Any) -> str:
    """A mean error, as "4.6%"."""
    return f"{mean(errors):.1%}"


def span(measured: Mapping[str, Any], form: str = "{:.1%}") -> str:
    """The mean of each label; of more than three labels, the lowest and the highest mean.

    Infinite means are ratios of P* that were "not reached".
    """
    means = {label: mean(values) for label, values in measured.items()}
    means = {label: value for label, value in means.items() if not np.isnan(value)}
    words = {k: form.format(x) if np.isfinite(x) else "not reached" for k, x in means.items()}
    if len(means) <= 3:
        return ", ".join(f"{label} {text}" for label, text in words.items())
    least, most = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    if words[least] == words[most]:
        return f"{len(means)} rules, all {words[least]}"
    return f"{len(means)} rules, {words[least]} ({least}) to {words[most]} ({most})"

"""How many labels a network needs that has learned without them: error over strings × labels."""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pandas as pd

from synaptree.analysis.sample_complexity import sample_complexity
from synaptree.results.columns import GRAMMAR
from synaptree.training.solved import solved_at

# What tells the rows of one network apart from those of others, but for its seed.
OF_RULE = ("label", "views", *GRAMMAR)


def mean_errors(rows: pd.DataFrame) -> pd.DataFrame:
    """The mean test error of each rule at each P and number of labels, over grammars and draws.

    rows: of `LabelRow`.  `shuffled` is the error with labels in another order; `grammars` counts.
    """
    keys = [*OF_RULE, "P", "labels"]
    shuffled = rows["shuffled"].astype(bool)
    right = rows[~shuffled].groupby(keys, sort=False)
    table = right["test_error"].mean().to_frame("test_error")
    table["shuffled"] = rows[shuffled].groupby(keys, sort=False)["test_error"].mean()
    table["grammars"] = right["seed"].nunique()
    return table.reset_index()


def labels_needed(rows: pd.DataFrame) -> pd.DataFrame:
    """How many labels each rule needs at each P: the number at which the mean error first falls to
    a tenth of chance error, with its 95% interval over grammars and draws.

    `needed` is infinite where all labels are not enough, and an upper bound where `at_most`.
    """
    found = [
        {**key, "P": P, "grammars": len(errors), **_needed(counts, errors, int(key["n"]))}
        for key, P, counts, errors in _ladders(rows)
    ]
    return pd.DataFrame(found)


def _needed(counts: list[int], errors: list[np.ndarray], n: int) -> dict[str, float | bool]:
    needs = sample_complexity(counts, errors, solved_at(n))
    return {
        "needed": needs.value,
        "needed_low": needs.low,
        "needed_high": needs.high,
        "at_most": needs.below,
    }


def _ladders(
    rows: pd.DataFrame,
) -> Iterator[tuple[dict[str, Any], int, list[int], list[np.ndarray]]]:
    """Each rule at each P: the numbers of labels, and by grammar the errors (draws, counts)."""
    right = rows[~rows["shuffled"].astype(bool)]
    for values, runs in right.groupby([*OF_RULE, "P"], sort=False):
        *key, P = cast(tuple[Any, ...], values)
        by_grammar = [
            own.pivot_table(index=["run_id", "draw"], columns="labels", values="test_error")
            for _, own in runs.groupby("seed")
        ]
        shared = sorted(set.intersection(*(set(each.columns) for each in by_grammar)))
        errors = [each[shared].dropna().to_numpy(float) for each in by_grammar]
        if shared and all(len(each) for each in errors):
            yield dict(zip(OF_RULE, key, strict=True)), int(P), list(map(int, shared)), errors

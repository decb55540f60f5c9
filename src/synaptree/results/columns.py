"""The columns of a frame of results."""

from collections.abc import Iterator
from typing import Any, cast

import pandas as pd

GRAMMAR = ("v", "n", "m", "s", "L")  # what a kind of grammar is


def finished(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs of a frame that ended without an error."""
    return frame[frame["status"] == "done"]


def by_kind(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The finished runs of `load`'s frame on each kind of grammar, with its name, shallow first."""
    for values, runs in finished(frame).groupby(["L", "v", "n", "m", "s", "P"]):
        L, v, n, m, s, P = cast(Any, values)
        yield f"v={v} n={n} m={m} s={s} L={L} P={P}", runs

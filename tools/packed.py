"""Rows of results packed for the repository: runs that are alike stand together, and curves and
portraits keep six digits.  A network computes in float32, which has seven.
"""

import gzip
import json
from collections.abc import Collection, Iterable
from typing import Any

from synaptree.training.spec import SEEDS

DIGITS = 6
ROUNDED = ("curve", "portrait")


def packed(rows: Iterable[dict[str, Any]], left_out: Collection[str] = ()) -> bytes:
    """The rows as JSON Lines, compressed; curves are without the names `left_out`."""
    shorter = (_short(row, left_out) for row in sorted(rows, key=_place))
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in shorter)
    return gzip.compress("".join(lines).encode(), 9, mtime=0)


def _place(row: dict[str, Any]) -> tuple[str, list[int]]:
    """Runs that are alike stand together, where gzip finds them alike."""
    settings = {name: value for name, value in row["spec"].items() if name not in SEEDS}
    return json.dumps(settings, sort_keys=True), [row["spec"].get(name, 0) for name in SEEDS]


def _short(row: dict[str, Any], left_out: Collection[str]) -> dict[str, Any]:
    curve = {name: value for name, value in row["curve"].items() if name not in left_out}
    whole = row | {"curve": curve}
    return {name: _rounded(each) if name in ROUNDED else each for name, each in whole.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value

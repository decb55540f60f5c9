"""Every run of a folder as a table that a reader can sort and filter."""

import csv
import io
import json
from typing import Any

import pandas as pd

from synaptree.analysis.settings import short_views
from synaptree.report.figures.errors import labels
from synaptree.safely import plain_cell

# Heads, and how many digits their numbers are shown with; None for text.
COLUMNS: dict[str, int | None] = {
    "rule": None, "family": None, "views": None, "v": 0, "n": 0, "m": 0, "s": 0, "L": 0, "P": 0,
    "seed": 0, "test error": 4, "train error": 4, "steps": 0, "seconds": 1, "state": None,
}  # fmt: skip


def table(frame: pd.DataFrame) -> list[list[Any]]:
    """One row a run, as in COLUMNS; what is not there is None.  test and train error are fractions;
    seconds those of one core for this replica."""
    kinds = dict(labels(frame))
    return [
        [
            row["label"], kinds[str(row["label"])], short_views(row["views"]),
            *(int(row[k]) for k in ("v", "n", "m", "s", "L", "P", "seed")),
            _number(row["test_error"], 6), _number(row["train_error"], 6), _number(row["steps"], 0),
            _number(_seconds(row), 2), state(row),
        ]
        for row in frame.to_dict("records")
    ]  # fmt: skip


def _number(value: Any, digits: int) -> float | int | None:
    if value is None or pd.isna(value):
        return None
    return round(float(value), digits) if digits else int(value)


def _seconds(row: dict[Any, Any]) -> float | None:
    wall, replicas = row["wall_s"], row["replicas"]
    return None if pd.isna(wall) or pd.isna(replicas) else float(wall) / float(replicas)


def state(row: dict[Any, Any]) -> str:
    """done; failed; or what became of it beside: diverged, collapsed (its layers), stopped."""
    if row["status"] != "done":
        return "failed"
    lost = row.get("collapsed")
    said = [word for word in ("diverged", "stopped") if row.get(word) is True]
    if isinstance(lost, list) and lost:
        said.append(f"collapsed in layer {', '.join(map(str, lost))}")
    return ", ".join(said) or "done"


def as_csv(rows: list[list[Any]]) -> str:
    """The table as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([plain_cell(value) for value in row] for row in rows)
    return out.getvalue()


def as_json(rows: list[list[Any]]) -> str:
    """The table for the page's script: JSON that cannot end the element that it stands in."""
    digits = list(COLUMNS.values())
    text = json.dumps({"digits": digits, "rows": rows}, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")

"""The results in a folder as a frame, one row a run."""

import gc
import json
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pandas as pd

from synaptree import rules
from synaptree.errors import SynaptreeError
from synaptree.results.columns import ASKED, DEFAULTS, DERIVED, MEASUREMENTS, RECORD, RULE
from synaptree.results.journal import rows
from synaptree.results.row import LARGEST, Row
from synaptree.rules.facts import label_tier

AT_ONCE = 1000  # rows


def load(folder: str | Path, curves: bool = True) -> pd.DataFrame:
    """The results in a folder as a tidy frame, one row a run, sorted by rule, grammar and seed.

    Without `curves` there are no learning curves and no portraits, which are most of a large study:
    100 000 runs are then there in half the time.

    Columns: run_id, label; rule, rule_options, family, subfamily and source (None, or the hash of
    the file that a rule came from); tier (of labels, where views are compared); views, v n m s L P,
    seed (of the grammar) and all other settings of the spec; steps (made), steps_asked, stopped,
    diverged, collapsed (its layers), test_error, train_error; the learning curve as lists:
    curve_step, curve_test_error, curve_train_loss, curve_train_error, and, evaluations × layers,
    curve_alignment and curve_null; the portrait: probe and sensitivity, layers × levels, rank, dead
    and spread, layers; switches; status, error, wall_s, replicas, code_version. A file that a rule
    came from is neither needed nor run.
    Raises SynaptreeError where the folder holds no results.
    """
    folder = Path(folder)
    with _no_collector():
        columns: dict[str, list[Any]] = {}
        count, left = 0, rows(folder, curves)
        while some := list(islice(left, AT_ONCE)):
            for name, values in _columns(some, curves).items():
                columns.setdefault(name, [None] * count).extend(values)
            count += len(some)
            for values in columns.values():  # keys that only earlier rows had
                values.extend([None] * (count - len(values)))
        if not count:
            raise SynaptreeError(
                f"results: {str(folder)!r} holds none; expected a folder made by a run"
            )
        for name in columns.keys() - {*RULE, *DERIVED, *ASKED.values(), *MEASUREMENTS, *RECORD}:
            columns[name] = _of_one_type(columns[name])
        source = pd.Series(columns["source"], dtype=object)  # None stays None beside text
        frame = pd.DataFrame(columns | {"source": source})
    order = ["v", "n", "m", "s", "L", "P", "label", "seed", "run_id"]
    return frame.sort_values(order, kind="stable", ignore_index=True)


@contextmanager
def _no_collector() -> Generator[None]:
    """Nothing in a row is in a cycle, but a collector would go through all of them many times."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _columns(some: list[Row], with_curves: bool) -> dict[str, list[Any]]:
    """Rows as columns: a pass for each column is much faster than a flat dictionary a row."""
    specs = [row["spec"] for row in some]
    columns: dict[str, list[Any]] = {
        "run_id": [row["run_id"] for row in some],
        "label": [row["label"] for row in some],
        "rule": [spec["rule"]["name"] for spec in specs],
        "rule_options": [_options(spec["rule"]) for spec in specs],
        "family": [_said(row, "family") or "own" for row in some],
        "subfamily": [_said(row, "subfamily") for row in some],
        "tier": [label_tier(tuple(r["spec"].get("views", ())), _labels(r)) for r in some],
        "source": [(row.get("source") or {}).get("sha256") for row in some],
    }
    for name, column in ASKED.items():
        # A row that is older than a setting was run with the setting's default.
        default = DEFAULTS.get(column)
        columns[column] = [spec.get(name, default) for spec in specs]
    columns["views"] = [",".join(views) for views in columns["views"]]
    for column, path in MEASUREMENTS.items():
        if len(path) == 1:
            columns[column] = [row.get(column) for row in some]
        elif with_curves:
            part, name = path
            columns[column] = [(row.get(part) or {}).get(name) for row in some]
    for name in ("status", "error", "code_version"):
        columns[name] = [row.get(name) for row in some]
    # What this version does not know is kept, but never in the place of what it knows.
    for name in dict.fromkeys(chain.from_iterable(specs)):
        if name != "rule" and name not in ASKED and name not in columns:
            columns[name] = [spec.get(name) for spec in specs]
    return columns


def _of_one_type(values: list[Any]) -> list[Any]:
    """The values of a column that this version does not know; as JSON where types are mixed."""
    types = {type(value) for value in values if value is not None}
    large = any(type(value) is int and abs(value) > LARGEST for value in values)
    if not large and any(types <= alike for alike in ({str}, {bool}, {int, float})):
        return values
    return [None if value is None else json.dumps(value) for value in values]


def _options(rule: dict[str, Any]) -> str:
    options = {k: v for k, v in rule.items() if k not in ("name", "source")}
    return json.dumps(options, sort_keys=True) if options else "{}"


def _said(row: Row, name: str) -> str:
    """The family or subfamily that a row says, or that of the package's rule; empty where neither
    is known."""
    source = row.get("source")
    if source is not None:
        return source.get(name) or ""
    facts = _facts().get(row["spec"]["rule"]["name"])
    return "" if facts is None else getattr(facts, name)


def _labels(row: Row) -> bool:
    """Whether the rule declares that its updates need the label."""
    source = row.get("source")
    if source is not None:
        return bool(source.get("labels"))
    facts = _facts().get(row["spec"]["rule"]["name"])
    return facts is not None and facts.labels


@cache
def _facts() -> dict[str, rules.Facts]:
    return {name: rules.rule_class(name).facts for name in rules.names(former=True)}

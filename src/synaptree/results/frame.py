"""The results in a folder as a frame, one row a run."""

import gc
import json
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synaptree import rules
from synaptree.errors import SynaptreeError
from synaptree.results.columns import ASKED, DEFAULTS, MEASUREMENTS
from synaptree.results.journal import runs
from synaptree.results.record import Reader, Run, Source
from synaptree.results.row import LARGEST
from synaptree.rules.facts import label_tier
from synaptree.training.spec import SEEDS

AT_ONCE = 1000  # rows


def load(folder: str | Path, curves: bool = True) -> pd.DataFrame:
    """The results in a folder as a tidy frame, one row a run, sorted by rule, grammar and seed.

    Without `curves` there are no learning curves and no portraits, which are most of a large study:
    100 000 runs are then there in half the time, and in a tenth of the memory.

    Columns: run_id, label; rule, rule_options, family, subfamily and source (None, or the hash of
    the code of a rule from outside the package, which is named with its file where another rule has
    its name); tier (of labels, where views are compared); passes; views, v n m s L P,
    seed (of the grammar) and all other settings of the spec; steps (made), steps_asked, stopped,
    diverged, collapsed (its layers), test_error, train_error; the learning curve as lists:
    curve_step, curve_test_error, curve_train_loss, curve_train_error, and, evaluations × layers,
    curve_alignment and curve_null; the portrait: probe and sensitivity, layers × levels, rank, dead
    and spread, layers; switches; status, error, wall_s, replicas, code_version. A file that a rule
    came from is neither needed nor run.
    Raises SynaptreeError where the folder holds no results.
    """
    return load_with(Reader(curves), Path(folder))


def load_with(reader: Reader, folder: Path) -> pd.DataFrame:
    """`load`, with a reader that may know settings already."""
    frame = _loaded(reader, runs(folder, reader))
    if frame is None:
        raise SynaptreeError(
            f"results: {str(folder)!r} holds none; expected a folder made by a run"
        )
    return frame


def load_beside(folder: Path, ids: Collection[str], beside: Path) -> pd.DataFrame:
    """`load` of the runs with these ids in a folder, and of all others in the folder beside it.

    They are read at once, so that in the whole frame one name is one rule.
    """
    reader = Reader()
    own = (run for run in runs(folder, reader) if run.record.run_id in ids)
    others = (run for run in runs(beside, reader) if run.record.run_id not in ids)
    frame = _loaded(reader, chain(own, others))
    if frame is None:
        raise SynaptreeError(
            f"results: {str(beside)!r} holds none; expected a folder made by a run"
        )
    return frame


def _loaded(reader: Reader, left: Iterator[Run]) -> pd.DataFrame | None:
    """The frame of runs; None where there are none."""
    with _no_collector():
        numbers: list[int] = []  # the settings of each run
        columns: dict[str, list[Any]] = {}
        while some := list(islice(left, AT_ONCE)):
            numbers += [run.settings for run in some]
            for name, values in _measured(some, reader.curves):
                columns.setdefault(name, []).extend(values)
        if not numbers:
            return None
        frame = _frame(columns, reader.settings, numbers)
    order = ["v", "n", "m", "s", "L", "P", "label", "seed", "run_id"]
    return frame.sort_values(order, kind="stable", ignore_index=True)


@contextmanager
def _no_collector() -> Generator[None]:
    """Nothing in a row is in a cycle, but a collector would go through all of them many times.

    At the end the rows are old at once, as if it had: millions of lists are not looked at as new.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()
        if was_on:
            gc.enable()


def _measured(some: Sequence[Run], with_curves: bool) -> Iterator[tuple[str, list[Any]]]:
    """What runs have each for itself, column by column."""
    records = [run.record for run in some]
    for place, name in enumerate(SEEDS):
        yield ASKED[name], [run.seeds[place] for run in some]
    for name in ("run_id", "label", "status", "error", "code_version"):
        yield name, list(map(attrgetter(name), records))
    yield "source", [record.source for record in records]
    for column, path in MEASUREMENTS.items():
        if len(path) == 1:
            yield column, list(map(attrgetter(column), records))
        elif with_curves:
            part, name = path
            held = map(attrgetter(part), records)
            yield column, [None if each is None else getattr(each, name) for each in held]


def _frame(
    columns: dict[str, list[Any]], settings: Sequence[dict[str, Any]], numbers: Sequence[int]
) -> pd.DataFrame:
    """The frame from what each run has for itself, and from the settings that runs share."""
    used, places = np.unique(np.asarray(numbers), return_inverse=True)
    specs = [settings[number] for number in used]

    def spread(values: list[Any]) -> Any:
        """A value of each settings as a column of the type that pandas gives to the values."""
        return pd.Series(values).array.take(places)

    frame: dict[str, Any] = {
        "run_id": columns["run_id"],
        **_named(specs, places.tolist(), columns["label"], columns["source"]),
        "rule_options": spread([_options(spec["rule"]) for spec in specs]),
    }
    frame |= _rules(specs, places.tolist(), columns["source"])
    for name, column in ASKED.items():
        if name in SEEDS:
            frame[column] = columns[column]
        else:
            # A row that is older than a setting was run with the setting's default.
            default = DEFAULTS.get(column)
            values = [spec.get(name, default) for spec in specs]
            frame[column] = spread([",".join(v) for v in values] if name == "views" else values)
    for name in (*MEASUREMENTS, "status", "error", "code_version"):
        if name in columns:
            frame[name] = columns[name]
    # What this version does not know is kept, but never in the place of what it knows.
    for name in dict.fromkeys(chain.from_iterable(specs)):
        if name != "rule" and name not in ASKED and name not in frame:
            frame[name] = spread(_of_one_type([spec.get(name) for spec in specs]))
    return pd.DataFrame(frame)


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


def _named(
    specs: Sequence[dict[str, Any]],
    places: Sequence[int],
    labels: Sequence[str],
    sources: Sequence[Source | None],
) -> dict[str, list[str]]:
    """The columns label and rule, in which one name is one rule.

    A rule from outside the package with the name of another rule is named with its file, as in
    ``dfa of my_rules.py``; of two versions of a file, also with the hash of each.
    """
    rows = [specs[place]["rule"]["name"] for place in places]
    if not any(sources):
        return {"label": list(labels), "rule": rows}
    files: dict[str, dict[str, str]] = {}  # by name and hash
    for name, source in zip(rows, sources, strict=True):
        if source is not None:
            files.setdefault(name, {}).setdefault(source.sha256, source.file)

    @cache
    def told(name: str, sha256: str) -> str:
        own = files[name]
        if len(own) == 1 and name not in _facts():
            return name
        file = own[sha256]
        version = f" {sha256[:6]}" if [*own.values()].count(file) > 1 else ""
        return f"{name} of {file}{version}"

    names = [
        name if source is None else told(name, source.sha256)
        for name, source in zip(rows, sources, strict=True)
    ]
    return {
        "label": [
            label if name == row else f"{name}{label.removeprefix(row)}"
            for label, row, name in zip(labels, rows, names, strict=True)
        ],
        "rule": names,
    }


def _rules(
    specs: Sequence[dict[str, Any]], places: Sequence[int], sources: Sequence[Source | None]
) -> dict[str, Any]:
    """The columns of what a run's rule is: as its row says it, or as the package knows it."""

    @cache
    def said(place: int, source: Source | None) -> tuple[str, str, str | None, float]:
        rule = specs[place]["rule"]
        known = source or _declared(rule)
        views = tuple(specs[place].get("views", ()))
        if known is None:
            return "own", "", label_tier(views), np.nan
        tier = label_tier(views, bool(known.labels), bool(known.top_context))
        passes = source.passes if source else _passes(rule["name"], _options(rule))
        return known.family, known.subfamily or "", tier, np.nan if passes is None else passes

    each = [said(place, source) for place, source in zip(places, sources, strict=True)]
    families, subfamilies, tiers, passes = zip(*each, strict=True)
    hashes = [None if source is None else source.sha256 for source in sources]
    return {
        "family": list(families),
        "subfamily": list(subfamilies),
        "tier": list(tiers),
        "passes": list(passes),
        "source": pd.Series(hashes, dtype=object),  # None stays None beside text
    }


def passes_in(run: Mapping[Any, Any]) -> float:
    """How often an input goes through the weights in an update, of a frame's row; NaN where that is
    not known.  A row without the column is that of a rule of the package or says nothing."""
    if "passes" in run:
        return float(run["passes"])
    own = isinstance(run.get("source"), str)
    return np.nan if own else _passes(str(run["rule"]), str(run["rule_options"]))


@cache
def _passes(rule: str, options: str) -> float:
    """The passes of one of the package's rules.  options: as in the column ``rule_options``."""
    if rule not in _facts():
        return np.nan
    try:
        return rules.get(rule, **json.loads(options)).passes
    except SynaptreeError:  # options of another version
        return np.nan


def _declared(rule: Mapping[str, Any]) -> rules.Facts | None:
    """What one of the package's rules declares with its options; None for any other rule."""
    name, facts = rule["name"], _facts().get(rule["name"])
    options = {option: value for option, value in rule.items() if option != "name"}
    if facts is None or not facts.top_context:  # the only fact of these that options change
        return facts
    try:
        return rules.get(name, **options).declared
    except SynaptreeError:  # options of another version
        return facts


@cache
def _facts() -> dict[str, rules.Facts]:
    return {name: rules.rule_class(name).facts for name in rules.names(former=True)}

"""The journal: what was run, append-only. One JSON Lines file for each process that writes.

A row is written with one `write` and fsynced before anybody is told that its run is done, so what
was reported done is never lost. A torn last line (a crash, a full disk) is skipped on reading, and
the first result of a run wins.
"""

import errno
import gc
import gzip
import json
import math
import os
import socket
import uuid
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from functools import cache
from itertools import chain, islice
from itertools import count as numbers
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, cast

import pandas as pd
from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # as pydantic asks for below Python 3.12

from synaptree.errors import SynaptreeError
from synaptree.measures.portrait import Portrait
from synaptree.safely import check_folder, new_file, printable, unwritable
from synaptree.training.loop import LearningCurve, Result
from synaptree.training.spec import RunSpec
from synaptree.version import code_version

Row = dict[str, Any]


def row_of(result: Result) -> Row:
    """The journal's row of a finished run: JSON all through, NaN as null.

    Curves are kept in as many digits as mean something, for they are most of a journal.
    """
    spec = result.spec
    measured = asdict(result)
    del measured["spec"]
    curve = measured["curve"]
    curve["train_loss"] = [float(f"{loss:.6g}") for loss in curve["train_loss"]]
    for name in ("alignment", "null"):
        curve[name] = [[round(cosine, 4) for cosine in layers] for layers in curve[name]]
    row = {
        "run_id": spec.run_id,
        "status": "done",
        "error": None,
        "label": spec.rule.label,
        "spec": spec.model_dump(mode="json"),
        **measured,
        "code_version": code_version(),
    }
    return _without_nan(row)


def failed_row(spec: RunSpec, reason: str) -> Row:
    """The journal's row of a run that ended in an error."""
    return {
        "run_id": spec.run_id,
        "status": "failed",
        "error": reason,
        "label": spec.rule.label,
        "spec": spec.model_dump(mode="json"),
    }


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(v) for v in value]
    return value


class Journal:
    """Appends rows to a file of its own under ``folder/journal``.

    Raises SynaptreeError where the folder cannot be made or written.
    """

    def __init__(self, folder: Path) -> None:
        name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        self.path = folder / "journal" / name
        self._file = new_file(folder, f"journal/{name}")

    def append(self, *rows: Row) -> None:
        """Write rows, all of them or none, and wait until they are on the disk."""
        lines = [json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n" for row in rows]
        text = "".join(lines).encode()
        before = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, text)
            if written != len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file)
        except OSError as fault:
            # A torn row must not swallow the next one.
            with suppress(OSError):
                os.ftruncate(self._file, before)
            raise unwritable(self.path.parent.parent, fault) from None

    def close(self) -> None:
        """Close the file; an empty one is taken away."""
        os.close(self._file)
        if self.path.stat().st_size == 0:
            self.path.unlink()


# What a line of a journal must be: it may come from anybody. Dictionaries, not models: a study's
# hundred thousand rows are read in seconds. What other versions wrote may stand beside it.
_AS_WRITTEN = ConfigDict(extra="allow", strict=True)


@with_config(_AS_WRITTEN)
class _Rule(TypedDict):
    name: str


@with_config(_AS_WRITTEN)
class _Spec(TypedDict):
    rule: _Rule
    views: list[str]
    v: int
    n: int
    m: int
    s: int
    L: int
    P: int
    steps: int
    grammar_seed: int


_Numbers = list[float | None]


@with_config(_AS_WRITTEN)
class _Curve(TypedDict):
    step: NotRequired[_Numbers]
    test_error: NotRequired[_Numbers]
    train_loss: NotRequired[_Numbers]
    train_error: NotRequired[_Numbers]
    alignment: NotRequired[list[_Numbers]]
    null: NotRequired[list[_Numbers]]


@with_config(_AS_WRITTEN)
class _Portrait(TypedDict):
    probe: NotRequired[list[_Numbers]]
    sensitivity: NotRequired[list[_Numbers]]
    rank: NotRequired[_Numbers]
    dead: NotRequired[_Numbers]
    spread: NotRequired[_Numbers]


@with_config(_AS_WRITTEN)
class _Row(TypedDict):
    run_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    status: Literal["done", "failed"]
    error: str | None
    label: str
    spec: _Spec
    test_error: NotRequired[float | None]
    train_error: NotRequired[float | None]
    wall_s: NotRequired[float | None]
    steps: NotRequired[int | None]
    replicas: NotRequired[int | None]
    switches: NotRequired[list[int] | None]
    stopped: NotRequired[bool | None]
    diverged: NotRequired[bool | None]
    collapsed: NotRequired[list[int] | None]
    curve: NotRequired[_Curve | None]
    portrait: NotRequired[_Portrait | None]
    code_version: NotRequired[str | None]


_ROW = TypeAdapter(_Row)
KINDS = ("*.jsonl", "*.jsonl.gz")  # as written, and packed with gzip to be kept
LONGEST = 2**24  # bytes of a line that any row of ours stays far below


def rows(folder: Path) -> Iterator[Row]:
    """One row for each run in a folder: the first that is done, else its last failure.

    Torn lines are skipped: their runs were never reported done.  Raises SynaptreeError for a line
    that is JSON but no row, or too long to be one: somebody else wrote it.
    """
    check_folder(folder)
    done: set[str] = set()
    failed: dict[str, Row] = {}
    for path in sorted(p for kind in KINDS for p in (folder / "journal").glob(kind)):
        for row in _read(path):
            if row["run_id"] in done:
                continue
            if row["status"] == "done":
                done.add(row["run_id"])
                failed.pop(row["run_id"], None)
                yield row
            else:
                failed[row["run_id"]] = row
    yield from failed.values()


def _read(path: Path) -> Iterator[Row]:
    """The whole rows of a file."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number in numbers(1):
                line = file.readline(LONGEST)
                if len(line) == LONGEST:
                    raise SynaptreeError(
                        f"{printable(path)}:{number}: more than {LONGEST} bytes; no row is"
                    )
                if not line.endswith(b"\n"):
                    return  # the end, or torn
                try:
                    yield cast(Row, _ROW.validate_json(line))
                except ValidationError as fault:
                    first = fault.errors(include_url=False, include_input=False)[0]
                    if first["type"] == "json_invalid":
                        continue
                    where = ".".join(str(part) for part in first["loc"])
                    raise SynaptreeError(
                        f"{printable(path)}:{number}: {where or 'line'}: {first['msg'].lower()}; "
                        "expected a row that synaptree wrote"
                    ) from None
    except (EOFError, zlib.error):
        return  # a packed file that is torn
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise SynaptreeError(f"{printable(path)}: cannot be read ({reason})") from None


def load(folder: str | Path, curves: bool = True) -> pd.DataFrame:
    """The results in a folder as a tidy frame, one row a run, sorted by rule, grammar and seed.

    Without `curves` there are no learning curves and no portraits, which are most of a large study:
    100 000 runs are then there in half the time.

    Columns: run_id, label, rule, rule_options, views, v n m s L P, seed (of the grammar), the other
    settings of the spec, steps (made), steps_asked, stopped, diverged, collapsed (its layers),
    test_error, train_error; the learning curve as lists: curve_step, curve_test_error,
    curve_train_loss, curve_train_error, and, evaluations × layers, curve_alignment and curve_null;
    the portrait: probe and sensitivity, layers × levels, rank, dead and spread, layers; switches;
    status, error, wall_s, replicas, code_version.
    Raises SynaptreeError where the folder holds no results.
    """
    folder = Path(folder)
    with _no_collector():
        columns: dict[str, list[Any]] = {}
        count, left = 0, rows(folder)
        while found := list(islice(left, 1000)):
            for name, values in _columns(found, curves).items():
                # A setting that only later rows have was at its default in those before.
                columns.setdefault(name, [_default(name)] * count).extend(values)
            count += len(found)
            for name, values in columns.items():
                values.extend([_default(name)] * (count - len(values)))
        if not count:
            raise SynaptreeError(
                f"results: {str(folder)!r} holds none; expected a folder made by a run"
            )
        frame = pd.DataFrame(columns)
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


def _columns(found: list[Row], with_curves: bool) -> dict[str, list[Any]]:
    """Rows as columns: a pass for each column is much faster than a flat dictionary a row."""
    specs = [row["spec"] for row in found]
    rules = [spec["rule"] for spec in specs]
    renamed = {"rule", "views", "grammar_seed", "steps"}
    settings = [name for name in dict.fromkeys(chain.from_iterable(specs)) if name not in renamed]
    long: dict[str, list[Any]] = {}
    if with_curves:
        curves = [row.get("curve") or {} for row in found]
        portraits = [row.get("portrait") or {} for row in found]
        long = {
            f"curve_{name}": [curve.get(name) for curve in curves] for name in _names(LearningCurve)
        }
        long |= {name: [each.get(name) for each in portraits] for name in _names(Portrait)}
    measured = (
        "steps",
        "stopped",
        "diverged",
        "collapsed",
        "test_error",
        "train_error",
        "wall_s",
        "replicas",
        "switches",
    )
    options = ({k: v for k, v in rule.items() if k != "name"} for rule in rules)
    columns = {
        "run_id": [row["run_id"] for row in found],
        "label": [row["label"] for row in found],
        "rule": [rule["name"] for rule in rules],
        "rule_options": [json.dumps(o, sort_keys=True) if o else "{}" for o in options],
        "views": [",".join(spec["views"]) for spec in specs],
        "seed": [spec["grammar_seed"] for spec in specs],
        "steps_asked": [spec["steps"] for spec in specs],
        **{name: [row.get(name) for row in found] for name in measured},
        **long,
        "status": [row["status"] for row in found],
        "error": [row["error"] for row in found],
        "code_version": [row.get("code_version") for row in found],
    }
    # A key that this version does not know never takes the place of a column.
    return columns | {name: _setting(name, specs) for name in settings if name not in columns}


def _setting(name: str, specs: list[dict[str, Any]]) -> list[object]:
    default = _default(name)
    return [spec.get(name, default) for spec in specs]


def _default(column: str) -> object:
    """What a setting was in runs that are older than it."""
    setting = RunSpec.model_fields.get(column)
    return None if setting is None else setting.default


@cache
def _names(record: type) -> list[str]:
    return [field.name for field in fields(record)]

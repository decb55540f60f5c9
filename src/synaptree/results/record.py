"""The lines of journals, decoded straight into what a table takes from them.

A line as this version writes it is decoded by msgspec into a typed record, and the settings that it
shares with thousands of other lines are checked once.  Any other line goes to `row.read_row`, which
judges it: what is accepted here is accepted there, with the same values.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from synaptree.errors import SynaptreeError
from synaptree.results.columns import parts
from synaptree.results.row import (
    LARGEST,
    LARGEST_MEASURED,
    LONGEST_ERROR,
    LONGEST_NAME,
    MEASURED,
    Row,
    lists_in,
    read_row,
    read_spec,
)
from synaptree.rules.facts import Family, Subfamily
from synaptree.training.loop import Result
from synaptree.training.spec import SEEDS, RunSpec

Name = Annotated[str, Meta(max_length=LONGEST_NAME)]


class Source(Struct, gc=False, frozen=True):
    """The file that a rule came from."""

    file: Name
    sha256: Name
    family: Family
    subfamily: Subfamily | None = None
    labels: bool | None = None
    top_context: bool | None = None
    passes: Annotated[float, Meta(ge=0, le=LARGEST)] | None = None


class Record(Struct, gc=False):
    """What every row says.  The measurements follow, as fields of a subclass: see `_record`."""

    run_id: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
    status: Literal["done", "failed"]
    error: Annotated[str, Meta(max_length=LONGEST_ERROR)] | None
    label: Name
    spec: dict[str, Any]
    source: Source | None = None
    code_version: Name | None = None


class Run(NamedTuple):
    """A run of a journal.

    record: a `Record` with the measurements.  settings: the number of its settings in
    `Reader.settings`.  seeds: in the order of `SEEDS`.
    """

    record: Any
    settings: int
    seeds: tuple[int, ...]


class _Odd(Exception):
    """A line is not as this version writes it, which does not say that it is wrong."""


class Reader:
    """Reads lines of journals.

    settings: the specs that were read, without their seeds, each about once.
    """

    def __init__(self, curves: bool = True) -> None:
        self.curves = curves
        self.settings: list[dict[str, Any]] = []
        self._numbers: dict[bytes | str, int] = {}
        needed = [name for name in MEASURED[""] if curves or name != "curve"]
        self._needed = _getter(needed)
        self._record = _record(curves)
        self._decode = msgspec.json.Decoder(self._record).decode

    def know(self, specs: Iterable[RunSpec]) -> Self:
        """Take the settings of runs as checked: nobody can make others."""
        for spec in specs:
            shared = spec.model_dump(mode="json", exclude=set(SEEDS))
            self._add(msgspec.json.encode(shared), shared)
        return self

    def read(self, line: bytes) -> Run:
        """The run in a line of a journal.  Raises SynaptreeError as `row.read_row` does."""
        try:
            return self._as_written(line)
        except (_Odd, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._of_row(read_row(line, self.curves))

    def _as_written(self, line: bytes) -> Run:
        if not line.isascii():
            line.decode()  # what is skipped is not looked at, and may be no text at all
        record: Any = self._decode(line)
        seeds = tuple([record.spec.pop(name, 0) for name in SEEDS])
        for seed in seeds:
            if type(seed) is not int or not 0 <= seed <= LARGEST:
                raise _Odd
        try:
            number = self._number(msgspec.json.encode(record.spec))
        except (SynaptreeError, OverflowError):
            raise _Odd from None
        if record.status == "done" and not self._is_whole(record, self.settings[number]["L"]):
            raise _Odd
        return Run(record, number, seeds)

    def _of_row(self, row: Row) -> Run:
        shared = dict(row["spec"])
        seeds = tuple(shared.pop(name, 0) for name in SEEDS)
        return Run(_struct(self._record, row), self._add(json.dumps(shared), shared), seeds)

    def _number(self, text: bytes) -> int:
        """The number of settings, which are checked when they come for the first time."""
        number = self._numbers.get(text)
        return self._add(text, read_spec(text)) if number is None else number

    def _add(self, text: bytes | str, shared: dict[str, Any]) -> int:
        number = self._numbers.setdefault(text, len(self.settings))
        if number == len(self.settings):
            self.settings.append(shared)
        return number

    def _is_whole(self, record: Any, layers: int) -> bool:
        """Whether a finished run has its measurements, in the shape that its depth asks for."""
        if None in self._needed(record):
            return False
        return not self.curves or (
            _has_shape(record.curve, "curve", len(record.curve.step), layers)
            and (record.portrait is None or _has_shape(record.portrait, "portrait", layers, layers))
        )


def _has_shape(part: Any, name: str, first: int, second: int) -> bool:
    """Whether the lists in a part have `first` entries, and those in lists of lists `second`."""
    inner = {second}
    for each, kind in lists_in(name):
        values = getattr(part, each)
        if values is not None and (
            len(values) != first or (kind == 2 and not inner.issuperset(map(len, values)))
        ):
            return False
    return True


def _getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """The attributes of these names, as a tuple also where there is but one name."""
    return attrgetter(*names, names[0]) if names else lambda _: ()


def _struct(kind: type[Struct], row: Row) -> Any:
    """A record from a row that was judged already."""
    values: dict[str, Any] = {}
    for name, inner in _inner(kind).items():
        value = row.get(name)
        values[name] = value if inner is None or value is None else _struct(inner, value)
    return kind(**values)


@cache
def _inner(kind: type[Struct]) -> dict[str, type[Struct] | None]:
    """The fields of a record, each with the record that is in it, if one is."""

    def records(hint: Any) -> list[type[Struct]]:
        return [
            each for each in get_args(hint) if isinstance(each, type) and issubclass(each, Struct)
        ]

    return {name: next(iter(records(hint)), None) for name, hint in get_type_hints(kind).items()}


@cache
def _record(curves: bool) -> type[Struct]:
    """`Record` with the measured fields of `Result`; without `curves` lists of lists are skipped.

    Fields that are younger than some rows may be missing.
    """
    fraction: Any = Annotated[float, Meta(ge=0, le=1)]
    fields: list[tuple[str, Any, Any]] = []
    for name, hint, inner in parts(Result):
        if inner is None:
            kind = fraction if name.endswith("_error") else _kind(hint)
            fields.append((name, kind | None, None))
        elif curves:
            hints = {key: _kind(kind, whole=False) for key, kind in get_type_hints(inner).items()}
            first = [(key, hints[key]) for key in MEASURED[name]]
            later = [(key, hints[key], None) for key in hints if key not in MEASURED[name]]
            part = msgspec.defstruct(inner.__name__, [*first, *later], gc=False)
            fields.append((name, part | None, None))
    return msgspec.defstruct("MeasuredRecord", fields, bases=(Record,), gc=False)


def _kind(hint: Any, whole: bool = True) -> Any:
    """What `row` accepts for a type of Python, as a type of msgspec."""
    if hint is bool:
        return bool
    if hint is int and whole:
        return Annotated[int, Meta(ge=-LARGEST, le=LARGEST)]
    if hint is int:
        return Annotated[float, Meta(ge=0, le=LARGEST)]
    if hint is float:
        number: Any = Annotated[float, Meta(ge=-LARGEST_MEASURED, le=LARGEST_MEASURED)]
        return number | None
    if get_origin(hint) is list:
        return list[_kind(get_args(hint)[0], whole)]
    inner = [kind for kind in get_args(hint) if kind is not type(None)]
    if len(inner) == 1:  # Kind | None
        return _kind(inner[0], whole) | None
    raise TypeError(f"{hint!r} has no form in a record; expected numbers or lists of them")

"""One row of a journal: what it holds of a run, and whether a line of a file is one."""

import json
import math
from dataclasses import asdict, replace
from functools import cache, lru_cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic_core import CoreSchema, SchemaValidator, ValidationError
from pydantic_core import core_schema as cs

from synaptree import rules
from synaptree.errors import SynaptreeError
from synaptree.results.columns import parts
from synaptree.rules.facts import Family, Subfamily
from synaptree.sources.dataset import Dataset
from synaptree.sources.dials import Variant
from synaptree.sources.rules_file import RulesFile
from synaptree.training.loop import Result
from synaptree.training.spec import RunSpec, make_spec
from synaptree.version import code_version

Row = dict[str, Any]

# What every row of a finished run has, of whatever version; newer measurements may be missing.
MEASURED = {
    "": ("steps", "stopped", "test_error", "train_error", "wall_s", "replicas", "curve"),
    "curve": ("step", "test_error", "train_loss", "train_error"),
    "portrait": ("probe", "sensitivity", "rank", "dead", "spread"),
}
LONGEST_NAME, LONGEST_ERROR = 1000, 100_000  # characters
LONGEST_WHY = 300
LARGEST = 2**53  # of whole numbers: tables hold them exactly
LARGEST_MEASURED = 1e100  # far more than float32 holds; its square is a number too


def row_of(result: Result) -> Row:
    """The row of a finished run: JSON throughout, NaN as null.

    Curves are most of a journal, so their numbers are rounded to the digits that mean something.
    """
    measured = asdict(replace(result, trained=None))
    del measured["spec"], measured["trained"]
    curve = measured["curve"]
    curve["train_loss"] = [float(f"{loss:.6g}") for loss in curve["train_loss"]]
    for name in ("alignment", "null"):
        curve[name] = [[round(cosine, 4) for cosine in layers] for layers in curve[name]]
    row = _about(result.spec, "done", None) | measured | {"code_version": code_version()}
    return _without_nan(row)


def failed_row(spec: RunSpec, reason: str) -> Row:
    """The row of a run that ended in an error."""
    return _about(spec, "failed", reason)


def _about(spec: RunSpec, status: str, error: str | None) -> Row:
    """What identifies a run.  A rule from a file is named with its file, for the file may be gone
    when the row is read."""
    row = {
        "run_id": spec.run_id,
        "status": status,
        "error": error,
        "label": spec.rule.label,
        "spec": spec.model_dump(mode="json"),
    }
    source: Any = getattr(spec.rule, "source", None)
    if source is not None:
        facts = spec.rule.facts
        row["source"] = {
            "file": source.file,
            "sha256": source.sha256,
            "family": facts.family,
            "subfamily": facts.subfamily,
            "labels": facts.labels,
            "top_context": facts.top_context,
            "passes": _passes(spec.rule),
        }
    return row


def _passes(rule: Any) -> float | None:
    """The passes that a stranger's rule says it makes, if they are a number that a row may hold."""
    said = rule.passes
    return said if isinstance(said, int | float) and 0 <= said <= LARGEST else None


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(v) for v in value]
    return value


def read_row(line: bytes, curves: bool = True) -> Row:
    """The row in a line of a journal, checked whole.

    Without `curves` the learning curve and the portrait are neither checked nor kept.
    Raises SynaptreeError where the line is no row, and says where: somebody else wrote it, a later
    version did, or it is damaged.  Keys that this version does not know are kept.
    """
    try:
        row = _validator(curves).validate_json(line)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"][:5]) or "line"
        raise _no_row(where, first["msg"].lower()) from None
    _check_settings(json.dumps({k: v for k, v in row["spec"].items() if k in _SETTINGS}))
    if row["status"] == "done":
        _check_measured(row, row["spec"]["L"], curves)
    return row


def read_spec(text: bytes) -> dict[str, Any]:
    """The spec of a row by itself, checked as in `read_row`, and so are its errors."""
    try:
        spec = _spec_validator().validate_json(text)
    except ValidationError:
        raise _no_row("spec", "is none") from None
    _check_settings(json.dumps({k: v for k, v in spec.items() if k in _SETTINGS}))
    return spec


def _no_row(where: str, why: str) -> SynaptreeError:
    if len(why) > LONGEST_WHY:
        why = f"{why[:LONGEST_WHY]}…"
    return SynaptreeError(f"{where}: {why}; expected a row that this version can read")


class _Unloaded(rules.Rule):
    """Stands for a rule from a file, which reading results never runs."""

    @property
    def source(self) -> None:
        """Not of this class: the row has it."""

    @property
    def needs_views(self) -> bool:
        """It may compare views: nobody knows."""
        return True

    def check(self, spec: Any) -> None: ...

    def teach(self, net: Any, state: Any, batch: Any, generators: Any) -> Any: ...


_SETTINGS = frozenset(name for name in RunSpec.model_fields if not name.endswith("_seed"))


@lru_cache(10_000)
def _check_settings(text: str) -> None:
    """Raise SynaptreeError where settings, as JSON, are those of no run: most rows share theirs."""
    settings = json.loads(text)
    rule = settings["rule"]
    if rule["name"] not in rules.names(former=True) or "source" in rule:
        settings["rule"] = _Unloaded(name=rule["name"])
    if data := settings.get("data"):  # no file is ever opened because a row names it
        if (named := Dataset.named(data)) is None:
            raise _no_row("spec.data", "expected a name with a hash")
        settings["data"] = named
    try:
        settings["variant"] = Variant.given(settings.get("variant", ""), RulesFile.known)
        make_spec(**settings)
    except SynaptreeError as fault:
        raise _no_row("spec", str(fault)) from None


def _check_measured(row: Row, layers: int, curves: bool) -> None:
    """Raise SynaptreeError where a measurement is missing, or has not the shape of its run."""
    for part, names in MEASURED.items():
        held: Row | None = row.get(part) if part else row
        if held is None:
            continue  # a portrait that was not asked for
        for name in names:
            if held.get(name) is None and (curves or name != "curve"):
                raise _no_row(f"{part}.{name}".strip("."), "is missing")
    if curves:
        moments = len(row["curve"]["step"])
        for part, first in (("curve", moments), ("portrait", layers)):
            for name, kind in lists_in(part):
                values = (row.get(part) or {}).get(name)
                if values is not None and not _has_shape(values, (first, layers)[:kind]):
                    raise _no_row(f"{part}.{name}", f"expected {(first, layers)[:kind]} numbers")


@cache
def lists_in(part: str) -> tuple[tuple[str, int], ...]:
    """The lists of numbers in a part of `Result`, with 2 for lists of lists."""
    inner = next(inner for name, _, inner in parts(Result) if name == part and inner is not None)
    hints = get_type_hints(inner).items()
    return tuple((name, str(hint).count("list[")) for name, hint in hints if "list[" in str(hint))


def _has_shape(values: list[Any], shape: tuple[int, ...]) -> bool:
    if len(values) != shape[0]:
        return False
    return len(shape) == 1 or all(len(each) == shape[1] for each in values)


@cache
def _validator(curves: bool) -> SchemaValidator:
    """What a line must be.  Rows stay dictionaries: a study's 100 000 are read in seconds."""
    text = cs.str_schema(strict=True, max_length=LONGEST_NAME)
    source = {
        "file": _required(text),
        "sha256": _required(text),
        "family": _required(cs.literal_schema(list(get_args(Family)))),
        "subfamily": _optional(cs.literal_schema(list(get_args(Subfamily)))),
        "labels": _optional(cs.bool_schema(strict=True)),
        "top_context": _optional(cs.bool_schema(strict=True)),
        "passes": _optional(cs.float_schema(strict=True, ge=0, le=LARGEST)),
    }
    row = {
        "run_id": _required(cs.str_schema(pattern="^[0-9a-f]{16}$", strict=True)),
        "status": _required(cs.literal_schema(["done", "failed"])),
        "error": _required(
            cs.nullable_schema(cs.str_schema(strict=True, max_length=LONGEST_ERROR))
        ),
        "label": _required(text),
        "spec": _required(_spec()),
        "source": _optional(_record(source)),
        "code_version": _optional(text),
    }
    fraction = cs.nullable_schema(cs.float_schema(strict=True, ge=0, le=1))
    for name, hint, inner in parts(Result):
        if inner is None:
            row[name] = _optional(fraction if name.endswith("_error") else _kind(hint))
        elif curves:
            hints = get_type_hints(inner)
            # Numbers of curves may be whole or not: packed journals have steps as 300.0.
            kinds = {key: _kind(hints[key], whole=False) for key in hints}
            fields = {key: cs.typed_dict_field(kind, required=False) for key, kind in kinds.items()}
            row[name] = _optional(_record(fields))
    unknown = "allow" if curves else "ignore"
    return SchemaValidator(cs.typed_dict_schema(row, extra_behavior=unknown))


@cache
def _spec_validator() -> SchemaValidator:
    return SchemaValidator(_spec())


def _spec() -> CoreSchema:
    text = cs.str_schema(strict=True, max_length=LONGEST_NAME)
    fields = {
        name: cs.typed_dict_field(_kind(field.annotation), required=field.is_required())
        for name, field in RunSpec.model_fields.items()
        if name != "rule"
    }
    rule = {"name": _required(text), "source": _optional(text)}
    return _record(fields | {"rule": _required(_record(rule))})


def _record(fields: dict[str, cs.TypedDictField]) -> CoreSchema:
    return cs.typed_dict_schema(fields, extra_behavior="allow")


def _required(kind: CoreSchema) -> cs.TypedDictField:
    return cs.typed_dict_field(kind, required=True)


def _optional(kind: CoreSchema) -> cs.TypedDictField:
    return cs.typed_dict_field(cs.nullable_schema(kind), required=False)


def _kind(hint: Any, whole: bool = True) -> CoreSchema:
    """The schema of JSON for a type of Python.  A float may be null, which stands for NaN."""
    if hint is bool:
        return cs.bool_schema(strict=True)
    if hint is int and whole:
        return cs.int_schema(strict=True, ge=-LARGEST, le=LARGEST)
    if hint is int:
        return cs.float_schema(strict=True, ge=0, le=LARGEST)
    if hint is float:
        number = cs.float_schema(strict=True, ge=-LARGEST_MEASURED, le=LARGEST_MEASURED)
        return cs.nullable_schema(number)
    if (
        hint in (str, Dataset, Variant) or get_origin(hint) is Literal
    ):  # the names are checked with the settings
        return cs.str_schema(strict=True, max_length=LONGEST_NAME)
    if get_origin(hint) in (list, tuple):
        return cs.list_schema(_kind(get_args(hint)[0], whole), strict=True)
    inner = [kind for kind in get_args(hint) if kind is not type(None)]
    if len(inner) == 1:  # Kind | None
        return cs.nullable_schema(_kind(inner[0], whole))
    raise TypeError(f"{hint!r} has no form in a journal; expected numbers, text or lists of them")

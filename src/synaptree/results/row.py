"""One row of a journal: what it holds of a run, and whether a line of a file is one."""

import math
from dataclasses import asdict
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic_core import CoreSchema, SchemaValidator, ValidationError
from pydantic_core import core_schema as cs

from synaptree.errors import SynaptreeError
from synaptree.results.columns import parts
from synaptree.rules.facts import Family
from synaptree.training.loop import Result
from synaptree.training.spec import RunSpec
from synaptree.version import code_version

Row = dict[str, Any]


def row_of(result: Result) -> Row:
    """The row of a finished run: JSON throughout, NaN as null.

    Curves are most of a journal, so their numbers are rounded to the digits that mean something.
    """
    measured = asdict(result)
    del measured["spec"]
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
        family = spec.rule.facts.family
        row["source"] = {"file": source.file, "sha256": source.sha256, "family": family}
    return row


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(v) for v in value]
    return value


def read_row(line: bytes, curves: bool = True) -> Row | None:
    """The row in a line of a journal; None for a line that is no JSON, as a torn one.

    Without `curves` the learning curve and the portrait are neither checked nor kept.
    Raises SynaptreeError where a line is JSON but no row: somebody else wrote it.  Keys that this
    version does not know are kept.
    """
    try:
        return _validator(curves).validate_json(line)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            return None
        where = ".".join(str(part) for part in first["loc"]) or "line"
        raise SynaptreeError(
            f"{where}: {first['msg'].lower()}; expected a row that synaptree wrote"
        ) from None


@cache
def _validator(curves: bool) -> SchemaValidator:
    """What a line must be.  Rows stay dictionaries: a study's 100 000 are read in seconds."""
    text = cs.str_schema(strict=True)
    spec = {
        name: cs.typed_dict_field(_kind(field.annotation), required=field.is_required())
        for name, field in RunSpec.model_fields.items()
        if name != "rule"
    }
    rule = {"name": _required(text), "source": _optional(text)}
    source = {
        "file": _required(text),
        "sha256": _required(text),
        "family": _required(cs.literal_schema(list(get_args(Family)))),
    }
    row = {
        "run_id": _required(cs.str_schema(pattern="^[0-9a-f]{16}$", strict=True)),
        "status": _required(cs.literal_schema(["done", "failed"])),
        "error": _required(cs.nullable_schema(text)),
        "label": _required(text),
        "spec": _required(_record(spec | {"rule": _required(_record(rule))})),
        "source": _optional(_record(source)),
        "code_version": _optional(text),
    }
    for name, hint, inner in parts(Result):
        if inner is None:
            row[name] = _optional(_kind(hint))
        elif curves:
            hints = get_type_hints(inner)
            # Numbers of curves may be whole or not: packed journals have steps as 300.0.
            kinds = {key: _kind(hints[key], whole=False) for key in hints}
            fields = {key: cs.typed_dict_field(kind, required=False) for key, kind in kinds.items()}
            row[name] = _optional(_record(fields))
    unknown = "allow" if curves else "ignore"
    return SchemaValidator(cs.typed_dict_schema(row, extra_behavior=unknown))


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
        return cs.int_schema(strict=True)
    if hint in (int, float):
        return cs.nullable_schema(cs.float_schema(strict=True))
    if hint is str or get_origin(hint) is Literal:  # later versions may know more names
        return cs.str_schema(strict=True)
    if get_origin(hint) in (list, tuple):
        return cs.list_schema(_kind(get_args(hint)[0], whole), strict=True)
    inner = [kind for kind in get_args(hint) if kind is not type(None)]
    if len(inner) == 1:  # Kind | None
        return cs.nullable_schema(_kind(inner[0], whole))
    raise TypeError(f"{hint!r} has no form in a journal; expected numbers, text or lists of them")

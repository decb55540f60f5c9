"""Settings as people write them, read strictly: of a run, and the options of a rule.

    a whole number    8, 8.0, 1e3, "8", "1e3" (YAML reads 1e3 as text)
    a number          0.1, 1, "1e-3"
    a name            in any case, with - or blanks for _: "Adam", "mean-field"

What only happens to convert is refused: True is no number, 1.5 is no whole one.  A value that is
accepted in another spelling is kept as the plain one, so that equal runs have equal ids.
"""

import re
import sys
from collections.abc import Mapping
from functools import cache, partial
from typing import Annotated, Any, ClassVar, Literal, Self, cast, get_args, get_origin

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from synaptree.errors import SynaptreeError, choice, shown, unknown

DIGITS = 40  # of a whole number


class Strict(BaseModel):
    """Named values that cannot be changed; a wrong one is a SynaptreeError of one line."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sizes: ClassVar[tuple[float, float]] = (0.0, float("inf"))
    """Between which sizes a number must be that is not 0."""
    synonyms: ClassVar[Mapping[str, str]] = {}
    """Other names that people use for fields, `squeezed`."""

    def __init__(self, /, **values: Any) -> None:
        for name in values.keys() - type(self).model_fields.keys():
            raise unknown(self.kind() or "run", name, type(self).model_fields, self.synonyms)
        try:
            super().__init__(**values)
        except ValidationError as faults:
            raise self._error(faults) from None

    @classmethod
    def kind(cls) -> str:
        """Whose values these are, as errors begin; empty for those of a run."""
        return ""

    @field_validator("*", mode="before")
    @classmethod
    def _as_written(cls, value: object, field: ValidationInfo) -> object:
        return cls._read(str(field.field_name), value)

    @classmethod
    def _read(cls, name: str, value: object) -> object:
        number = as_written(cls.model_fields[name].annotation, value)
        least, most = cls.sizes
        if isinstance(number, float) and number and not least <= abs(number) <= most:
            raise _expected(f"0 or a number between {least:.2g} and {most:.2g} in size")
        return number

    @classmethod
    def checked(cls, name: str, value: object) -> Any:
        """The value of one field.  Raises SynaptreeError, without the field's name."""
        try:
            return _adapter(cls, name).validate_python(value)
        except ValidationError as faults:
            raise SynaptreeError(_sentence(faults)) from None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with some values changed, which are checked as in a new one."""
        if not update:
            return super().model_copy(deep=deep)
        return type(self)(**dict(self) | dict(update))

    @classmethod
    def _error(cls, faults: ValidationError) -> SynaptreeError:
        first = faults.errors()[0]
        # A SynaptreeError raised inside a validator already is the sentence that the user needs.
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, SynaptreeError):
            return cause
        loc = ".".join(str(part) for part in first["loc"])
        where = f"{cls.kind()}: {loc}" if cls.kind() else loc
        if first["type"] == "missing":
            return SynaptreeError(f"{where}: none given; expected a value")
        return SynaptreeError(f"{where}: {_sentence(faults)}")


def as_written(kind: object, value: object) -> object:
    """A value as people write it, as what a field of this type takes."""
    if kind is int:
        return _whole(value)
    if kind is float:
        return _real(value)
    if get_origin(kind) is Literal and isinstance(value, str):
        try:
            return choice("", value, get_args(kind))
        except SynaptreeError as fault:
            raise _expected(str(fault)) from None
    return value


def _whole(value: object) -> int:
    number = _number(value)
    if isinstance(number, float) and number.is_integer() and abs(number) < 2**53:
        number = int(number)
    if not isinstance(number, int):
        raise _expected("a whole number")
    if abs(number) >= 10**DIGITS:
        raise _expected(f"a whole number of at most {DIGITS} digits")
    return number


def _real(value: object) -> float:
    number = _number(value)
    if number is None:
        raise _expected("a number")
    if not abs(number) <= sys.float_info.max:
        raise _expected("a finite number")
    return float(number)


def _number(value: object) -> int | float | None:
    """The number that is given as one, or as text; otherwise None."""
    if isinstance(value, str) and len(value) <= 2 * DIGITS:
        text = value.strip()
        if re.fullmatch(r"[+-]?[0-9]+", text):
            return int(text)
        if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", text, re.IGNORECASE):
            return float(text)
    if isinstance(value, np.integer):
        return int(cast(Any, value))
    if isinstance(value, np.floating):
        return float(cast(Any, value))
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def exactly(number: float) -> str:
    """A number as short text that reads as the same number."""
    short = f"{number:g}"
    return short if isinstance(number, float) and float(short) == number else str(number)


def _expected(what: str) -> PydanticCustomError:
    return PydanticCustomError("as_written", "Input should be {what}", {"what": what})


def _sentence(faults: ValidationError) -> str:
    """What was given and what was expected, for the first fault."""
    first = faults.errors()[0]
    expected = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    if " is unknown; " in expected:
        return expected
    return f"{shown(first['input'])} given; expected {expected.removeprefix('expected ')}"


@cache
def _adapter(model: type[Strict], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    before = BeforeValidator(partial(model._read, name))  # pyright: ignore[reportPrivateUsage]
    kind: Any = cast(Any, Annotated)[field.annotation, field, before]
    return TypeAdapter(kind)

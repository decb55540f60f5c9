"""Data of one's own: tokens, vectors or images with their classes, and the hash that names them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import ArrayLike
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core import core_schema as cs

from synaptree.errors import SynaptreeError, checked_integer, shown
from synaptree.sources.arrays import (
    Form,
    Labelled,
    check_classes,
    checked_labels,
    images,
    inputs,
    tokens,
    vectors,
)
from synaptree.sources.base import Array
from synaptree.sources.brought import Brought

Pair = tuple[ArrayLike, ArrayLike]


@dataclass(frozen=True)
class Held:
    """Arrays: x (N, d) tokens, or (N, d, C) real numbers.  test: None if there is none."""

    form: Form
    train: Labelled
    test: Labelled | None
    v: int
    n: int
    frames: int


@dataclass(frozen=True, eq=False)
class Dataset(Brought[Held]):
    """Data of one's own, made by `tokens`, `vectors`, `images` or `load`.

    Data are told apart by the hash of what they hold, whatever they are called.
    """

    where: ClassVar[str] = "data"
    file: ClassVar[str] = "an .npz file"
    wanted: ClassVar[str] = "a Dataset"

    @classmethod
    def tokens(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        *,
        test: Pair | None = None,
        v: int | None = None,
        n: int | None = None,
        frames: int = 1,
        name: str = "tokens",
    ) -> "Dataset":
        """Strings of tokens x (N, d), whole numbers 0..v-1, of classes y (N,).

        test: further strings to test on, of classes that occur in y; None: a part of x is held out
        by the data seed.  v, n: how many tokens and classes there are, where not all occur; without
        n, all classes up to the largest must.  frames: of clips, for the view `movie`: x then holds
        clips of so many strings, one after the other.
        """
        return made("tokens", (x, y), test, v, n, frames, name)

    @classmethod
    def vectors(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        *,
        test: Pair | None = None,
        n: int | None = None,
        frames: int = 1,
        name: str = "vectors",
    ) -> "Dataset":
        """Sequences x (N, d, C) of C real numbers at each of d places, or (N, d) of one number.

        The rest is as for `tokens`.
        """
        return made("vectors", (x, y), test, None, n, frames, name)

    @classmethod
    def images(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        *,
        test: Pair | None = None,
        n: int | None = None,
        frames: int = 1,
        name: str = "images",
    ) -> "Dataset":
        """Square images x (N, 2**L, 2**L, C), or (N, 2**L, 2**L) of one channel.

        A network reads them as a quad-tree: a unit of layer 1 reads 2 × 2 pixels, a unit of layer 2
        reads 2 × 2 of these patches.  Bytes (uint8) are divided by 255; other numbers stay.
        The rest is as for `tokens`.
        """
        return made("images", (x, y), test, None, n, frames, name)

    @classmethod
    def read(cls, path: Path) -> "Dataset":
        """Data from an ``.npz`` file; see `sources.files`."""
        from synaptree.sources.files import read

        return read(path)

    def save(self, path: str | Path) -> Path:
        """Write the data to an ``.npz`` file, from which `load` reads the same data."""
        from synaptree.sources.files import save

        return save(self.arrays, Path(path))

    @property
    def arrays(self) -> Held:
        """What the data are.  Raises SynaptreeError where they are not at hand."""
        return self.at_hand()

    @classmethod
    def given(cls, value: object) -> "Dataset":
        """The data that a value names: a `Dataset`, the path of a file, or ``NAME@HASH``."""
        if isinstance(value, Dataset):
            return value
        if value is None or (isinstance(value, str) and not value.strip()):
            return NO_DATA
        if not isinstance(value, str | Path):
            raise SynaptreeError(
                f"data: {shown(value)} given; expected a Dataset, or the path of an .npz file"
            )
        return cls.load(value) if (named := cls.named(str(value))) is None else named

    @classmethod
    def __get_pydantic_core_schema__(cls, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cs.no_info_plain_validator_function(
            cls.given, serialization=cs.to_string_ser_schema(when_used="json")
        )

    def sizes(self, s: int | None) -> Mapping[str, int]:
        """The sizes of a run on these data, with patches of s places, or as the data ask for."""
        held = self.arrays
        N, d = held.train.x.shape[:2]
        s = (4 if held.form == "images" else least_root(d)) if s is None else s
        P = N if held.test is not None else (N - max(1, N // 5))
        return {
            "v": held.v,
            "n": held.n,
            "m": 1,
            "s": s,
            "L": max(1, depth(d, s) or 1),
            "P": max(1, P - P % held.frames),
        }


NO_DATA = Dataset("", "")


def made(
    form: Form,
    train: tuple[Any, Any],
    test: Pair | None,
    v: int | None,
    n: int | None,
    frames: int,
    name: str,
    path: Path | None = None,
) -> Dataset:
    """Data of these arrays, checked.  path: of the file that they came from."""
    where = f"data {name}"
    parts = [_labelled(where, form, *train)]
    if test is not None:
        if not isinstance(test, tuple | list) or len(test) != 2:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SynaptreeError(f"{where} test: {shown(test)} given; expected a pair (x, y)")
        parts.append(_labelled(f"{where} test", form, *test))
        if parts[1].x.shape[1:] != parts[0].x.shape[1:]:
            raise SynaptreeError(
                f"{where} test: inputs of shape {parts[1].x.shape[1:]} given, but those to train "
                f"on have {parts[0].x.shape[1:]}; expected the same"
            )
    N = len(parts[0].x)
    frames = checked_integer(f"{where} frames", frames, 1, N)
    if N % frames:
        raise SynaptreeError(f"{where} frames: {frames} given for {N} inputs; expected whole clips")
    numbers = parts[0].x.shape[-1]
    if form == "tokens":
        numbers = _count(f"{where} v", v, parts, "x", "token")
    check_classes(where, [part.y for part in parts], n is not None)
    n = _count(f"{where} n", n, parts, "y", "class")
    held = Held(form, parts[0], parts[1] if len(parts) > 1 else None, numbers, n, frames)
    return Dataset(name, _hash(held), held, path)


def depth(d: int, s: int) -> int | None:
    """L where d = s**L; None where d is no such power."""
    L = 0
    while s > 1 and d > 1 and d % s == 0:
        d, L = d // s, L + 1
    return L if d == 1 and L else None


def least_root(d: int) -> int:
    """The smallest s of which d is a power."""
    return next((s for s in range(2, d) if depth(d, s)), max(d, 2))


def _labelled(where: str, form: Form, x: Any, y: Any) -> Labelled:
    made = {"tokens": tokens, "vectors": vectors, "images": images}[form](where, inputs(where, x))
    return Labelled(made, checked_labels(where, y, len(made)))


def _count(
    where: str, given: int | None, parts: list[Labelled], of: Literal["x", "y"], what: str
) -> int:
    """How many tokens or classes there are: as given, or as many as occur."""
    most = max(int(cast(Array, getattr(part, of)).max()) for part in parts)
    if given is None:
        return max(2, most + 1)
    number = checked_integer(where, given, 2, 2**31 - 1)
    if number <= most:
        raise SynaptreeError(
            f"{where}: {number} given, but {what} {most} occurs; expected at least {most + 1}"
        )
    return number


def _hash(held: Held) -> str:
    """What identifies data: the first 16 hex digits of the SHA-256 of all that they hold."""
    kind = "tokens" if held.form == "tokens" else "reals"
    hashed = hashlib.sha256(f"{kind} {held.v} {held.n} {held.frames}".encode())
    for part in (held.train, held.test):
        for array in () if part is None else (part.x, part.y):
            hashed.update(f"\0{array.dtype.str} {array.shape}\0".encode())
            hashed.update(np.ascontiguousarray(array).data)
    return hashed.hexdigest()[:16]

"""Data in ``.npz`` files.

Arrays: ``x`` and ``y``, to test on ``test_x`` and ``test_y`` (or ``x_train``, ``y_train``,
``x_test``, ``y_test``, as in Keras's files).  Beside these ``form`` (tokens, vectors or images),
``v``, ``n`` and ``frames`` may be there.  Without ``form``, whole numbers (N, d) are tokens, square
(N, S, S) and all (N, S, S, C) are images, and everything else is vectors.  Nothing is unpickled.
"""

from pathlib import Path
from typing import Any, cast
from zipfile import is_zipfile

import numpy as np

from synaptree.errors import SynaptreeError, choice, shown, unknown
from synaptree.sources.arrays import Form
from synaptree.sources.base import Array
from synaptree.sources.dataset import Dataset, Held, made
from synaptree.sources.layout import images_of_strings

KEYS = ("x", "y", "test_x", "test_y", "form", "v", "n", "frames")
ALSO = {"x_train": "x", "y_train": "y", "x_test": "test_x", "y_test": "test_y"}
FORMS = ("tokens", "vectors", "images")


def read(path: Path) -> Dataset:
    """The data of a file.  Raises SynaptreeError where it holds none."""
    where = f"data {path.name}"
    arrays: dict[str, Array] = {}
    try:
        if not is_zipfile(path):
            raise ValueError("no archive")
        with np.load(path, allow_pickle=False) as file:
            for name in file.files:
                key = ALSO.get(name, name)
                if key not in KEYS:
                    raise unknown(where, name, KEYS)
                arrays[key] = file[name]
    except SynaptreeError:
        raise
    except Exception as fault:  # a damaged archive raises what it likes
        reason = "its arrays are Python objects" if "pickle" in str(fault) else "it is no .npz file"
        raise SynaptreeError(
            f"{where}: cannot be read ({reason}); expected one of np.savez(path, x=…, y=…)"
        ) from None
    for name in ("x", "y", *(("test_x", "test_y") if {"test_x", "test_y"} & arrays.keys() else ())):
        if name not in arrays:
            raise SynaptreeError(f"{where}: no array {name}; expected x and y, as of np.savez")
    x = arrays["x"]
    given = str(arrays["form"]) if "form" in arrays else _form(x)
    form = cast(Form, choice(f"{where} form", given, FORMS))
    test = (arrays["test_x"], arrays["test_y"]) if "test_x" in arrays else None
    v, n, frames = (_number(where, arrays, name) for name in ("v", "n", "frames"))
    v = v if form == "tokens" else None
    return made(form, (x, arrays["y"].ravel()), _flat(test), v, n, frames or 1, path.name, path)


def save(held: Held, path: Path) -> Path:
    """Write data to a file."""
    arrays: dict[str, Any] = {"form": held.form, "n": held.n, "frames": held.frames}
    if held.form == "tokens":
        arrays["v"] = held.v
    for first, part in (("", held.train), ("test_", held.test)):
        if part is not None:
            x = images_of_strings(part.x) if held.form == "images" else part.x
            arrays |= {f"{first}x": x, f"{first}y": part.y}
    path = path if path.suffix == ".npz" else path.with_name(f"{path.name}.npz")
    try:
        np.savez_compressed(path, **arrays)
    except OSError as fault:
        reason = str(fault.strerror).lower()
        raise SynaptreeError(f"data {shown(str(path))}: cannot be written ({reason})") from None
    return path


def _form(x: Array) -> Form:
    if x.ndim == 4 or (x.ndim == 3 and x.shape[1] == x.shape[2]):
        return "images"
    return "tokens" if x.ndim == 2 and x.dtype.kind in "iu" else "vectors"


def _flat(test: tuple[Array, Array] | None) -> tuple[Array, Array] | None:
    """Classes (N, 1), as CIFAR has them, are as good as (N,)."""
    return None if test is None else (test[0], test[1].ravel())


def _number(where: str, arrays: dict[str, Array], name: str) -> int | None:
    if name not in arrays:
        return None
    value = arrays[name]
    if value.size != 1 or value.dtype.kind not in "iu":
        raise SynaptreeError(f"{where} {name}: {shown(value)} given; expected one whole number")
    return int(value.ravel()[0])

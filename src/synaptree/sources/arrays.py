"""Arrays as people have them, checked and brought into one form."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from synaptree.errors import SynaptreeError, shown
from synaptree.sources.base import Array
from synaptree.sources.layout import strings_of_images

Form: TypeAlias = Literal["tokens", "vectors", "images"]
MOST_TOKEN = 2**31 - 2
MOST_LISTED = 2**20  # classes that are gone through to say which are left out


class Labelled(NamedTuple):
    """Inputs and their classes: x (N, d) or (N, d, C), y (N,)."""

    x: Array
    y: Array


def inputs(where: str, x: Any) -> Array:
    """An array of numbers, with at least one input."""
    try:
        array = np.asarray(x)
    except Exception:
        array = np.empty(0, object)
    if array.dtype.kind not in "biuf" or not array.size:
        raise SynaptreeError(f"{where}: x of {shown(x)} given; expected an array of numbers")
    return array


def tokens(where: str, x: Array) -> Array:
    """Tokens (N, d) as int32."""
    if x.ndim != 2 or x.dtype.kind not in "iu":
        raise SynaptreeError(
            f"{where}: x of shape {x.shape} and type {x.dtype} given; expected whole numbers (N, d)"
        )
    least, most = int(x.min()), int(x.max())
    if least < 0 or most > MOST_TOKEN:
        wrong = least if least < 0 else most
        raise SynaptreeError(f"{where}: token {wrong} given; expected tokens from 0")
    return _long_enough(where, x).astype(np.int32)


def vectors(where: str, x: Array) -> Array:
    """Real numbers (N, d, C) as float32."""
    if x.ndim not in (2, 3):
        raise SynaptreeError(
            f"{where}: x of shape {x.shape} given; expected (N, d) or (N, d, C) numbers"
        )
    return _long_enough(where, _finite(where, x.reshape(*x.shape[:2], -1)))


def images(where: str, x: Array) -> Array:
    """Images as float32 (N, 4**L, C), in the order of their quad-tree."""
    shape = x.shape
    if x.ndim not in (3, 4) or shape[1] != shape[2]:
        last = "; channels come last" if x.ndim == 4 and shape[2] == shape[3] else ""
        raise SynaptreeError(
            f"{where}: images of shape {shape} given; expected (N, S, S) or (N, S, S, C){last}"
        )
    if (side := shape[1]) < 2 or side & (side - 1):
        above = 1 << max(1, side.bit_length())
        raise SynaptreeError(
            f"{where}: images of {side} x {side} pixels given; expected a side of 2**L, as "
            f"{above // 2 or 2} (cut) or {above} (padded)"
        )
    scaled = x / np.float32(255) if x.dtype == np.uint8 else x
    return strings_of_images(_finite(where, scaled.reshape(*shape[:3], -1)))


def checked_labels(where: str, y: Any, count: int) -> Array:
    """Classes (N,) as int64."""
    if y is None:
        raise SynaptreeError(f"{where}: no labels y given; expected a class for each input")
    labels = np.asarray(y)
    if labels.shape != (count,):
        raise SynaptreeError(
            f"{where}: labels y of shape {labels.shape} given for {count} inputs; expected "
            f"({count},)"
        )
    if labels.dtype.kind not in "iu" or int(labels.min()) < 0:
        raise SynaptreeError(
            f"{where}: labels y of {shown(labels[:3].tolist())}… given; expected classes 0..n-1, "
            "as of np.unique(y, return_inverse=True)[1]"
        )
    return labels.astype(np.int64)


def check_classes(where: str, parts: Sequence[Array], counted: bool) -> None:
    """Raise SynaptreeError for classes that nothing is trained on.

    parts: the labels to train on, and those to test on if there are any.  counted: whether the
    number of classes is given, so that some of them need not occur.
    """
    seen = np.unique(parts[0])
    if len(parts) > 1 and (new := np.setdiff1d(parts[1], seen)).size:
        raise SynaptreeError(
            f"{where} test: classes {_few(new)} given, which no input to train on has; expected "
            f"some of {_few(seen)}"
        )
    n = int(seen[-1]) + 1
    if not counted and len(seen) < n:
        how = "np.unique(y, return_inverse=True)[1]"
        if len(parts) > 1:
            how = "np.searchsorted(np.unique(y), …) of the labels to train and to test on"
        listed = n <= MOST_LISTED
        which = f" {_few(np.setdiff1d(np.arange(n), seen))}" if listed else " some"
        raise SynaptreeError(
            f"{where}: {len(seen)} classes up to {n - 1} given, without{which}; expected all of "
            f"0..n-1, as of {how}, or n={n} where the others may occur"
        )


def _few(classes: Array) -> str:
    """Classes as an error lists them."""
    listed = [str(each) for each in classes[:5].tolist()]
    return ", ".join([*listed, "…"] if len(classes) > 5 else listed)


def _long_enough(where: str, x: Array) -> Array:
    if x.shape[1] < 2:
        raise SynaptreeError(f"{where}: x of shape {x.shape} given; expected at least two places")
    return x


def _finite(where: str, x: Array) -> Array:
    reals = x.astype(np.float32)
    wrong = ~np.isfinite(reals)
    if wrong.any():
        at = int(np.argwhere(wrong)[0][0])
        raise SynaptreeError(
            f"{where}: {int(wrong.sum())} numbers are not finite, the first in input {at}; "
            "expected finite numbers"
        )
    return reals

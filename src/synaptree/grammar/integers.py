"""Arrays of integers: checked, in the smallest type, numbered, and searched."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synaptree.errors import SynaptreeError, shown

Ints = NDArray[np.integer[Any]]


def checked_integers(where: str, values: ArrayLike, count: int) -> Ints:
    """`values` as integers 0..count-1 of the smallest type, or a SynaptreeError for the first that
    is none."""
    try:
        array = np.asarray(values)
    except Exception as fault:  # rows of different lengths, or a tensor of another device
        raise SynaptreeError(
            f"{where}: {shown(values)} given; expected an array of integers ({shown(str(fault))})"
        ) from None
    if not np.issubdtype(array.dtype, np.integer):
        raise SynaptreeError(f"{where}: dtype {array.dtype}; expected integers")
    if not array.size:
        raise SynaptreeError(f"{where}: empty; expected at least one value")
    wrong = (array < 0) | (array >= count)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise SynaptreeError(
            f"{where}: {int(array[place])} at index {place}; expected integers 0..{count - 1}"
        )
    return array.astype(smallest_type(count), copy=False)


def smallest_type(count: int) -> np.dtype[np.unsignedinteger[Any]]:
    """The smallest unsigned type that holds 0..count-1."""
    return np.min_scalar_type(count - 1)


def tuple_codes(tuples: Ints, v: int) -> NDArray[np.int64]:
    """The number of each tuple along the last axis, base v, first slot most significant."""
    codes = tuples[..., 0].astype(np.int64)
    for slot in range(1, tuples.shape[-1]):
        codes *= v
        codes += tuples[..., slot]
    return codes


def first_occurrences(keys: Ints) -> NDArray[np.intp]:
    """Increasing indices of the first occurrence of each key; quick when repeats are rare."""
    ordered = np.sort(keys)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(repeated):
        return np.arange(len(keys))
    suspects = np.flatnonzero(is_in(keys, repeated))
    keep = np.ones(len(keys), bool)
    keep[suspects] = False
    keep[suspects[np.unique(keys[suspects], return_index=True)[1]]] = True
    return np.flatnonzero(keep)


def is_in(values: Ints, ordered: Ints) -> NDArray[np.bool_]:
    """Which values occur in the sorted, non-empty `ordered` (np.isin would sort both again)."""
    return ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values

"""Samples and rules as other programs lay them out, and as files.

The RHM authors' program (arXiv 2307.02129), as we read it, counts levels from the top. `rules[0]`
is an array (n, m, s), the rules of the classes; `rules[i]`, i = 1..L-1, one (v, m, s). A sample's
tree is `tree[0]`, the class (P,), then `tree[i]`, (P, s**i), down to the tokens `tree[L]`. Numbers
are the same there and here, but its format "long" adds 1 to tokens.

The program of arXiv 2602.06065 (Mixed_RHM), as we read it, has rules of two and of three children
in one of two forms. Padded: `rules[i]` is one array (features + 1, m2 + m3, 3), in which the number
v stands for a missing child, and the last row is that of v itself, all v. Apart: `rules[i]` holds
two arrays, `rules[i][0]` (features, m2, 2) and `rules[i][1]` (features, m3, 3). Either size is used
equally often, so rules have the probabilities 1/(2·m2) and 1/(2·m3). Its strings have 3**L places,
the tokens first and then v: here they are those of the layout "packed". Its one-hot code has only
zeros where no token stands, as `family.data.encoded` has; "padding_tail" adds one more such place.

A file of samples holds `x`, `y` and `latent_0` .. `latent_L`, as in `Samples`, and `card`, the data
card (`family.data.card`) as JSON. In Parquet these are columns, one string a row, with lists of
fixed length for all but `y`; the card is in the file's metadata. It needs pyarrow.
"""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from synaptree.errors import SynaptreeError, shown
from synaptree.grammar.derivation import Samples
from synaptree.grammar.family.own_rules import OwnRules
from synaptree.grammar.integers import Ints
from synaptree.safely import read_plain, replacing, write

_LARGEST_FILE = 2**34
_CARD = "synaptree-data"  # where the metadata of a Parquet file hold the card


def rules_from_top(
    rules: Mapping[int, Any] | Sequence[Any],
    tokens: int | None = None,
    ambiguous: bool = False,
    *,
    blank: int | None = None,
    probabilities: Mapping[int, ArrayLike] | Sequence[ArrayLike] | None = None,
) -> OwnRules:
    """Rules laid out from the top, by number or in a list, as a source.

    Args:
        rules: for each level an array (features, rules of a feature, children), or several such
            arrays, one for each size.
        tokens, ambiguous: as for `OwnRules`.
        blank: the number that stands for a missing child, behind the others. A last feature that
            has no child is the blank's own, and is left out.
        probabilities: for each level, how likely the rules of a feature are: (rules,), or
            (features, rules). None: all equally.
    """
    levels = [
        _level(f"rules_from_top level {number} from the top", level, blank)
        for number, level in enumerate(_in_order("rules_from_top", rules))
    ]
    nested: Any = levels[::-1]
    likely: Any = None
    if probabilities is not None:
        given = _in_order("rules_from_top probabilities", probabilities)
        likely = [
            [row.tolist()] * len(level) if row.ndim == 1 else row[: len(level)].tolist()
            for row, level in zip(map(np.asarray, given), levels, strict=False)
        ][::-1]
    return OwnRules(nested, likely, tokens, ambiguous)


def trees_from_top(samples: Samples) -> dict[int, Ints]:
    """Samples laid out from the top: 0 the class, (P,), up to L, the tokens before noise."""
    from_top = reversed(samples.latents)
    return {i: each[:, 0] if i == 0 else each for i, each in enumerate(from_top)}


def samples_from_top(trees: Mapping[int, ArrayLike] | Sequence[ArrayLike]) -> Samples:
    """The inverse of `trees_from_top`, for trees that are seen without noise."""
    levels = _numbered("samples_from_top", trees)
    latents = tuple(each.reshape(len(each), -1) for each in reversed(levels))
    if len({len(each) for each in latents}) > 1:
        raise SynaptreeError(
            f"samples_from_top: levels of {[len(each) for each in latents]} trees; expected as many"
            " at each level"
        )
    return Samples(latents[0], latents[-1][:, 0], latents)


def save_npz(path: str | Path, samples: Samples, card: Mapping[str, Any]) -> None:
    """Write samples and their data card to one .npz file."""
    path = Path(path)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, card=np.array(json.dumps(card)), **_arrays(samples))  # pyright: ignore[reportArgumentType]
    write(path.parent, path.name, buffer.getvalue())


def load_npz(path: str | Path) -> tuple[Samples, dict[str, Any]]:
    """The samples and the data card of a file that `save_npz` wrote."""
    path = Path(path)
    content = io.BytesIO(read_plain(path, _LARGEST_FILE))
    try:
        with np.load(content, allow_pickle=False) as file:
            return _samples({name: file[name] for name in file}), json.loads(str(file["card"]))
    except (ValueError, KeyError, OSError, EOFError) as fault:
        raise _not_ours(path, fault, "save_npz") from None


def save_parquet(path: str | Path, samples: Samples, card: Mapping[str, Any]) -> None:
    """Write samples and their data card to one Parquet file."""
    arrow, parquet = _pyarrow()
    path = Path(path)
    columns = {
        name: arrow.array(each)
        if each.ndim == 1
        else arrow.FixedSizeListArray.from_arrays(arrow.array(each.ravel()), each.shape[1])
        for name, each in _arrays(samples).items()
    }
    table = arrow.table(columns).replace_schema_metadata({_CARD: json.dumps(card)})
    with replacing(path.parent, path.name) as file:
        parquet.write_table(table, file, compression="zstd")


def load_parquet(path: str | Path) -> tuple[Samples, dict[str, Any]]:
    """The samples and the data card of a file that `save_parquet` wrote."""
    arrow, parquet = _pyarrow()
    path = Path(path)
    content = read_plain(path, _LARGEST_FILE)
    try:
        table = parquet.read_table(arrow.BufferReader(content)).combine_chunks()
        arrays: dict[str, Ints] = {}
        for name in table.column_names:
            column = table[name].chunk(0)
            lists = arrow.types.is_fixed_size_list(column.type)
            flat = (column.flatten() if lists else column).to_numpy(zero_copy_only=False)
            arrays[name] = flat.reshape(len(column), -1) if lists else flat
        return _samples(arrays), json.loads(table.schema.metadata[_CARD.encode()])
    except (ValueError, KeyError, TypeError, IndexError, OSError, arrow.ArrowException) as fault:
        raise _not_ours(path, fault, "save_parquet") from None


def _arrays(samples: Samples) -> dict[str, Ints]:
    """Samples by the names that they have in files."""
    latents = {f"latent_{level}": each for level, each in enumerate(samples.latents)}
    return {"x": samples.x, "y": samples.y, **latents}


def _samples(arrays: Mapping[str, Ints]) -> Samples:
    count = sum(name.startswith("latent_") for name in arrays)
    latents = tuple(arrays[f"latent_{level}"] for level in range(count))
    return Samples(arrays["x"], arrays["y"], latents)


def _not_ours(path: Path, fault: Exception, writer: str) -> SynaptreeError:
    return SynaptreeError(
        f"data {path.name}: {shown(str(fault))}; expected a file that {writer} wrote"
    )


def _pyarrow() -> tuple[Any, Any]:
    """pyarrow and its module for Parquet."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise SynaptreeError(
            "parquet: needs pyarrow; `pip install pyarrow`, or take save_npz"
        ) from None
    return pyarrow, pyarrow.parquet


def _numbered(where: str, given: Mapping[int, ArrayLike] | Sequence[ArrayLike]) -> list[Ints]:
    """Arrays of integers by number from 0, or in a list."""
    arrays = [_integers(where, each) for each in _in_order(where, given)]
    if not arrays:
        raise SynaptreeError(f"{where}: {shown(given)}; expected an array for each level")
    return arrays


def _integers(where: str, given: Any) -> Ints:
    try:
        array = np.asarray(given)
    except (TypeError, ValueError):  # lists of different lengths
        array = np.empty(0, object)
    if array.dtype.kind not in "iu":
        raise SynaptreeError(f"{where}: {shown(given)}; expected an array of integers")
    return array


def _in_order(where: str, given: Mapping[int, Any] | Sequence[Any]) -> list[Any]:
    """What is given by number from 0, or in a list."""
    if not isinstance(given, Mapping):
        return list(given)
    if sorted(given) != list(range(len(given))):
        raise SynaptreeError(f"{where}: levels {shown(sorted(given))}; expected 0, 1, ...")
    return [given[number] for number in range(len(given))]


def _level(where: str, given: Any, blank: int | None) -> list[list[list[int]]]:
    """The rules of each feature, from one array, or from one for each size of rules."""
    sizes = [_integers(where, each) for each in _sizes(given)]
    for each in sizes:
        if each.ndim != 3 or len(each) != len(sizes[0]):
            raise SynaptreeError(
                f"{where}: shape {each.shape}; expected (features, rules of a feature, children)"
            )
    features: list[list[list[int]]] = []
    for of_sizes in zip(*(each.tolist() for each in sizes), strict=True):
        rows = [_children(where, rule, blank) for rows in of_sizes for rule in rows]
        features.append(rows)
    if blank is not None and features and not any(features[-1]):
        features.pop()  # the blank's own row
    return features


def _sizes(given: Any) -> list[Any]:
    """The arrays of a level: one, or one for each size of rules."""
    if isinstance(given, Mapping):
        return _in_order("rules_from_top sizes", given)
    several = isinstance(given, list | tuple) and all(getattr(x, "ndim", 0) == 3 for x in given)
    return list(given) if several else [given]


def _children(where: str, rule: list[int], blank: int | None) -> list[int]:
    """The children of a rule without the blanks behind them."""
    there = [child for child in rule if child != blank]
    if there != rule[: len(there)]:
        raise SynaptreeError(f"{where}: rule {shown(rule)}; expected blanks only at its end")
    return there

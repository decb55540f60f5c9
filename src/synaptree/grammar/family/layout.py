"""Samples and rules as other programs lay them out, and as files.

The RHM authors' program (arXiv 2307.02129), as we read it, counts levels from the top. `rules[0]`
is an array (n, m, s), the rules of the classes; `rules[i]`, i = 1..L-1, one (v, m, s). A sample's
tree is `tree[0]`, the class (P,), then `tree[i]`, (P, s**i), down to the tokens `tree[L]`. Numbers
are the same there and here, but its format "long" adds 1 to tokens.
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
from synaptree.safely import read_plain, write

_LARGEST_FILE = 2**34


def rules_from_top(
    rules: Mapping[int, ArrayLike] | Sequence[ArrayLike],
    tokens: int | None = None,
    ambiguous: bool = False,
) -> OwnRules:
    """Rules laid out from the top, by number or in a list, as a source."""
    levels = _numbered("rules_from_top", rules)
    for number, level in enumerate(levels):
        if level.ndim != 3:
            raise SynaptreeError(
                f"rules_from_top level {number} from the top: shape {level.shape}; expected"
                " (features, rules of a feature, children)"
            )
    nested: Any = [level.tolist() for level in reversed(levels)]
    return OwnRules(nested, tokens=tokens, ambiguous=ambiguous)


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
    """Write samples and their data card (`family.data.card`) to one .npz file.

    Its arrays: `x`, `y`, `latent_0` .. `latent_L`, and `card`, JSON.
    """
    path = Path(path)
    arrays = {f"latent_{level}": each for level, each in enumerate(samples.latents)}
    buffer = io.BytesIO()
    text = np.array(json.dumps(card))
    np.savez_compressed(buffer, x=samples.x, y=samples.y, card=text, **arrays)  # pyright: ignore[reportArgumentType]
    write(path.parent, path.name, buffer.getvalue())


def load_npz(path: str | Path) -> tuple[Samples, dict[str, Any]]:
    """The samples and the data card of a file that `save_npz` wrote."""
    path = Path(path)
    content = io.BytesIO(read_plain(path, _LARGEST_FILE))
    try:
        with np.load(content, allow_pickle=False) as file:
            count = sum(name.startswith("latent_") for name in file)
            latents = tuple(file[f"latent_{level}"] for level in range(count))
            return Samples(file["x"], file["y"], latents), json.loads(str(file["card"]))
    except (ValueError, KeyError, OSError, EOFError) as fault:
        raise SynaptreeError(
            f"data {path.name}: {shown(str(fault))}; expected a file that save_npz wrote"
        ) from None


def _numbered(where: str, given: Mapping[int, ArrayLike] | Sequence[ArrayLike]) -> list[Ints]:
    """Arrays of integers by number from 0, or in a list."""
    if isinstance(given, Mapping):
        if sorted(given) != list(range(len(given))):
            raise SynaptreeError(f"{where}: levels {shown(sorted(given))}; expected 0, 1, ...")
        given = [given[number] for number in range(len(given))]
    arrays = [np.asarray(each) for each in given]
    if not arrays or not all(each.dtype.kind in "iu" for each in arrays):
        raise SynaptreeError(
            f"{where}: {shown(given)}; expected an array of integers for each level"
        )
    return arrays

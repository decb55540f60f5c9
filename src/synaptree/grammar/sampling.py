"""What is drawn at random: the rules of a grammar, and distinct strings of it."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synaptree.errors import SynaptreeError
from synaptree.grammar.derivation import SMALL, Samples, expanded
from synaptree.grammar.integers import Ints, first_occurrences, is_in, smallest_type

if TYPE_CHECKING:
    from synaptree.grammar.rhm import RandomHierarchyModel

# What a stream of random numbers is for: the same integer seed never serves two purposes.
RULES, SAMPLE, SYNONYM, HASH = range(4)
_CHUNK = 4096  # strings drawn at a time; fixed, so that a larger P only continues the stream


def random_stream(seed: int, *purpose: int) -> np.random.Generator:
    """The random numbers of one seed for one purpose."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=purpose)))


def draw_rules(rng: np.random.Generator, owners: int, v: int, m: int, s: int) -> Ints:
    """m tuples for each of `owners` features, without replacement from all v**s: (owners, m, s)."""
    total, count = v**s, owners * m
    # The method depends on v, m, s only, so that n selects a prefix of one sequence.
    if total <= SMALL or total < min(2 * v * m, 2**26):
        codes = rng.permutation(total)[:count]
    else:
        codes = np.empty(0, np.int64)
        while len(codes) < count:
            chunks = -(-count // _CHUNK)
            more = [rng.integers(total, size=_CHUNK) for _ in range(chunks)]
            codes = np.concatenate([codes, *more])
            codes = codes[first_occurrences(codes)]
        codes = codes[:count]
    powers = v ** np.arange(s - 1, -1, -1)
    tuples = (codes[:, None] // powers % v).astype(smallest_type(v))
    tuples.setflags(write=False)
    return tuples.reshape(owners, m, s)


def draw_strings(
    model: "RandomHierarchyModel", P: int, seed: int, replace: bool, banned: Ints | None
) -> Samples:
    """`RandomHierarchyModel.sample` with checked arguments.  banned: strings (P', d), or None."""
    rng = random_stream(seed, SAMPLE)
    distinct = 0 if replace else P
    taken = distinct + (0 if banned is None else len(banned))
    if model.size <= SMALL or (distinct <= model.size and 2 * taken > model.size):
        free = _free_ranks(model, banned)
        if len(free) < max(distinct, 1):
            raise _too_few(P, model.size, len(free))
        ranks = free[rng.integers(len(free), size=P)] if replace else rng.permutation(free)[:P]
        return expanded(model.rules, *_unranked(model, ranks))
    if distinct > model.size:
        raise _too_few(P, model.size, model.size)
    return _streamed(model, rng, P, banned, distinct=not replace)


def _unranked(model: "RandomHierarchyModel", ranks: Ints) -> tuple[Ints, tuple[Ints, ...]]:
    """Class and choices of the strings of these ranks: the digits of rank, base m, then n."""
    choices: list[Ints] = []
    for level in range(1, model.L + 1):
        digits = np.empty((len(ranks), model.s ** (model.L - level)), smallest_type(model.m))
        for node in range(digits.shape[1]):
            ranks, digits[:, node] = np.divmod(ranks, model.m)
        choices.append(digits)
    return ranks, tuple(choices)


def _free_ranks(model: "RandomHierarchyModel", banned: Ints | None) -> Ints:
    """All ranks but those of the banned strings; strings outside the language do not matter."""
    free = np.ones(model.size, bool)
    if banned is not None:
        latents, choices, failures = model.parser.derive(banned)
        rank = latents[-1][:, 0].astype(np.int64)
        for choice in reversed(choices):
            for node in reversed(range(choice.shape[1])):
                rank = rank * model.m + choice[:, node]
        in_language = ~np.concatenate(failures, axis=1).any(axis=1)
        free[rank[in_language]] = False
    return np.flatnonzero(free)


def _streamed(
    model: "RandomHierarchyModel",
    rng: np.random.Generator,
    P: int,
    banned: Ints | None,
    *,
    distinct: bool,
) -> Samples:
    """The first P strings of an endless stream that are not banned and, if `distinct`, new."""
    weights = _key_weights(model)
    chunks: list[Samples] = []
    kept: Ints = np.empty(0, np.int64)
    forbidden = None if banned is None else np.sort(_keys(banned, weights))
    keys = np.empty(0, np.uint64)
    while len(kept) < P:
        missing = P - len(kept)
        chunks += [_random_strings(model, rng) for _ in range(-(-missing // _CHUNK))]
        kept = np.arange(len(chunks) * _CHUNK)
        if distinct or forbidden is not None:
            new = [_keys(chunk.x, weights) for chunk in chunks[len(keys) // _CHUNK :]]
            keys = np.concatenate([keys, *new])
            kept = first_occurrences(keys) if distinct else kept
            if forbidden is not None:
                kept = kept[~is_in(keys[kept], forbidden)]
    kept = kept[:P]
    none_skipped = kept[-1] == P - 1  # the usual case, in which nothing needs to be gathered
    latents: list[Ints] = []
    for parts in zip(*(chunk.latents for chunk in chunks), strict=True):
        whole = np.concatenate(parts)
        latents.append(whole[:P] if none_skipped else whole[kept])
    return Samples(latents[0], latents[-1][:, 0], tuple(latents))


def _random_strings(model: "RandomHierarchyModel", rng: np.random.Generator) -> Samples:
    """_CHUNK strings, uniform over classes and rules, drawn with replacement."""
    y = rng.integers(model.n, size=_CHUNK, dtype=smallest_type(model.n))
    choices = [
        rng.integers(model.m, size=(_CHUNK, model.s**above), dtype=smallest_type(model.m))
        for above in range(model.L - 1, -1, -1)
    ]
    return expanded(model.rules, y, choices)


def _key_weights(model: "RandomHierarchyModel") -> NDArray[np.uint64]:
    """Multipliers (d,) of a string's 64-bit key: exact if `v**d <= 2**64`, otherwise a hash.

    Equal strings have equal keys. Two others share one with probability below v / 2**63, and are
    then treated as repeats: strings are certainly distinct, and the bias is not measurable.
    """
    if model.d <= 64 and model.v**model.d <= 2**64:
        return np.array([model.v**i for i in range(model.d)], np.uint64)
    odd = random_stream(0, HASH).integers(2**63, size=model.d, dtype=np.uint64)
    return odd * np.uint64(2) + np.uint64(1)


def _keys(x: Ints, weights: NDArray[np.uint64]) -> NDArray[np.uint64]:
    parts = np.split(x, range(_CHUNK, len(x), _CHUNK))  # no (P, d) array of 8-byte tokens
    return np.concatenate([part.astype(np.uint64) @ weights for part in parts])


def _too_few(P: int, size: int, free: int) -> SynaptreeError:
    if not free:
        return SynaptreeError(
            f"sample exclude: all {size} strings of the grammar are excluded; expected fewer"
        )
    left = f"{free}" if free == size else f"{free} of {size} that are not excluded"
    return SynaptreeError(
        f"sample P: {P} strings wanted; the grammar has only {left}; expected P <= {free}"
    )

"""The Random Hierarchy Model: strings of tokens with a hidden tree above them.

Cagnetta, Petrini, Tomasini, Favero & Wyart, "How deep neural networks learn compositional data:
the Random Hierarchy Model", arXiv 2307.02129. A class (level L) expands into one of its `m`
s-tuples of level-(L-1) features, each of these into one of its own `m`, and so on down to the
tokens (level 0). No two features of a level share a tuple, so a string has exactly one derivation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synaptree.errors import SynaptreeError

Ints = NDArray[np.integer[Any]]

# What a stream of random numbers is for: the same integer seed never serves two purposes.
_RULES, _SAMPLE, _SYNONYM, _HASH = range(4)
_CHUNK = 4096  # strings drawn at a time; fixed, so that a larger P only continues the stream
_SMALL = 2**20  # up to here all tuples, or all strings, are listed and shuffled


@dataclass(frozen=True, eq=False)
class Samples:
    """Strings of a grammar with their hidden tree, in the smallest unsigned dtypes.

    `x`: (P, d) tokens. `y`: (P,) classes. `latents[l]`: (P, s**(L-l)), the feature at each node of
    level l; `latents[0]` is x and `latents[L][:, 0]` is y.
    """

    x: Ints
    y: Ints
    latents: tuple[Ints, ...]


@dataclass(frozen=True, eq=False)
class Derivation:
    """How strings were derived: `latents` as in `Samples`; `choices[l-1]`: (P, s**(L-l)), which of
    the m production rules of its feature was used at each node of level l = 1..L.
    """

    latents: tuple[Ints, ...]
    choices: tuple[Ints, ...]


@dataclass(frozen=True)
class RandomHierarchyModel:
    """One grammar, drawn once by `seed` (arXiv 2307.02129, section 2).

    Args:
        v: vocabulary size of every level below the class, >= 2.
        n: number of classes, >= 2.
        m: production rules (synonyms) per feature, >= 1; `n·m <= v**s`, and `m·v <= v**s` if L > 1.
        s: tuple size, >= 2; `v**s` is at most 2**63.
        L: depth, >= 1; `d = s**L` is at most 2**20.
        seed: non-negative; the rules of level l depend on (seed, v, m, s, l) only, so that
            grammars that differ in n or L share their rules.

    Raises:
        SynaptreeError: a parameter that is no integer or out of range.
    """

    v: int
    n: int
    m: int
    s: int
    L: int
    seed: int

    def __post_init__(self) -> None:
        for name, least in (("v", 2), ("n", 2), ("m", 1), ("s", 2), ("L", 1), ("seed", 0)):
            value = checked_integer(f"grammar {name}", getattr(self, name), least)
            object.__setattr__(self, name, value)
        v, n, m, s, L = self.v, self.n, self.m, self.s, self.L
        if s > 63 or v**s > 2**63:  # s > 63 first: v**s of a wild s would take for ever
            fits = next(k for k in range(min(s, 63), -1, -1) if v**k <= 2**63)
            change = f"largest valid s is {fits}" if fits >= 2 else "largest valid v is 3037000499"
            raise SynaptreeError(
                f"grammar s: v={v}, s={s} gives v**s > 2**63 tuples; expected at most 2**63;"
                f" {change}"
            )
        if n > v**s:
            raise SynaptreeError(
                f"grammar n: {n} classes share v**s={v**s} tuples; expected n*m <= v**s;"
                f" largest valid n is {v**s // m or v**s}"
            )
        if L > 20 or s**L > _SMALL:  # L > 20 first, as above
            deepest = max(k for k in range(21) if s**k <= _SMALL)
            raise SynaptreeError(
                f"grammar L: L={L} with s={s} gives strings of d = s**L tokens, more than {_SMALL};"
                f" largest valid L is {deepest}"
            )
        widest, law = (v, "m*v") if L > 1 and v > n else (n, "n*m")
        if widest * m > v**s:
            raise SynaptreeError(
                f"grammar m: m={m} needs {law}={widest * m} tuples of v**s={v**s};"
                f" expected {law} <= v**s; largest valid m is {v**s // widest}"
            )

    @property
    def d(self) -> int:
        """Length of a string, `s**L`."""
        return self.s**self.L

    @property
    def size(self) -> int:
        """P_max, the number of strings: `n·m**((s**L-1)/(s-1))`, exact."""
        return self.n * self.m ** ((self.d - 1) // (self.s - 1))

    @cached_property
    def rules(self) -> tuple[Ints, ...]:
        """`rules[l-1]`: (v, m, s), the m tuples of each feature of level l = 1..L; top: (n, m, s).

        Drawn uniformly without replacement from all `v**s` tuples; read-only.
        """
        return tuple(self._draw_rules(level) for level in range(1, self.L + 1))

    def sample(
        self, P: int, seed: int, replace: bool = False, exclude: "Samples | ArrayLike | None" = None
    ) -> Samples:
        """P strings, uniform over classes and production rules.

        All are distinct unless `replace`; none is in `exclude` (Samples, or tokens (P', d)).
        A larger P continues the same sequence, as long as `size <= 2**20`, or `replace`, or P plus
        the excluded stay below size / 2 (beyond that, all strings are listed and shuffled).

        Raises:
            SynaptreeError: fewer than P such strings exist, or an argument is out of range.
        """
        count = checked_integer("sample P", P, 1)
        rng = self._rng(checked_integer("sample seed", seed, 0), _SAMPLE)
        banned = None
        if exclude is not None:
            tokens = exclude.x if isinstance(exclude, Samples) else exclude
            banned = self._strings("sample exclude", tokens)
        wanted = 0 if replace else count
        taken = wanted + (0 if banned is None else len(banned))
        if self.size <= _SMALL or (wanted <= self.size and 2 * taken > self.size):
            free = self._free_ranks(banned)
            if len(free) < max(wanted, 1):
                raise _too_few(count, self.size, len(free))
            ranks = (
                free[rng.integers(len(free), size=count)]
                if replace
                else rng.permutation(free)[:count]
            )
            return self._expand(*self._unrank(ranks))
        if wanted > self.size:
            raise _too_few(count, self.size, self.size)
        return self._stream(rng, count, banned, distinct=not replace)

    def expand(self, y: ArrayLike, choices: Sequence[ArrayLike]) -> Samples:
        """The strings of given classes (P,) and rule choices; inverse of `parse`.

        `choices[l-1]`: (P, s**(L-l)), values 0..m-1, for l = 1..L.

        Raises:
            SynaptreeError: a wrong number of levels, shape, dtype or value.
        """
        top = _within("expand y", y, self.n)
        if top.ndim != 1:
            raise SynaptreeError(f"expand y: shape {top.shape}; expected (P,)")
        if len(choices) != self.L:
            raise SynaptreeError(f"expand choices: {len(choices)} levels; expected L={self.L}")
        checked: list[Ints] = []
        for level, given in enumerate(choices, start=1):
            where, shape = f"expand choices level {level}", (len(top), self.s ** (self.L - level))
            checked.append(_within(where, given, self.m))
            if checked[-1].shape != shape:
                raise SynaptreeError(f"{where}: shape {checked[-1].shape}; expected {shape}")
        return self._expand(top, tuple(checked))

    def parse(self, x: ArrayLike) -> Derivation:
        """The one derivation of each string; `x` is (P, d), or (d,), taken as P = 1.

        Raises:
            SynaptreeError: wrong length, dtype or tokens; or a string outside the language, naming
                its first patch that no rule produces (lowest level, then string, then patch).
        """
        given = self._strings("parse x", x)
        latents, choices, failures = self._derive(given)
        for level, failed in enumerate(failures, start=1):
            if failed.any():
                row, node = (int(i) for i in np.argwhere(failed)[0])
                seen = latents[level - 1].reshape(len(given), -1, self.s)[row, node].tolist()
                raise SynaptreeError(
                    f"parse x: string {row} is outside the language: its level-{level} patch {node}"
                    f" is {tuple(seen)}; expected one of the {self.rules[level - 1].shape[0]}·m"
                    f" tuples of rules[{level - 1}]"
                )
        return Derivation(latents, choices)

    def synonym(self, x: ArrayLike, level: int, seed: int, nodes: ArrayLike | None = None) -> Ints:
        """The strings `x`, (P, d) or (d,), with synonyms exchanged at one level; the same shape.

        At each node of `level` (1..L), or only at those in `nodes` (indices 0..s**(L-level)-1), the
        production rule in use is replaced by one of the other m-1 of the same feature, uniformly
        and never by itself. All else is kept: the features of this level and above, the rule
        choice at every other node, and thus every string position not under an exchanged node.
        Below an exchanged node the s children become the features of the new tuple, and each keeps
        the *index* of its rule, as do their descendants. What happens at a node does not depend
        on which others are exchanged.

        Raises:
            SynaptreeError: m = 1 (no synonym exists), level or nodes out of range, x no string.
        """
        level = checked_integer("synonym level", level, 1, self.L)
        rng = self._rng(checked_integer("synonym seed", seed, 0), _SYNONYM, level)
        if self.m == 1:
            raise SynaptreeError("synonym: m=1, so no feature has a synonym; expected m >= 2")
        parsed = self.parse(x)
        choices, old = list(parsed.choices), parsed.choices[level - 1]
        picked = np.arange(old.shape[1])
        if nodes is not None:
            picked = np.atleast_1d(_within("synonym nodes", nodes, old.shape[1]))
        new = old.copy()
        shift = rng.integers(1, self.m, size=old.shape)
        new[:, picked] = (old[:, picked] + shift[:, picked]) % self.m
        choices[level - 1] = new
        return self._expand(parsed.latents[-1][:, 0], tuple(choices)).x.reshape(np.shape(x))

    # How it is done ------------------------------------------------------------------------------

    def _rng(self, seed: int, *purpose: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=purpose)))

    def _draw_rules(self, level: int) -> Ints:
        owners = self.n if level == self.L else self.v
        total, count = self.v**self.s, owners * self.m
        rng = self._rng(self.seed, _RULES, level)
        # Which way depends on v, m, s only, so that n selects a prefix of one sequence.
        if total <= _SMALL or total < min(2 * self.v * self.m, 2**26):
            codes = rng.permutation(total)[:count]
        else:
            codes = np.empty(0, np.int64)
            while len(codes) < count:
                chunks = -(-count // _CHUNK)
                more = [rng.integers(total, size=_CHUNK) for _ in range(chunks)]
                codes = np.concatenate([codes, *more])
                codes = codes[first_occurrences(codes)]
            codes = codes[:count]
        powers = self.v ** np.arange(self.s - 1, -1, -1)
        tuples = (codes[:, None] // powers % self.v).astype(_dtype(self.v))
        tuples.setflags(write=False)
        return tuples.reshape(owners, self.m, self.s)

    @cached_property
    def _inverse(self) -> tuple[tuple[Ints, Ints], ...]:
        """Per level the sorted tuple codes and the rule number (feature·m + choice) of each; if
        there are few tuples, a dense table with -1 for those that no rule produces.
        """
        tables: list[tuple[Ints, Ints]] = []
        for rules in self.rules:
            codes = tuple_codes(rules, self.v).ravel()
            numbers = np.argsort(codes)
            if self.v**self.s <= _SMALL:
                dense = np.full(self.v**self.s, -1)
                dense[codes] = np.arange(len(codes))
                tables.append((codes[numbers], dense))
            else:
                tables.append((codes[numbers], numbers))
        return tuple(tables)

    @cached_property
    def _weights(self) -> NDArray[np.uint64]:
        """Multipliers (d,) of a string's 64-bit key: exact if `v**d <= 2**64`, otherwise a hash.

        Equal strings have equal keys. Two others share one with probability below v / 2**63, and
        are then treated as repeats: strings are distinct for certain, the bias is not measurable.
        """
        if self.d <= 64 and self.v**self.d <= 2**64:
            return np.array([self.v**i for i in range(self.d)], np.uint64)
        odd = self._rng(0, _HASH).integers(2**63, size=self.d, dtype=np.uint64)
        return odd * np.uint64(2) + np.uint64(1)

    def _keys(self, x: Ints) -> NDArray[np.uint64]:
        parts = np.split(x, range(_CHUNK, len(x), _CHUNK))  # no (P, d) array of 8-byte tokens
        return np.concatenate([part.astype(np.uint64) @ self._weights for part in parts])

    def _strings(self, where: str, x: ArrayLike) -> Ints:
        given = _within(where, x, self.v)
        if given.ndim not in (1, 2) or given.shape[-1] != self.d:
            raise SynaptreeError(
                f"{where}: shape {given.shape}; expected (P, d) or (d,) with d = s**L = {self.d}"
            )
        return given.reshape(-1, self.d)

    def _expand(self, y: Ints, choices: tuple[Ints, ...]) -> Samples:
        """Table look-ups from the top: rule number = feature·m + choice."""
        latents: list[Ints] = [y.astype(_dtype(self.n), copy=False).reshape(-1, 1)]
        for rules, choice in zip(reversed(self.rules), reversed(choices), strict=True):
            number = latents[-1].astype(np.intp)
            number *= self.m
            number += choice
            children = rules.reshape(-1, self.s).take(number, axis=0, mode="clip")
            latents.append(children.reshape(len(number), -1))
        return Samples(latents[-1], latents[0][:, 0], tuple(reversed(latents)))

    def _derive(
        self, x: Ints
    ) -> tuple[tuple[Ints, ...], tuple[Ints, ...], tuple[NDArray[np.bool_], ...]]:
        """Latents, choices and, per level, the nodes whose patch no rule produces."""
        latents: list[Ints] = [x]
        choices: list[Ints] = []
        failures: list[NDArray[np.bool_]] = []
        for level, (codes, table) in enumerate(self._inverse, start=1):
            seen = tuple_codes(latents[-1].reshape(len(x), -1, self.s), self.v)
            if len(table) == self.v**self.s:
                number = table.take(seen)
                failed = number < 0
            else:
                place = np.minimum(np.searchsorted(codes, seen), len(codes) - 1)
                number, failed = table[place], codes[place] != seen
            owners = self.rules[level - 1].shape[0]
            features = np.repeat(np.arange(owners, dtype=_dtype(owners)), self.m)
            which = np.tile(np.arange(self.m, dtype=_dtype(self.m)), owners)
            latents.append(features.take(number, mode="clip"))  # look-ups: divmod is 5 times slower
            choices.append(which.take(number, mode="clip"))
            failures.append(failed)
        return tuple(latents), tuple(choices), tuple(failures)

    def _unrank(self, ranks: Ints) -> tuple[Ints, tuple[Ints, ...]]:
        """Class and choices of the strings of given ranks: the digits of rank, base m, then n."""
        choices: list[Ints] = []
        for level in range(1, self.L + 1):
            digits = np.empty((len(ranks), self.s ** (self.L - level)), _dtype(self.m))
            for node in range(digits.shape[1]):
                ranks, digits[:, node] = np.divmod(ranks, self.m)
            choices.append(digits)
        return ranks, tuple(choices)

    def _free_ranks(self, banned: Ints | None) -> Ints:
        """All ranks but those of the banned strings; strings outside the language do not matter."""
        free = np.ones(self.size, bool)
        if banned is not None:
            latents, choices, failures = self._derive(banned)
            rank = latents[-1][:, 0].astype(np.int64)
            for choice in reversed(choices):
                for node in reversed(range(choice.shape[1])):
                    rank = rank * self.m + choice[:, node]
            known = ~np.concatenate(failures, axis=1).any(axis=1)
            free[rank[known]] = False
        return np.flatnonzero(free)

    def _stream(
        self, rng: np.random.Generator, P: int, banned: Ints | None, *, distinct: bool
    ) -> Samples:
        """The first P strings of an endless stream that are not banned and, if so asked, new."""
        chunks: list[Samples] = []
        kept: Ints = np.empty(0, np.int64)
        forbidden = None if banned is None else np.sort(self._keys(banned))
        keys = np.empty(0, np.uint64)
        while len(kept) < P:
            for _ in range(-(-(P - len(kept)) // _CHUNK)):
                y = rng.integers(self.n, size=_CHUNK, dtype=_dtype(self.n))
                choices = tuple(
                    rng.integers(self.m, size=(_CHUNK, self.s**above), dtype=_dtype(self.m))
                    for above in range(self.L - 1, -1, -1)
                )
                chunks.append(self._expand(y, choices))
            drawn = len(chunks) * _CHUNK
            kept = np.arange(drawn)
            if distinct or forbidden is not None:
                new = [self._keys(chunk.x) for chunk in chunks[len(keys) // _CHUNK :]]
                keys = np.concatenate([keys, *new])
                kept = first_occurrences(keys) if distinct else kept
                if forbidden is not None:
                    kept = kept[~_is_in(keys[kept], forbidden)]
        kept = kept[:P]
        prefix = kept[-1] == P - 1  # nothing was skipped, the usual case: no gather needed
        latents: list[Ints] = []
        for parts in zip(*(chunk.latents for chunk in chunks), strict=True):
            whole = np.concatenate(parts)
            latents.append(whole[:P] if prefix else whole[kept])
        return Samples(latents[0], latents[-1][:, 0], tuple(latents))


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
    suspects = np.flatnonzero(_is_in(keys, repeated))
    keep = np.ones(len(keys), bool)
    keep[suspects] = False
    keep[suspects[np.unique(keys[suspects], return_index=True)[1]]] = True
    return np.flatnonzero(keep)


def _is_in(values: Ints, ordered: Ints) -> NDArray[np.bool_]:
    """Which values occur in the sorted, non-empty `ordered` (np.isin would sort both anew)."""
    return ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values


def _dtype(count: int) -> np.dtype[np.unsignedinteger[Any]]:
    """The smallest unsigned dtype that holds 0..count-1."""
    return np.min_scalar_type(count - 1)


def checked_integer(where: str, value: object, least: int, most: int | None = None) -> int:
    """`value` as an int if it is an integer (no bool) within the bounds, or a SynaptreeError."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        number = int(value)
        if number >= least and (most is None or number <= most):
            return number
    bounds = f">= {least}" if most is None else f"from {least} to {most}"
    raise SynaptreeError(f"{where}: {value!r}; expected an integer {bounds}")


def _within(where: str, values: ArrayLike, count: int) -> Ints:
    """`values` as integers 0..count-1 of the smallest dtype, or an error that says what is not."""
    given = np.asarray(values)
    if not np.issubdtype(given.dtype, np.integer):
        raise SynaptreeError(f"{where}: dtype {given.dtype}; expected integers")
    if not given.size:
        raise SynaptreeError(f"{where}: empty; expected at least one value")
    wrong = (given < 0) | (given >= count)
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise SynaptreeError(
            f"{where}: {int(given[place])} at index {place}; expected integers 0..{count - 1}"
        )
    return given.astype(_dtype(count), copy=False)


def _too_few(P: int, size: int, free: int) -> SynaptreeError:
    left = f"{free}" if free == size else f"{free} of {size} that are not excluded"
    return SynaptreeError(
        f"sample P: {P} strings wanted; the grammar has only {left}; expected P <= {free}"
        if free
        else f"sample exclude: all {size} strings of the grammar are excluded; expected fewer"
    )

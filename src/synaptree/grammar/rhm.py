"""The Random Hierarchy Model: strings of tokens with a hidden tree above them.

Cagnetta, Petrini, Tomasini, Favero & Wyart, "How deep neural networks learn compositional data:
the Random Hierarchy Model", arXiv 2307.02129. A class (level L) expands into one of its `m`
s-tuples of level-(L-1) features, each of these into one of its own `m`, and so on down to the
tokens (level 0). No two features of a level share a tuple, so a string has exactly one derivation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from synaptree.errors import SynaptreeError, checked_integer, shown
from synaptree.grammar.derivation import SMALL, Derivation, Parser, Samples, expanded
from synaptree.grammar.integers import Ints, checked_integers
from synaptree.grammar.sampling import RULES, SYNONYM, draw_rules, draw_strings, random_stream

MOST = 2**40  # strings that are drawn at once


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
            if value >= 2**128:  # which would be slow to calculate with, and too long to print
                raise SynaptreeError(f"grammar {name}: {shown(value)}; expected less than 2**128")
            object.__setattr__(self, name, value)
        _check_sizes(self.v, self.n, self.m, self.s, self.L)

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
        owners = {self.L: self.n}
        return tuple(
            draw_rules(
                random_stream(self.seed, RULES, level),
                owners.get(level, self.v),
                self.v,
                self.m,
                self.s,
            )
            for level in range(1, self.L + 1)
        )

    @cached_property
    def parser(self) -> Parser:
        """The tables that strings are parsed with."""
        return Parser(self.rules, self.v)

    def sample(
        self, P: int, seed: int, replace: bool = False, exclude: "Samples | ArrayLike | None" = None
    ) -> Samples:
        """P strings, uniform over classes and production rules.

        All are distinct unless `replace`; none is in `exclude` (Samples, or tokens (P', d)).
        A larger P continues the same sequence as long as `size <= 2**20`, or `replace`, or P plus
        the excluded strings are fewer than size / 2. Beyond that, all strings are listed and
        shuffled.

        Raises:
            SynaptreeError: fewer than P such strings exist, or an argument is out of range.
        """
        count = checked_integer("sample P", P, 1, MOST)
        checked_seed = checked_integer("sample seed", seed, 0)
        banned = None
        if exclude is not None:
            tokens = exclude.x if isinstance(exclude, Samples) else exclude
            banned = self._strings("sample exclude", tokens)
        return draw_strings(self, count, checked_seed, replace, banned)

    def expand(self, y: ArrayLike, choices: Sequence[ArrayLike]) -> Samples:
        """The strings of classes y (P,) and rule choices; the inverse of `parse`.

        `choices[l-1]`: (P, s**(L-l)), values 0..m-1, for l = 1..L.

        Raises:
            SynaptreeError: a wrong number of levels, shape, dtype or value.
        """
        top = checked_integers("expand y", y, self.n)
        if top.ndim != 1:
            raise SynaptreeError(f"expand y: shape {top.shape}; expected (P,)")
        if not isinstance(choices, Sequence) or len(choices) != self.L:  # pyright: ignore[reportUnnecessaryIsInstance]
            levels = f"{len(choices)} levels" if isinstance(choices, Sequence) else shown(choices)  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SynaptreeError(f"expand choices: {levels}; expected L={self.L}")
        checked: list[Ints] = []
        for level, choice in enumerate(choices, start=1):
            where, shape = f"expand choices level {level}", (len(top), self.s ** (self.L - level))
            checked.append(checked_integers(where, choice, self.m))
            if checked[-1].shape != shape:
                raise SynaptreeError(f"{where}: shape {checked[-1].shape}; expected {shape}")
        return expanded(self.rules, top, checked)

    def parse(self, x: ArrayLike) -> Derivation:
        """The one derivation of each string; `x` is (P, d), or (d,), taken as P = 1.

        Raises:
            SynaptreeError: wrong length, dtype or tokens; or a string outside the language, naming
                its first patch that no rule produces (lowest level, then string, then patch).
        """
        strings = self._strings("parse x", x)
        latents, choices, failures = self.parser.derive(strings)
        for level, failed in enumerate(failures, start=1):
            if failed.any():
                row, node = (int(i) for i in np.argwhere(failed)[0])
                patch = latents[level - 1].reshape(len(strings), -1, self.s)[row, node]
                owners = len(self.rules[level - 1])
                raise SynaptreeError(
                    f"parse x: string {row} is outside the language: its level-{level} patch {node}"
                    f" is {tuple(patch.tolist())}; expected one of the {owners}·m"
                    f" tuples of rules[{level - 1}]"
                )
        return Derivation(latents, choices)

    def synonym(self, x: ArrayLike, level: int, seed: int, nodes: ArrayLike | None = None) -> Ints:
        """The strings `x`, (P, d) or (d,), with synonyms exchanged at one level; the same shape.

        At each node of `level` (1..L), or only at those in `nodes` (indices 0..s**(L-level)-1), the
        production rule is replaced by one of the other m-1 rules of the same feature, drawn
        uniformly. Everything else is kept: the features of this level and above, the rule choice at
        every other node, and so every string position that is not under an exchanged node. Below
        an exchanged node the s children become the features of the new tuple, and each keeps the
        *index* of its rule, as do their descendants. The new rule of a node does not depend on
        which other nodes are exchanged.

        Raises:
            SynaptreeError: m = 1 (no synonym exists), level or nodes out of range, x no string.
        """
        level = checked_integer("synonym level", level, 1, self.L)
        rng = random_stream(checked_integer("synonym seed", seed, 0), SYNONYM, level)
        if self.m == 1:
            raise SynaptreeError("synonym: m=1, so no feature has a synonym; expected m >= 2")
        parsed = self.parse(x)
        choices, old = list(parsed.choices), parsed.choices[level - 1]
        picked = np.arange(old.shape[1])
        if nodes is not None:
            picked = np.atleast_1d(checked_integers("synonym nodes", nodes, old.shape[1]))
        new = old.copy()
        shift = rng.integers(1, self.m, size=old.shape)
        new[:, picked] = (old[:, picked] + shift[:, picked]) % self.m
        choices[level - 1] = new
        strings = expanded(self.rules, parsed.latents[-1][:, 0], choices)
        return strings.x.reshape(np.shape(x))

    def _strings(self, where: str, x: ArrayLike) -> Ints:
        """`x` as strings (P, d)."""
        strings = checked_integers(where, x, self.v)
        if strings.ndim not in (1, 2) or strings.shape[-1] != self.d:
            raise SynaptreeError(
                f"{where}: shape {strings.shape}; expected (P, d) or (d,) with d = s**L = {self.d}"
            )
        return strings.reshape(-1, self.d)


def _check_sizes(v: int, n: int, m: int, s: int, L: int) -> None:
    if s > 63 or v**s > 2**63:  # s > 63 first: v**s of a wild s would take for ever
        fits = next(k for k in range(min(s, 63), -1, -1) if v**k <= 2**63)
        change = f"largest valid s is {fits}" if fits >= 2 else "largest valid v is 3037000499"
        raise SynaptreeError(
            f"grammar s: v={v}, s={s} gives v**s > 2**63 tuples; expected at most 2**63; {change}"
        )
    if n > v**s:
        raise SynaptreeError(
            f"grammar n: {n} classes share v**s={v**s} tuples; expected n*m <= v**s;"
            f" largest valid n is {v**s // m or v**s}"
        )
    if L > 20 or s**L > SMALL:  # L > 20 first, as above
        deepest = max(k for k in range(21) if s**k <= SMALL)
        raise SynaptreeError(
            f"grammar L: L={L} with s={s} gives strings of d = s**L tokens, more than {SMALL};"
            f" largest valid L is {deepest}"
        )
    widest, law = (v, "m*v") if L > 1 and v > n else (n, "n*m")
    if widest * m > v**s:
        raise SynaptreeError(
            f"grammar m: m={m} needs {law}={widest * m} tuples of v**s={v**s};"
            f" expected {law} <= v**s; largest valid m is {v**s // widest}"
        )

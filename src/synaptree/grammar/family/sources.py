"""Where a grammar's rules come from.

A source is a frozen object with `level_rules`: the rules of levels 1..L, the lowest first, and
`symbols`: how many symbols levels 0..L have (tokens first, classes last).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synaptree.errors import SynaptreeError, checked_integer, shown
from synaptree.grammar.derivation import SMALL
from synaptree.grammar.family.level_rules import (
    ABSENT,
    LevelRules,
    checked_probabilities,
    equally_likely,
)
from synaptree.grammar.family.own_rules import OwnRules
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.grammar.sampling import RULES, draw_rules, random_stream


@dataclass(frozen=True)
class PlainRules:
    """The rules of a `RandomHierarchyModel`, all equally likely."""

    model: RandomHierarchyModel

    @cached_property
    def level_rules(self) -> tuple[LevelRules, ...]:
        return tuple(equally_likely(rules) for rules in self.model.rules)

    @property
    def symbols(self) -> tuple[int, ...]:
        return (*(self.model.v,) * self.model.L, self.model.n)


@dataclass(frozen=True)
class MixedRules:
    """Rules of several sizes, such as two children or three: trees of varying shape.

    Parley, Cagnetta & Wyart, arXiv 2602.06065, as we read it: each feature has `m[i]` rules of
    size `s[i]`, drawn without replacement from the v**s[i] tuples; every tree has depth L. All
    rules of a feature are equally likely, unless `shares` says how often each size is used.

    Args:
        v, n, L, seed: as for `RandomHierarchyModel`.
        m: rules of each size, such as (4, 4).
        s: the sizes, increasing, such as (2, 3).
        shares: probability of each size; None: in proportion to m.
    """

    v: int
    n: int
    m: tuple[int, ...]
    s: tuple[int, ...]
    L: int
    seed: int
    shares: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("m", "s"):
            given = getattr(self, name)
            if not isinstance(given, Sequence) or len(given) != len(self.s) or len(given) < 2:
                raise SynaptreeError(
                    f"mixed {name}: {shown(given)}; expected one number for each of two or more"
                    " sizes, such as m=(4, 4), s=(2, 3)"
                )
            object.__setattr__(self, name, tuple(given))
        for m, s in zip(self.m, self.s, strict=True):
            RandomHierarchyModel(self.v, self.n, m, s, self.L, self.seed)  # which checks them
        if list(self.s) != sorted(set(self.s)):
            raise SynaptreeError(f"mixed s: {self.s}; expected different sizes, the smallest first")
        if self.shares is not None:
            shares = checked_probabilities("mixed shares", self.shares, (len(self.s),))
            object.__setattr__(self, "shares", tuple(shares.tolist()))

    @cached_property
    def level_rules(self) -> tuple[LevelRules, ...]:
        return tuple(self._level(level) for level in range(1, self.L + 1))

    @property
    def symbols(self) -> tuple[int, ...]:
        return (*(self.v,) * self.L, self.n)

    def _level(self, level: int) -> LevelRules:
        owners = self.n if level == self.L else self.v
        shares = self.shares or [m / sum(self.m) for m in self.m]
        tuples = np.full((owners, sum(self.m), self.s[-1]), ABSENT, np.int64)
        first = 0
        for m, s in zip(self.m, self.s, strict=True):
            rng = random_stream(self.seed, RULES, level, s)
            tuples[:, first : first + m, :s] = draw_rules(rng, owners, self.v, m, s)
            first += m
        each = np.repeat(np.array(shares) / self.m, self.m)
        return LevelRules(tuples, np.tile(each, (owners, 1)))


@dataclass(frozen=True)
class CorrelationFree:
    """Tokens that are independent of one another, though m < v**(s-1) and the class is learnable.

    Our construction. At each level the v features are divided at random into blocks of b. All
    features of a block use all the tuples, b**s of them, whose child at one slot (the wide slot,
    drawn for the level) is in a block of its own, and whose other children are in one block that
    is the same for all parents. So a parent that is uniform over some blocks has children that are
    independent, and each again uniform over blocks; from the uniform class down this holds at every
    node, also when parents at all positions are pooled. Each feature has m = b**(s-1) rules, drawn
    at random within the block, so the class has to be found as in a plain grammar of b features.

    Args:
        v: features of each level, a multiple of b, and larger than b.
        n: classes, a multiple of b, at most v.
        b: features in a block, >= 2.
        s, L, seed: as for `RandomHierarchyModel`.
    """

    v: int
    n: int
    b: int
    s: int
    L: int
    seed: int

    def __post_init__(self) -> None:
        checked_integer("correlation_free b", self.b, 2)
        checked_integer("correlation_free s", self.s, 2, 63)
        if self.b ** (self.s - 1) > SMALL:
            raise SynaptreeError(
                f"correlation_free b: b={self.b} with s={self.s} gives b**(s-1) rules a feature;"
                f" expected at most {SMALL}"
            )
        RandomHierarchyModel(self.v, self.n, self.m, self.s, self.L, self.seed)
        for name, least in (("v", 2 * self.b), ("n", self.b)):
            value = getattr(self, name)
            if value % self.b or value < least:
                near = max(value // self.b * self.b, least)
                raise SynaptreeError(
                    f"correlation_free {name}: {value}; expected a multiple of b={self.b}, at least"
                    f" {least}; nearest valid {name} is {near}"
                )
        if self.n > self.v:
            raise SynaptreeError(f"correlation_free n: {self.n}; expected at most v={self.v}")

    @property
    def m(self) -> int:
        """Rules of a feature: b**(s-1)."""
        return self.b ** (self.s - 1)

    @property
    def symbols(self) -> tuple[int, ...]:
        return (*(self.v,) * self.L, self.n)

    @cached_property
    def level_rules(self) -> tuple[LevelRules, ...]:
        return tuple(equally_likely(self._tuples(level)) for level in range(1, self.L + 1))

    def _tuples(self, level: int) -> np.ndarray:
        rng = random_stream(self.seed, RULES, level, self.b, self.s)
        owners = self.n if level == self.L else self.v
        # A level's blocks are the same seen from above (children) and from below (parents).
        parents = np.arange(owners).reshape(-1, self.b) if level == self.L else self._blocks(level)
        below = self._blocks(level - 1)
        wide = int(rng.integers(self.s))
        own = rng.permutation(len(below))
        narrow = rng.integers(len(below), size=self.s)
        inside = np.indices((self.b,) * self.s).reshape(self.s, -1).T  # all tuples of a block
        tuples = np.empty((owners, self.m, self.s), np.int64)
        for number, block in enumerate(parents):
            where = np.array(narrow)
            where[wide] = own[number]
            order = rng.permutation(len(inside))
            tuples[block] = below[where, inside[order]].reshape(self.b, self.m, self.s)
        return tuples

    def _blocks(self, level: int) -> np.ndarray:
        rng = random_stream(self.seed, RULES, level, self.b)
        return rng.permutation(self.v).reshape(-1, self.b)


Source = RandomHierarchyModel | MixedRules | CorrelationFree | OwnRules


def source_of(given: Source) -> PlainRules | MixedRules | CorrelationFree | OwnRules:
    """A source, with a `RandomHierarchyModel` as `PlainRules`."""
    if isinstance(given, RandomHierarchyModel):
        return PlainRules(given)
    if isinstance(given, MixedRules | CorrelationFree | OwnRules):  # pyright: ignore[reportUnnecessaryIsInstance]
        return given
    raise SynaptreeError(
        f"grammar source: {shown(given)}; expected a RandomHierarchyModel, MixedRules,"
        " CorrelationFree or OwnRules"
    )

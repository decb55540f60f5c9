"""What can be changed about a grammar's rules: how likely they are, what surrounds and blurs them.

Each dial is a small frozen object, checked when it is made; `TreeGrammar` checks what depends on
the grammar.
"""

from dataclasses import dataclass
from itertools import combinations, product
from math import comb, inf
from numbers import Real
from typing import Literal

import numpy as np

from synaptree.errors import SynaptreeError, checked_integer, choice, shown
from synaptree.grammar.family.level_rules import Probabilities


@dataclass(frozen=True)
class Zipf:
    """The k-th of m rules of a feature (or of n classes) has probability ∝ k**-(1+a).

    Cagnetta, Kang & Wyart, arXiv 2505.07067, as we read it: f_k ∝ k^-(1+a), under which the error
    of a classifier falls as P**(-a/(1+a)). a = -1 makes all rules equally likely.

    Args:
        a: the exponent, >= -1.
        levels: the levels whose rules are ranked so, 1..L; None for all. At the others all rules
            are equally likely. Of a prior over classes it says nothing.
    """

    a: float
    levels: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "a", _checked_real("zipf a", self.a, -1, 100))
        object.__setattr__(self, "levels", _checked_levels("zipf levels", self.levels))

    def probabilities(self, count: int) -> Probabilities:
        """Those of `count` ranks, the most likely one first."""
        weights = np.arange(1, count + 1) ** -(1 + self.a)
        return weights / weights.sum()


@dataclass(frozen=True)
class Sparse:
    """Uninformative tokens, s0 for each informative one (SRHM).

    Tomasini & Wyart, arXiv 2404.10727, as we read it: a rule's s features stand, in their order,
    among s·(s0+1) places; the others hold a blank, and below a blank everything is blank. So a
    string has (s·(s0+1))**L places and s**L informative tokens. A blank is the symbol after the
    last feature: number v.

    Args:
        s0: uninformative places for each informative one, >= 1.
        form: "A": each feature stands somewhere in a block of its own of s0+1 places;
            "B": the s features stand anywhere among the s·(s0+1) places.
        jitter: the places are drawn anew, uniformly, each time that a rule is used. False: each
            rule keeps places that are drawn once, by `seed`.
        seed: of the places without jitter.
    """

    s0: int
    form: Literal["A", "B"] = "A"
    jitter: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.s0 == 0 and self.jitter is True:
            raise SynaptreeError(
                "sparse jitter: True with s0=0, which leaves no place to move to; expected s0 >= 1"
            )
        checked_integer("sparse s0", self.s0, 1, 1000)
        object.__setattr__(self, "form", choice("sparse form", self.form, ("A", "B")))
        if not isinstance(self.jitter, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SynaptreeError(f"sparse jitter: {shown(self.jitter)}; expected True or False")
        checked_integer("sparse seed", self.seed, 0)

    def ways(self, size: int) -> int:
        """How many placements a rule of this size has."""
        if not self.jitter:
            return 1
        block = self.s0 + 1
        return block**size if self.form == "A" else comb(size * block, size)

    def placements(self, size: int) -> list[tuple[int, ...]]:
        """All the places that the `size` children of a rule may take, in order."""
        block = self.s0 + 1
        if self.form == "B":
            return list(combinations(range(size * block), size))
        return [
            tuple(child * block + place for child, place in enumerate(places))
            for places in product(range(block), repeat=size)
        ]

    def placement(self, size: int, rng: np.random.Generator) -> tuple[int, ...]:
        """One of these, drawn uniformly."""
        block = self.s0 + 1
        if self.form == "B":
            return tuple(sorted(rng.choice(size * block, size, replace=False).tolist()))
        return tuple(child * block + int(rng.integers(block)) for child in range(size))


@dataclass(frozen=True)
class Noise:
    """Tokens that are replaced, and rules that are broken.

    Args:
        tokens: probability, below 1, with which a token is replaced by one drawn uniformly from all
            v, itself included. Blanks and padding stay.
        rules: probability, below 1, with which the rule of a node is broken: its children are then
            drawn uniformly, each from all features of the level below, as many as the rule has.
        levels: the levels whose rules break, 1..L; None for all.
    """

    tokens: float = 0.0
    rules: float = 0.0
    levels: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("tokens", "rules"):
            value = _checked_real(f"noise {name}", getattr(self, name), 0, 1)
            if value == 1:
                raise SynaptreeError(
                    f"noise {name}: 1, which leaves nothing of the grammar; expected 0 <= ε < 1"
                )
            object.__setattr__(self, name, value)
        object.__setattr__(self, "levels", _checked_levels("noise levels", self.levels))

    def at(self, level: int) -> float:
        """The probability that a rule of this level is broken."""
        return self.rules if self.levels is None or level in self.levels else 0.0


def _checked_real(where: str, value: object, least: float, most: float) -> float:
    if isinstance(value, Real) and value is not True and value is not False:
        number = float(value)
        if least <= number <= most and abs(number) < inf:
            return number
    raise SynaptreeError(f"{where}: {shown(value)}; expected a number from {least} to {most}")


def _checked_levels(where: str, levels: object) -> tuple[int, ...] | None:
    if levels is None:
        return None
    listed = levels if isinstance(levels, list | tuple) else (levels,)
    if not listed:
        raise SynaptreeError(f"{where}: {shown(levels)}; expected levels, or None for all")
    return tuple(checked_integer(where, level, 1) for level in listed)

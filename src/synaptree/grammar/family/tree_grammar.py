"""One grammar of the family: a source of rules, and what changes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from synaptree.errors import SynaptreeError, checked_integer, choice, shown
from synaptree.grammar.derivation import SMALL, Samples
from synaptree.grammar.family.ambiguity import two_derivations
from synaptree.grammar.family.dials import Noise, Sparse, Zipf
from synaptree.grammar.family.expansions import Expansions, expansions, places_below
from synaptree.grammar.family.lengths import length_probabilities
from synaptree.grammar.family.level_rules import (
    LevelRules,
    Probabilities,
    checked_probabilities,
)
from synaptree.grammar.family.own_rules import OwnRules
from synaptree.grammar.family.sampling import draw_trees
from synaptree.grammar.family.sources import (
    CorrelationFree,
    MixedRules,
    PlainRules,
    Source,
    source_of,
)
from synaptree.grammar.rhm import MOST

Nested = tuple[tuple[tuple[float, ...], ...], ...]


@dataclass(frozen=True)
class TreeGrammar:
    """A probabilistic grammar whose derivations are trees of depth L.

    A class is drawn from `prior`; each node expands into one of its feature's rules, drawn with the
    rules' probabilities; the tokens are seen through `noise`. Tokens are 0..v-1; `blank` (v) is
    where no token stands: an uninformative place, the missing child of a short rule, or padding.

    Args:
        source: a `RandomHierarchyModel`, `MixedRules`, `CorrelationFree` or `OwnRules`.
        probabilities: of the rules: `Zipf`, or for each level 1..L an array (features, rules of a
            feature) whose rows sum to 1; None: those of the source. Rules of several sizes are
            ranked by `Zipf` within their size, and each size keeps its share.
        prior: over classes: `Zipf`, or n probabilities; None: uniform.
        sparse: uninformative places.
        noise: replaced tokens and broken rules.
        layout: "aligned": the places of missing children stay, as blanks, so that a node's place
            shows where in the tree it is. "packed": the tokens follow one another, and blanks fill
            up the end of the string: the shape of the tree is hidden.
        length: only strings of so many tokens, for the packed layout; None: of every length.

    Raises:
        SynaptreeError: a dial that does not fit the grammar.
    """

    source: Source
    probabilities: Zipf | Nested | None = None
    prior: Zipf | tuple[float, ...] | None = None
    sparse: Sparse | None = None
    noise: Noise | None = None
    layout: Literal["aligned", "packed"] = "aligned"
    length: int | None = None

    def __post_init__(self) -> None:
        source_of(self.source)
        for name, kind in (("sparse", Sparse), ("noise", Noise)):
            value = getattr(self, name)
            if value is not None and not isinstance(value, kind):
                raise SynaptreeError(f"grammar {name}: {shown(value)}; expected {kind.__name__}")
        for name in ("probabilities", "noise"):
            levels = getattr(getattr(self, name), "levels", None) or ()
            if any(level > self.L for level in levels):
                what = "zipf" if name == "probabilities" else name
                raise SynaptreeError(
                    f"{what} levels: {max(levels)}; the grammar has levels 1..{self.L}"
                    f" (L={self.L} is the class)"
                )
        if self.probabilities is not None and not isinstance(self.probabilities, Zipf):
            object.__setattr__(self, "probabilities", self._checked(self.probabilities))
        if self.prior is not None and not isinstance(self.prior, Zipf):
            prior = checked_probabilities("grammar prior", self.prior, (self.n,))
            object.__setattr__(self, "prior", tuple(prior.tolist()))
        object.__setattr__(self, "layout", choice("layout", self.layout, ("aligned", "packed")))
        if self.layout == "packed" and self.sparse is not None:
            raise SynaptreeError(
                "layout: 'packed' would remove the blanks of a sparse grammar; expected 'aligned'"
            )
        if self.d > SMALL:
            raise SynaptreeError(
                f"grammar: strings of d={self.d} places; expected at most {SMALL}: a smaller L, s"
                " or s0"
            )
        if self.sparse is not None:
            _ = self.expansions  # which may be too many
        if self.length is not None:
            self._check_length()

    # Sizes ---------------------------------------------------------------------------------------

    @property
    def L(self) -> int:
        """Depth; level L is the class, level 0 the tokens."""
        return len(self._source.symbols) - 1

    @property
    def n(self) -> int:
        """Number of classes."""
        return self._source.symbols[-1]

    @property
    def v(self) -> int:
        """Number of tokens; also the number that stands for a blank."""
        return self._source.symbols[0]

    @property
    def symbols(self) -> tuple[int, ...]:
        """Symbols of levels 0..L, the blank (if there is one, the last) included."""
        features = self._source.symbols
        return (*(count + self.has_blank for count in features[:-1]), features[-1])

    @cached_property
    def has_blank(self) -> bool:
        """Whether a place may hold no feature."""
        if self.sparse is not None:
            return True
        given = [(rules.sizes, rules.tuples.shape[2]) for rules in self._source.level_rules]
        return any(bool(((sizes > 0) & (sizes < most)).any()) for sizes, most in given)

    @property
    def noisy(self) -> bool:
        """Whether a token may be replaced, or a rule broken."""
        replaced = self.noise is not None and self.noise.tokens > 0
        return replaced or any(table.broken for table in self.expansions)

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Nodes below each node of levels 1..L."""
        return tuple(places_below(rules, self.sparse) for rules in self.rules)

    @property
    def d(self) -> int:
        """Places of a string."""
        return prod(self.places)

    def nodes(self, level: int) -> int:
        """How many nodes level 0..L has, those that hold a blank included."""
        return prod(self.places[level:])

    @cached_property
    def derivations(self) -> int:
        """How many derivations have a probability above 0, noise aside; exact, however many.

        It is the number of strings where no string has two of them. Of every length.
        """
        below = [1] * self.symbols[0]
        for table in self.expansions:
            rows = zip(table.children.tolist(), (table.probabilities > 0).tolist(), strict=True)
            below = [
                sum(
                    prod(below[child] for child in children)
                    for children, used in zip(expanded, probable, strict=True)
                    if used
                )
                for expanded, probable in rows
            ]
        return sum(count for count, p in zip(below, self.class_probabilities, strict=True) if p > 0)

    @cached_property
    def ambiguous(self) -> bool:
        """Whether a string, with its blanks in place and without noise, may have two derivations.

        That packed strings may hide the shape of their tree is not counted.
        """
        return two_derivations(self.rules) is not None

    # Distributions -------------------------------------------------------------------------------

    @cached_property
    def class_probabilities(self) -> Probabilities:
        """The prior: (n,)."""
        if isinstance(self.prior, Zipf):
            return self.prior.probabilities(self.n)
        return np.full(self.n, 1 / self.n) if self.prior is None else np.array(self.prior)

    @cached_property
    def rules(self) -> tuple[LevelRules, ...]:
        """The source's rules of levels 1..L, with the probabilities of this grammar."""
        given = self._source.level_rules
        if self.probabilities is None:
            return given
        if isinstance(self.probabilities, Zipf):
            zipf = self.probabilities
            return tuple(
                _ranked(rules, zipf) if zipf.levels is None or level in zipf.levels else rules
                for level, rules in enumerate(given, 1)
            )
        return tuple(
            LevelRules(rules.tuples, np.array(p))
            for rules, p in zip(given, self.probabilities, strict=True)
        )

    @cached_property
    def expansions(self) -> tuple[Expansions, ...]:
        """The tables of levels 1..L."""
        return tuple(
            expansions(
                level,
                rules,
                self._source.symbols[level - 1],
                self.sparse,
                self.has_blank and level < self.L,
                0.0 if self.noise is None else self.noise.at(level),
            )
            for level, rules in enumerate(self.rules, 1)
        )

    @cached_property
    def length_probabilities(self) -> Probabilities:
        """How likely a string has 0..d tokens that are no blanks: (d + 1,), of every length."""
        return self.class_probabilities @ length_probabilities(self.expansions)

    # Strings -------------------------------------------------------------------------------------

    def sample(self, P: int, seed: int) -> Samples:
        """P strings, drawn independently with the grammar's probabilities.

        A larger P continues the same sequence. `latents` are the aligned tree, blanks included,
        before `noise`; `x` is what is seen of `latents[0]`: through noise, and packed where the
        layout is.
        """
        count = checked_integer("sample P", P, 1, MOST)
        return draw_trees(self, count, checked_integer("sample seed", seed, 0))

    @property
    def _source(self) -> PlainRules | MixedRules | CorrelationFree | OwnRules:
        return source_of(self.source)

    def _checked(self, given: Sequence[ArrayLike]) -> Nested:
        levels = self._source.level_rules
        if not isinstance(given, Sequence) or len(given) != len(levels):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SynaptreeError(
                f"grammar probabilities: {shown(given)}; expected Zipf, or one array for each of"
                f" {len(levels)} levels"
            )
        checked: list[tuple[tuple[float, ...], ...]] = []
        for level, (values, rules) in enumerate(zip(given, levels, strict=True), 1):
            where = f"grammar probabilities level {level}"
            likely = checked_probabilities(where, values, rules.probabilities.shape)
            if (likely[rules.sizes == 0] > 0).any():
                raise SynaptreeError(f"{where}: above 0 where a feature has no such rule")
            checked.append(tuple(tuple(row) for row in likely.tolist()))
        return tuple(checked)

    def _check_length(self) -> None:
        if self.layout != "packed":
            raise SynaptreeError(
                f"length: {shown(self.length)} with layout='aligned'; expected layout='packed'"
            )
        likely = self.length_probabilities
        possible = np.flatnonzero(likely)
        length = checked_integer("length", self.length, int(possible[0]), int(possible[-1]))
        if likely[length] < 1e-4:
            nearest = possible[np.abs(possible - length).argsort(kind="stable")]
            good = next((int(one) for one in nearest if likely[one] >= 1e-4), int(likely.argmax()))
            raise SynaptreeError(
                f"length: {length} has probability {likely[length]:.2g}: the rules cannot fill it,"
                f" or hardly ever do; expected one of at least 0.0001; nearest is {good}"
            )


def _ranked(rules: LevelRules, zipf: Zipf) -> LevelRules:
    """The same rules with Zipf's probabilities, within each size of a feature's rules."""
    likely, sizes = np.zeros_like(rules.probabilities), rules.sizes
    for owner, row in enumerate(rules.probabilities):
        for size in np.unique(sizes[owner][sizes[owner] > 0]):
            these = sizes[owner] == size
            likely[owner, these] = row[these].sum() * zipf.probabilities(int(these.sum()))
    return LevelRules(rules.tuples, likely)

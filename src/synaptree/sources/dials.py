"""Variants of a grammar, as people write them: ``zipf=1,noise=0.05``, or a mapping of dials.

A dial in its neutral position is left out, so that the plain grammar has but one spelling.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, cast

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core import core_schema as cs

from synaptree.errors import SynaptreeError, choice, shown
from synaptree.grammar.family.dials import Noise, Sparse, Zipf
from synaptree.grammar.family.sources import CorrelationFree, MixedRules
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.sources.rules_file import NO_RULES, RulesFile


def _real(value: object) -> float:
    text = str(value).strip().lower()
    if isinstance(value, bool) or not re.fullmatch(r"-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text):
        raise SynaptreeError(f"{shown(value)} given; expected a number")
    return float(text)


def _whole(value: object) -> int:
    number = _real(value)
    if not number.is_integer():
        raise SynaptreeError(f"{shown(value)} given; expected a whole number")
    return int(number)


def _switch(value: object) -> bool:
    if str(value).strip().lower() in ("true", "1", "yes"):
        return True
    if str(value).strip().lower() in ("false", "0", "no"):
        return False
    raise SynaptreeError(f"{shown(value)} given; expected true or false")


def _levels(value: object) -> tuple[int, ...]:
    listed = value if isinstance(value, list | tuple) else str(value).split("+")
    return tuple(sorted({_whole(level) for level in cast(list[object], listed)}))


def _form(value: object) -> str:
    return choice("", value, ("A", "B"))


# Of each dial: how its value is read, and its neutral position.
DIALS: dict[str, tuple[Callable[[object], Any], Any]] = {
    "correlation_free": (_switch, False),
    "length": (_whole, 0),
    "mixed": (_whole, 0),
    "noise": (_real, 0.0),
    "packed": (_switch, False),
    "rule_noise": (_real, 0.0),
    "rules": (RulesFile.given, NO_RULES),
    "sparse": (_whole, 0),
    "sparse_form": (_form, "A"),
    "zipf": (_real, -1.0),
    "zipf_levels": (_levels, ()),
}
# Dials that say more of another one, without which they are neutral.
_OF = {"sparse_form": "sparse", "zipf_levels": "zipf"}
SOURCES = ("correlation_free", "mixed", "rules")  # each says where all rules come from
NAMES = ", ".join(DIALS)
ReadRules = Callable[[object], RulesFile]


@dataclass(frozen=True)
class Dials:
    """What a variant changes about the plain grammar; see docs/grammar.md.

    zipf: rules are ranked with this exponent, at `zipf_levels` or at all levels; -1 makes them
    equally likely.  noise, rule_noise: probabilities that a token is replaced, and that a rule is
    broken.  sparse: uninformative places for each informative one, in `sparse_form`.  mixed: the
    size of further rules, m of them beside the m rules of size s; 0 for none.  correlation_free:
    tokens that are independent of one another.  rules: one's own, from a file.  packed: tokens
    follow one another, and blanks fill up the end.  length: only packed strings of so many tokens.
    """

    correlation_free: bool = False
    length: int = 0
    mixed: int = 0
    noise: float = 0.0
    packed: bool = False
    rule_noise: float = 0.0
    rules: RulesFile = NO_RULES
    sparse: int = 0
    sparse_form: str = "A"
    zipf: float = -1.0
    zipf_levels: tuple[int, ...] = ()

    @classmethod
    def read(cls, given: object, rules: ReadRules = RulesFile.given) -> "Dials":
        """The dials of a text, or of a mapping.  Raises SynaptreeError for the first fault.

        rules: reads the value of the dial `rules`.
        """
        values: dict[str, Any] = {}
        for written, value in _pairs(given):
            name = choice("variant", written, DIALS)
            if name in values:
                raise SynaptreeError(f"variant {name}: given twice; expected one value")
            if name == "rules":
                values[name] = rules(value)
                continue
            try:
                values[name] = DIALS[name][0](value)
            except SynaptreeError as fault:
                raise SynaptreeError(f"variant {name}: {str(fault).removeprefix(': ')}") from None
        return cls(**values)

    def __str__(self) -> str:
        spelled = self.spelled().items()
        return ",".join(name if value is True else f"{name}={value}" for name, value in spelled)

    def spelled(self, folder: Path | None = None) -> dict[str, Any]:
        """The dials that change something, as in a mapping that `read` reads.

        folder: of a study file, from which the path of a file is written.
        """
        found = {name: getattr(self, name) for name in DIALS if not self._neutral(name)}
        if folder is not None and self.rules:
            found["rules"] = self.rules.written(folder)
        return {name: value if value is True else _text(value) for name, value in found.items()}

    def _neutral(self, name: str) -> bool:
        """Whether a dial changes nothing."""
        of = _OF.get(name)
        return getattr(self, name) == DIALS[name][1] or (of is not None and self._neutral(of))

    def places(self, s: int) -> int:
        """How many places a patch has where the plain grammar, or one's own rules, have s."""
        return max(s, self.mixed) * (self.sparse + 1)

    @property
    def has_blank(self) -> bool:
        """Whether a place may hold no token, which a network reads as a token of its own."""
        return bool(self.mixed or self.sparse) or (bool(self.rules) and self.rules.has_blank)

    def grammar(self, v: int, n: int, m: int, s: int, L: int, seed: int) -> TreeGrammar:
        """The variant of a kind of grammar.  Raises SynaptreeError where its dials do not fit."""
        chosen = [name for name in SOURCES if not self._neutral(name)]
        if len(chosen) > 1:
            raise SynaptreeError(f"variant: {' and '.join(chosen)} given; expected one of them")
        source = self.rules.at_hand() if self.rules else RandomHierarchyModel(v, n, m, s, L, seed)
        if self.correlation_free:
            b = round(m ** (1 / (s - 1)))
            if b ** (s - 1) != m:
                near = max(2, b) ** (s - 1)
                raise SynaptreeError(
                    f"variant correlation_free: m={m} with s={s}; expected m = b**(s-1), as {near}"
                )
            source = CorrelationFree(v, n, b, s, L, seed)
        if self.mixed:
            sizes = tuple(sorted((s, self.mixed)))
            source = MixedRules(v, n, (m, m), sizes, L, seed)
        if self.packed and not (self.mixed or self.rules):
            raise SynaptreeError(
                "variant packed: given with rules of one size; expected it with mixed or rules"
            )
        noise = None
        if self.noise or self.rule_noise:
            noise = Noise(self.noise, self.rule_noise)
        return TreeGrammar(
            source,
            None if self.zipf == -1 else Zipf(self.zipf, self.zipf_levels or None),
            sparse=Sparse(self.sparse, self.sparse_form) if self.sparse else None,  # pyright: ignore[reportArgumentType]
            noise=noise,
            layout="packed" if self.packed else "aligned",
            length=self.length or None,
        )


def _pairs(given: object) -> list[tuple[object, object]]:
    if isinstance(given, Mapping):
        return list(cast(Mapping[object, object], given).items())
    if isinstance(given, Dials):
        return [(name, getattr(given, name)) for name in DIALS]
    if not isinstance(given, str):
        raise SynaptreeError(
            f"variant: {shown(given)} given; expected dials as zipf=1,noise=0.05, of {NAMES}"
        )
    pairs: list[tuple[object, object]] = []
    for part in filter(None, map(str.strip, given.split(","))):
        name, _, value = part.partition("=")
        pairs.append((name.strip(), value if "=" in part else True))
    return pairs


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(map(str, cast(tuple[int, ...], value)))
    return str(value).removesuffix(".0")


class Variant(str):
    """The text of a variant, as it is kept, with its dials; empty for the plain grammar."""

    dials: Dials

    def __new__(cls, dials: Dials) -> Self:
        self = super().__new__(cls, str(dials))
        self.dials = dials
        return self

    @classmethod
    def given(cls, value: object, rules: ReadRules = RulesFile.given) -> Self:
        """The variant that a value names; see `Dials.read`."""
        return value if isinstance(value, cls) else cls(Dials.read(value, rules))

    def __reduce__(self) -> tuple[Any, ...]:
        return Variant, (self.dials,)

    @classmethod
    def __get_pydantic_core_schema__(cls, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cs.no_info_plain_validator_function(
            cls.given, serialization=cs.to_string_ser_schema(when_used="json")
        )

    @property
    def identity(self) -> str:
        """The text without the name of a file: what the id of a run covers."""
        rules = self.dials.rules
        return str(self).replace(f"rules={rules}", f"rules={rules.sha256}") if rules else str(self)

    def written(self, folder: Path) -> str | dict[str, Any]:
        """The value in a study file in this folder."""
        return self.dials.spelled(folder) if self.dials.rules else str(self)


PLAIN = Variant(Dials())


@lru_cache(maxsize=256)
def variant(text: str, v: int, n: int, m: int, s: int, L: int, seed: int) -> TreeGrammar:
    """The grammar of a variant, or of its text."""
    return Variant.given(text).dials.grammar(v, n, m, s, L, seed)

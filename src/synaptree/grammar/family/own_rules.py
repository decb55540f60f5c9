"""A user's own rules: from arrays, from nested lists, or from a JSON file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from synaptree.errors import SynaptreeError, checked_integer, shown
from synaptree.grammar.family.ambiguity import derivation_text, two_derivations
from synaptree.grammar.family.level_rules import ABSENT, LevelRules, checked_probabilities
from synaptree.safely import read_plain

FORMAT = "synaptree-rules/1"
_LARGEST_FILE = 2**28
_Rules = tuple[tuple[tuple[int, ...], ...], ...]


@dataclass(frozen=True)
class OwnRules:
    """Rules given one by one; levels may differ in features, in rules a feature, and in sizes.

    Args:
        rules: for each level 1..L, the lowest first, for each of its features, its rules; a rule is
            the tuple of its children, features of the level below. An array (features, m, s) for
            each level will do. The features of level L are the classes.
        probabilities: for each level, for each feature, how likely its rules are; None: all
            equally.
        tokens: size of the token vocabulary; None: the largest token that occurs, plus 1.
        ambiguous: True allows strings that have two derivations. Otherwise they are an error, which
            shows two derivations of one string.

    Raises:
        SynaptreeError: naming the level and the feature.
    """

    rules: tuple[_Rules, ...]
    probabilities: tuple[tuple[tuple[float, ...], ...], ...] | None = None
    tokens: int | None = None
    ambiguous: bool = False

    def __post_init__(self) -> None:
        if len(_listed("own rules", self.rules)) == 0:
            raise SynaptreeError("own rules: no level; expected the rules of levels 1..L")
        rules = tuple(_checked_level(level, given) for level, given in enumerate(self.rules, 1))
        object.__setattr__(self, "rules", rules)
        largest = max(token for rows in rules[0] for rule in rows for token in rule)
        tokens = largest + 1 if self.tokens is None else self.tokens
        object.__setattr__(self, "tokens", checked_integer("own rules tokens", tokens, 2, 2**31))
        if len(rules[-1]) < 2:
            raise SynaptreeError("own rules: 1 class at the top level; expected at least 2")
        for level, rows in enumerate(rules, 1):
            _check_children(level, rows, self.symbols[level - 1])
        if self.probabilities is not None:
            given = _listed("own probabilities", self.probabilities)
            if len(given) != len(rules):
                raise SynaptreeError(
                    f"own probabilities: {len(given)} levels; expected {len(rules)}"
                )
            checked = tuple(
                _checked_weights(level, weights, rows)
                for level, (weights, rows) in enumerate(zip(given, rules, strict=True), 1)
            )
            object.__setattr__(self, "probabilities", checked)
        if not self.ambiguous and (pair := two_derivations(self.level_rules)) is not None:
            one, two = (derivation_text(tree) for tree in pair)
            both = f"{one} and also {two}" if one != two else f"{one} in two ways, by equal rules"
            raise SynaptreeError(
                f"own rules: ambiguous: {both}; expected one derivation of each string, or"
                ' ambiguous=True (in a file "ambiguous": true)'
            )

    @property
    def symbols(self) -> tuple[int, ...]:
        """How many symbols levels 0..L have."""
        return (int(self.tokens or 0), *(len(rows) for rows in self.rules))

    @cached_property
    def level_rules(self) -> tuple[LevelRules, ...]:
        return tuple(self._level(index) for index in range(len(self.rules)))

    def _level(self, index: int) -> LevelRules:
        rows = self.rules[index]
        m, s = max(map(len, rows)), max(len(rule) for rules in rows for rule in rules)
        tuples = np.full((len(rows), m, s), ABSENT, np.int64)
        likely = np.zeros((len(rows), m))
        for owner, rules in enumerate(rows):
            likely[owner, : len(rules)] = (
                1 / len(rules) if self.probabilities is None else self.probabilities[index][owner]
            )
            for number, rule in enumerate(rules):
                tuples[owner, number, : len(rule)] = rule
        return LevelRules(tuples, likely)

    @classmethod
    def from_json(cls, path: str | Path, ambiguous: bool = False) -> "OwnRules":
        """The rules in a file that `to_json` wrote, or that was written like it."""
        path = Path(path)
        try:
            content: Any = json.loads(read_plain(path, _LARGEST_FILE))
        except (ValueError, RecursionError) as fault:
            if isinstance(fault, SynaptreeError):
                raise
            raise SynaptreeError(f"own rules {path.name}: no JSON ({shown(str(fault))})") from None
        if not isinstance(content, Mapping) or content.get("format") != FORMAT:
            kind = content.get("format") if isinstance(content, Mapping) else content
            raise SynaptreeError(
                f"own rules {path.name}: format {shown(kind)}; expected {FORMAT!r} beside"
                ' "rules": the rules of each level, lowest first'
            )
        if unknown := set(content) - {"format", "tokens", "rules", "probabilities", "ambiguous"}:
            raise SynaptreeError(
                f"own rules {path.name}: key {shown(min(unknown))}; expected rules, probabilities,"
                " tokens and ambiguous"
            )
        allowed = content.get("ambiguous", False)
        if not isinstance(allowed, bool):
            raise SynaptreeError(
                f"own rules {path.name}: ambiguous {shown(allowed)}; expected true or false"
            )
        return cls(
            content.get("rules", ()),
            content.get("probabilities"),
            content.get("tokens"),
            ambiguous or allowed,
        )

    def to_json(self) -> str:
        """The text of a file for `from_json`."""
        content: dict[str, Any] = {"format": FORMAT, "tokens": self.tokens, "rules": self.rules}
        if self.probabilities is not None:
            content["probabilities"] = self.probabilities
        if self.ambiguous:
            content["ambiguous"] = True
        return json.dumps(content, indent=1)


def _listed(where: str, value: Any) -> Sequence[Any]:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list | tuple):
        return value
    raise SynaptreeError(f"{where}: {shown(value)}; expected a list")


def _checked_level(level: int, given: Any) -> _Rules:
    rows = _listed(f"own rules level {level}", given)
    checked: list[tuple[tuple[int, ...], ...]] = []
    for owner, rules in enumerate(rows):
        where = f"own rules level {level} feature {owner}"
        listed = [tuple(_listed(where, rule)) for rule in _listed(where, rules)]
        if not listed:
            raise SynaptreeError(f"{where}: no rule; expected at least one")
        if not all(listed):
            raise SynaptreeError(f"{where}: a rule without children; expected at least one child")
        checked.append(
            tuple(tuple(checked_integer(where, child, 0) for child in rule) for rule in listed)
        )
    if not checked:
        raise SynaptreeError(f"own rules level {level}: no feature; expected at least one")
    return tuple(checked)


def _check_children(level: int, rows: _Rules, below: int) -> None:
    for owner, rules in enumerate(rows):
        for rule in rules:
            if max(rule) >= below:
                raise SynaptreeError(
                    f"own rules level {level} feature {owner}: child {max(rule)}; expected features"
                    f" 0..{below - 1} of level {level - 1}"
                )


def _checked_weights(level: int, given: Any, rows: _Rules) -> tuple[tuple[float, ...], ...]:
    where = f"own probabilities level {level}"
    weights = _listed(where, given)
    if len(weights) != len(rows):
        raise SynaptreeError(f"{where}: {len(weights)} features; expected {len(rows)}")
    return tuple(
        tuple(checked_probabilities(f"{where} feature {f}", w, (len(rules),)).tolist())
        for f, (w, rules) in enumerate(zip(weights, rows, strict=True))
    )

"""A person's own rules as the grammar of a run, from a JSON file or as `OwnRules`."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from synaptree.errors import SynaptreeError, shown
from synaptree.grammar.family.own_rules import OwnRules
from synaptree.sources.brought import Brought

LONGEST = 200  # characters of a file's name


class RulesFile(Brought[OwnRules]):
    """Rules of a person's own, from a file that `OwnRules.to_json` wrote, or one like it."""

    where: ClassVar[str] = "variant rules"
    file: ClassVar[str] = "a .json file"
    wanted: ClassVar[str] = "OwnRules"

    @classmethod
    def read(cls, path: Path) -> "RulesFile":
        """The rules in a file.  Raises SynaptreeError where they are no rules."""
        if "," in path.name or len(path.name) > LONGEST:
            raise SynaptreeError(
                f"{cls.where} {shown(path.name)}: such a file name given; expected one without "
                f"commas, of at most {LONGEST} characters"
            )
        try:
            return cls.of(OwnRules.from_json(path), path)
        except SynaptreeError as fault:
            said = str(fault).removeprefix("own rules").removeprefix(f" {path.name}")
            if said == str(fault):
                said = f": {fault}"
            raise SynaptreeError(f"{cls.where} {path.name}{said}") from None

    @classmethod
    def of(cls, rules: OwnRules, path: Path | None = None) -> "RulesFile":
        """These rules.  path: of the file that they came from."""
        held = json.dumps([rules.tokens, rules.rules, rules.probabilities], separators=(",", ":"))
        sha256 = hashlib.sha256(held.encode()).hexdigest()[:16]
        return cls("own" if path is None else path.name, sha256, rules, path)

    @classmethod
    def given(cls, value: object, folder: Path | None = None) -> "RulesFile":
        """The rules that a value names: `OwnRules`, the path of a file, or ``NAME@HASH``.

        folder: of a study file, in which a path starts, and may end in ``@HASH``.
        """
        if isinstance(value, RulesFile):
            return value
        if isinstance(value, OwnRules):
            return cls.of(value)
        if value is not None and not isinstance(value, str | Path):
            raise SynaptreeError(
                f"{cls.where}: {shown(value)} given; expected OwnRules, or the path of a .json file"
            )
        text = "" if value is None else str(value).strip()
        if not text:
            return NO_RULES
        if folder is not None:
            return cls.located(text, folder)
        return cls.load(text) if (named := cls.named(text)) is None else named

    @classmethod
    def known(cls, value: object) -> "RulesFile":
        """The rules that a row of results names: no file is opened because a row names it."""
        if (named := cls.named(str(value))) is None:
            raise SynaptreeError(f"{cls.where}: {shown(value)} given; expected a name with a hash")
        return named

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The sizes of a run on these rules: m is the most rules of a feature, s the longest."""
        rules = self.at_hand()
        levels = [level.tuples.shape for level in rules.level_rules]
        return {
            "v": rules.symbols[0],
            "n": rules.symbols[-1],
            "m": max(m for _, m, _ in levels),
            "s": max(s for _, _, s in levels),
            "L": len(levels),
        }

    @cached_property
    def has_blank(self) -> bool:
        """Whether some rules of a level are shorter than others."""
        sizes = [{len(rule) for rows in level for rule in rows} for level in self.at_hand().rules]
        return any(len(each) > 1 for each in sizes)

    def check(self) -> None:
        """Raise SynaptreeError where a network cannot read strings of these rules."""
        longest = [level.tuples.shape[2] for level in self.at_hand().level_rules]
        if len(set(longest)) > 1:
            found = ", ".join(map(str, longest))
            raise SynaptreeError(
                f"{self.where} {self.name}: the longest rules of levels 1..{len(longest)} have "
                f"{found} children, but a network reads patches of one size; expected as many at "
                "each level"
            )
        if longest[0] < 2:
            raise SynaptreeError(
                f"{self.where} {self.name}: rules of one child given; expected a rule of two or "
                "more at each level"
            )


NO_RULES = RulesFile("", "")

"""Rules from outside the package: what identifies them in a spec."""

import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from synaptree.errors import SynaptreeError
from synaptree.rules import Rule


@cache
def source_hash(rule: type[Rule]) -> str | None:
    """The first 16 hex digits of the SHA-256 of a rule's file; None for a rule of the package, or
    one that has no file."""
    file = getattr(sys.modules.get(rule.__module__), "__file__", None)
    if rule.__module__.startswith("synaptree.rules.") or file is None:
        return None
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]


def loaded_rule(name: str, source: str) -> type[Rule]:
    """The class with this name and hash.  Raises SynaptreeError where no file with it is loaded."""
    for rule in _subclasses(Rule):
        field = rule.model_fields.get("name")
        if field is not None and field.default == name and source_hash(rule) == source:
            return rule
    raise SynaptreeError(
        f"rule {name}: made by a file with hash {source}, which is not loaded; expected its path, "
        "as in my_rules.py:MyRule"
    )


def _subclasses(of: type[Rule]) -> Iterator[type[Rule]]:
    for rule in of.__subclasses__():
        yield rule
        yield from _subclasses(rule)

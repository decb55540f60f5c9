"""Stand-in until the rules helper's registry is merged: rules from files."""

import hashlib
import inspect
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from synaptree.errors import SynaptreeError
from synaptree.rules.base import Rule

_FILE = re.compile(r"(.+\.py)(?::(\w+))?")


@dataclass(frozen=True)
class Source:
    """The file that a rule comes from: its base name, the hash of its text, its text."""

    file: str
    sha256: str
    text: str


_SOURCES: dict[str, Source] = {}  # by module name


def is_file(reference: str) -> bool:
    """Whether a reference names a file."""
    return _FILE.fullmatch(reference) is not None


def from_file(reference: str) -> type[Rule]:
    """The class that ``my_rules.py:MyRule`` names."""
    match = _FILE.fullmatch(reference)
    assert match
    path, name = Path(match[1]), match[2]
    try:
        text = path.read_text("utf-8")
    except OSError as fault:
        reason = (fault.strerror or "").lower()
        raise SynaptreeError(f"rule: {match[1]!r} cannot be read ({reason})") from None
    source = Source(path.name, hashlib.sha256(text.encode()).hexdigest()[:16], text)
    module = _module(source)
    rules: dict[str, Any] = {
        n: c
        for n, c in vars(module).items()
        if inspect.isclass(c) and issubclass(c, Rule) and c.__module__ == module.__name__
    }
    if name is None and len(rules) == 1:
        (name,) = rules
    if name not in rules:
        raise SynaptreeError(f"rule: {reference!r} given; expected one of {', '.join(rules)}")
    return rules[name]


def _module(source: Source) -> ModuleType:
    name = f"synaptree_rules_{Path(source.file).stem}_{source.sha256}"
    if name not in sys.modules:
        module = ModuleType(name)
        sys.modules[name] = module
        try:
            exec(compile(source.text, source.file, "exec"), vars(module))
        except BaseException as fault:
            del sys.modules[name]
            raise SynaptreeError(f"rule: {source.file}: {type(fault).__name__}: {fault}") from None
        _SOURCES[name] = source
    return sys.modules[name]


def source_of(rule: type[Rule]) -> Source | None:
    """Where a class comes from; None for the package's own."""
    return _SOURCES.get(rule.__module__)


def adopt(sources: Sequence[Source]) -> None:
    """Make the classes of files available that the driver loaded."""
    for source in sources:
        _module(source)

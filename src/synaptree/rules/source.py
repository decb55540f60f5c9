"""What identifies a rule from outside the package: the file that its class is written in."""

import hashlib
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from synaptree.errors import SynaptreeError, shown


@dataclass(frozen=True)
class Source:
    """A rule's file.

    file: its base name.  sha256: the first 16 hex digits of the hash of its text.  module: the name
    under which Python knows it.
    """

    file: str
    sha256: str
    text: str
    module: str = ""


LOADED: dict[str, Source] = {}  # by module name, the files that the registry has executed


def hash_of(text: str) -> str:
    """What identifies a text: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_text(path: Path) -> str:
    """The text of a rule's file.  Raises SynaptreeError where it cannot be read."""
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as fault:  # ValueError: no UTF-8 text, or no name of a file
        reason = (getattr(fault, "strerror", None) or "not UTF-8 text").lower()
        raise SynaptreeError(
            f"rule {shown(str(path))}: cannot be read ({reason}); expected a Python file, as "
            "my_rules.py:MyRule"
        ) from None


@cache
def source_of(rule: type) -> Source | None:
    """The file of a rule's class; None for the package's own, and where there is no file (as in a
    notebook)."""
    module = rule.__module__
    if module.startswith("synaptree.rules."):
        return None
    if module in LOADED:
        return LOADED[module]
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None or not Path(file).is_file():
        return None
    text = read_text(Path(file))
    return Source(Path(file).name, hash_of(text), text, module)

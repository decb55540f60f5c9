"""Docstrings of this package, read for the reference.

They say what an argument or a field means in sentences such as ``P: the number of strings.  batch:
inputs in a step.``  The site shows each of these in a line of its own.
"""

import inspect
import re
from collections.abc import Collection
from dataclasses import fields, is_dataclass
from typing import Any

CODE = re.compile(r"``.+?``|`[^`]+`")
EMPHASIS = re.compile(r"(?<![\w*\\])\*(?=\w)([^*\n]+)(?<=\w)\*(?![\w*])")
# What numpy's ArrayLike stands for, written out.
ARRAY_LIKE = re.compile(r"[\w.~]*_Buffer \| .*?_NestedSequence\[[^\[\]]*\]")
ROLE = re.compile(r"^:\w+(?: \w+)?:")


def names_of(thing: Any) -> list[str]:
    """The arguments of a function, or the fields of a class."""
    if hasattr(thing, "model_fields"):
        return list(thing.model_fields)
    if is_dataclass(thing):
        return [field.name for field in fields(thing)]
    try:
        return list(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return []


def split(text: str, names: Collection[str]) -> list[tuple[list[str], str]]:
    """A docstring in pieces: what it says of no name in particular has no names."""
    if not names:
        return [([], text)]
    one = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    start = re.compile(rf"(?:(?<=\n)|(?<=  ))((?:{one})(?:, (?:{one}))*): ")
    pieces: list[tuple[list[str], str]] = []
    named: list[str] = []
    end = 0
    text = f"\n{text}"
    for found in start.finditer(text):
        pieces += _closed(named, text[end : found.start()])
        named, end = found[1].split(", "), found.end()
    return [piece for piece in [*pieces, *_closed(named, text[end:])] if piece[1].strip()]


def _closed(named: list[str], text: str) -> list[tuple[list[str], str]]:
    """What is said of names ends with the paragraph, or where a line says what is returned."""
    if not named:
        return [([], text)]
    said, *rest = re.split(r"\n(?=\s*\n|Returns |Raises )", text, maxsplit=1)
    return [(named, said), *(([], each) for each in rest)]


def meanings(*things: Any) -> dict[str, str]:
    """What the docstrings of classes say of each of their fields, in one line."""
    found: dict[str, str] = {}
    for thing in things:
        for named, text in split(inspect.getdoc(thing) or "", names_of(thing)):
            found |= {name: " ".join(text.split()) for name in named if name not in found}
    return found


def as_fields(
    _app: Any, what: str, _name: str, thing: Any, _options: Any, lines: list[str]
) -> None:
    """Give each argument a line of its own (an event of autodoc)."""
    if not lines:
        return
    if what == "module":
        lines[:] = lines[:1]
    found: list[str] = []
    for named, text in split("\n".join(lines), names_of(thing)):
        if named:
            found += ["", f"- **{', '.join(named)}**: {' '.join(escaped(text).split())}", ""]
        else:
            found += [escaped(line) for line in text.splitlines() if line != "Args:"]
    lines[:] = _code_blocks(found)


def short_signature(
    _app: Any, _what: str, _name: str, thing: Any, _options: Any, text: str | None, returns: Any
) -> tuple[str, str | None] | None:
    """Classes of many settings have their fields listed below; and arrays are named in short (an
    event of autodoc)."""
    if hasattr(thing, "model_fields"):
        return "(**settings)", None
    return (ARRAY_LIKE.sub("ArrayLike", text), returns) if text else None


def _code_blocks(lines: list[str]) -> list[str]:
    """Indented lines after a blank one are code, as in Markdown."""
    found: list[str] = []
    inside = False
    for line in lines:
        indented = line.startswith("    ")
        if indented and not inside and (not found or not found[-1].strip()):
            found += ["::", ""]
        inside = indented or (inside and not line.strip())
        found.append(line)
    return found


def escaped(text: str) -> str:
    """Asterisks and bars that mark nothing, as in P* or a | b."""
    if text.startswith("    ") or ROLE.match(text):
        return text
    found: list[str] = []
    end = 0
    for code in [*CODE.finditer(text), None]:
        plain = text[end : code.start() if code else len(text)]
        kept = EMPHASIS.sub(lambda mark: f"\0{mark[1]}\0", plain)
        found.append(re.sub(r"[*|]", r"\\\g<0>", kept).replace("\0", "*"))
        if code:
            found.append(code[0])
            end = code.end()
    return "".join(found)

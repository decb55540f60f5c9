"""Read the prose of pages and docstrings for length and wording: python tools/prose.py [FILE...].

`tools/prose.yaml` is the style.  Code, headings and targets of links are not read.  It prints a
line for each fault, and ends with 1 if there are any.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
STYLE: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "prose.yaml").read_text("utf-8"))
FEWEST = 5  # sentences, below which an average says little
# Points that end no sentence: in abbreviations, in initials, between numbers.
NO_END = re.compile(r"\b(?:e\.g|i\.e|al|vs|cf|Fig|Eq|arXiv|Proc|Front|Comput|Neurosci|[A-Z])\.$")
END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9`*])")
# The paragraph of a docstring that lists what arguments or fields mean.
LISTED = re.compile(r"\w+(?:, \w+)*: ")
# Between these comments a page may say what nobody should write.
SWITCH = re.compile(r"<!-- prose: (on|off) -->")
WORD = re.compile(r"[^\W_](?:[\w'’-]*\w)?")


@dataclass(frozen=True)
class Text:
    """A paragraph, an item of a list, or a cell of a table, and where it begins.

    cell: whether it stands in a table, or lists what some names mean.
    """

    line: int
    words: str
    cell: bool = False


def pages() -> list[Path]:
    """The Markdown files that people read, without those that programs write."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [path for path in found if path.parent.name != "rules"]


def markdown(source: str) -> Iterator[Text]:
    """The prose of a Markdown file."""
    source = re.sub(
        r"\A---\n.*?\n---\n", lambda front: "\n" * front[0].count("\n"), source, flags=re.S
    )
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    reads = True
    for before, token in pairwise(tokens):
        if token.type == "html_block" and (switch := SWITCH.search(token.content)):
            reads = switch[1] == "on"
        if reads and token.type == "inline" and before.type != "heading_open":
            line = (token.map or before.map or [0])[0] + 1
            cell = before.type in ("td_open", "th_open")
            yield Text(line, _said(token.children or []), cell)


def _said(parts: Iterable[Token]) -> str:
    words = ""
    for part in parts:
        words += {
            "text": part.content,
            "code_inline": "`code`",
            "softbreak": " ",
            "hardbreak": " ",
        }.get(part.type, "")
    return words


def docstrings(source: str) -> Iterator[Text]:
    """The paragraphs of docstrings; what is set apart in them is code."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        text = ast.get_docstring(node)
        if not text:
            continue
        line = node.body[0].lineno
        for paragraph in re.split(r"\n\s*\n", text):
            if not paragraph.startswith(("    ", "===")):  # an example, or a table
                plain = re.sub(r"``.+?``|`[^`]+`", "`code`", " ".join(paragraph.split()))
                yield Text(line, plain, cell=LISTED.match(plain) is not None)
            line += paragraph.count("\n") + 2


def sentences(text: str) -> list[str]:
    """A paragraph in sentences.  A colon or a semicolon ends none."""
    found: list[str] = []
    for piece in END.split(text):
        if found and NO_END.search(found[-1]):
            found[-1] += f" {piece}"
        elif WORD.search(piece):
            found.append(piece)
    return found


def length(texts: Iterable[Text]) -> tuple[float, int]:
    """The mean number of words in a sentence, and how many sentences there are.

    Cells of tables and lists of names are often no sentences, and so are not counted.
    """
    lengths = [
        len(WORD.findall(s)) for text in texts if not text.cell for s in sentences(text.words)
    ]
    return (sum(lengths) / len(lengths) if lengths else 0.0), len(lengths)


def faults(texts: list[Text], style: dict[str, Any] = STYLE) -> Iterator[tuple[int, str]]:
    """What the style finds in a page or a module: the line, and a sentence."""
    mean, count = length(texts)
    if count >= FEWEST and mean > style["most_words"]:
        yield 1, f"{mean:.1f} words a sentence; expected at most {style['most_words']}"
    for text in texts:
        for pattern, instead in style["phrases"].items():
            for found in re.finditer(pattern, text.words, re.IGNORECASE):
                yield text.line, f"{found[0].strip()!r}: {instead}"


def read(path: Path) -> list[Text]:
    """The prose of a file: a page, or the docstrings of a module."""
    source = path.read_text("utf-8")
    return list(markdown(source) if path.suffix == ".md" else docstrings(source))


def main(names: list[str]) -> int:
    """Print the faults of files, by default of all pages and docstrings."""
    paths = [Path(name) for name in names] or [
        *pages(), *sorted((ROOT / "src").rglob("*.py"))
    ]  # fmt: skip
    count = 0
    for path in paths:
        for line, fault in faults(read(path)):
            print(
                f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}:{line}: {fault}"
            )
            count += 1
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

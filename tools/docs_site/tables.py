"""Tables in Markdown."""

from collections.abc import Iterable

from docs_site.docstrings import CODE


def cell(text: object) -> str:
    """Text in a cell of a table, in one line; what is marked as code stays so."""
    plain = " ".join(str(text).split())
    found: list[str] = []
    end = 0
    for marked in CODE.finditer(plain):
        found += [_escaped(plain[end : marked.start()], "\\|*_[]<>"), _escaped(marked[0], "|")]
        end = marked.end()
    return "".join([*found, _escaped(plain[end:], "\\|*_[]<>")])


def _escaped(text: str, marks: str) -> str:
    return "".join(f"\\{sign}" if sign in marks else sign for sign in text)


def code(text: object) -> str:
    """Text as code, in a cell of a table."""
    return f"`{_escaped(str(text), '|')}`"


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown, of cells that are ready."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

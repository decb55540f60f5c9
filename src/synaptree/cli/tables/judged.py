"""The first page of a judged rule in a terminal."""

import textwrap

from rich.console import Console
from rich.table import Table

from synaptree.cli.tables.claims import COLOURS
from synaptree.cli.words import cell, show
from synaptree.report.first_page import KIND_HEADS, SIGNS, FirstPage
from synaptree.safely import printable

WIDEST = 100  # letters of a line of text
NARROWEST = 40
HEAD = 16  # letters of a fact's head


def print_page(page: FirstPage, console: Console) -> None:
    """Print what a judgement says of one rule."""
    width = max(NARROWEST, min(WIDEST, console.width))
    _print(console, "")
    _print(console, "\n".join(textwrap.wrap(printable(f"{page.name} {page.headline}"), width)),
           style="bold")  # fmt: skip
    for warning in page.warnings:
        _print(console, _hanging("✗ ", warning, width), style="bold red")
    _print(console, "")
    table = Table(title_justify="left", box=None, padding=(0, 2, 0, 0))
    for head in KIND_HEADS:
        table.add_column(head)
    for row in page.kinds:
        table.add_row(*map(cell, row))
    show(table, console)
    _print(console, "")
    for head, text in page.facts:
        _print(console, _hanging(f"{head:{HEAD}}", text, width))
    _print(console, "")
    _print(console, "The claims of the study, asked of this rule alone", style="bold")
    for claim in page.claims:
        colour = COLOURS.get(claim.verdict, "dim")
        if claim.sentence:
            _print(console, _hanging(f"{claim.number:3}", claim.sentence, width))
        head = f"   {SIGNS[claim.verdict]} " if claim.sentence else f"{claim.number} "
        comma = ", " if claim.said.startswith("because") else ": "
        said = comma.join(filter(None, (claim.verdict, claim.said)))
        _print(console, _hanging(head, said, width), style=colour)


def _hanging(head: str, text: str, width: int) -> str:
    """A text in lines that begin below each other, behind a head."""
    first = head if head.endswith(" ") else f"{head} "
    return "\n".join(
        textwrap.wrap(
            printable(text), width, initial_indent=first, subsequent_indent=" " * len(first)
        )
    )


def _print(console: Console, text: str, style: str | None = None) -> None:
    console.print(text, soft_wrap=True, markup=False, highlight=False, style=style)

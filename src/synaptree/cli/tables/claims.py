"""The claims of the study with their verdicts, of both registrations."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from synaptree.claims.base import Outcome
from synaptree.claims.second.outcome import Outcome as SecondOutcome
from synaptree.cli.words import show
from synaptree.report.registrations import beside, first_judged_on, judged_on
from synaptree.report.theses import THESES
from synaptree.safely import printable

COLOURS = {
    **dict.fromkeys(("reproduced", "holds", "holds within"), "green"),
    **dict.fromkeys(("not reproduced", "fails"), "red"),
    **dict.fromkeys(("undecided", "mixed"), "yellow"),
}


def print_claims(
    outcomes: Sequence[Outcome],
    seconds: Sequence[SecondOutcome],
    console: Console,
    notes: Sequence[str] = (),
) -> None:
    """Print a row for each claim of the second registration, beside the one that it asks anew.

    notes: sentences below.
    """
    table = Table(title="The claims of the study", title_justify="left")
    for name in ("", "claim", "first registration", "second"):
        table.add_column(name)
    for row in beside(outcomes, seconds):
        of_first = _coloured(row.first.verdict) if row.first and row.span else ""
        second = row.second
        table.add_row(
            second.number, THESES[second.number].topic, of_first, _coloured(second.verdict)
        )
    show(table, console)
    console.print(
        f"first: written before any run, {first_judged_on(seconds)}; "
        f"second: after the first's outcomes, {judged_on(seconds)}",
        markup=False,
        highlight=False,
    )
    for note in notes:
        console.print(printable(note), markup=False, highlight=False)


def _coloured(verdict: str) -> str:
    return f"[{COLOURS[verdict]}]{verdict}" if verdict in COLOURS else verdict

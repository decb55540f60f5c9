"""The table of the study's claims, with their verdicts."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from synaptree.claims.judge import Outcome
from synaptree.cli.words import cell, show

COLOURS = {"reproduced": "green", "not reproduced": "red", "undecided": "yellow"}


def print_claims(outcomes: Sequence[Outcome], console: Console) -> None:
    """Print a row for each claim."""
    table = Table(title="The claims of the study", title_justify="left", show_lines=True)
    for name in ("", "claim", "outcome", "effect"):
        table.add_column(name, ratio={"claim": 2, "effect": 3}.get(name))
    for outcome in outcomes:
        verdict = f"[{COLOURS[outcome.verdict]}]{outcome.verdict}"
        effects = "\n".join(map(cell, outcome.effects))
        table.add_row(str(outcome.number), cell(outcome.claim), verdict, effects)
    show(table, console)

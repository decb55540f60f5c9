"""The winners of a search, a table for each kind of grammar."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table

from synaptree.cli.words import cell, show
from synaptree.results.columns import kind_name
from synaptree.study.search.entries import words
from synaptree.study.search.race import Winner


def print_winners(winners: Sequence[Winner], console: Console) -> None:
    """Print the best setting of each rule, the lowest error first."""
    for kind, group in groupby(winners, key=lambda winner: winner.contest.kind):
        rows = sorted(group, key=lambda winner: winner.error)
        first = rows[0].contest
        about = f"{kind_name(dict(first.base))} P={first.base.P}"
        title = cell(
            f"{kind} ({about}), {first.budget} inputs a run: the best setting of each rule"
        )
        table = Table(title=title, title_justify="left")
        for name in ("rule", "error", "range", "setting", "tried", "runs", "edge"):
            words_in_it = name in ("rule", "setting", "edge")
            table.add_column(name, justify="left" if words_in_it else "right")
        for winner in rows:
            errors = [100 * error for error in winner.errors]
            table.add_row(
                cell(winner.contest.rule),
                f"{100 * winner.error:.1f}%",
                f"{min(errors):.1f} – {max(errors):.1f}",
                cell(words(winner.contest.space.setting(winner.point))),
                str(winner.settings),
                f"{winner.runs} ({winner.failed} failed)" if winner.failed else str(winner.runs),
                cell(winner.verdict),
            )
        show(table, console)

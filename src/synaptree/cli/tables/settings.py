"""The best settings of each rule, a table for each kind of grammar."""

import pandas as pd
from rich.console import Console
from rich.table import Table

from synaptree.analysis.settings import best_settings
from synaptree.cli.words import cell, show


def print_settings(frame: pd.DataFrame, console: Console) -> None:
    """Print the best settings of each rule in `load`'s frame, the lowest error first."""
    best = best_settings(frame)
    if len(best) == 0:
        return
    many = bool((best["tried"] > 1).any())
    more = [*(["tried", "settings"] if many else []), *(["state"] if best["state"].any() else [])]
    for grammar, rows in best.groupby("grammar", sort=False):
        title = f"{grammar}: test error of the best settings" if many else f"{grammar}: test error"
        table = Table(title=title, title_justify="left")
        for name in ("rule", "mean", "range", "runs", *more):
            words = name in ("rule", "settings", "state")
            table.add_column(name, justify="left" if words else "right")
        for row in rows.sort_values("test_error", kind="stable").to_dict("records"):
            mean = f"{100 * row['test_error']:.1f}%"
            spread = f"{100 * row['lowest']:.1f} – {100 * row['highest']:.1f}"
            cells = [cell(row["label"]), mean, spread, str(row["replicas"])]
            if many:
                diverged = f" ({row['diverged']} diverged)" if row["diverged"] else ""
                cells += [f"{row['tried']}{diverged}", cell(row["settings"])]
            table.add_row(*cells, *([row["state"]] if "state" in more else []))
        show(table, console)

"""Words and numbers as the scoreboard says them, in pictures, pages and terminals alike."""

from collections.abc import Mapping
from typing import Any

NOT_RUN = "–"


def percent(fraction: float) -> str:
    """A fraction as a whole percentage."""
    return f"{100 * fraction:.0f}%"


def error_said(cell: Mapping[Any, Any]) -> str:
    """The mean test error of a cell: one decimal below ten per cent."""
    error = 100 * float(cell["error"])
    return f"{error:.1f}%" if error < 9.95 else f"{error:.0f}%"


def cell_said(name: str, cell: Mapping[Any, Any]) -> str:
    """What a cell of the scoreboard says in full."""
    return (
        f"{name}, {cell['kind']} P={cell['P']}: solves {cell['solved']} of {cell['of']} grammars "
        f"({percent(cell['low'])}–{percent(cell['high'])}), test error {error_said(cell)}; "
        f"{cell['settings']}"
    )

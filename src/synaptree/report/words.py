"""Words and numbers as the scoreboard says them, in pictures, pages and terminals alike."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from synaptree.analysis.paired import Estimate
from synaptree.claims.second.outcome import Share

NOT_RUN = "–"
NOT_KNOWN = "?"
INTERVAL = "95% interval "  # said once in a text


def percent(fraction: float) -> str:
    """A fraction as a whole percentage."""
    return f"{100 * fraction:.0f}%"


def error_of(error: float) -> str:
    """A test error: one decimal below ten per cent."""
    return f"{100 * error:.1f}%" if error < 0.0995 else percent(error)


def error_said(cell: Mapping[Any, Any]) -> str:
    """The mean test error of a cell; ``!`` where runs diverged."""
    text = error_of(float(cell["error"]))
    return f"{text}!" if cell["diverged"] else text


def cell_said(name: str, cell: Mapping[Any, Any]) -> str:
    """What a cell of the scoreboard says in full."""
    diverged = f", diverged in {cell['diverged']} of {cell['of']} runs" if cell["diverged"] else ""
    interval = f"{percent(cell['low'])}–{percent(cell['high'])}"
    return (
        f"{name}, {cell['kind']} P={cell['P']}: solves {cell['solved']} of {cell['of']} grammars "
        f"({interval}), test error {error_said(cell)}{diverged}; {cell['settings']}"
    )


def count_said(share: Share, noun: str = "grammars") -> str:
    """How many of how many, with the interval, as ``3 of 20 grammars (95% interval 3–38%)``."""
    low, high = percent(share.low), percent(share.high)
    return f"{share.hits} of {share.of} {noun} ({INTERVAL}{low.removesuffix('%')}–{high})"


def times_said(estimate: Estimate, what: str) -> str:
    """A ratio with its interval, as ``1.4 times as much (95% interval 1.2–1.7)``."""
    bound = "more than " if estimate.at_least else "at most " if estimate.at_most else ""
    low, high = number(estimate.low), number(estimate.high)
    interval = f"{low}–{high}" if isfinite(estimate.high) else f"from {low}"
    return f"{bound}{number(estimate.value)} times {what} ({INTERVAL}{interval})"


def points_said(estimate: Estimate) -> str:
    """A difference of errors in percentage points with its interval, as more or less."""
    more = estimate.value >= 0
    low, high = (100 * bound for bound in (estimate.low, estimate.high))
    low, high = (low, high) if more else (-high, -low)
    bounds = f"{whole(low)}–{whole(high)}" if low >= 0 else f"{whole(low)} to {whole(high)}"
    points = whole(abs(100 * estimate.value))
    unit = "point" if points == "1" else "points"
    return f"{points} {unit} {'more' if more else 'less'} error ({INTERVAL}{bounds})"


def number(value: float) -> str:
    """A ratio in as many digits as it has a meaning in."""
    if value < 0.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def whole(value: float) -> str:
    """A whole number, with a minus sign that is one."""
    return f"{round(value)}".replace("-", "−")


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def capital(text: str) -> str:
    """A sentence's beginning."""
    return text[:1].upper() + text[1:]

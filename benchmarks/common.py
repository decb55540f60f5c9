"""What the benchmarks share: their options, and how figures are written."""

import argparse
from collections.abc import Callable

from synaptree.training.process import prepare


def arguments(text: str | None, seconds: float = 20.0) -> argparse.Namespace:
    """The device and the seconds of each comparison."""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=seconds, help="of each comparison")
    return parser.parse_args()


def print_section(section: Callable[[str, float], list[str]], given: argparse.Namespace) -> None:
    """Measure and print one section of RESULTS.md."""
    prepare()
    print("\n".join(section(given.device, given.seconds)))


def shown(value: tuple[float, float, float], percent: bool = False) -> str:
    """Median with the range over the slices."""
    if percent:
        middle, low, high = (f"{100 * x:.{1 if x < 0.1 else 0}f}" for x in value)
        return f"{middle}% ({low} – {high})"
    middle, low, high = (f"{x:.2g}" if x < 0.1 else f"{x:.2f}" for x in value)
    return f"{middle} ({low} – {high})"

"""The options of all benchmarks, and how they write numbers."""

import argparse

from synaptree.training.process import prepare


def options(text: str | None, seconds: float = 20.0, **numbers: int) -> argparse.Namespace:
    """Read the device, the seconds of each comparison and other numbers, and set this process up
    for training."""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=seconds, help="of each comparison")
    for name, number in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=number)
    chosen = parser.parse_args()
    prepare()
    return chosen


def shown(value: tuple[float, float, float], percent: bool = False) -> str:
    """The median, with the range over the slices."""
    if percent:
        middle, low, high = (f"{100 * x:.{1 if x < 0.1 else 0}f}" for x in value)
        return f"{middle}% ({low} – {high})"
    middle, low, high = (f"{x:.2g}" if x < 0.1 else f"{x:.2f}" for x in value)
    return f"{middle} ({low} – {high})"

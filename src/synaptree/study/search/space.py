"""A space of settings: its axes, the settings that are drawn from it, and what lies beyond it."""

import hashlib
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

DIGITS = 3  # significant digits of a value beyond the end of an axis


@dataclass(frozen=True)
class Axis:
    """The values of one setting.

    name: a field of `RunSpec`, or ``rule.OPTION``.  log: the values are rising numbers on a
    logarithmic scale, and the axis goes on beyond its ends; else they are choices without an order.
    """

    name: str
    values: tuple[Any, ...]
    log: bool = False

    def beyond(self, value: Any) -> Any | None:
        """The value one step further out, for a value at an end of the axis or already beyond it.

        None for a value inside, for a choice, and where the axis cannot go on: below a whole number
        that has no smaller one, and below or above 0, which has no logarithm.
        """
        if not self.log:
            return None
        low, high = self.values[:2], self.values[-2:]
        if value >= high[1]:
            step = high[1] / high[0] if high[0] else 1.0
        elif value <= low[0]:
            step = low[0] / low[1]
        else:
            return None
        whole = all(isinstance(each, int) for each in self.values)
        further = round(value * step) if whole else float(f"{value * step:.{DIGITS}g}")
        return further if further and further != value else None

    def ends(self, value: Any) -> bool:
        """Whether a value is at an end of a logarithmic axis."""
        return self.log and not self.values[0] < value < self.values[-1]


@dataclass(frozen=True)
class Point:
    """A setting: the values of the axes of one part of a space."""

    part: int
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Space:
    """The settings from which rules of one family may choose: all combinations of the values of its
    axes.  A space may have several parts with axes of their own: the learning rates of one
    optimiser need not be those of another.
    """

    name: str
    parts: tuple[tuple[Axis, ...], ...]

    @property
    def size(self) -> int:
        """How many settings the space has."""
        return sum(math.prod(len(axis.values) for axis in part) for part in self.parts)

    @property
    def points(self) -> Iterator[Point]:
        """All settings, in the order of the file."""
        for index, part in enumerate(self.parts):
            for values in itertools.product(*(axis.values for axis in part)):
                yield Point(index, values)

    def setting(self, point: Point) -> dict[str, Any]:
        """A setting by the names of its axes."""
        names = (axis.name for axis in self.parts[point.part])
        return dict(zip(names, point.values, strict=True))

    def beyond(self, point: Point) -> dict[str, Point]:
        """For each axis at whose end a setting is, the setting one step further out there."""
        further: dict[str, Point] = {}
        for index, (axis, value) in enumerate(zip(self._axes(point), point.values, strict=True)):
            if (next_value := axis.beyond(value)) is not None:
                values = (*point.values[:index], next_value, *point.values[index + 1 :])
                further[axis.name] = Point(point.part, values)
        return further

    def drawn(self, first: int, more: int, seed: int) -> list[Point]:
        """Settings that fill the space evenly: `first` of all, then `more` that are rather inside.

        Each setting is the one whose part, then values, then pairs of values were drawn least
        often so far; a hash with the seed decides between equals.  So the draw is the same on
        every machine and with every version of every library.
        """
        by_hash = sorted(self.points, key=lambda point: _hash(seed, point))
        draw = _Draw(by_hash)
        points = [draw.next(draw.left) for _ in range(first)]
        for _ in range(more):
            inside = [point for point in draw.left if not self._at_an_end(point)]
            points.append(draw.next(inside or draw.left))
        return points

    def _at_an_end(self, point: Point) -> bool:
        axes = self._axes(point)
        return any(axis.ends(value) for axis, value in zip(axes, point.values, strict=True))

    def _axes(self, point: Point) -> tuple[Axis, ...]:
        return self.parts[point.part]


def _hash(seed: int, point: Point) -> bytes:
    return hashlib.sha256(f"{seed} {point.part} {point.values}".encode()).digest()


class _Draw:
    """The points that are left of a space, and how often what is in them was drawn."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.left = list(points)
        self._counts: Counter[tuple[Any, ...]] = Counter()

    def next(self, candidates: Sequence[Point]) -> Point:
        """Draw the candidate that is most unlike what was drawn before."""
        for many in range(3):  # the part alone, single values, pairs of values
            used = [sum(self._counts[key] for key in _keys(p, many)) for p in candidates]
            least = min(used)
            candidates = [p for p, u in zip(candidates, used, strict=True) if u == least]
        point = candidates[0]
        for many in range(3):
            self._counts.update(_keys(point, many))
        self.left.remove(point)
        return point


def _keys(point: Point, many: int) -> Iterator[tuple[Any, ...]]:
    """What a point shares with others: its part, and `many` of its values with their axes."""
    for some in itertools.combinations(enumerate(point.values), many):
        yield (point.part, *some)

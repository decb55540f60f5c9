"""The cells of a study, and what claims look up in them: backprop, budgets, curves."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

import numpy as np

from synaptree.analysis.paired import Estimate, Needs, needs_ratio
from synaptree.claims.base import Audits
from synaptree.claims.second.cells import Cell, Kind
from synaptree.claims.second.chance import Share
from synaptree.claims.second.outcome import Entry

SAME = 0.01  # budgets and amounts of data that differ by less are the same
LEAST_SIZES = 3  # a data curve has at least so many P
LEAST_DEPTH = 2  # levels that a kind must leave to learn
BACKPROP, UNTRAINED = "backprop", "readout_only"


@dataclass(frozen=True, eq=False)
class Curve:
    """A rule on one kind of grammar at several P, over the grammars that were run where it counts:
    at the two P between which the mean error comes to the threshold."""

    cells: tuple[Cell, ...]  # by P, ascending
    seeds: tuple[int, ...]

    @property
    def last(self) -> Cell:
        """The cell with the largest P."""
        return self.cells[-1]

    @cached_property
    def needs(self) -> Needs:
        """P*, over all of its grammars."""
        return self.needs_of(self.seeds)

    def needs_of(self, seeds: Sequence[int]) -> Needs:
        """P* over some of its grammars."""
        return _needs(self.cells, seeds)

    def beside(self, other: "Curve") -> Estimate | None:
        """P* over another's, paired by grammar; None without a grammar in common."""
        shared = sorted(set(self.seeds) & set(other.seeds))
        if not shared:
            return None
        own, others = (
            c.needs if shared == [*c.seeds] else c.needs_of(shared) for c in (self, other)
        )
        return needs_ratio(own, others)


@dataclass(frozen=True, eq=False)
class Ground:
    """Where rules are compared on one kind of grammar: at one P, which backprop solves.

    why_not: why no rule is judged here; empty where rules are.
    """

    kind: Kind
    P: int
    backprop: Cell | None
    depth: int | None
    why_not: str = ""


@dataclass(frozen=True, eq=False)
class Study:
    """All cells, and the audits of their rules."""

    cells: Sequence[Cell]
    audits: Audits = field(default_factory=dict)

    @cached_property
    def kinds(self) -> list[Kind]:
        """The kinds of grammar, shallow ones first."""
        return sorted({cell.kind for cell in self.cells}, key=lambda kind: (kind.L, *kind))

    @cached_property
    def _by_kind(self) -> dict[Kind, list[Cell]]:
        by_kind: dict[Kind, list[Cell]] = defaultdict(list)
        for cell in self.cells:
            by_kind[cell.kind].append(cell)
        return by_kind

    def of(self, kind: Kind, P: int | None = None) -> list[Cell]:
        """The cells with runs on a kind, or on a kind at one P."""
        return [c for c in self._by_kind[kind] if c.seeds and (P is None or P == c.P)]

    @cached_property
    def grounds(self) -> dict[Kind, Ground]:
        """Where rules are compared, on each kind."""
        return {kind: self._ground(kind) for kind in self.kinds}

    def _ground(self, kind: Kind) -> Ground:
        """The P at which most rules were run, of those at which backprop solves the kind."""
        reference = {c.P: b for c in self.of(kind) if (b := self.backprop(kind, c.P))}
        if not reference:
            return Ground(kind, 0, None, None, f"backprop was not run on {kind.name}")
        solving = [P for P, cell in reference.items() if share(cell).answer == "yes"]
        if not solving:
            P = max(reference)
            why = f"backprop {solves_said(reference[P])} on {kind.name} P={P}"
            return Ground(kind, P, reference[P], reference[P].depth, why)
        rules = {P: len({c.rule for c in self.of(kind, P)}) for P in solving}
        P = min(solving, key=lambda P: (-rules[P], P))
        depth = self._depth(kind, reference[P])
        why = ""
        if depth is not None and depth < LEAST_DEPTH:
            why = f"{kind.name} has effective depth {depth}; expected {LEAST_DEPTH} or more"
        elif any(c.rule == UNTRAINED and share(c).answer == "yes" for c in self.of(kind, P)):
            why = f"random features solve {kind.name} at P={P}"
        return Ground(kind, P, reference[P], depth, why)

    def _depth(self, kind: Kind, backprop: Cell) -> int | None:
        """The effective depth for backprop's network, or the least for any other."""
        if backprop.depth is not None:
            return backprop.depth
        return min((c.depth for c in self.of(kind) if c.depth is not None), default=None)

    def backprop(self, kind: Kind, P: int) -> Cell | None:
        """Backprop at its best: the settings that solve most, of those the smallest budget."""
        own = [c for c in self.of(kind, P) if c.rule == BACKPROP]
        return min(own, key=lambda c: (-c.solved.mean(), c.inputs, c.errors.mean()), default=None)

    def at_budget(
        self, ground: Ground, cells: Iterable[Cell], most: float = 1.0, least: float = 0.0
    ) -> list[Cell]:
        """The cells with at least and at most so many times the budget of backprop."""
        assert ground.backprop is not None
        budget = ground.backprop.inputs
        low, high = least * (1 - SAME) * budget, most * (1 + SAME) * budget
        return [cell for cell in cells if low <= cell.inputs <= high]

    @cached_property
    def curves(self) -> dict[Kind, list[Curve]]:
        """The data curves of all rules on each kind.

        A curve has one set of settings at each P; it may be another one at another P where the rule
        was tuned at each.
        """
        curves: dict[Kind, list[Curve]] = {}
        for kind in self.kinds:
            lines: dict[tuple[str, ...], list[Cell]] = defaultdict(list)
            for cell in self.of(kind):
                lines[(*cell.form, cell.label)].append(cell)
            drawn = [_curve(line) for line in lines.values()]
            curves[kind] = [curve for curve in drawn if curve is not None]
        return curves

    def best_curve(self, kind: Kind, of: Iterable[Curve] | None = None) -> Curve | None:
        """Backprop's curve with the least P*, or the one of these."""
        curves = self.curves[kind] if of is None else of
        own = [c for c in curves if c.last.rule == BACKPROP and c.needs.reached]
        return min(own, key=lambda c: c.needs.value, default=None)

    def backprop_needs(self, kind: Kind) -> float:
        """How much data backprop is known to be able to do with: P*, or the least P at which it
        solves the kind; infinite where it solves it at none."""
        best = self.best_curve(kind)
        solving = [
            float(c.P) for c in self.of(kind) if c.rule == BACKPROP and share(c).answer == "yes"
        ]
        known = [*solving, best.needs.value] if best else solving
        return min(known) if known else np.inf


def share(cell: Cell) -> Share:
    """How many grammars a cell solves."""
    return Share(int(cell.solved.sum()), len(cell.seeds))


def solves_said(cell: Cell) -> str:
    """Whether a cell solves its kind, in words, with the count, as ``fails (1 of 20 grammars)``."""
    counted = share(cell)
    words = {"yes": "solves", "no": "fails", "mixed": "is not shown to solve"}[counted.answer]
    return f"{words} ({counted.hits} of {counted.of} grammars)"


def solves(cell: Cell, note: str = "") -> Entry:
    """The entry of "the rule solves the kind"."""
    return Entry(cell, share(cell).chance, note=note)


def _curve(line: list[Cell]) -> Curve | None:
    """A data curve, where there are enough sizes with one set of settings each."""
    line = sorted(line, key=lambda cell: cell.P)
    sizes = [cell.P for cell in line]
    if len(sizes) < LEAST_SIZES or len(set(sizes)) < len(sizes):
        return None
    every = sorted(set(chain.from_iterable(cell.seeds for cell in line)))
    decide = _needs(line, every).decided_by
    shared = set.intersection(*(set(cell.seeds) for cell in line if cell.P in decide))
    return Curve(tuple(line), tuple(sorted(shared))) if shared else None


def _needs(line: Sequence[Cell], seeds: Sequence[int]) -> Needs:
    """P* over some grammars, which need not have run at every size."""
    errors = np.full((len(seeds), len(line)), np.nan)
    for place, cell in enumerate(line):
        errors[np.isin(seeds, cell.seeds), place] = cell.errors_on(seeds)
    return Needs.of([cell.P for cell in line], errors, line[0].kind.solved_below)

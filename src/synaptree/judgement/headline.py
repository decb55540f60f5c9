"""What a judgement says first: how many grammars a rule solves, and whether it learns at all."""

from collections.abc import Iterator, Sequence

import numpy as np

from synaptree.claims.second.cells import Cell
from synaptree.claims.second.study import UNTRAINED, Study
from synaptree.errors import several
from synaptree.judgement.beside import Place
from synaptree.report.words import listed


def headline(places: Sequence[Place], own: Sequence[Cell], study: Study) -> str:
    """One sentence, which begins with the verb.  own: the rule's cells.  study: of all rules."""
    at = [(p, cell) for p in places for cell in own if (cell.kind, cell.P) == (p.kind, p.P)]
    cells = [cell for _, cell in at]
    of, hits = sum(len(c.seeds) for c in cells), sum(int(c.solved.sum()) for c in cells)
    if not of:
        return "has no finished run"
    kinds = several(len(cells), "kind")
    of_backprop = [on_grammars(b, c) for c in cells if (b := study.backprop(c.kind, c.P))]
    best, among = (sum(int(found[k]) for found in of_backprop) for k in (0, 1))
    said = f"solves {hits} of {of} grammars, on {kinds} (backprop: {best} of {among})"
    if worse := list(_worse_than_random(at, study)):
        said += f"; its mean test error is higher than that of random features on {listed(worse)}"
    return said


def on_grammars(cell: Cell, other: Cell | None) -> tuple[int, int, float]:
    """How many grammars a cell solves, of how many, and the mean error: of those that the other was
    run on, so that they are compared on the same ones."""
    seeds = list(cell.seeds if other is None else _shared(cell, other))
    errors = cell.errors_on(seeds)
    solved = int((errors <= cell.kind.solved_below).sum())
    return solved, len(seeds), float(np.mean(errors)) if seeds else np.nan


def random_features(study: Study, place: Place) -> Cell | None:
    """The runs there of a network of which the readout alone is trained."""
    found = [cell for cell in study.of(place.kind, place.P) if cell.rule == UNTRAINED]
    return found[0] if found else None


def _worse_than_random(at: Sequence[tuple[Place, Cell]], study: Study) -> Iterator[str]:
    """The kinds on which the mean error is higher than without learning below the readout, and on
    how many of the grammars that both were run on."""
    for place, cell in at:
        floor = random_features(study, place)
        shared = [] if floor is None else _shared(cell, floor)
        if floor is None or not shared:
            continue
        more = cell.errors_on(shared) - floor.errors_on(shared)
        if more.mean() > 0:
            yield f"{place.head} (on {int((more > 0).sum())} of {len(shared)} grammars)"


def _shared(one: Cell, other: Cell) -> list[int]:
    return sorted(set(one.seeds) & set(other.seeds))

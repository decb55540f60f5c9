"""Which committed rule a judged one most resembles, and how that was measured.

First the audits: of how many quantities they say something else, where a rule that does not use a
quantity and one that has none say the same.  Among rules whose audits differ
in as few, the distance decides: the root of the mean square of the differences between errors, as
shares of chance error, and between probes of every level on every layer, on the grammars that both
were trained on.  Errors and probes count half each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from synaptree.audit.matrix import Audit
from synaptree.claims.second.cells import Cell
from synaptree.errors import several
from synaptree.judgement.beside import Beside
from synaptree.judgement.honesty import TITLES
from synaptree.report.row_names import row_name
from synaptree.report.words import listed
from synaptree.training.solved import chance_error

MOST_NAMED = 3  # of the answers in which two audits differ


@dataclass(frozen=True)
class Likeness:
    """How far a committed rule is from a judged one.

    name: the rule with its options.  differs: the quantities of which the audits say something
    else.  distance: see above; infinite without a grammar in common.  grammars: in common.
    """

    name: str
    differs: tuple[str, ...]
    distance: float
    grammars: int


def likenesses(beside: Beside, audit: Audit, own: Sequence[Cell]) -> list[Likeness]:
    """All committed rules, the one that is most alike first.  own: the cells of the judged rule."""
    found: list[Likeness] = []
    for (rule, options), other in beside.audits.items():
        cells = [c for c in beside.study.cells if (c.rule, c.options) == (rule, options)]
        if not cells or not row_name(rule, options)[0]:
            continue  # an online form that was not run, or a place on a dial of the laboratory
        pairs = list(_pairs(own, cells))
        squares = [_square(*pair) for pair in pairs]
        together = np.concatenate(squares) if squares else np.array([])
        distance = float(np.sqrt(together.mean())) if len(together) else np.inf
        found.append(Likeness(other.label, _differs(audit, other), distance, len(together)))
    return sorted(found, key=lambda one: (len(one.differs), one.distance, one.name))


def most_like(found: Sequence[Likeness]) -> str:
    """The rule that is most alike and the next, in words."""
    if not found:
        return "none: no committed rule has an audit"
    first, *others = found
    said = f"{first.name}: {_alike(first)}."
    if not others:
        return said
    said += f" Next: {others[0].name}, {_alike(others[0])}."
    if others[0].distance < first.distance:
        said += " Audits are compared before distances."
    return said


def _alike(one: Likeness) -> str:
    audit = "the same audit"
    if count := len(one.differs):
        titles = [TITLES[key] for key in one.differs[:MOST_NAMED]]
        if count > MOST_NAMED:
            titles.append(f"{count - MOST_NAMED} more")
        audit = f"an audit that differs in {several(count, 'answer')} ({listed(titles)})"
    if not one.grammars:
        return f"{audit}, no run in common"
    return f"{audit}, distance {one.distance:.3f} on {several(one.grammars, 'grammar')}"


def _differs(one: Audit, other: Audit) -> tuple[str, ...]:
    def used(audit: Audit, key: str) -> str:
        need = audit.needs.get(key, "no")
        return "no" if need == "none" else need

    keys = dict.fromkeys([*one.needs, *other.needs])
    return tuple(key for key in keys if used(one, key) != used(other, key))


def _pairs(own: Sequence[Cell], others: Sequence[Cell]) -> Iterator[tuple[Cell, Cell]]:
    """Each cell of the judged rule beside the nearest one of the other at the same kind and P."""
    for cell in own:
        there = [c for c in others if (c.kind, c.P) == (cell.kind, cell.P)]
        there = [c for c in there if set(c.seeds) & set(cell.seeds)]
        if there:
            yield cell, min(there, key=lambda c: float(_square(cell, c).mean()))


def _square(one: Cell, other: Cell) -> np.ndarray:
    """The mean square of the differences, a number a grammar that both have."""
    seeds = sorted(set(one.seeds) & set(other.seeds))
    errors = (one.errors_on(seeds) - other.errors_on(seeds)) / chance_error(one.kind.n)
    if one.probe is None or other.probe is None:
        return errors**2
    probes = [c.probe[np.isin(c.seeds, seeds)] for c in (one, other) if c.probe is not None]
    read = np.square(probes[0] - probes[1])
    measured = np.isfinite(read).all((1, 2))
    of_probes = np.where(measured, np.nan_to_num(read).mean((1, 2)), errors**2)
    return (errors**2 + of_probes) / 2

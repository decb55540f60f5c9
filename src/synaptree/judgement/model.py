"""The committed rule whose settings a judged rule begins with: its views, budget, width and so on.

It is the rule of its family that solves most where it is judged.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from synaptree.claims.second.cells import Cell, Kind
from synaptree.claims.second.study import BACKPROP
from synaptree.errors import SynaptreeError, shown, unknown
from synaptree.judgement.beside import Beside, Place
from synaptree.results.columns import ASKED
from synaptree.rules import Rule
from synaptree.study.grid import FIELDS
from synaptree.training.names import SYNONYMS
from synaptree.training.spec import RunSpec, make_spec

GIVEN = ("rule", "v", "n", "m", "s", "L", "P")  # by the results that the rule stands beside


@dataclass(frozen=True)
class Model:
    """The committed cells that a rule is trained like on one kind of grammar, by P."""

    place: Place
    cells: Mapping[int, Cell]

    @property
    def cell(self) -> Cell:
        """The one at the P where rules are compared."""
        return self.cells[self.place.P]


def model_of(beside: Beside, place: Place, rule: Rule) -> Model:
    """The committed cells that a rule is trained like.

    Raises SynaptreeError where no run there is a model for it.
    """
    first = _best(_candidates(beside, place.kind, place.P, rule))
    if first is None:
        views = "two views" if rule.needs_views else "no views"
        raise SynaptreeError(
            f"beside: no rule with {views} was run on {place.name}, whose settings {rule.label} "
            "could have; expected results with one"
        )
    found = {place.P: first}
    for P in place.sizes:
        others = _candidates(beside, place.kind, P, rule)
        alike = [cell for cell in others if cell.form == first.form]
        if (best := _best(alike or others)) is not None:
            found[P] = best
    return Model(place, dict(sorted(found.items())))


def _candidates(beside: Beside, kind: Kind, P: int, rule: Rule) -> list[Cell]:
    """The committed cells that are nearest to a rule: of its subfamily, of its family, or any."""
    facts = rule.facts
    cells = [
        cell
        for cell in beside.study.of(kind, P)
        if not cell.source and bool(cell.views) == rule.needs_views
    ]
    for near in (
        [c for c in cells if facts.subfamily and c.subfamily == facts.subfamily],
        [c for c in cells if c.family == facts.family],
        [c for c in cells if c.rule == BACKPROP],
    ):
        if near:
            return near
    return cells


def _best(cells: list[Cell]) -> Cell | None:
    return min(cells, key=lambda c: (-c.solved.mean(), c.errors.mean(), c.inputs), default=None)


def runs_like(
    beside: Beside, cell: Cell, rule: Rule, changed: Mapping[str, Any], grammars: int | None = None
) -> list[RunSpec]:
    """The runs of a rule on a cell's grammars, with its seeds and with its settings but for some.

    grammars: how many of them; by default all.
    """
    fields: dict[str, Any] = {
        name: cell.settings[column]
        for name, column in ASKED.items()
        if name not in GIVEN and column in cell.settings
    }
    if "optimizer" in changed and "lr" not in changed:
        fields.pop("lr", None)  # whose scale depends on it
    fields |= {**changed, **cell.kind._asdict(), "P": cell.P}
    seeds = beside.seeds_of(cell)[:grammars]
    first = make_spec(rule=rule, **fields, **seeds[0])
    return [first.model_copy(update=each) for each in seeds]


def checked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that are fixed by hand.  Raises SynaptreeError for the first that is no setting."""
    return dict(_checked(settings))


def _checked(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    known = [name for name in FIELDS if name not in GIVEN]
    for name, value in settings.items():
        if name in GIVEN or name.endswith("seed"):
            raise SynaptreeError(
                f"set: {name} given; expected a setting other than rule, grammar, P and seeds, "
                "which are those of the results beside"
            )
        if name not in known:
            raise unknown("set", name, known, SYNONYMS)
        if name == "views":
            if not isinstance(value, str):
                raise SynaptreeError(f"set: views: {shown(value)} given; expected as in sibling")
            yield name, value
        else:
            yield name, RunSpec.checked(name, value)

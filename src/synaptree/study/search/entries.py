"""The kinds and the rules of a search file, and the contests between them."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from synaptree.errors import SynaptreeError, checked_integer, shown, unknown
from synaptree.study.grid import FIELDS, Entry, Seeds
from synaptree.study.search.contest import Contest, split, steps_of
from synaptree.study.search.space import Point, Space
from synaptree.study.yaml_lines import Fault, Map
from synaptree.training.spec import RunSpec

BUDGET = "budget"
OWN = ("space", "kinds")  # keys of an entry that are no fields of a run
DECIDED = ("steps", "seeds")  # by the budget, and by the search


@dataclass(frozen=True)
class Kind:
    """A kind of grammar: fields of its runs, and the inputs that each of them sees."""

    fields: Map
    budget: int


def kind_of(name: str, value: object) -> Kind:
    """A kind from a mapping.  Raises SynaptreeError for the first fault."""
    del name
    if not isinstance(value, Map):
        raise SynaptreeError(f"{shown(value)} given; expected fields of a run, and budget")
    if BUDGET not in value:
        raise SynaptreeError("budget is missing; expected how many inputs a run sees")
    for field, given in value.items():
        if field in (*DECIDED, "rule"):
            raise SynaptreeError(f"{field}: {_why(field)}")
        if field not in (*FIELDS, BUDGET):
            raise unknown("field", field, [*FIELDS, BUDGET])
        if isinstance(given, list):
            raise SynaptreeError(f"{field}: {shown(given)} given; expected one value a kind")
    fields = Map(value.line)
    fields.update({field: given for field, given in value.items() if field != BUDGET})
    fields.lines.update(value.lines)
    budget = value[BUDGET]
    budget = int(budget) if isinstance(budget, float) and budget.is_integer() else budget
    return Kind(fields, checked_integer(BUDGET, budget, 1, 2**53))


def contests_of(
    file: Map,
    kinds: dict[str, Kind],
    spaces: dict[str, Space],
    drawn: dict[str, tuple[Point, ...]],
    seed: dict[str, int],
    folder: Path,
    faults: list[Fault],
) -> list[Contest]:
    """One contest for each rule on each of its kinds, in the order of the kinds.

    drawn: the settings that were drawn from each space.  seed: the first of the search.
    """
    defaults, listed = file.get("defaults", Map(file.line)), file.get("rules")
    if not isinstance(defaults, Map):
        faults.append(Fault(file.lines["defaults"], "defaults", "expected fields of a run"))
    if not isinstance(listed, list) or not listed:
        line = file.lines.get("rules", file.line)
        faults.append(Fault(line, "rules", "expected a list of at least one entry"))
    if faults:
        return []
    contests: list[Contest] = []
    for name, kind in kinds.items():
        mine: list[Contest] = []
        for index, entry in enumerate(cast(list[object], listed)):
            place = Fault(getattr(entry, "line", file.lines["rules"]), f"rules[{index}]", "")
            try:
                if not isinstance(entry, Map):
                    text = f"{shown(entry)} given; expected as in {{rule: dfa, space: NAME}}"
                    raise SynaptreeError(text)
                space = _space_for(entry, name, kinds, spaces, kind.fields, defaults)
                if space is not None:
                    new = _Maker(entry, place, name, kind, space, drawn[space.name], folder)
                    mine += new.contests(defaults, seed, faults)
            except SynaptreeError as fault:
                faults.append(replace(place, text=str(fault)))
        contests += _told_apart(mine, faults, file.lines["rules"])
    return contests


def _space_for(
    entry: Map,
    kind: str,
    kinds: dict[str, Kind],
    spaces: dict[str, Space],
    *others: Map,
) -> Space | None:
    """The space of an entry on a kind, or None where it is not for this kind."""
    own: object = entry.get("kinds", list(kinds))
    names: list[object] = cast(list[object], own) if isinstance(own, list) else [own]
    for name in names:
        if name not in kinds:
            raise unknown("kinds", name, kinds)
    given = entry.get("space", next(iter(spaces)) if len(spaces) == 1 else None)
    if given not in spaces:
        raise unknown("space", given, spaces)
    space = spaces[cast(str, given)]
    for fields in (entry, *others):
        for field in fields:
            if field in DECIDED:
                raise SynaptreeError(f"{field}: {_why(field)}")
            if any(field == axis.name for part in space.parts for axis in part):
                raise SynaptreeError(
                    f"{field}: is an axis of the space {space.name} too; expected it in one place"
                )
    if isinstance(entry.get("batch"), list):
        raise SynaptreeError("batch: a list given; expected one, or batch as an axis of the space")
    return space if kind in names else None


def _why(field: str) -> str:
    why = {
        "steps": "follow from budget and batch",
        "seeds": "are those of the search",
        "rule": "stands in rules",
    }
    return f"{why[field]}; expected other fields of a run"


@dataclass(frozen=True)
class _Maker:
    """Makes the contests of one entry on one kind."""

    entry: Map
    place: Fault
    name: str
    kind: Kind
    space: Space
    drawn: tuple[Point, ...]
    folder: Path

    def contests(self, defaults: Map, seed: dict[str, int], faults: list[Fault]) -> list[Contest]:
        """A contest for each rule of the entry, all of whose drawn settings can be run."""
        first = split(self.space.setting(self.drawn[0]))[0]
        others = {**defaults, **self.kind.fields, **self.entry, **first}
        batch = others.get("batch", RunSpec.model_fields["batch"].default)
        batch = RunSpec.checked("batch", batch)
        fields = self._map(self.entry, first, {"steps": steps_of(self.kind.budget, batch)})
        inherited = self._map(defaults, self.kind.fields, {})
        inherited.lines.update(defaults.lines | self.kind.fields.lines)
        fields.lines.update(self.entry.lines)
        entry = Entry(fields, inherited, Seeds([[0]]), self.place.path, self.folder)
        contests: list[Contest] = []
        for base in entry.runs(faults):
            base = base.model_copy(update=seed)
            label = base.rule.label
            contest = Contest(self.name, label, base, self.kind.budget, self.space, self.drawn)
            self._check(contest)
            contests.append(contest)
        return contests

    def _map(self, *parts: Any) -> Map:
        """Fields of a run as a mapping of this entry's line."""
        merged = Map(self.place.line)
        for part in parts:
            merged.update({name: part[name] for name in part if name not in OWN})
        merged.lines = dict.fromkeys(merged, self.place.line)
        return merged

    def _check(self, contest: Contest) -> None:
        """Raise SynaptreeError where a drawn setting cannot be run, or is drawn twice."""
        given = contest.base.rule.model_dump(exclude_defaults=True)
        for option in split(self.space.setting(self.drawn[0]))[1]:
            if option in given:
                raise SynaptreeError(
                    f"rule.{option}: {given[option]} given, and an axis of the space "
                    f"{self.space.name} too; expected it in one place"
                )
        ids: dict[str, str] = {}
        for point in self.drawn:
            setting = words(self.space.setting(point))
            try:
                run = contest.spec(point).run_id
            except SynaptreeError as fault:
                raise SynaptreeError(
                    f"{contest.kind}, {contest.rule}, {setting}: {fault}"
                ) from None
            if run in ids:
                raise SynaptreeError(
                    f"space {self.space.name}: {setting} and {ids[run]} are the same run of "
                    f"{contest.rule}; expected parts that differ"
                )
            ids[run] = setting


def words(setting: dict[str, Any]) -> str:
    """A setting as a person reads it: ``lr=0.003 batch=128``."""
    return " ".join(
        f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in setting.items()
    )


def _told_apart(contests: list[Contest], faults: list[Fault], line: int) -> list[Contest]:
    """Contests of one kind, with what differs beside the names of rules that stand twice."""
    names = Counter(contest.rule for contest in contests)
    apart: list[Contest] = []
    for contest in contests:
        alike = [other.base for other in contests if other.rule == contest.rule]
        own = contest.base
        differ = {
            field: ",".join(value) if isinstance(value := getattr(own, field), tuple) else value
            for field in RunSpec.model_fields
            if any(getattr(other, field) != getattr(own, field) for other in alike)
        }
        extra = f", {words(differ)}" if names[contest.rule] > 1 and differ else ""
        apart.append(replace(contest, rule=f"{contest.rule}{extra}"))
    for name, count in Counter(contest.rule for contest in apart).items():
        if count > 1:
            text = f"{name} stands {count} times on {contests[0].kind}; expected each rule once"
            faults.append(Fault(line, "rules", text))
    return apart

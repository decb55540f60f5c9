"""The search that committed rules had, for a judged one: the same spaces, settings and seeds."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from synaptree import rules
from synaptree.errors import SynaptreeError, checked_integer
from synaptree.judgement.beside import COMMITTED, SEARCH
from synaptree.rules import Rule
from synaptree.study.files import refuse, text_of
from synaptree.study.grid import seeds_of
from synaptree.study.search.axes import rungs_of, space_of
from synaptree.study.search.contest import OPTION, Contest, Search
from synaptree.study.search.space import Space
from synaptree.study.write import fields_of
from synaptree.study.yaml_lines import Map, load_yaml
from synaptree.training.spec import RunSpec


@dataclass(frozen=True)
class Registered:
    """A search file: how many settings each rule tries, on which seeds, and from which space."""

    settings: int
    widenings: int
    draw_seed: int
    seeds: Sequence[dict[str, int]]
    rungs: Any
    spaces: dict[str, Space]
    homes: dict[str, str]  # the space of each family and subfamily

    def search(self, rule: Rule, bases: Sequence[tuple[str, RunSpec]]) -> Search:
        """The search of a rule's settings.

        bases: by the names of kinds, the rule's run with the settings that no axis of its space
        changes.  Raises SynaptreeError where no space has settings that the rule can have.
        """
        fault: SynaptreeError | None = None
        for space in self._spaces(rule):
            try:
                return self._in(space, rule, bases)
            except SynaptreeError as this:
                fault = fault or this
        raise SynaptreeError(f"{fault}; settings can be fixed by hand, as --set lr=0.01")

    def _spaces(self, rule: Rule) -> list[Space]:
        """The space of the rule's family, then the others; without options that it lacks."""
        facts = rule.facts
        home = self.homes.get(facts.subfamily) or self.homes.get(facts.family)
        ordered = sorted(self.spaces, key=lambda name: name != home)
        return [_without(self.spaces[name], rule) for name in ordered]

    def _in(self, space: Space, rule: Rule, bases: Sequence[tuple[str, RunSpec]]) -> Search:
        settings = min(self.settings, space.size)
        widenings = min(self.widenings, settings - 1)
        first = settings - widenings
        drawn = tuple(space.drawn(first, widenings, self.draw_seed))
        contests: list[Contest] = []
        for kind, base in bases:
            base = base.model_copy(update=self.seeds[0])
            budget = _budget(base, space)
            contest = Contest(kind, rule.label, base, budget, space, drawn)
            for point in drawn:
                contest.spec(point)  # which raises where there is none
            contests.append(contest)
        rungs = rungs_of(self.rungs, len(self.seeds), first)
        text = _text(contests, settings, widenings, self.seeds)
        return Search(contests, self.seeds, settings, widenings, rungs, text)


def registered(beside: Path) -> Registered:
    """The search file in the folder of results beside; for want of one, that of the package.

    Rules' files that it names are neither read nor run: it came with the results.
    """
    path = beside / SEARCH if (beside / SEARCH).is_file() else COMMITTED / SEARCH
    file, faults = load_yaml(text_of(path))
    refuse(path, faults)
    try:
        if not isinstance(file, Map):
            raise SynaptreeError("no mapping given; expected a search file")
        settings = checked_integer("settings", file.get("settings", 12), 1)
        spaces = {name: space_of(name, value) for name, value in file["spaces"].items()}
        seeds = list(seeds_of(file, "seeds", faults))
        refuse(path, faults)
        return Registered(
            settings=settings,
            widenings=checked_integer("widenings", file.get("widenings", settings // 4), 0),
            draw_seed=checked_integer("draw_seed", file.get("draw_seed", 0), 0),
            seeds=seeds,
            rungs=file.get("rungs"),
            spaces=spaces,
            homes=_homes(file, next(iter(spaces))),
        )
    except (LookupError, AttributeError, TypeError) as fault:
        raise SynaptreeError(f"{path}: {fault}; expected a search file") from None


def _homes(file: Map, only: str) -> dict[str, str]:
    """The space in which most rules of each family, and of each subfamily, are searched."""
    counts: dict[str, Counter[str]] = {}
    for entry in cast(list[Map], file["rules"]):
        given = entry["rule"]
        for each in cast(list[Any], given) if isinstance(given, list) else [given]:
            name = each["name"] if isinstance(each, Map) else each
            if name not in rules.names(former=True):
                continue
            facts = rules.rule_class(name).facts
            for family in {facts.family, facts.subfamily}:
                counts.setdefault(family, Counter())[entry.get("space", only)] += 1
    return {family: counted.most_common(1)[0][0] for family, counted in counts.items()}


def _without(space: Space, rule: Rule) -> Space:
    """A space without the axes of options that a rule does not have."""
    known = type(rule).model_fields
    parts = (
        tuple(
            axis
            for axis in part
            if not axis.name.startswith(OPTION) or axis.name.removeprefix(OPTION) in known
        )
        for part in space.parts
    )
    return Space(space.name, tuple(parts))


def _budget(base: RunSpec, space: Space) -> int:
    """The inputs that the base sees, in whole batches of every size that the space has."""
    sizes = {base.batch}
    for part in space.parts:
        sizes |= {batch for axis in part if axis.name == "batch" for batch in axis.values}
    whole = math.lcm(*sizes) if len(sizes) > 1 else base.batch
    return max(1, round(base.steps * base.batch / whole)) * whole


def _text(
    contests: Sequence[Contest], settings: int, widenings: int, seeds: Sequence[dict[str, int]]
) -> str:
    """The search in words that a reader knows from search files; the rule is named by its file."""
    said = {
        "settings": settings,
        "widenings": widenings,
        "seeds": [next(iter(each.values())) for each in seeds],
        "spaces": {
            contest.space.name: [
                {axis.name: list(axis.values) for axis in part} for part in contest.space.parts
            ]
            for contest in contests
        },
        "kinds": {
            contest.kind: {**fields_of(contest.base), "budget": contest.budget}
            for contest in contests
        },
    }
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=1000)

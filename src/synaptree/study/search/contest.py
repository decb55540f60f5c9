"""What a search compares: one rule on one kind of grammar, with its settings and its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synaptree.errors import SynaptreeError
from synaptree.study.search.space import Point, Space
from synaptree.training.solved import chance_error
from synaptree.training.spec import RunSpec

OPTION = "rule."  # begins the name of an axis that is an option of the rule


@dataclass(frozen=True)
class Rung:
    """One rung of successive halving: how many settings of each rule run on how many seeds.

    share: the part of the budget that a run gets.
    """

    seeds: int
    settings: int
    share: float = 1.0


@dataclass(frozen=True)
class Contest:
    """One rule on one kind of grammar.

    kind, rule: their names.  base: what no setting changes, with the first seed.  budget: inputs
    that a run sees, all views counted.  drawn: the settings that were drawn from the space; those
    of the first rung come first.
    """

    kind: str
    rule: str
    base: RunSpec
    budget: int
    space: Space
    drawn: tuple[Point, ...]

    @property
    def chance(self) -> float:
        """The error of guessing."""
        return chance_error(self.base.n)

    def spec(self, point: Point, share: float = 1.0) -> RunSpec:
        """The run of a setting, with the first seed.  Raises SynaptreeError where there is none."""
        fields, options = split(self.space.setting(point))
        if options:
            fields["rule"] = self.base.rule.model_copy(update=options)
        batch = fields.get("batch", self.base.batch)
        spec = self.base.model_copy(update=fields | {"steps": steps_of(self.budget * share, batch)})
        if spec.batch % spec.members:
            raise SynaptreeError(
                f"batch: {spec.batch} given, but the views set {spec.members} inputs beside each "
                f"other; expected a multiple of {spec.members}"
            )
        return spec

    def runs(
        self, point: Point, seeds: Sequence[Mapping[str, int]], share: float = 1.0
    ) -> list[RunSpec]:
        """The runs of a setting, one a seed."""
        spec = self.spec(point, share)
        return [spec.model_copy(update=seed) for seed in seeds]


def split(setting: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a run in a setting, and the options of its rule."""
    fields = {name: value for name, value in setting.items() if not name.startswith(OPTION)}
    options = {name.removeprefix(OPTION): setting[name] for name in setting if name not in fields}
    return fields, options


def steps_of(inputs: float, batch: int) -> int:
    """How many steps see so many inputs.  Raises SynaptreeError where no whole number does."""
    steps = round(inputs / batch)
    if steps < 1 or steps * batch != inputs:
        raise SynaptreeError(
            f"budget: {inputs:.15g} inputs are no whole number of batches of {batch}; expected a "
            f"multiple, as {max(1, steps) * batch}"
        )
    return steps


@dataclass(frozen=True)
class Search:
    """A search: its contests, how they are run, and the text of its file.

    settings: how many each rule tries on each kind.  widenings: how many of them are held back for
    what lies beyond the ends of the axes.
    """

    contests: Sequence[Contest]
    seeds: Sequence[Mapping[str, int]]
    settings: int
    widenings: int
    rungs: Sequence[Rung]
    text: str

    @property
    def runs(self) -> int:
        """How many runs each rule has on each kind: the same for all."""
        counted: dict[tuple[int, float], int] = {}
        for rung in self.rungs:  # an earlier seed of a setting is not run again
            for seed in range(rung.seeds):
                key = (seed, rung.share)
                counted[key] = max(counted.get(key, 0), rung.settings)
        return sum(counted.values()) + self.widenings * len(self.seeds)

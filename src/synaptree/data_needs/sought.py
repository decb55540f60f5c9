"""What is asked: the rules whose P* is sought, and the runs that may serve to find it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synaptree.analysis.bisection import Bisection, ladder
from synaptree.errors import SynaptreeError, checked_integer
from synaptree.study.files import read_study
from synaptree.study.search.outcomes import Outcome
from synaptree.training.solved import solved_at
from synaptree.training.spec import LAST_SEED, SEEDS, RunSpec, make_spec


@dataclass(frozen=True)
class Sought:
    """One rule with its settings on one kind of grammar, whose P* is sought.

    runs: by P, ascending, a run for each grammar.
    """

    runs: Mapping[int, Sequence[RunSpec]]

    @classmethod
    def of(
        cls, fields: Mapping[str, Any], seeds: Sequence[tuple[int, ...]], least: int, most: int
    ) -> "Sought":
        """The settings of these fields at every size from the least to the most that they allow."""
        runs: dict[int, list[RunSpec]] = {}
        for at in _allowed(fields, least, most):
            runs[at.P] = [
                at.model_copy(update=dict(zip(SEEDS, each, strict=True))) for each in seeds
            ]
        return cls(runs)

    @property
    def first(self) -> RunSpec:
        """A run with these settings."""
        return next(iter(self.runs.values()))[0]

    @property
    def grid(self) -> int:
        """How many runs a grid over these sizes and grammars has."""
        return sum(map(len, self.runs.values()))

    def first_runs(self, counts: Mapping[int, int]) -> list[RunSpec]:
        """The runs on so many grammars at each P, ascending."""
        return [run for P, runs in self.runs.items() for run in runs[: counts.get(P, 0)]]

    def known(self, counts: Mapping[int, int], outcomes: Mapping[str, Outcome]) -> Bisection:
        """What is known where each P has run on so many grammars."""
        spec = self.first
        errors = np.full((len(self.runs[spec.P]), len(self.runs)), np.nan)
        for place, (P, runs) in enumerate(self.runs.items()):
            ran = [outcomes[run.run_id].error for run in runs[: counts.get(P, 0)]]
            errors[: len(ran), place] = ran
        threshold = solved_at(spec.n)
        return Bisection(tuple(self.runs), errors, threshold, start=spec.n * spec.m**spec.L)


def _allowed(fields: Mapping[str, Any], least: int, most: int) -> list[RunSpec]:
    """Runs of these fields at every size from the least to the most that they allow.

    Raises the first fault where they allow none.
    """
    runs: list[RunSpec] = []
    faults: list[SynaptreeError] = []
    for P in ladder(least, most):
        try:
            runs.append(make_spec(**{**fields, "P": P}))
        except SynaptreeError as fault:  # smaller than a batch, larger than the grammar
            faults.append(fault)
    if not runs:
        raise faults[0]
    return runs


def sought_of(
    fields: RunSpec | Mapping[str, Any], seeds: Iterable[int], P: tuple[int, int]
) -> Sought:
    """What `needs` seeks: for a run, or for its fields.

    Raises SynaptreeError for seeds or sizes that are none."""
    least, most = (checked_integer("P", end, 1) for end in P)
    if least >= most:
        raise SynaptreeError(f"P: {least}..{most} given; expected two sizes, the smaller one first")
    alike = [(checked_integer("seeds", seed, 0, LAST_SEED),) * 3 for seed in dict.fromkeys(seeds)]
    if not alike:
        raise SynaptreeError("seeds: none given; expected at least one")
    return Sought.of(dict(fields), alike, least, most)


def sought_in(study: str | Path | Iterable[RunSpec]) -> list[Sought]:
    """What `needs_of` seeks.  Raises SynaptreeError for a mistake in the study."""
    specs = read_study(Path(study)) if isinstance(study, str | Path) else list(study)
    if not specs:
        raise SynaptreeError("study: no runs given; expected at least one")
    alike: dict[str, list[RunSpec]] = {}
    for spec in specs:
        settings = spec.model_dump(mode="json", exclude={"P", *SEEDS})
        alike.setdefault(json.dumps(settings, sort_keys=True), []).append(spec)
    return [_of_runs(runs) for runs in alike.values()]


def _of_runs(runs: Sequence[RunSpec]) -> Sought:
    """What runs ask for that differ in P and seeds alone."""
    seeds = sorted({tuple(getattr(run, name) for name in SEEDS) for run in runs})
    if len({grammar for grammar, *_ in seeds}) < len(seeds):
        raise SynaptreeError(
            f"seeds: several runs of one grammar given for {runs[0].rule.label}; expected one"
        )
    sizes = [run.P for run in runs]
    if min(sizes) == max(sizes):
        raise SynaptreeError(
            f"P: {sizes[0]} alone given for {runs[0].rule.label}; expected two sizes or more, as "
            "P: [64, 131072], between which to look"
        )
    return Sought.of(dict(runs[0]), seeds, min(sizes), max(sizes))

"""P* by bisection: trains what the bisections ask for, until every P* stands.

The decisions are those of `analysis.bisection`, and follow from the results alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Unpack

from synaptree.analysis import paired
from synaptree.analysis.bisection import Bisection
from synaptree.analysis.data_curves import bounded
from synaptree.data_needs.sought import Sought, sought_in, sought_of
from synaptree.errors import SynaptreeError, several
from synaptree.results.frame import load
from synaptree.study import run as running
from synaptree.study.check import check_process, check_study, few_tests, folder_named
from synaptree.study.estimate import Estimate
from synaptree.study.files import Study
from synaptree.study.kept import keep
from synaptree.study.lock import hold
from synaptree.study.rounds import telling
from synaptree.study.run import Options
from synaptree.study.search.outcomes import Outcome, outcomes_in
from synaptree.study.update import Update
from synaptree.study.write import study_text
from synaptree.training.precision import check_device
from synaptree.training.solved import chance_error
from synaptree.training.spec import RunSpec

LEAST, MOST = 64, 131_072  # P that are tried unless the user says otherwise
GRAMMARS = range(10)


@dataclass(frozen=True, eq=False)
class DataNeeds:
    """P* of a rule with its settings on a kind of grammar, found by bisection.

    spec: a run with these settings.  seeds: of the grammars.  known: the sizes, and the errors of
    what has run.  runs, steps: how many were used.  failed: runs that ended in an error, which
    count as guessing.  few_tests: where so few strings are left to test on beside P that errors are
    coarse, a sentence that says so; otherwise empty.
    """

    spec: RunSpec
    seeds: tuple[int, ...]
    known: Bisection
    runs: int
    steps: int
    failed: int
    few_tests: str = ""

    @property
    def value(self) -> float:
        """P*: infinite where the largest size is not enough, the smallest size where it is."""
        return self.known.needs.value

    @property
    def low(self) -> float:
        """The lower end of the 95% interval."""
        return self.known.interval[0]

    @property
    def high(self) -> float:
        """The upper end of the 95% interval."""
        return self.known.interval[1]

    @property
    def grid(self) -> int:
        """How many runs a grid over the same sizes and grammars has."""
        return self.known.errors.size

    @property
    def said(self) -> str:
        """P* with its interval, or a bound, as text."""
        if not self.known.needs.reached:
            return f"> {self.known.sizes[-1]}"
        if self.known.needs.at_once:
            return f"≤ {self.known.sizes[0]}"
        return bounded(self.value, self.low, self.high)

    @property
    def why(self) -> str:
        """Why no more was run, as a phrase."""
        return "; ".join(filter(None, (self.known.reason, self.known.rise)))

    def over(self, other: "DataNeeds") -> paired.Estimate:
        """P* over that of another rule on the same grammars, with its interval, paired by grammar.

        Raises SynaptreeError where the grammars are others.
        """
        if self.seeds != other.seeds:
            raise SynaptreeError(
                f"over: P* on grammars {list(other.seeds)} given; expected the same grammars, "
                f"{list(self.seeds)}"
            )
        return paired.needs_ratio(self.known.needs, other.known.needs)


def needs(
    spec: RunSpec,
    folder: str | Path,
    *,
    seeds: Iterable[int] = GRAMMARS,
    P: tuple[int, int] = (LEAST, MOST),
    **options: Unpack[Options],
) -> DataNeeds:
    """Find P* of a rule by bisection: the P from which on its mean error stays solved.

    Called again with the same folder it goes on, and decides as it would have done.

        if __name__ == "__main__":  # worker processes import the script
            spec = make_spec(rule="dfa", v=8, n=8, m=4, L=3, P=4096)
            found = needs(spec, "runs/needs", workers=2)
            print(found.value, found.low, found.high, found.why)

    spec: the settings; its own P and seeds do not count.  folder: where the results are kept.
    seeds: of grammars, data and networks alike.  P: the smallest and the largest that are tried;
    sizes that the batch or the grammar do not allow are left out.
    options: see `study.run.Options`.

    A run that failed or diverged counts as guessing.  Raises what `run_study` raises.
    """
    return pursue([sought_of(spec, seeds, P)], folder, options)[0]


def needs_of(
    study: str | Path | Iterable[RunSpec], folder: str | Path, **options: Unpack[Options]
) -> list[DataNeeds]:
    """`needs` for several rules, as a study file or its runs.

    Runs that differ in P and seeds alone make one P*, which is sought between the smallest and the
    largest of their P, on their seeds.
    """
    return pursue(sought_in(study), folder, options)


def pursue(sought: Sequence[Sought], folder: str | Path, options: Options) -> list[DataNeeds]:
    """Train what the bisections ask for and is missing, round by round.  Raises as `needs`."""
    device, scheduler = options.get("device", "cpu"), options.get("scheduler")
    retry = options.get("retry", False)
    check_process(scheduler)
    folder = folder_named(folder)
    check_device(device)
    check_study(folder, device, [each.first for each in sought], scheduler)
    with hold(folder, what="needs"), telling(options.get("progress")) as tell:
        outcomes = outcomes_in(folder)
        asked: list[Counter[int]] = [Counter() for _ in sought]
        declared: list[RunSpec] = []
        for number, specs in enumerate(_rounds(sought, asked, outcomes), 1):
            declared += specs
            ended = [outcomes.get(spec.run_id) for spec in specs]
            if all(end is not None and not (retry and end.failed) for end in ended):
                continue
            if tell is not None:
                tell(Update((), message=f"round {number}: {_named(specs)}"))
            whole = Study(declared, study_text(declared, folder))
            told: Options = {**options, "progress": tell}
            running.run_study(specs, folder, portrait=False, curves=False, part_of=whole, **told)
            outcomes.update(outcomes_in(folder, {spec.run_id for spec in specs}))
        runs = [each.first_runs(counts) for each, counts in zip(sought, asked, strict=True)]
        every = list(chain.from_iterable(runs))
        keep(folder, Study(every, study_text(every, folder)))
    frame = load(folder, curves=False)
    made = dict(zip(frame["run_id"], frame["steps"].fillna(0), strict=True))
    return [
        DataNeeds(
            spec=each.first,
            seeds=tuple(run.grammar_seed for run in each.runs[each.first.P]),
            known=each.known(counts, outcomes),
            runs=len(used),
            steps=int(sum(made[run.run_id] for run in used)),
            failed=sum(outcomes[run.run_id].failed for run in used),
            few_tests=few_tests(used),
        )
        for each, counts, used in zip(sought, asked, runs, strict=True)
    ]


def _rounds(
    sought: Sequence[Sought], asked: Sequence[Counter[int]], outcomes: Mapping[str, Outcome]
) -> Iterator[list[RunSpec]]:
    """The runs of each round, until every P* stands.

    asked: on how many grammars each P was asked for, which this counts.  outcomes: read when a
    round is over; it must then know all runs of the rounds so far.
    """
    while True:
        specs: list[RunSpec] = []
        for each, counts in zip(sought, asked, strict=True):
            sizes = tuple(each.runs)
            for place, count in each.known(counts, outcomes).asks().items():
                specs += each.runs[sizes[place]][counts[sizes[place]] : count]
                counts[sizes[place]] = count
        if not specs:
            return
        yield specs


def _named(specs: Sequence[RunSpec]) -> str:
    """What is run in a round, as text."""
    groups = Counter((spec.rule.label, spec.P) for spec in specs)
    return ", ".join(
        f"{label} at P={P} on {several(count, 'grammar')}" for (label, P), count in groups.items()
    )


def estimate_needs(
    sought: Sequence[Sought], folder: str | Path, *, workers: int | None = None, device: str = "cpu"
) -> Estimate:
    """About what a search for these P* would run, and for how long.  Nothing is written.

    What has not run is guessed: that the task is solved from P = n·m**L on.
    """
    runs = chain.from_iterable(runs for each in sought for runs in each.runs.values())
    guessed = _Guessed({run.run_id: run for run in runs})
    guessed.update(outcomes_in(Path(folder)))
    every = list(chain.from_iterable(_rounds(sought, [Counter() for _ in sought], guessed)))
    return running.estimate(every, folder, workers=workers, device=device, portrait=False)


class _Guessed(dict[str, Outcome]):
    """Outcomes, among which those of runs that have not run are guessed."""

    def __init__(self, runs: Mapping[str, RunSpec]) -> None:
        super().__init__()
        self.runs = runs

    def __missing__(self, run: str) -> Outcome:
        spec = self.runs[run]
        solved = spec.n * spec.m**spec.L <= spec.P
        return Outcome(0.0 if solved else chance_error(spec.n), 0.0, 0.0)

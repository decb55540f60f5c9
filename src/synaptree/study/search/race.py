"""The decisions of a search, which depend on the outcomes of its own runs and on nothing else.

Settings race by successive halving: all of them on the first seed, the better ones on more seeds,
the best ones on all.  Then challengers run one by one on all seeds against the best.  Where the
best setting is at an end of an axis, its challenger is the setting one step beyond; elsewhere it is
the next one that was drawn from the space.  So each rule tries the same number of settings in the
same number of runs, whether or not its axes had to be widened.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from synaptree.errors import SynaptreeError, several
from synaptree.study.search.contest import Contest, Rung, Search
from synaptree.study.search.outcomes import Outcome
from synaptree.study.search.space import Point
from synaptree.training.spec import RunSpec

RESOLUTION = 0.01  # of chance error: mean errors that are closer are told apart by other means
Outcomes = Mapping[str, Outcome]


@dataclass(frozen=True)
class Round:
    """Runs that are trained beside each other, before anything more is decided."""

    title: str
    specs: list[RunSpec]


@dataclass(frozen=True)
class Winner:
    """The best setting of a rule on a kind of grammar.

    specs: its runs, one a seed.  errors: their test errors.  settings, runs: how many were tried.
    widened: how many of the settings lay beyond the ends that the space declares.  edges: the
    values beyond the winner's that were not tried, or why they cannot be, by the axis.  failed: how
    many runs of this rule ended in an error.
    """

    contest: Contest
    point: Point
    specs: list[RunSpec]
    errors: list[float]
    settings: int
    runs: int
    widened: int
    edges: dict[str, str]
    failed: int

    @property
    def error(self) -> float:
        """The mean test error over the seeds."""
        return sum(self.errors) / len(self.errors)

    @property
    def verdict(self) -> str:
        """Whether the winner is at an edge of what was tried, as a phrase."""
        after = f" after {several(self.widened, 'widening')}"
        if not self.edges:
            return f"not at an edge{after if self.widened else ''}"
        return f"at an edge{after} ({'; '.join(self.edges.values())})"


class Race:
    """One contest under way.

    tried: its settings in the order in which they were tried, with those beyond the declared ends
    in `beyond`.  finalists: those that have run on all seeds.
    """

    def __init__(self, contest: Contest, search: Search, outcomes: Outcomes) -> None:
        self.contest, self.search, self.outcomes = contest, search, outcomes
        first = search.rungs[0].settings
        self.tried: list[Point] = list(contest.drawn[:first])
        self.waiting: list[Point] = list(contest.drawn[first:])
        self.finalists: list[Point] = self.tried
        self.beyond: list[Point] = []
        self.asked: set[str] = set()
        self._runs: dict[tuple[Point, float], dict[str, RunSpec]] = {}

    def runs(self, point: Point, seeds: int, share: float = 1.0) -> dict[str, RunSpec]:
        """The runs of a setting on the first seeds, by their ids."""
        if (point, share) not in self._runs:
            specs = self.contest.runs(point, self.search.seeds, share)
            self._runs[point, share] = {spec.run_id: spec for spec in specs}
        return dict(islice(self._runs[point, share].items(), seeds))

    def ask(self, points: list[Point], seeds: int, share: float = 1.0) -> list[RunSpec]:
        """The runs of settings on the first seeds, but for those that were asked for before.

        What is trained already must not be in a round: its group would be trained whole again.
        """
        runs = {run: spec for p in points for run, spec in self.runs(p, seeds, share).items()}
        new = [spec for run, spec in runs.items() if run not in self.asked]
        self.asked |= runs.keys()
        return new

    def advance(self, count: int, rung: Rung) -> None:
        """Let the best settings of a rung enter the next one."""
        by_score = sorted(self.finalists, key=lambda p: self.score(p, rung.seeds, rung.share))
        self.finalists = by_score[:count]

    def challenge(self) -> list[RunSpec]:
        """The runs of the next challenger, which joins the finalists."""
        beyond = [point for point in self._open().values() if isinstance(point, Point)]
        if beyond:
            challenger = beyond[0]
            self.beyond.append(challenger)
        else:
            self.waiting = [point for point in self.waiting if not self._was_tried(point)]
            challenger = self.waiting.pop(0)
        self.tried.append(challenger)
        self.finalists = [*self.finalists, challenger]
        return self.ask([challenger], len(self.search.seeds))

    def best(self) -> Point:
        """The best of the settings that ran on all seeds."""
        return min(self.finalists, key=lambda p: self.score(p, len(self.search.seeds)))

    def score(self, point: Point, seeds: int, share: float = 1.0) -> tuple[int, float, float, int]:
        """How good a setting is on the first seeds; less is better.

        First its mean error.  Between means that the resolution does not tell apart decides how
        soon the task was solved, then the training loss, then the order in which they were tried.
        """
        ended = [self.outcomes[run] for run in self.runs(point, seeds, share)]
        error = sum(outcome.error for outcome in ended) / len(ended)
        return (
            round(error / (RESOLUTION * self.contest.chance)),
            sum(outcome.inputs for outcome in ended) / len(ended),
            sum(outcome.loss for outcome in ended) / len(ended),
            self.tried.index(point),
        )

    def winner(self) -> Winner:
        """The winner, once all challengers have run."""
        point = self.best()
        runs = self.runs(point, len(self.search.seeds))
        edges = {
            axis: further
            if isinstance(further, str)
            else f"{axis} {self.contest.space.setting(further)[axis]:g} was not tried"
            for axis, further in self._open().items()
        }
        return Winner(
            contest=self.contest,
            point=point,
            specs=list(runs.values()),
            errors=[self.outcomes[run].error for run in runs],
            settings=len(self.tried),
            runs=len(self.asked),
            widened=len(self.beyond),
            edges=edges,
            failed=sum(self.outcomes[run].failed for run in self.asked),
        )

    def _open(self) -> dict[str, Point | str]:
        """What lies one step beyond the best setting and was not tried, by the axis: a setting, or
        why it is none."""
        beyond: dict[str, Point | str] = {}
        for axis, point in self.contest.space.beyond(self.best()).items():
            try:
                if not self._was_tried(point):
                    beyond[axis] = point
            except SynaptreeError as fault:
                beyond[axis] = str(fault)
        return beyond

    def _was_tried(self, point: Point) -> bool:
        """Whether a setting was tried, perhaps as one of another part of the space."""
        return point in self.tried or not self.asked.isdisjoint(self.runs(point, 1))


class Decisions:
    """The rounds of a search, and its winners after the last of them.

    outcomes: of runs by their ids.  It is read when a round is over, and must then know all runs of
    the rounds so far.
    """

    def __init__(self, search: Search, outcomes: Outcomes) -> None:
        self.search = search
        self.races = [Race(contest, search, outcomes) for contest in search.contests]

    def __iter__(self) -> Iterator[Round]:
        rungs, races = self.search.rungs, self.races
        for index, rung in enumerate(rungs):
            for race in races if index else ():
                race.advance(rung.settings, rungs[index - 1])
            specs = [s for r in races for s in r.ask(r.finalists, rung.seeds, rung.share)]
            budget = "" if rung.share == 1 else f", {100 * rung.share:g}% of the budget"
            settings, seeds = several(rung.settings, "setting"), several(rung.seeds, "seed")
            yield Round(f"{settings} of each rule on {seeds}{budget}", specs)
        for number in range(1, self.search.widenings + 1):
            specs = [spec for race in races for spec in race.challenge()]
            title = f"challenger {number} of {self.search.widenings} for the best of each rule"
            yield Round(title, specs)

    def winners(self) -> list[Winner]:
        """The winners.  Raises KeyError before the last round is over."""
        return [race.winner() for race in self.races]

"""How long a study at work will still take, from what its groups have taken so far."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synaptree.study.estimate import steps_beside
from synaptree.study.plan import cost, tasks
from synaptree.study.update import Update
from synaptree.training.spec import RunSpec

LEAST_SECONDS, LEAST_STEPS = 2.0, 10  # of a group at work, before its pace says something
RECENT = 20.0  # seconds in which a worker is told of that is at work
FEW = 500  # groups that are shared out among workers one by one


@dataclass
class Pace:
    """How far a group at work was at three moments: of its whole work, with its portraits.

    Its pace is that since `first`, which moves on: the start of a study is no measure of the rest.
    """

    began: float
    first: tuple[float, float]
    middle: tuple[float, float]
    last: tuple[float, float]

    def goes_on(self, now: float, part: float) -> None:
        """Note how far the group is now."""
        self.last = (now, part)
        if now - self.middle[0] >= self.middle[0] - self.began:
            self.first, self.middle = self.middle, self.last

    def whole(self, least: float) -> float | None:
        """How long the group takes from its beginning to its end, as far as its pace says.

        None where it was watched for too short a time, or for less than a part of its work."""
        seconds, part = (b - a for a, b in zip(self.first, self.last, strict=True))
        if seconds < LEAST_SECONDS or part < least:
            return None
        return self.last[0] - self.began + seconds / part * (1 - self.last[1])


class TimeLeft:
    """Told of a study's updates, it says how long the study still takes.

    What a group will take is its nominal cost, times what groups of its kind took beside theirs;
    where none of its kind was seen, times what those of its rule took, or of its size, or all.
    How many workers there are shows in how many groups are at work.
    """

    def __init__(self, groups: Sequence[Sequence[RunSpec]]) -> None:
        self.costs = [cost(group) for group in groups]
        self.steps = [group[0].steps for group in groups]
        self.wholes = [g[0].steps + steps_beside(g[0], len(g)) for g in groups]
        self.kinds = [_kind(group[0]) for group in groups]
        self.task = [task for task, g in enumerate(tasks(groups)) for _ in g]
        self.waiting = set(range(len(groups)))  # not begun, or not heard of
        self.costs_waiting: dict[tuple[object, ...], float] = defaultdict(float)
        for kind, each in zip(self.kinds, self.costs, strict=True):
            self.costs_waiting[kind] += each
        self.at_work: dict[int, tuple[int, Pace]] = {}  # by task: a worker has one group at a time
        self.busy: list[tuple[float, int]] = []  # lately: when, and how many were at work
        self.took: dict[tuple[object, ...], tuple[float, float]] = {}  # seconds, nominal cost

    def __call__(self, update: Update, now: float) -> None:
        """Note an update."""
        group = update.group
        if group is None:
            return
        task = self.task[group]
        if update.failed is None:
            self._goes_on(task, group, now, update.step)
        else:
            self._leave(group)
            if task in self.at_work and self.at_work[task][0] == group:
                del self.at_work[task]
            if update.seconds is not None:
                seconds, nominal = self.took.get(self.kinds[group], (0.0, 0.0))
                seen = (seconds + update.seconds, nominal + self.costs[group])
                self.took[self.kinds[group]] = seen
        self.busy.append((now, len(self.at_work)))
        while self.busy[0][0] < now - RECENT:
            self.busy.pop(0)

    def _goes_on(self, task: int, group: int, now: float, step: int) -> None:
        part = step / self.wholes[group]
        at_work, pace = self.at_work.get(task, (None, None))
        if pace is None or at_work != group:
            self._leave(group)
            here = (now, part)
            self.at_work[task] = (group, Pace(now, here, here, here))
        elif step < self.steps[group]:  # the portrait of the last steps takes no time by itself
            pace.goes_on(now, part)

    def _leave(self, group: int) -> None:
        if group in self.waiting:
            self.waiting.remove(group)
            self.costs_waiting[self.kinds[group]] -= self.costs[group]

    def seconds(self, now: float) -> float | None:
        """The seconds left; None as long as nothing was measured."""
        took = dict(self.took)
        wholes = {g: pace.whole(self._least(g)) for g, pace in self.at_work.values()}
        for group, whole in wholes.items():
            kind = self.kinds[group]
            if whole is not None and kind not in self.took:
                seconds, nominal = took.get(kind, (0.0, 0.0))
                took[kind] = (seconds + whole, nominal + self.costs[group])
        if not took:
            return None
        factors = _Factors(took)
        left: list[float] = []
        for group, pace in self.at_work.values():
            kind = self.kinds[group]
            whole = wholes[group]
            if whole is None or kind in self.took:
                whole = factors.of(kind) * self.costs[group]
            left.append(max(0.0, whole - (now - pace.began)))
        workers = max((count for _, count in self.busy), default=1) or 1
        if len(self.waiting) <= FEW:
            waiting = [factors.of(self.kinds[g]) * self.costs[g] for g in sorted(self.waiting)]
            return _shared_out(left, waiting, workers)
        rest = sum(factors.of(kind) * nominal for kind, nominal in self.costs_waiting.items())
        return (sum(left) + rest) / workers

    def _least(self, group: int) -> float:
        return LEAST_STEPS / self.wholes[group]


class _Factors:
    """What groups took beside their nominal cost, by kind, and for kinds that were not seen."""

    def __init__(self, took: dict[tuple[object, ...], tuple[float, float]]) -> None:
        self.by_kind = _ratios((kind, seen) for kind, seen in took.items())
        self.by_rule = _ratios((kind[0], seen) for kind, seen in took.items())
        self.by_size = _ratios((kind[1:], seen) for kind, seen in took.items())
        (self.all,) = _ratios((None, seen) for seen in took.values()).values()

    def of(self, kind: tuple[object, ...]) -> float:
        for known, key in (
            (self.by_kind, kind),
            (self.by_rule, kind[0]),
            (self.by_size, kind[1:]),
        ):
            if key in known:
                return known[key]
        return self.all


def _ratios(seen: Iterable[tuple[object, tuple[float, float]]]) -> dict[object, float]:
    sums: dict[object, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for key, (seconds, nominal) in seen:
        sums[key][0] += seconds
        sums[key][1] += nominal
    return {key: seconds / nominal for key, (seconds, nominal) in sums.items()}


def _kind(spec: RunSpec) -> tuple[object, ...]:
    """Runs of a kind take alike: what they do at each step is the same."""
    return spec.rule.label, spec.L, spec.s, spec.v, spec.width, spec.batch, spec.precision


def _shared_out(left: Sequence[float], waiting: Sequence[float], workers: int) -> float:
    """When the last group ends, if each waiting one goes to the first worker that is free."""
    ends = [*left, *[0.0] * (workers - len(left))]
    heapq.heapify(ends)
    for seconds in waiting:
        heapq.heapreplace(ends, ends[0] + seconds)
    return max(ends)

"""Which runs train together, which of these groups are left, and how much memory one takes.

Runs that differ in their seeds alone train together, as the replicas of one group.  The company
that a run keeps decides the last bits of its numbers, since matrix products of other sizes are
added up in another order.  So the groups follow from the study and the kind of device alone: not
from what is done, nor from a machine's memory.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from synaptree.results.journal import runs
from synaptree.results.record import Reader
from synaptree.study.estimate import nominal_step, steps_beside
from synaptree.training.memory import replica_bytes
from synaptree.training.spec import RunSpec

# Bytes of layer 1's activity, with its second view, up to which replicas share a core's cache.
CACHE = 2**21
MEMORY = {"cpu": 2**31, "cuda": 2**32}  # bytes of a group: what any machine has
TOGETHER = 1.0  # seconds of groups that are handed out together
LEAST_TASKS = 200  # of a study whose groups are handed out together


def plan(specs: Sequence[RunSpec], device: str = "cpu") -> list[list[RunSpec]]:
    """The groups of a whole study, the longest first.

    On a CPU a group is no larger than the cache allows: larger tensors only wait for memory.
    """
    alike: dict[str, list[RunSpec]] = {}
    for spec in specs:
        alike.setdefault(spec.group, []).append(spec)
    groups: list[list[RunSpec]] = []
    for same in alike.values():
        same.sort(key=lambda run: (run.grammar_seed, run.data_seed, run.network_seed))
        size = replicas_at_once(same[0], device)
        groups += [same[i : i + size] for i in range(0, len(same), size)]
    return sorted(groups, key=cost, reverse=True)


def shard(groups: Sequence[list[RunSpec]], part: int, parts: int) -> list[list[RunSpec]]:
    """The share of one of several independent drivers: part 1..parts of a plan.

    Every driver makes the same plan, so that the shares are disjoint and together complete.
    """
    return list(groups)[part - 1 :: parts]


def left(groups: Sequence[list[RunSpec]], done: Collection[str]) -> list[list[RunSpec]]:
    """The groups in which a run is missing, whole: what is missing trains in the company that it
    would have had, and gets the same numbers."""
    return [group for group in groups if any(spec.run_id not in done for spec in group)]


def done_in(folder: Path, failed_too: bool = False, reader: Reader | None = None) -> set[str]:
    """The ids of the runs that are done in a folder of results, or that ended in an error.

    reader: one without curves that knows their settings, which is faster.
    """
    found = (run.record for run in runs(folder, reader or Reader(curves=False)))
    return {record.run_id for record in found if failed_too or record.status == "done"}


def replicas_at_once(spec: RunSpec, device: str = "cpu") -> int:
    """How many replicas of a run train best as one group."""
    most = MEMORY[device] // replica_bytes(spec)
    if device == "cpu":
        views = 2 if spec.rule.needs_views else 1
        activity = 4 * views * spec.batch * spec.places ** (spec.L - 1) * spec.width
        most = min(most, CACHE // activity)
    return max(1, most)


def tasks(groups: Sequence[Sequence[RunSpec]]) -> list[list[int]]:
    """The groups, by their places, that are handed to a worker at once: mostly one.

    Handing out a group takes as long as training a tiny one.  So neighbours that together take less
    than `TOGETHER` go out together, where there are so many that every worker still gets its share.
    """
    most = max(1, len(groups) // LEAST_TASKS)
    handed: list[list[int]] = []
    seconds = 0.0
    for index, group in enumerate(groups):
        seconds += cost(group)
        if not handed or seconds > TOGETHER or len(handed[-1]) == most:
            handed.append([])
            seconds = cost(group)
        handed[-1].append(index)
    return handed


def cost(group: Sequence[RunSpec]) -> float:
    """About how many seconds a group takes on a core; it serves to compare groups."""
    spec = group[0]
    # Layerwise rules have predictors beside each layer; a trained readout alone costs little.
    weight = 2.0 if spec.rule.needs_views else 0.3 if spec.rule.name == "readout_only" else 1.0
    return nominal_step(spec, len(group)) * (weight * spec.steps + steps_beside(spec, len(group)))

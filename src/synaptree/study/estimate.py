"""How long a study will take, and in how much memory, before it is started."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from synaptree.study.plan import portrait_steps
from synaptree.training.memory import group_bytes
from synaptree.training.precision import arithmetic
from synaptree.training.process import prepare
from synaptree.training.replicas import Replicas
from synaptree.training.spec import RunSpec

START = 5.0  # seconds until a worker has imported what it needs


@dataclass(frozen=True)
class Estimate:
    """What a study would do.

    runs: how many runs the study has.  share: how many of them are this driver's.  left: how many
    of these are missing.  groups: those with a run that is missing, whole: its companions train
    again.  seconds: how long that takes on the workers asked for.  bytes: what the largest group
    adds to a worker's memory.
    """

    runs: int
    share: int
    left: int
    groups: Sequence[Sequence[RunSpec]]
    workers: int
    seconds: float
    bytes: int

    @property
    def replicas(self) -> int:
        """How many runs the largest group has."""
        return max(map(len, self.groups), default=0)


def largest_bytes(groups: Sequence[Sequence[RunSpec]]) -> int:
    """The memory of the group that takes the most."""
    return max((group_bytes(group[0], len(group)) for group in groups), default=0)


def seconds_left(
    groups: Sequence[Sequence[RunSpec]],
    device: str = "cpu",
    workers: int = 1,
    portrait: bool = True,
) -> float:
    """An estimate of the seconds that groups take on workers, from a few measured steps.

    Groups of the same shape are measured once.  The start of the worker and the portraits are
    counted by rule of thumb; data and evaluation are a small part of runs of usual length.
    """
    if not groups:
        return 0.0
    prepare()  # as in a worker
    measured: dict[str, float] = {}
    seconds = 0.0
    for specs in groups:
        spec = specs[0]
        # A spec is checked when it is copied: what fewer strings or steps do not allow is left out.
        few = {"P": min(spec.P, 4 * max(spec.batch, 256)), "steps": 1}
        few |= {"validation": 0.0, "readout_steps": 0}
        short = spec.model_copy(update=few)
        same = {"grammar_seed": 0, "data_seed": 0, "network_seed": 0, "lr": 1e-3}
        shape = f"{len(specs)} {short.model_copy(update=same).run_id}"
        if shape not in measured:
            replicas = [s.model_copy(update=few) for s in specs]
            with arithmetic(spec.precision):
                measured[shape] = _seconds_a_step(Replicas(replicas, device))
        steps = spec.steps + (portrait_steps(spec) if portrait else 0.0)
        seconds += measured[shape] * steps
    return START + seconds / workers


def _seconds_a_step(replicas: Replicas) -> float:
    for _ in range(3):
        replicas.step()
    began = time.perf_counter()
    for _ in range(10):
        replicas.step()
    return (time.perf_counter() - began) / 10

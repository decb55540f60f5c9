"""How long a study will take, and in how much memory, before it is started."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from synaptree.measures.portrait import steps_of_portrait
from synaptree.training.evaluation import CURVE_STRINGS
from synaptree.training.memory import group_bytes
from synaptree.training.precision import arithmetic
from synaptree.training.process import prepare
from synaptree.training.replicas import Replicas
from synaptree.training.spec import RunSpec

START = 5.0  # seconds until a worker has imported what it needs
# Of a core, nominally: floating-point operations in a second, seconds of a step that has none.
RATE, DISPATCH = 5e10, 5e-4


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


def nominal_step(spec: RunSpec, replicas: int) -> float:
    """About how many seconds a step of replicas takes on a core: it serves to compare groups."""
    return DISPATCH + replicas * _products(spec)


def _products(spec: RunSpec) -> float:
    """Nominal seconds of a step's matrix products, for one replica."""
    fan_in = [
        spec.places * (1 if l == 1 else spec.width) for l in range(1, spec.L + 1)
    ]  # 1: looked up
    weights = (
        sum(spec.places ** (spec.L - l) * f for l, f in enumerate(fan_in, start=1)) * spec.width
    )
    return 6 * spec.batch * weights / RATE


def steps_beside(spec: RunSpec, replicas: int, portrait: bool = True) -> float:
    """How many training steps take as long as what replicas do beside them, roughly: their
    evaluations and portraits."""
    evaluations = min(spec.evaluations, spec.steps)
    strings = evaluations * min(spec.tests, CURVE_STRINGS) + 2 * spec.tests
    # Strings only pass up, many at once; and cosines are measured with two more updates.
    step = nominal_step(spec, replicas)
    pass_up = replicas * _products(spec) / (3 * spec.batch)
    drawn = steps_of_portrait(spec.L, spec.places, spec.numbers, spec.n, spec.width, spec.batch)
    return 2 * evaluations + strings * pass_up / step + (drawn if portrait else 0.0)


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

    Groups of the same shape are measured once.  The start of the worker, evaluations and portraits
    are counted by rule of thumb; drawing the data is a small part of runs of usual length.
    """
    if not groups:
        return 0.0
    prepare()  # as in a worker
    measured: dict[str, float] = {}
    took: list[float] = []
    for specs in groups:
        spec = specs[0]
        # A spec is checked when it is copied: what fewer strings or steps do not allow is left out.
        few: dict[str, Any] = {"steps": 1}
        if not spec.data:  # which are there already, and whose clips must stay whole
            few["P"] = min(spec.P, 4 * max(spec.batch, 256))
        few |= {"validation": 0.0, "readout_steps": 0}
        short = spec.model_copy(update=few)
        same = {"grammar_seed": 0, "data_seed": 0, "network_seed": 0, "lr": 1e-3}
        shape = f"{len(specs)} {short.model_copy(update=same).run_id}"
        if shape not in measured:
            replicas = [s.model_copy(update=few) for s in specs]
            with arithmetic(spec.precision):
                measured[shape] = _seconds_a_step(Replicas(replicas, device))
        took.append(measured[shape] * (spec.steps + steps_beside(spec, len(specs), portrait)))
    return START + max(sum(took) / workers, max(took))


def _seconds_a_step(replicas: Replicas) -> float:
    for _ in range(3):
        replicas.step()
    began = time.perf_counter()
    for _ in range(10):
        replicas.step()
    return (time.perf_counter() - began) / 10

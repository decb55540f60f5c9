"""The only training loop: runs that differ in their seeds alone train together as replicas."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch

from synaptree.errors import SynaptreeError, shown
from synaptree.measures.portrait import work_of_portrait
from synaptree.sources.dataset import Dataset
from synaptree.training.checkpoint import Checkpoint
from synaptree.training.evaluation import evaluates
from synaptree.training.live import telling
from synaptree.training.memory import check_memory
from synaptree.training.precision import arithmetic, check_device, check_precision
from synaptree.training.result import Progress, Result
from synaptree.training.saving import Resumed, resumed
from synaptree.training.spec import RunSpec
from synaptree.training.standing import Standing

REPORT_EVERY = 0.5  # seconds
# Beyond these a person is told what is being done: tokens, and operations; about 10 seconds.
LONG_TO_DRAW, LONG_TO_MEASURE = 10**9, 5 * 10**11


def train(
    spec: RunSpec,
    *,
    data: Dataset | str | Path | None = None,
    keep: bool = True,
    resume: Resumed | None = None,
    **options: Any,
) -> Result:
    """Train one run to its end.  Other options as for `train_replicas`.

    data: one's own, in place of the grammar's strings; see `RunSpec.on`.
    keep: whether the result has the trained network.  resume: a result, or the path of a saved one,
    from which training goes on: with more steps, and to the same bits as in one go.
    """
    spec = spec if data is None else spec.on(data)
    before = None if resume is None else [resume]
    return train_replicas([spec], keep=keep, resume=before, **options)[0]


def train_replicas(
    specs: Sequence[RunSpec],
    *,
    progress: Callable[[Progress], None] | bool | None = None,
    portrait: bool = True,
    device: torch.device | str = "cpu",
    keep: bool = False,
    resume: Sequence[Resumed] | None = None,
    checkpoint: Checkpoint | str | Path | None = None,
) -> list[Result]:
    """Train runs that differ in their seeds alone, all at once; results in the order of specs.

    In float64 each result is what `train` gives for its spec alone, to 1e-9.  In float32 the last
    digits of a step depend on how many train together, and training amplifies them; the same
    company gives the same bits.

    progress: True shows a bar (in a terminal or a notebook; elsewhere lines) on standard error; or
    a function is called about twice a second and at each evaluation.

    keep: whether results have the trained networks, with all that training goes on from.
    resume: for each spec a result, or the path of a saved one, from which it goes on.
    checkpoint: a file that is written at each evaluation.  Where it is there already, the runs go
    on from it, if they are the same ones; the caller removes it.

    Raises SynaptreeError for specs that differ in more than seeds, where the processor cannot work
    in their precision, or lacks the memory, and where runs cannot go on from what is given.
    """
    specs = _checked(specs)
    precision = specs[0].precision
    check_device(device)
    check_precision(precision, str(device))
    check_memory(specs[0], len(specs), str(device), portrait)
    before = None if resume is None else resumed(specs, resume)
    if checkpoint is not None and not isinstance(checkpoint, Checkpoint):
        checkpoint = Checkpoint(Path(checkpoint))
    with arithmetic(precision), telling(progress, specs[0], len(specs)) as tell:
        spec = specs[0]

        def warn(of: str) -> None:
            tell(Progress(0, spec.steps, None, warning=of))

        if len(specs) * spec.P * spec.places**spec.L > LONG_TO_DRAW:
            doing = f"drawing {spec.P} strings of s**L tokens first"
            tell(Progress(0, spec.steps, None, doing))
        begin = partial(Standing, specs, device, portrait, keep)
        standing = None if checkpoint is None else checkpoint.standing(begin, warn)
        return _train(standing or begin(before), tell, checkpoint)


def _checked(specs: Any) -> list[RunSpec]:
    """The specs as a list, or SynaptreeError where they are none."""
    listed = cast(list[object], list(specs)) if isinstance(specs, Iterable) else []
    if not listed or not all(isinstance(spec, RunSpec) for spec in listed):
        raise SynaptreeError(
            f"specs: {shown(specs)} given; expected a list of at least one RunSpec, as of make_spec"
        )
    return cast(list[RunSpec], listed)


def _train(
    standing: Standing, progress: Callable[[Progress], None], checkpoint: Checkpoint | None
) -> list[Result]:
    specs, replicas, evaluation = standing.specs, standing.replicas, standing.evaluation
    spec, reported = specs[0], time.perf_counter()

    while replicas.steps < spec.steps:
        measures = evaluates(spec, replicas.steps + 1)
        loss, error = replicas.step(align=measures)
        evaluation.add(loss, error)
        if measures:
            evaluation.evaluate()
        if stopping := standing.threshold.below(loss):
            standing.finish(stopping, stopped=True)
            going_on = [row for row in range(len(loss)) if row not in stopping]
            if not going_on:
                break
            standing.select(going_on)
        if measures and checkpoint is not None and (warning := checkpoint.write(standing)):
            progress(Progress(replicas.steps, spec.steps, evaluation.test_error, "", warning))
        if measures or time.perf_counter() - reported > REPORT_EVERY:
            reported = time.perf_counter()
            progress(Progress(replicas.steps, spec.steps, evaluation.test_error))

    work = work_of_portrait(spec.L, spec.places, spec.numbers, spec.n, spec.width)
    if evaluation.portrait and len(specs) * work > LONG_TO_MEASURE:
        what = f"steps done; measuring what each layer represents of v={spec.v} features"
        progress(Progress(replicas.steps, spec.steps, evaluation.test_error, what))
    if len(evaluation.results) < len(specs):
        standing.finish(list(range(len(replicas.alive))), stopped=False)
    progress(Progress(spec.steps, spec.steps, evaluation.test_error))
    return [evaluation.results[run] for run in range(len(specs))]

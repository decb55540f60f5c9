"""The only training loop: runs that differ in their seeds alone train together as replicas."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import torch

from synaptree.errors import SynaptreeError, shown
from synaptree.measures.portrait import work_of_portrait
from synaptree.training.early_stopping import LossThreshold
from synaptree.training.evaluation import Evaluation, evaluates
from synaptree.training.memory import check_memory
from synaptree.training.precision import arithmetic, check_device, check_precision
from synaptree.training.replicas import Replicas
from synaptree.training.result import Progress, Result
from synaptree.training.spec import RunSpec

REPORT_EVERY = 0.5  # seconds
# Beyond these a person is told what is being done: tokens, and operations; about 10 seconds.
LONG_TO_DRAW, LONG_TO_MEASURE = 10**9, 5 * 10**11


def train(spec: RunSpec, **options: Any) -> Result:
    """Train one run to its end.  Options as for `train_replicas`."""
    return train_replicas([spec], **options)[0]


def train_replicas(
    specs: Sequence[RunSpec],
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    portrait: bool = True,
    device: torch.device | str = "cpu",
) -> list[Result]:
    """Train runs that differ in their seeds alone, all at once; results in the order of specs.

    In float64 each result is what `train` gives for its spec alone, to 1e-9.  In float32 the last
    digits of a step depend on how many train together, and training amplifies them; the same
    company gives the same bits.  `progress` is called about twice a second and at each evaluation.
    Raises SynaptreeError for specs that differ in more than seeds, and where the processor cannot
    work in their precision, or lacks the memory.
    """
    specs = _checked(specs)
    precision = specs[0].precision
    check_device(device)
    check_precision(precision, str(device))
    check_memory(specs[0], len(specs), str(device), portrait)
    with arithmetic(precision):
        return _train(specs, progress, portrait, device)


def _checked(specs: Any) -> list[RunSpec]:
    """The specs as a list, or SynaptreeError where they are none."""
    listed = cast(list[object], list(specs)) if isinstance(specs, Iterable) else []
    if not listed or not all(isinstance(spec, RunSpec) for spec in listed):
        raise SynaptreeError(
            f"specs: {shown(specs)} given; expected a list of at least one RunSpec, as of make_spec"
        )
    return cast(list[RunSpec], listed)


def _train(
    specs: Sequence[RunSpec],
    progress: Callable[[Progress], None],
    portrait: bool,
    device: torch.device | str,
) -> list[Result]:
    began = reported = time.perf_counter()
    spec = specs[0]
    if len(specs) * spec.P * spec.s**spec.L > LONG_TO_DRAW:
        progress(Progress(0, spec.steps, None, f"drawing {spec.P} strings of s**L tokens first"))
    replicas = Replicas(specs, device)
    evaluation = Evaluation(specs, replicas, portrait, began)
    threshold = LossThreshold(spec, len(specs), replicas.device)

    while replicas.steps < spec.steps:
        measures = evaluates(spec, replicas.steps + 1)
        loss, error = replicas.step(align=measures)
        evaluation.add(loss, error)
        if measures:
            evaluation.evaluate()
        if stopping := threshold.below(loss):
            evaluation.finish(stopping, stopped=True)
            going_on = [row for row in range(len(loss)) if row not in stopping]
            if not going_on:
                break
            for part in (replicas, evaluation, threshold):
                part.select(going_on)
        if measures or time.perf_counter() - reported > REPORT_EVERY:
            reported = time.perf_counter()
            progress(Progress(replicas.steps, spec.steps, evaluation.test_error))

    work = work_of_portrait(spec.L, spec.s, spec.v, spec.n, spec.width)
    if portrait and len(specs) * work > LONG_TO_MEASURE:
        what = f"steps done; measuring what each layer represents of v={spec.v} features"
        progress(Progress(replicas.steps, spec.steps, evaluation.test_error, what))
    if len(evaluation.results) < len(specs):
        evaluation.finish(list(range(len(replicas.alive))), stopped=False)
    progress(Progress(spec.steps, spec.steps, evaluation.test_error))
    return [evaluation.results[run] for run in range(len(specs))]

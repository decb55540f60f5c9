"""The only training loop: runs that differ in their seeds alone train together as replicas."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from synaptree.training.early_stopping import LossThreshold
from synaptree.training.evaluation import Evaluation, evaluation_steps
from synaptree.training.precision import arithmetic, check_device, check_precision
from synaptree.training.replicas import Replicas
from synaptree.training.result import Progress, Result
from synaptree.training.spec import RunSpec

REPORT_EVERY = 0.5  # seconds


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
    company gives the same bits.  `progress` is called about twice a
    second and at each evaluation.  Raises ValueError for specs that differ in more than seeds, and
    SynaptreeError where the processor cannot work in their precision.
    """
    precision = specs[0].precision
    check_device(device)
    check_precision(precision, str(device))
    with arithmetic(precision):
        return _train(specs, progress, portrait, device)


def _train(
    specs: Sequence[RunSpec],
    progress: Callable[[Progress], None],
    portrait: bool,
    device: torch.device | str,
) -> list[Result]:
    began = reported = time.perf_counter()
    spec = specs[0]
    replicas = Replicas(specs, device)
    evaluation = Evaluation(specs, replicas, portrait, began)
    threshold = LossThreshold(spec, len(specs), replicas.device)
    evaluate_after = evaluation_steps(spec)

    while replicas.steps < spec.steps:
        evaluates = replicas.steps + 1 in evaluate_after
        loss, error = replicas.step(align=evaluates)
        evaluation.add(loss, error)
        if evaluates:
            evaluation.evaluate()
        if stopping := threshold.below(loss):
            evaluation.finish(stopping, stopped=True)
            going_on = [row for row in range(len(loss)) if row not in stopping]
            if not going_on:
                break
            for part in (replicas, evaluation, threshold):
                part.select(going_on)
        if evaluates or time.perf_counter() - reported > REPORT_EVERY:
            reported = time.perf_counter()
            progress(Progress(replicas.steps, spec.steps, evaluation.test_error))

    if len(evaluation.results) < len(specs):
        evaluation.finish(list(range(len(replicas.alive))), stopped=False)
    progress(Progress(spec.steps, spec.steps, evaluation.test_error))
    return [evaluation.results[run] for run in range(len(specs))]

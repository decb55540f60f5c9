"""The only training loop: runs that differ in their seeds alone train as one program."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from synaptree.measures.portrait import Portrait, portraits
from synaptree.training.precision import arithmetic, check_precision
from synaptree.training.replicas import Replicas, error_rate
from synaptree.training.spec import RunSpec


@dataclass(frozen=True)
class LearningCurve:
    """Learning curve: one entry an evaluation.  test_error on up to 2048 of the test strings;
    train_loss and train_error are means over the minibatches since the last evaluation.
    alignment: of each layer the cosine of the rule's update with backprop's on the last minibatch;
    null: that of direct feedback with fresh random weights, beside which it must be read.
    """

    step: list[int]
    test_error: list[float]
    train_loss: list[float]
    train_error: list[float]
    alignment: list[list[float]]
    null: list[list[float]]


@dataclass(frozen=True)
class Result:
    """What a run leaves.  Errors are fractions of wrong classes.

    steps: updates made, fewer than asked for where `stopped`, that is the training loss fell below
    ``spec.stop_loss``.  diverged: its weights are not finite any more; its errors are then those of
    guessing.  train_error: on up to `tests` of the strings trained on.  wall_s: seconds of
    the program, shared by its `replicas`.  portrait: None where it was not asked for.
    switches: the steps after which the next layer began to learn, where layers take turns.
    collapsed: the layers (from 1) that ended with an effective rank below 2: whatever they say,
    they say about one thing; None without a portrait.
    """

    spec: RunSpec
    steps: int
    stopped: bool
    diverged: bool
    test_error: float
    train_error: float
    curve: LearningCurve
    portrait: Portrait | None
    wall_s: float
    replicas: int
    switches: list[int]
    collapsed: list[int] | None


@dataclass(frozen=True)
class Progress:
    """Where a program is: steps made of steps in all, and the mean test error so far (or None)."""

    step: int
    steps: int
    test_error: float | None


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
    """Train runs that differ in their seeds alone, as one program; results in the order of specs.

    Each result is what `train` gives for its spec alone.  `progress` is called about twice a
    second and at each evaluation.  Raises ValueError for specs that differ in more than seeds, and
    SynaptreeError where the processor cannot work in their precision.
    """
    precision = specs[0].precision
    check_precision(precision, torch.device(device).type)
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
    program = Replicas(specs, device)
    results: dict[int, Result] = {}
    curves = [LearningCurve([], [], [], [], [], []) for _ in specs]
    evaluate_at = {-(-spec.steps * k // spec.evaluations) for k in range(1, spec.evaluations + 1)}
    # The stopping rule looks at the mean loss of an epoch, or of 200 steps where epochs are long.
    window = min(200, max(1, spec.P // (spec.batch // spec.members)))
    sums = torch.zeros(3, len(specs), dtype=torch.float64, device=program.device)
    since_evaluation = since_window = 0
    latest: float | None = None

    def validate(rows: list[int]) -> None:
        """Where strings were held back, keep what does best on them, in the replicas at these rows.

        In these alone: a replica's evaluations must not depend on when its companions stop.
        """
        if program.kept is not None:
            x, y = (t[:, spec.trained :] for t in (program.data.x, program.data.y))
            error = torch.full_like(program.kept.error, torch.inf)
            error[rows] = error_rate(program.net, x, y)[rows]
            program.kept.look(program.net, error)

    def finish(rows: list[int], stopped: bool) -> None:
        """Measure the replicas at these rows (positions among those in training) for good."""
        net, data = program.net, program.data
        now = [p.clone() for p in net.parameters()] if program.kept else []
        if program.kept:
            validate(rows)
            program.kept.put_back(net)
        tests = data.test_x.shape[1]
        test_error = error_rate(net, data.test_x, data.test_y).tolist()
        seen = min(tests, spec.trained)
        train_error = error_rate(net, data.x[:, :seen], data.y[:, :seen]).tolist()
        sound = net.finite().tolist()
        alive = [specs[i] for i in program.alive]
        drawn = (
            portraits(net, [a.grammar for a in alive], [a.data_seed + 2**33 for a in alive])
            if portrait
            else None
        )
        for row in rows:
            which = program.alive[row]
            results[which] = Result(
                spec=specs[which],
                steps=program.steps,
                stopped=stopped,
                diverged=not sound[row],
                test_error=test_error[row],
                train_error=train_error[row],
                curve=curves[which],
                portrait=None if drawn is None else drawn[row],
                wall_s=time.perf_counter() - began,
                replicas=len(specs),
                switches=[] if program.periods is None else program.periods.switches[row],
                collapsed=None if drawn is None else drawn[row].collapsed,
            )
        for p, was in zip(net.parameters(), now, strict=False):  # the others train on
            p.copy_(was)

    while program.steps < spec.steps and len(results) < len(specs):
        loss, wrong = program.step(align=program.steps + 1 in evaluate_at)
        sums += torch.stack([loss, wrong, loss])
        since_evaluation += 1
        since_window += 1
        if program.steps in evaluate_at:
            data = program.data
            error = error_rate(program.net, data.test_x[:, :2048], data.test_y[:, :2048])
            validate(list(range(len(program.alive))))
            means = (sums[:2] / since_evaluation).tolist()
            assert program.alignment is not None
            aligned, null = (each.tolist() for each in program.alignment)
            for row, which in enumerate(program.alive):
                curve = curves[which]
                curve.step.append(program.steps)
                curve.test_error.append(float(error[row]))
                curve.train_loss.append(means[0][row])
                curve.train_error.append(means[1][row])
                curve.alignment.append(aligned[row])
                curve.null.append(null[row])
            latest = float(error.mean())
            sums[:2] = 0
            since_evaluation = 0
        if spec.stop_loss and since_window == window:
            below = (sums[2] / window < spec.stop_loss).tolist()
            sums[2] = 0
            since_window = 0
            if any(below):
                finish([row for row, low in enumerate(below) if low], stopped=True)
                keep = [row for row, low in enumerate(below) if not low]
                if not keep:
                    break
                program.select(keep)
                sums = sums[:, keep]
        now = time.perf_counter()
        if program.steps in evaluate_at or now - reported > 0.5:
            reported = now
            progress(Progress(program.steps, spec.steps, latest))
    if len(results) < len(specs):
        finish(list(range(len(program.alive))), stopped=False)
    progress(Progress(spec.steps, spec.steps, latest))
    return [results[i] for i in range(len(specs))]

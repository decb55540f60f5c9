"""What is measured while replicas train, and once they have trained."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from synaptree.measures.portrait import Portrait, portraits
from synaptree.network.tree import TreeNet
from synaptree.training.early_stopping import BestWeights
from synaptree.training.memory import CHUNK
from synaptree.training.replicas import Replicas
from synaptree.training.result import LearningCurve, Result
from synaptree.training.spec import RunSpec

CURVE_STRINGS = 2048  # test strings that the points of a learning curve are measured on


def error_rate(net: TreeNet, x: Tensor, y: Tensor, chunk: int = CHUNK) -> Tensor:
    """The fraction of wrong classes, (R,), on strings x (R, P, d) of classes y (R, P)."""
    wrong = torch.zeros(len(x), dtype=torch.float32, device=x.device)
    for a in range(0, x.shape[1], chunk):
        logits = net.read(x[:, a : a + chunk]).logits
        wrong += (logits.argmax(-1) != y[:, a : a + chunk]).sum(1)
    return wrong / x.shape[1]


def evaluates(spec: RunSpec, step: int) -> bool:
    """Whether a run is evaluated after a step.  Evaluations are evenly spaced; the last one is at
    the end."""
    done, before = (spec.evaluations * made // spec.steps for made in (step, step - 1))
    return done > before


class Evaluation:
    """The learning curves and the results of replicas.

    best: the weights with the lowest validation error, where strings are held back for validation;
    final measurements are then of these.  test_error: mean of the latest evaluation, or None.
    results: of the runs that have ended, by their place in `specs`.  began: when training began,
    by `time.perf_counter`.
    """

    def __init__(
        self, specs: Sequence[RunSpec], replicas: Replicas, portrait: bool, began: float
    ) -> None:
        self.specs, self.replicas, self.portrait, self.began = specs, replicas, portrait, began
        self.curves = [LearningCurve([], [], [], [], [], []) for _ in specs]
        self.best = BestWeights(replicas.net) if replicas.spec.validation else None
        self.sums = torch.zeros(2, len(specs), dtype=torch.float64, device=replicas.device)
        self.count = 0
        self.test_error: float | None = None
        self.results: dict[int, Result] = {}

    def add(self, loss: Tensor, error: Tensor) -> None:
        """Count the loss and error of a minibatch, (R,), towards the next evaluation."""
        self.sums += torch.stack([loss, error])
        self.count += 1

    def evaluate(self) -> None:
        """Add a point to the learning curve of each replica."""
        replicas, data = self.replicas, self.replicas.data
        x, y = data.test_x[:, :CURVE_STRINGS], data.test_y[:, :CURVE_STRINGS]
        test_error = error_rate(replicas.net, x, y)
        self._validate(list(range(len(replicas.alive))))
        losses, errors = (self.sums / self.count).tolist()
        assert replicas.alignment is not None
        alignment, null = (cosines.tolist() for cosines in replicas.alignment)
        for row, run in enumerate(replicas.alive):
            curve = self.curves[run]
            curve.step.append(replicas.steps)
            curve.test_error.append(float(test_error[row]))
            curve.train_loss.append(losses[row])
            curve.train_error.append(errors[row])
            curve.alignment.append(alignment[row])
            curve.null.append(null[row])
        self.test_error = float(test_error.mean())
        self.sums.zero_()
        self.count = 0

    def finish(self, rows: Sequence[int], stopped: bool) -> None:
        """Measure the replicas at these rows for good."""
        self._validate(rows)
        net = self.replicas.net
        with self.measured_weights():
            test_error, train_error = self._errors()
            diverged = (~net.finite()).tolist()
            drawn = dict(zip(rows, self._portraits(rows), strict=True))
        for row in rows:
            run, turns, portrait = self.replicas.alive[row], self.replicas.turns, drawn[row]
            best = self.specs[run].source.best()
            self.results[run] = Result(
                spec=self.specs[run],
                steps=self.replicas.steps,
                stopped=stopped,
                diverged=diverged[row],
                test_error=test_error[row],
                train_error=train_error[row],
                curve=self.curves[run],
                portrait=portrait,
                wall_s=time.perf_counter() - self.began,
                replicas=len(self.specs),
                switches=[] if turns is None else turns.switches[row],
                collapsed=None if portrait is None else portrait.collapsed,
                bayes_error=None if best is None else best.error,
                bayes_low=None if best is None else best.low,
                bayes_high=None if best is None else best.high,
            )

    def measured_weights(self) -> AbstractContextManager[None]:
        """While this is entered, the network has the weights that results are measured with."""
        return nullcontext() if self.best is None else self.best.in_use(self.replicas.net)

    def select(self, rows: Sequence[int]) -> None:
        """Go on with the replicas at these rows only."""
        self.sums = self.sums[:, rows]
        if self.best is not None:
            self.best.select(rows)

    def _validate(self, rows: Sequence[int]) -> None:
        """Compare the weights of the replicas at these rows with the best so far.

        Of no others: what is kept of a replica must not depend on when its companions stop.
        """
        if self.best is None:
            return
        data, trained = self.replicas.data, self.replicas.spec.trained
        held_back = error_rate(self.replicas.net, data.x[:, trained:], data.y[:, trained:])
        error = torch.full_like(self.best.error, torch.inf)
        error[rows] = held_back[rows]
        self.best.compare(self.replicas.net, error)

    def _errors(self) -> tuple[list[float], list[float]]:
        """The test and the training error of each replica."""
        net, data = self.replicas.net, self.replicas.data
        count = min(data.test_x.shape[1], self.replicas.spec.trained)
        test = error_rate(net, data.test_x, data.test_y)
        train = error_rate(net, data.x[:, :count], data.y[:, :count])
        return test.tolist(), train.tolist()

    def _portraits(self, rows: Sequence[int]) -> Sequence[Portrait | None]:
        if not self.portrait:
            return [None] * len(rows)
        ending = [self.specs[self.replicas.alive[row]] for row in rows]
        sources, seeds = [s.source for s in ending], [s.data_seed + 2**33 for s in ending]
        return portraits(self.replicas.net, sources, seeds, rows=rows)

"""Runs in training with all that belongs to them: snapshots are taken here, and gone on from."""

import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from synaptree.errors import SynaptreeError
from synaptree.network.saved import fill
from synaptree.training.early_stopping import LossThreshold
from synaptree.training.evaluation import Evaluation
from synaptree.training.replicas import Replicas
from synaptree.training.snapshot import Moment, Snapshot, asked
from synaptree.training.spec import RunSpec
from synaptree.training.trained import Trained, network_tensors, state_tensors

STREAMS = "streams"


class Standing:
    """Runs that train together, the measurements of them, and what ends them.

    keep: whether results have what was trained.  before: where they stood when they began.
    """

    def __init__(
        self,
        specs: Sequence[RunSpec],
        device: torch.device | str,
        portrait: bool,
        keep: bool,
        before: Snapshot | None = None,
    ) -> None:
        began = time.perf_counter()
        self.specs, self.keep = specs, keep
        self.replicas = Replicas(specs, device)
        self.evaluation = Evaluation(specs, self.replicas, portrait, began)
        self.threshold = LossThreshold(specs[0], len(specs), self.replicas.device)
        if before is not None:
            try:
                self.go_on_from(before)
            except SynaptreeError as fault:
                raise SynaptreeError(
                    f"resume: {fault}; expected what these settings and this version have trained"
                ) from None

    def finish(self, rows: Sequence[int], stopped: bool) -> None:
        """Measure the replicas at these rows for good."""
        self.evaluation.finish(rows, stopped)
        if not self.keep:
            return
        replicas, results = self.replicas, self.evaluation.results
        snapshot = None if stopped else self.snapshot()
        with self.evaluation.measured_weights():
            networks = [replicas.net.replica(row) for row in rows]
        for row, network in zip(rows, networks, strict=True):
            state = replicas.state.select(torch.tensor([row], device=replicas.device))
            trained = Trained(network, state, None if snapshot is None else snapshot.row(row))
            run = replicas.alive[row]
            results[run] = replace(results[run], trained=trained)

    def select(self, rows: Sequence[int]) -> None:
        """Go on with the replicas at these rows only."""
        for part in (self.replicas, self.evaluation, self.threshold):
            part.select(rows)

    def snapshot(self) -> Snapshot:
        """Where the replicas stand, after an evaluation."""
        replicas, alive = self.replicas, self.replicas.alive
        moment = Moment(
            asked=[asked(self.specs[run]) for run in alive],
            steps=replicas.steps,
            window=self.threshold.count,
            seconds=time.perf_counter() - self.evaluation.began,
            curves=[self.evaluation.curves[run] for run in alive],
            switches=[[] for _ in alive] if replicas.turns is None else replicas.turns.switches,
        )
        streams = torch.stack([stream.get_state() for stream in replicas.streams])
        copies = {name: t.to("cpu", copy=True) for name, t in self._tensors().items()}
        return Snapshot(moment, copies | {STREAMS: streams})

    def go_on_from(self, snapshot: Snapshot) -> None:
        """Stand where a snapshot was taken of these replicas.

        Raises SynaptreeError where it was taken of others.
        """
        replicas, moment, tensors = self.replicas, snapshot.moment, dict(snapshot.tensors)
        streams = tensors.pop(STREAMS, torch.empty(0))
        replicas.optimiser.make_room({name.removeprefix("optimiser.") for name in tensors})
        fill(self._tensors(), tensors)
        try:
            for stream, state in zip(replicas.streams, streams, strict=True):
                stream.set_state(state.clone())  # torch reads it in words, which must be aligned
        except (RuntimeError, TypeError, ValueError):
            raise SynaptreeError("tensor streams is no state of random numbers") from None
        replicas.steps = moment.steps
        replicas.feed.skip(moment.steps)
        self.threshold.count = moment.window
        if replicas.turns is not None:
            replicas.turns.switches = [list(switches) for switches in moment.switches]
        for run, curve in zip(replicas.alive, moment.curves, strict=True):
            self.evaluation.curves[run] = curve.copy()
        self.evaluation.began -= moment.seconds

    def _tensors(self) -> dict[str, Tensor]:
        """The tensors that training changes or draws, by name; not copies."""
        replicas, best = self.replicas, self.evaluation.best
        tensors = network_tensors(replicas.net) | state_tensors(replicas.state)
        tensors |= {f"optimiser.{n}": t for n, t in replicas.optimiser.named().items()}
        if replicas.turns is not None:
            tensors |= {f"turns.{n}": t for n, t in replicas.turns.named().items()}
        if best is not None:
            tensors |= {f"best.{i}": t for i, t in enumerate(best.weights)}
            tensors |= {"best.error": best.error}
        return tensors | {"window": self.threshold.sums}

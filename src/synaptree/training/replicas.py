"""R runs that differ in their seeds alone, trained together one step at a time."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor

from synaptree.errors import SynaptreeError
from synaptree.rules import State, Teaching
from synaptree.training.alignment import alignment
from synaptree.training.data import Data, patch_numbers
from synaptree.training.minibatches import Feed
from synaptree.training.observation import Observation, observe
from synaptree.training.optimiser import (
    carry_over,
    make_optimiser,
    set_gradients,
    set_learning_rates,
    tensors_by_layer,
)
from synaptree.training.precision import dtype_of
from synaptree.training.schedule import LayerTurns, learning_rate_factor, readout_alone
from synaptree.training.spec import RunSpec
from synaptree.training.streams import generator


class Replicas:
    """R runs in training: their data, networks, rule and optimiser.

    Each trains as if it were alone.  alive: which of the specs are still in training; row r of any
    tensor belongs to ``specs[alive[r]]``.  steps: made so far.  alignment: cosines (R, L) of the
    rule and of the null, at the last step that measured them.
    Raises SynaptreeError for specs that differ in more than their seeds.
    """

    def __init__(self, specs: Sequence[RunSpec], device: torch.device | str = "cpu") -> None:
        if len({spec.group for spec in specs}) != 1:
            raise SynaptreeError(
                "specs: runs given that differ in more; expected runs that differ in seeds alone"
            )
        self.spec = spec = specs[0]
        self.device = torch.device(device)
        self.alive = list(range(len(specs)))
        self.data = Data.draw(specs, self.device)
        self.net = spec.rule.network(
            spec.v,
            spec.n,
            spec.s,
            spec.L,
            spec.width,
            generators=[generator("network", each.network_seed) for each in specs],
            parametrisation=spec.parametrisation,
            connectivity=spec.connectivity,
            dtype=dtype_of(spec.precision),
            device=self.device,
        )
        self.streams = [generator("rule", each.network_seed) for each in specs]
        self.state: State = spec.rule.init(self.net, self.streams)
        numbered = patch_numbers(self.net, self.data.x, spec.batch)
        self.reads_numbers = numbered is not None
        strings = self.data.x if numbered is None else numbered
        self.feed = Feed(strings, self.data.y, specs)
        self.views = spec.layer_views
        self.optimizer = make_optimiser(spec, self.net, self.state)
        self.turns: LayerTurns | None = None
        if spec.schedule != "together":
            self.turns = LayerTurns(spec, len(specs), self.device)
        self.steps = 0
        self.alignment: tuple[Tensor, Tensor] | None = None

    def observe(self) -> Observation:
        """The next minibatch: the forward pass on it, and what the rule is shown of it."""
        strings, classes = self.feed.next()
        read = self.net.looked_up if self.reads_numbers else self.net.read
        return observe(self.spec, self.views, read(strings), classes, self.steps)

    def step(self, align: bool = False) -> tuple[Tensor, Tensor]:
        """One update of every replica.  Returns the mean loss and error of the minibatch, (R,).

        align: measure `alignment`, before the update is made.
        """
        spec, net = self.spec, self.net
        observed = self.observe()
        activity, batch, loss = observed.activity, observed.batch, observed.loss
        only_readout = readout_alone(spec, self.steps)
        if only_readout:
            teaching = Teaching([None] * net.L)
        else:
            teaching = spec.rule.teach(net, self.state, batch, self.streams)
        updates = observed.for_anchors(teaching).updates(net, activity, batch.error)
        if align:
            everything = replace(batch, activity=activity)
            self.alignment = alignment(net, everything, updates, self.streams, self.steps)
        set_gradients(net, self.state, updates, None if only_readout else teaching)
        set_learning_rates(self.optimizer, learning_rate_factor(spec, self.steps))
        with self._turns():
            self.optimizer.step()
            net.constrain()
        self.steps += 1
        if self.turns is not None and not only_readout:
            losses = teaching.loss
            if losses is None:
                losses = loss.unsqueeze(1).expand(-1, spec.L)
            self.turns.after(self.steps, losses)
        wrong = activity.logits.argmax(-1) != batch.labels
        return loss, wrong.to(loss.dtype).mean(1)

    def _turns(self) -> AbstractContextManager[None]:
        if self.turns is None:
            return nullcontext()
        return self.turns.only_learning(tensors_by_layer(self.net, self.state))

    def select(self, rows: Sequence[int]) -> None:
        """Go on with some of the replicas only (rows of those that are still in training)."""
        keep = torch.tensor(rows, device=self.device)
        self.alive = [self.alive[row] for row in rows]
        self.streams = [self.streams[row] for row in rows]
        self.net.select(keep)
        self.state = self.state.select(keep)
        self.data = self.data.select(keep)
        self.feed.select(keep)
        if self.turns is not None:
            self.turns.select(keep)
        fresh = make_optimiser(self.spec, self.net, self.state)
        self.optimizer = carry_over(self.optimizer, fresh, keep)

"""R runs that differ in their seeds alone, trained together one step at a time."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from synaptree.errors import SynaptreeError
from synaptree.network.rows import Vocabulary, occurring
from synaptree.rules import State, Teaching
from synaptree.rules.checks import faults_of_state, faults_of_teaching, refuse, said_of
from synaptree.training.alignment import alignment
from synaptree.training.data import Data
from synaptree.training.minibatches import Feed
from synaptree.training.observation import Observation, observe
from synaptree.training.optimiser import Optimiser, tensors_by_layer
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
            spec.numbers,
            spec.n,
            spec.places,
            spec.L,
            spec.width,
            generators=[generator("network", each.network_seed) for each in specs],
            parametrisation=spec.parametrisation,
            connectivity=spec.connectivity,
            dtype=dtype_of(spec.precision),
            device=self.device,
        )
        self.streams = [generator("rule", each.network_seed) for each in specs]
        with said_of(spec.rule, "init"):
            self.state: State = spec.rule.init(self.net, self.streams)
        self.outside = spec.rule.source is not None  # of the package
        if self.outside:
            refuse(spec.rule, faults_of_state(self.net, self.state))
        self.vocabulary: Vocabulary | None = None
        worthwhile = partial(self.net.worthwhile, spec.batch)
        trained = self.data.x[:, : spec.trained]
        found = None
        if not trained.is_floating_point():
            found = occurring(trained, self.net.tokens, self.net.s, worthwhile)
        if found is not None:
            self.vocabulary, rows = found
            self.feed = Feed(rows, self.data.y[:, : spec.trained], specs, self.vocabulary.places)
        else:
            self.feed = Feed(self.data.x, self.data.y, specs)
        self.views = spec.layer_views
        self.optimiser = Optimiser(spec, self.net, self.state)
        self.turns: LayerTurns | None = None
        if spec.schedule != "together":
            self.turns = LayerTurns(spec, len(specs), self.device)
        self.steps = 0
        self.alignment: tuple[Tensor, Tensor] | None = None

    def observe(self) -> Observation:
        """The next minibatch: the forward pass on it, and what the rule is shown of it."""
        read, classes = self.feed.next()
        if self.vocabulary is None:
            activity = self.net.read(read)
        else:
            activity = self.net.looked_up(self.vocabulary, read)
        return observe(self.spec, self.views, activity, classes, self.steps)

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
            with said_of(spec.rule, "teach"):
                teaching = spec.rule.teach(net, self.state, batch, self.streams)
            if self.outside and not self.steps:
                refuse(spec.rule, faults_of_teaching(net, self.state, batch, teaching))
        updates = observed.for_anchors(teaching).updates(net, activity, batch.error)
        if align:
            everything = replace(batch, activity=activity)
            self.alignment = alignment(net, everything, updates, self.streams, self.steps)
        self.optimiser.set_factor(learning_rate_factor(spec, self.steps))
        with self._turns():
            self.optimiser.step(updates, None if only_readout else teaching)
            net.constrain()
        self.steps += 1
        if self.turns is not None and not only_readout:
            losses = teaching.loss
            if losses is None:
                losses = loss.unsqueeze(1).expand(-1, spec.L)
            self.turns.after(self.steps, losses)
        wrong = activity.logits.argmax(-1) != batch.labels
        return loss, wrong.mean(1, dtype=loss.dtype)

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
        if self.vocabulary is None:
            self.feed.select(keep)
        else:
            self.vocabulary = self.vocabulary.select(keep)
            self.feed.select(keep, self.vocabulary.places)
        if self.turns is not None:
            self.turns.select(keep)
        self.optimiser.select(self.net, self.state, keep)

"""Which training strings come at each step."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from synaptree.errors import SynaptreeError
from synaptree.grammar.clips import neighbours
from synaptree.training.spec import RunSpec
from synaptree.training.streams import generator


class Minibatches:
    """The minibatches of one replica: indices into its training set, from a stream of its own.

    A minibatch holds objects one after another, each of `members` inputs. In every epoch each input
    is the first of an object once. The other members are the next inputs of its class, in an order
    that is drawn anew each epoch; in clips the other member is the frame's neighbour.

    y: classes (P,).  batch: inputs in a minibatch.  neighbours: (P,), for clips.
    Raises SynaptreeError where a class has fewer inputs than an object has members.
    """

    CHUNK = 256

    def __init__(
        self,
        y: Tensor,
        batch: int,
        members: int,
        stream: torch.Generator,
        neighbours: Tensor | None = None,
    ) -> None:
        self.objects, self.members, self.stream = batch // members, members, stream
        self.P, self.neighbours = len(y), neighbours
        if members > 1 and neighbours is None:
            self.counts = torch.bincount(y)
            if int(self.counts[y].min()) < members:
                raise SynaptreeError(
                    f"views: {members} inputs of one class are compared, but a class has only "
                    f"{int(self.counts[y].min())} of the P = {self.P} training strings; expected a "
                    "larger P or a smaller K"
                )
            self.starts = self.counts.cumsum(0) - self.counts
            self.y = y
        self._start_epoch()

    def _start_epoch(self) -> None:
        self.order = torch.randperm(self.P, generator=self.stream)
        self.position = 0
        if self.members > 1 and self.neighbours is None:
            shuffled = torch.randperm(self.P, generator=self.stream)
            self.by_class = shuffled[self.y[shuffled].argsort(stable=True)]
            self.rank = torch.empty_like(shuffled)
            self.rank[self.by_class] = torch.arange(self.P)

    def skip(self, steps: int) -> None:
        """Go on as after the first `steps`."""
        per_epoch = self.P // self.objects
        for _ in range(steps // per_epoch):
            self._start_epoch()
        self.position = steps % per_epoch * self.objects

    def chunk(self) -> Tensor:
        """Indices for the next steps of this epoch: (steps, batch), at most CHUNK steps."""
        steps = min(self.CHUNK, (self.P - self.position) // self.objects)
        if steps == 0:
            self._start_epoch()
            steps = min(self.CHUNK, self.P // self.objects)
        first = self.order[self.position : self.position + steps * self.objects]
        self.position += steps * self.objects
        if self.members == 1:
            return first.view(steps, self.objects)
        if self.neighbours is not None:
            pairs = torch.stack([first, self.neighbours[first]], 1)
            return pairs.view(steps, self.objects * 2)
        start, count = self.starts[self.y[first]], self.counts[self.y[first]]
        within_class = (self.rank[first] - start)[:, None] + torch.arange(self.members)
        members = self.by_class[start[:, None] + within_class % count[:, None]]
        return members.view(steps, self.objects * self.members)


class Feed:
    """The minibatches of all replicas, step by step.

    strings: (R, P, ·), in whatever form the network reads them.  classes: (R, P), of which the
    first ``spec.trained`` are trained on.  form: makes of the strings of some steps,
    (steps, R, B, ·), what the network reads at each of these.
    """

    NUMBERS = 2**16  # of strings that are laid out at once: fewer calls, yet they stay in the cache

    def __init__(
        self,
        strings: Tensor,
        classes: Tensor,
        specs: Sequence[RunSpec],
        form: Callable[[Tensor], Iterable[Any]] = list,
    ) -> None:
        spec = specs[0]
        self.strings, self.classes, self.form = strings, classes, form
        beside = None
        if spec.frames:
            beside = torch.from_numpy(neighbours(spec.trained, spec.frames))
        self.minibatches = [
            Minibatches(
                y[: spec.trained].cpu(),
                spec.batch,
                spec.members,
                generator("minibatch", each.data_seed),
                beside,
            )
            for y, each in zip(classes, specs, strict=True)
        ]
        self._indices = torch.empty(len(specs), 0, spec.batch, dtype=torch.long)  # (R, steps, B)
        self.position = self._first = 0  # of the next step; of the first one that is made
        self._made: list[tuple[Any, Tensor]] = []

    def next(self) -> tuple[Any, Tensor]:
        """What the network reads at the next step, and the classes, (R, B)."""
        if self.position == self._first + len(self._made):
            self._make()
        self.position += 1
        return self._made[self.position - 1 - self._first]

    def _make(self) -> None:
        """Make the minibatches of the next steps."""
        if self.position == self._indices.shape[1]:
            chunks = [minibatches.chunk() for minibatches in self.minibatches]
            self._indices = torch.stack(chunks).to(self.strings.device)
            self.position = 0
        self._first = self.position
        R, P, *each = self.strings.shape
        count = max(1, self.NUMBERS // (R * self._indices.shape[2] * math.prod(each)))
        indices = self._indices[:, self.position :][:, :count].transpose(0, 1)
        first = P * torch.arange(R, device=indices.device)
        rows = (indices + first.view(R, 1)).flatten()  # among the R·P of all replicas
        strings, classes = (
            t.flatten(0, 1).index_select(0, rows).view(*indices.shape, *t.shape[2:])
            for t in (self.strings, self.classes)
        )
        self._made = list(zip(self.form(strings), classes, strict=True))

    def skip(self, steps: int) -> None:
        """Go on as after the first `steps`.  The feed must be fresh."""
        for minibatches in self.minibatches:
            minibatches.skip(steps)

    def select(self, keep: Tensor, form: Callable[[Tensor], Iterable[Any]] = list) -> None:
        """Keep only the replicas `keep` (indices), in place.  form: as at first, now of these."""
        self.form = form
        self.strings, self.classes = self.strings[keep], self.classes[keep]
        self.minibatches = [self.minibatches[r] for r in keep.tolist()]
        self._indices = self._indices[keep]
        self._first, self._made = self.position, []

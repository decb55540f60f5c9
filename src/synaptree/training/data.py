"""What a program is trained on: the strings of its replicas, and which come at each step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from synaptree.errors import SynaptreeError
from synaptree.grammar.clips import draw_clips
from synaptree.grammar.rhm import Samples
from synaptree.training.spec import RunSpec


def generator(purpose: str, seed: int) -> torch.Generator:
    """A stream of its own for each purpose and seed: no two draws of a run share numbers."""
    entropy = np.random.SeedSequence([seed, *purpose.encode()])
    return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> 1))


@dataclass(frozen=True)
class Data:
    """The strings of R replicas.  x (R, P, d), y (R, P), test_x (R, T, d), test_y (R, T)."""

    x: Tensor
    y: Tensor
    test_x: Tensor
    test_y: Tensor

    @classmethod
    def draw(cls, specs: Sequence[RunSpec], device: torch.device) -> "Data":
        """P training strings, and test strings that are in no training set, for each spec."""
        train: list[Samples] = []
        test: list[Samples] = []
        for spec in specs:
            grammar, clips = spec.grammar, spec.clips
            if clips is None:
                train.append(grammar.sample(spec.P, seed=spec.data_seed))
            else:
                levels = range(1, spec.L + 1)
                redraw = [clips.redraw[clips.level > 0 and l > clips.level] for l in levels]
                train.append(draw_clips(grammar, spec.P, spec.data_seed, clips.frames, redraw))
            tests = min(spec.tests, grammar.size - spec.P)
            test.append(grammar.sample(tests, seed=spec.data_seed + 2**32, exclude=train[-1]))

        def stack(arrays: Sequence[np.ndarray[Any, Any]]) -> Tensor:
            stacked = np.stack(arrays)
            # Tokens stay bytes where they fit: an index type is made a batch at a time.
            narrow = stacked if stacked.dtype == np.uint8 else stacked.astype(np.int32)
            return torch.from_numpy(narrow).to(device)

        return cls(
            stack([t.x for t in train]),
            stack([t.y for t in train]).long(),
            stack([t.x for t in test]),
            stack([t.y for t in test]).long(),
        )

    def select(self, keep: Tensor) -> "Data":
        """The data of the replicas `keep` (indices)."""
        return Data(self.x[keep], self.y[keep], self.test_x[keep], self.test_y[keep])


class Minibatches:
    """Which inputs a replica sees at each step: indices into its training set, from its own stream.

    Every epoch each input is once the first of an object; the other members of the object are the
    next ones of its class in an order that is new in every epoch, or, in clips, its neighbour.
    Objects stand one after another.
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
        self._epoch()

    def _epoch(self) -> None:
        self.order = torch.randperm(self.P, generator=self.stream)
        self.at = 0
        if self.members > 1 and self.neighbours is None:
            shuffled = torch.randperm(self.P, generator=self.stream)
            self.by_class = shuffled[self.y[shuffled].argsort(stable=True)]
            self.rank = torch.empty_like(shuffled)
            self.rank[self.by_class] = torch.arange(self.P)

    def chunk(self) -> Tensor:
        """Indices of the next steps of this epoch: (up to CHUNK, B)."""
        steps = min(self.CHUNK, (self.P - self.at) // self.objects)
        if steps == 0:
            self._epoch()
            steps = min(self.CHUNK, self.P // self.objects)
        first = self.order[self.at : self.at + steps * self.objects]
        self.at += steps * self.objects
        if self.members == 1:
            return first.view(steps, self.objects)
        if self.neighbours is not None:
            pairs = torch.stack([first, self.neighbours[first]], 1)
            return pairs.view(steps, self.objects * 2)
        start, count = self.starts[self.y[first]], self.counts[self.y[first]]
        within = (self.rank[first] - start)[:, None] + torch.arange(self.members)
        companions = self.by_class[start[:, None] + within % count[:, None]]
        return companions.view(steps, self.objects * self.members)

"""The two sides of a layer that a rule compares: its activity, and its context.

The same activity often stands at many places (an input and a position), and a context mostly is the
activity of another place. So both sides are kept as rows, with the number of the row that each
place has; what is linear in a row is worked out once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import torch
from torch import Tensor

from synaptree.network.lazy import Lazy
from synaptree.network.operations import apply
from synaptree.network.tree import Activity, TreeNet
from synaptree.rules.base import Batch
from synaptree.rules.shared.prediction import context_of


class Contexts(Lazy[Tensor | None]):
    """The contexts of all layers, made when they are read, and from which places they come.

    activity: of which they are made, by second_view (see `Batch`).  places: for a layer the place
    whose activity each place has as its context, (B, N_l), place (b, n) being number b·N_l + n;
    None where a context is not the activity of one place.  whole: for each layer whether all units
    have the same place's context, so that the second view of what is linear in an activity is the
    same of its context.
    """

    def __init__(
        self,
        activity: Activity,
        second_view: Callable[[int, Tensor], Tensor],
        places: Callable[[int], Tensor | None],
        whole: Sequence[bool],
    ) -> None:

        def made(layer: int) -> Tensor:
            return second_view(layer, activity.z[layer - 1])

        super().__init__([partial(made, layer) for layer in range(1, len(activity.z) + 1)])
        self.activity, self.places, self.whole = activity, places, whole


@dataclass(frozen=True)
class Side:
    """Activities of a layer by number.

    rows: (R, K, H).  numbers: the row of each place, (R, B, N_l), int32.  apart: each position has
    rows of its own, one for each input.
    """

    rows: Tensor
    numbers: Tensor
    apart: bool = False

    def at(self, replica: int) -> tuple[Tensor, Tensor]:
        """The rows that each position of a replica reads, (N_l, K, H), or (1, K, H) if they are the
        same at all; and which of them each place has, (B, N_l)."""
        rows, numbers = self.rows[replica], self.numbers[replica]
        if not self.apart:
            return rows.unsqueeze(0), numbers
        B, N = numbers.shape
        copied = rows.index_select(0, numbers.T.reshape(-1))
        return copied.view(N, B, -1), _every_input(B, N)


def activity_side(batch: Batch, layer: int) -> Side:
    """z_l: its distinct rows where they are known, otherwise one row for each place."""
    distinct = batch.activity.distinct(layer)
    if distinct is not None:
        return Side(distinct.rows.contiguous(), distinct.numbers)
    return _all_places(batch.activity.z[layer - 1])


def context_side(batch: Batch, layer: int, apart: bool) -> Side:
    """The contexts of a layer.  apart: positions have weights of their own, so that the distinct
    rows are less work only if there are no more of them than inputs."""
    places, source = places_of(batch, layer)
    if places is None:
        return _all_places(context_of(batch, layer), apart)
    distinct, (B, N) = source.distinct(layer), places.shape
    if distinct is not None and distinct.rows.shape[1] <= (B if apart else B * N):
        numbers = distinct.numbers.flatten(1).index_select(1, places.view(-1))
        return Side(distinct.rows.contiguous(), numbers.view(-1, B, N))
    z = source.z[layer - 1]
    return Side(z.flatten(1, 2), places.expand(len(z), B, N), apart)


def places_of(batch: Batch, layer: int) -> tuple[Tensor | None, Activity]:
    """From which place each context comes (see `Contexts`), and of which activity."""
    contexts = batch.contexts
    if not isinstance(contexts, Contexts):
        return None, batch.activity
    return contexts.places(layer), contexts.activity


def top_side(batch: Batch, positions: int) -> Side:
    """The contexts of the top layer, which each of so many positions has."""
    c = context_of(batch, len(batch.contexts))
    R, B, _, H = c.shape
    return Side(c.reshape(R, B, H), _every_input(B, positions).expand(R, B, positions))


def weighted_h(net: TreeNet, batch: Batch, layer: int) -> tuple[Tensor, Tensor | float]:
    """h_l and the weight of each in the mean over places: (R, B, N_l, H), or the distinct ones,
    (R, K, H), with weights (R, K, 1) by how often they occur."""
    distinct = batch.activity.distinct(layer)
    if distinct is None:
        h = batch.activity.h[layer - 1]
        return h, 1 / (h.shape[1] * h.shape[2])
    counts = distinct.rows.new_zeros(distinct.rows.shape[:2])
    numbers = distinct.numbers.flatten(1).long()
    mean = 1 / numbers.shape[1]
    counts.scatter_add_(1, numbers, counts.new_full((1, 1), mean).expand(numbers.shape))
    bias = net.b[layer - 1] if net.b else None
    rows = apply(distinct.x.unsqueeze(1), net.W[layer - 1], net.gains[layer - 1], bias)
    return rows.squeeze(1), counts.unsqueeze(-1)


def _all_places(t: Tensor, apart: bool = False) -> Side:
    """A row for each place of t (R, B, N, H)."""
    R, B, N, H = t.shape
    return Side(t.reshape(R, B * N, H), _every_place(B, N).expand(R, B, N), apart)


@lru_cache(maxsize=64)
def _every_place(B: int, N: int) -> Tensor:
    """The number b·N + n of each place, (B, N)."""
    return torch.arange(B * N, dtype=torch.int32, device="cpu").view(B, N)


@lru_cache(maxsize=64)
def _every_input(B: int, N: int) -> Tensor:
    """The number b of the input of each place, (B, N)."""
    inputs = torch.arange(B, dtype=torch.int32, device="cpu")
    return inputs.view(B, 1).expand(B, N).contiguous()

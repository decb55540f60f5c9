"""How two updates of a layer differ, before and after a quantity was changed."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from synaptree.audit.quantities import ALL, Focus, Quantity, others, with_strangers
from synaptree.audit.record import Record
from synaptree.rules import Factors

Need = Literal["no", "scalar", "vector", "yes", "unclear", "none"]
# none: the rule has no such quantity.  no: the update stays the same, bit for bit.
# scalar, vector: the quantity enters as one number, or as one short vector, broadcast to the layer.
# yes: it enters in another way, so that what it does to a synapse depends on the input as well.
# unclear: the rule runs the network again, and this cannot be separated from the change.
SEVERITY: tuple[Need, ...] = ("none", "no", "scalar", "vector", "unclear", "yes")


def worst(needs: Sequence[Need]) -> Need:
    """The strongest of several needs."""
    return max(needs, key=SEVERITY.index)


def compare(before: Sequence[Factors], after: Sequence[Factors], focus: Focus) -> Need:
    """Whether two updates of a layer are the same within the focus, bit for bit; if not, whether
    only the modulators differ ("scalar")."""
    inputs, positions, units = focus

    def same(name: str, units: slice) -> bool:
        def part(factors: Factors) -> Tensor:
            t = getattr(factors, name)
            return t[:, inputs, positions, units if t.shape[3] > 1 else ALL]

        return all(torch.equal(part(a), part(b)) for a, b in zip(before, after, strict=True))

    same_pre = same("pre", ALL)
    if same_pre and same("signal", units):
        return "no"
    return "scalar" if same_pre and same("dendrite", units) else "yes"


def broadcast(record: Record, changed: Record, quantity: Quantity, layer: int) -> bool:
    """Whether the label or the error reaches the layer as one vector, the same way for all inputs.

    That is so if the signal of an input follows from this vector alone, through weights that all
    inputs share: inputs that exchange the vector then exchange their signals.  So ``B f(e)`` is
    broadcast for every function f, and what masks of an input take part in is not.  In a batch of
    one object, all else of the object is exchanged for that of another one.
    """
    if quantity.key not in ("label", "error"):
        return False
    return all(_follows(one, quantity.key, layer) for one in (record, changed))


def _follows(record: Record, key: str, layer: int) -> bool:
    """Whether signals go where the quantity goes."""
    batch = record.batch
    asked = {"label": "labels", "error": "error"}[key]
    vectors, apart = getattr(batch, asked), batch.members
    if others(record):
        moved = record.batch_with(**{asked: vectors.roll(apart, 1)})
    else:
        moved, apart = with_strangers(record, [0]).batch_with(**{asked: vectors}), 0
    T, there = (sum_of(one.terms(layer)) for one in (record, moved))
    return float((T.roll(apart, 1) - there).abs().max()) <= 1e-9 * float(T.abs().max())


def sum_of(factors: Sequence[Factors]) -> Tensor:
    """The teaching signal T_l of a layer, the sum of its terms."""
    return torch.stack([f.signal for f in factors]).sum(0)

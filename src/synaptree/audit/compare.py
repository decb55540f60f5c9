"""How two updates of a layer differ, before and after a quantity was changed."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from synaptree.audit.quantities import ALL, Focus, Quantity
from synaptree.audit.record import Record
from synaptree.rules import Factors

Need = Literal["no", "scalar", "vector", "yes", "unclear", "none"]
# none: the rule has no such quantity.  no: the update stays the same, bit for bit.
# scalar, vector: the quantity enters as one number, or as one short vector, broadcast to the layer.
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


def linear(
    record: Record,
    changed: Record,
    quantity: Quantity,
    before: Sequence[Factors],
    after: Sequence[Factors],
) -> bool:
    """Whether the signal of every input is one fixed matrix times the quantity, a short vector, or
    times its signs. Asked of the label and the error alone."""
    if quantity.key not in ("label", "error"):
        return False
    vectors: list[Tensor] = []
    for one in (record, changed):
        error = one.batch.error
        onehot = torch.nn.functional.one_hot(one.batch.labels, one.net.n).to(error)
        vectors.append(onehot if quantity.key == "label" else error)
    q = torch.cat(vectors, 1)
    T = torch.cat([sum_of(before), sum_of(after)], 1).flatten(2)
    for vector in (q, q.sign()):
        fit = torch.linalg.lstsq(vector, T, driver="gelsd").solution
        if float((vector @ fit - T).abs().max()) < 1e-9 * float(T.abs().max()):
            return True
    return False


def sum_of(factors: Sequence[Factors]) -> Tensor:
    """The teaching signal T_l of a layer, the sum of its terms."""
    return torch.stack([f.signal for f in factors]).sum(0)

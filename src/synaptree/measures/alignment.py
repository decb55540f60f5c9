"""How far a rule's updates point along another's."""

from collections.abc import Sequence

import torch
from torch import Tensor


def cosines(updates: Sequence[Tensor | None], others: Sequence[Tensor | None]) -> Tensor:
    """The cosine between two updates of each layer, (R, L), in float64.

    updates, others: of L layers, (R, ...) each.  NaN where a layer is not updated, or where one of
    the two is zero: a direction that does not exist is not counted as agreeing with anything.
    """
    found: list[Tensor] = []
    for a, b in zip(updates, others, strict=True):
        if a is None or b is None:
            there = next((t for t in (*updates, *others) if t is not None), torch.zeros(1))
            found.append(torch.full((len(there),), torch.nan, dtype=torch.float64))
            continue
        u, w = a.flatten(1).double(), b.flatten(1).double()
        # Scaled first: the squares of a small gradient must not vanish.
        u = u / u.abs().amax(1, keepdim=True)
        w = w / w.abs().amax(1, keepdim=True)
        found.append((u * w).sum(1).cpu() / (u.norm(dim=1) * w.norm(dim=1)).cpu())
    return torch.stack(found, 1)

"""How well the updates of two rules agree in direction."""

from collections.abc import Sequence

import torch
from torch import Tensor


def cosines(updates: Sequence[Tensor | None], others: Sequence[Tensor | None]) -> Tensor:
    """The cosine between two updates of each layer, (R, L), in float64.

    updates, others: of L layers, (R, ...) each.  NaN where a layer is not updated, and where one of
    the two updates is zero and so has no direction.
    """
    layers: list[Tensor] = []
    for a, b in zip(updates, others, strict=True):
        if a is None or b is None:
            replicas = next((len(t) for t in (*updates, *others) if t is not None), 1)
            nothing = torch.full((replicas,), torch.nan, dtype=torch.float64, device="cpu")
            layers.append(nothing)
            continue
        u, w = a.flatten(1).double(), b.flatten(1).double()
        # Scaled first, since the squares of a small gradient would become 0.
        u = u / u.abs().amax(1, keepdim=True)
        w = w / w.abs().amax(1, keepdim=True)
        layers.append((u * w).sum(1).cpu() / (u.norm(dim=1) * w.norm(dim=1)).cpu())
    return torch.stack(layers, 1)

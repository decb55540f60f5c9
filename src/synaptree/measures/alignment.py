"""How well the updates of two rules agree in direction."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from synaptree.errors import SynaptreeError, shown, unknown


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


def with_backprop(
    module: nn.Module, updates: Mapping[str, Tensor], x: Any, y: Tensor
) -> dict[str, float]:
    """The cosine of each parameter's update with backprop's, by the parameter's name.

    updates: signed and shaped as gradients are.  x: what the module reads; it gives logits (B, n).
    y: classes (B,).  Backprop's loss is the cross-entropy.
    """
    parameters = dict(module.named_parameters())
    for name, update in updates.items():
        if name not in parameters:
            raise unknown("measure update", name, parameters)
        if update.shape != parameters[name].shape:
            raise SynaptreeError(
                f"measure update {name!r}: shape {tuple(update.shape)}; expected that of the "
                f"parameter, {tuple(parameters[name].shape)}"
            )
    with torch.enable_grad():
        logits: Any = module(x)
        if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != len(y):
            given = tuple(logits.shape) if isinstance(logits, Tensor) else shown(logits)
            raise SynaptreeError(
                f"measure updates: the module gives {given}; expected logits (strings, classes)"
            )
        loss = nn.functional.cross_entropy(logits, y)
        wanted = [parameters[name] for name in updates]
        found = torch.autograd.grad(loss, wanted, allow_unused=True)
    exact = cast(Sequence[Tensor | None], found)  # None where the loss does not depend on it
    given = [update.detach().unsqueeze(0) for update in updates.values()]
    angles = cosines(given, [None if g is None else g.unsqueeze(0) for g in exact])
    return dict(zip(updates, angles[0].tolist(), strict=True))

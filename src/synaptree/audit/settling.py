"""What the audit asks of rules whose network settles: each is a change of that settling alone.

Rules that do not settle have none of these quantities, and their audits do not mention them.
"""

import copy
from collections import deque
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from synaptree.audit.quantities import Quantity, rescaled, scrambled, state_change
from synaptree.audit.record import Record, is_lateral
from synaptree.network.settling import Settled


def _settled(record: Record, layer: int, g: torch.Generator) -> Record | None:
    """Change the state that the network settles into."""
    net = copy.deepcopy(record.net)
    settle = net.settle

    def other(*how: Any, **more: Any) -> Settled:
        found = settle(*how, **more)
        path = [[rescaled(u, g) for u in state] for state in found.path]
        return replace(found, state=[rescaled(u, g) for u in found.state], path=path)

    vars(net).update(settle=other)
    return replace(record, net=net) if record.settlings else None


def _both_ways(record: Record, layer: int, g: torch.Generator) -> Record | None:
    """Change the weights where they send something down, and leave them on the way up."""
    net = copy.deepcopy(record.net)
    W, W_out = [scrambled(W, g) for W in net.W], scrambled(net.W_out, g)
    down, down_from_output = net.down, net.down_from_output

    def other_down(l: int, delta: Tensor, weights: Tensor | None = None, *more: Any) -> Tensor:
        return down(l, delta, W[l - 1] if weights is None else weights, *more)

    def other_output(error: Tensor, weights: Tensor | None = None) -> Tensor:
        return down_from_output(error, W_out if weights is None else weights)

    vars(net).update(down=other_down, down_from_output=other_output)
    return replace(record, net=net) if record.settlings else None


def _phases(record: Record, layer: int, g: torch.Generator) -> Record | None:
    """Give the state of one phase for that of the next."""
    if record.settlings < 2:
        return None
    seen: list[Settled] = []
    net = copy.deepcopy(record.net)
    settle = net.settle

    def watched(*how: Any, **more: Any) -> Settled:
        seen.append(settle(*how, **more))
        return seen[-1]

    vars(net).update(settle=watched)
    replace(record, net=net).teach()
    found = list(seen)

    def of_the_next(*how: Any, **more: Any) -> Settled:
        later.rotate(-1)
        return later[0]

    later = deque(found)
    vars(net).update(settle=of_the_next)
    return replace(record, net=net)


_LATERAL = state_change(lambda name, own: is_lateral(name), ("learned", "feedback", "running"))


def _lateral(record: Record, layer: int, g: torch.Generator) -> Record | None:
    """Change the weights to and from interneurons, of every layer."""
    return _LATERAL(record, layer, g) if record.settlings else None


SETTLING = (
    Quantity("settled", "set", "a second, settled state", _settled),
    Quantity("both_ways", "W⇅", "weights both ways", _both_ways),
    Quantity("phases", "±", "which phase it is", _phases),
    Quantity("lateral", "⇆", "lateral weights of interneurons", _lateral),
)

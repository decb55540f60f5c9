"""How a network comes to rest: its state goes downhill in an energy, all inputs at once.

A rule gives the energy and the way downhill; what is here takes the steps and knows when to stop.
Every input of every replica moves by itself. Where a step would raise its energy, it is not made,
and the next is half as long. So the energy never rises but for rounding, however
strong the weights have grown.

The state is a list of tensors, one a layer, (R, B, N_l, H); R replicas, B inputs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

ROUNDING = 8  # how many times the last digit of an energy may rise: it is a rounded sum
# Of a state, its energy, (R, B), and for each layer the way downhill, shaped as the state.
Downhill = Callable[[Sequence[Tensor]], tuple[Tensor, list[Tensor]]]


@dataclass(frozen=True)
class Settled:
    """Where a network came to rest, or how far it came.

    energy: at the start and after each step, (R, B) each.  residual: the length of the last step
    at rate 1, relative to the length of the state that it led to, (R, B).  steps: made by each
    input, (R, B).  way: downhill from the state, as `Downhill` gives it.  path: the states after
    each step.
    """

    state: list[Tensor]
    way: list[Tensor]
    energy: list[Tensor]
    residual: Tensor
    steps: Tensor
    path: list[list[Tensor]] = field(default_factory=list[list[Tensor]])


def settle(
    downhill: Downhill,
    start: Sequence[Tensor],
    rate: float,
    steps: int,
    tolerance: float = 0.0,
    floor: float | None = None,
    keep: bool = False,
) -> Settled:
    """Go `steps` steps of length `rate`; an input stops where its residual is below `tolerance`.

    floor: the least value that a unit may have.  keep: whether the path is kept.
    """
    state = list(start)
    energy, way = downhill(state)
    trace, path = [energy], list[list[Tensor]]()
    rates = torch.full_like(energy, rate)
    residual = torch.full_like(energy, torch.inf)
    made = torch.zeros_like(energy)
    moving = torch.ones_like(energy, dtype=torch.bool)
    eps = torch.finfo(energy.dtype).eps
    for _ in range(steps):
        trial = [u + _each(rates) * w for u, w in zip(state, way, strict=True)]
        if floor is not None:
            trial = [t.clamp_(min=floor) for t in trial]
        made += moving
        now = _length([t - u for t, u in zip(trial, state, strict=True)]) / rates
        now /= _length(trial) + torch.finfo(now.dtype).tiny
        residual = torch.where(moving, now, residual)
        energy_there, way_there = downhill(trial)
        taken = moving & (energy_there <= energy + ROUNDING * eps * energy.abs())
        if bool(taken.all()):
            state, energy, way = trial, energy_there, way_there
        else:
            state, way = _where(taken, trial, state), _where(taken, way_there, way)
            energy = torch.where(taken, energy_there, energy)
            rates = torch.where(taken, rates, rates / 2)
        trace.append(energy)
        if keep:
            path.append(state)
        moving = moving & (residual >= tolerance)
        if not bool(moving.any()):
            break
    return Settled(state, way, trace, residual, made, path)


def _each(t: Tensor) -> Tensor:
    return t[:, :, None, None]


def _where(taken: Tensor, new: Sequence[Tensor], old: Sequence[Tensor]) -> list[Tensor]:
    return [torch.where(_each(taken), n, o) for n, o in zip(new, old, strict=True)]


def _length(state: Sequence[Tensor]) -> Tensor:
    """The length of the state of each input, (R, B)."""
    return torch.stack([t.square().sum((2, 3)) for t in state]).sum(0).sqrt()

"""An update in the textbook form: presynaptic × (modulator · dendrite × the unit's own gate)."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Factors:
    """One term of a layer's update in the textbook form. The update is the sum of its terms:

        ΔW_l ∝ −Σ  pre ⊗ (modulator · dendrite ⊙ post)

    modulator: one number for each input and position, broadcast, (R, B, N_l, 1).  dendrite: the
    signal to each unit, (R, B, N_l, H).  post: the unit's own gate, (R, B, N_l, H).  pre: x_l,
    (R, B, N_l, s·C).
    """

    modulator: Tensor
    dendrite: Tensor
    post: Tensor
    pre: Tensor

    @property
    def signal(self) -> Tensor:
        """This term's part of the teaching signal, (R, B, N_l, H)."""
        return self.modulator * self.dendrite


def of_states(T: Tensor, pre: Tensor, states: int) -> list[Factors]:
    """The terms of an update that is the sum over several states of the network."""
    terms: list[Factors] = []
    for signal, x in zip(T.chunk(states, 1), pre.chunk(states, 1), strict=True):
        B = signal.shape[1]
        mean = signal.new_full((*signal.shape[:3], 1), 1 / B)
        terms.append(Factors(mean, signal * B, torch.ones_like(signal), x))
    return terms

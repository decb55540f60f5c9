"""Synonym sensitivity, and the health of a representation."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


def synonym_sensitivity(z: Tensor, z_exchanged: Tensor, apart: Tensor | None = None) -> Tensor:
    """How far a layer's activity moves when synonyms are exchanged, relative to two inputs: (R,).

        S = E|z(x) − z(x̃)|² / E|z(x) − z(x')|²

    after Cagnetta et al. (arXiv 2307.02129), with x̃ the input x after every production rule of one
    level was replaced by a synonym, and x' another input.  z, z_exchanged: (R, P, N, H).  0: blind
    to the exchange;  1: as far as two unrelated inputs.  NaN where the layer does not move at all.
    apart: the denominator, see `distance_of_inputs`, where it is known.
    """
    apart = distance_of_inputs(z) if apart is None else apart
    return torch.where(apart > 0, _mean_square(z - z_exchanged) / apart, torch.nan)


def distance_of_inputs(z: Tensor) -> Tensor:
    """E|z(x) − z(x')|² over all pairs of different inputs, of activity (R, P, N, H): (R,)."""
    P = z.shape[1]
    return 2 * P / (P - 1) * _mean_square(z - z.mean(1, keepdim=True))


def _mean_square(difference: Tensor) -> Tensor:
    """The mean over inputs of |difference|², which is overwritten: (R, P, N, H) to (R,)."""
    return difference.square_().sum((2, 3)).double().mean(1)


@dataclass(frozen=True)
class Moments:
    """Mean (R, H) and covariance of units over inputs and positions, in float64.

    The covariance is kept as eigenvalues (R, H), rising, and eigenvectors (R, H, H), in columns.
    """

    mean: Tensor
    eigenvalues: Tensor
    eigenvectors: Tensor

    @classmethod
    def of(cls, z: Tensor) -> Self:
        """The moments of activity (R, P, N, H)."""
        flat = z.flatten(1, 2)
        mean = flat.mean(1, keepdim=True)
        centred = flat - mean
        covariance = (centred.mT @ centred).double() / flat.shape[1]
        eigenvalues, eigenvectors = torch.linalg.eigh(covariance)
        return cls(mean.squeeze(1).double(), eigenvalues.clamp_min(0), eigenvectors)


def effective_rank(moments: Moments) -> Tensor:
    """exp(entropy of the normalised spectrum of the covariance): (R,).

    Roy & Vetterli (EUSIPCO 2007).  1: one direction;  H: all alike;  0 where nothing varies.
    """
    total = moments.eigenvalues.sum(-1, keepdim=True)
    p = moments.eigenvalues / total.clamp_min(1e-300)
    rank = torch.special.entr(p).sum(-1).exp()
    return torch.where(total.squeeze(-1) > 0, rank, 0)


def dead_fraction(z: Tensor) -> Tensor:
    """The fraction of units that are silent at every input and position of (R, P, N, H): (R,)."""
    return (z.amax((1, 2)) <= 0).double().mean(-1)


def spread(moments: Moments) -> Tensor:
    """The mean over units of the standard deviation over inputs and positions: (R,)."""
    variance = (moments.eigenvectors.square() @ moments.eigenvalues.unsqueeze(-1)).squeeze(-1)
    return variance.sqrt().mean(-1)

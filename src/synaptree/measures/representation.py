"""Synonym sensitivity, and the health of a representation."""

import torch
from torch import Tensor


def synonym_sensitivity(z: Tensor, z_exchanged: Tensor) -> Tensor:
    """How far a layer's activity moves when synonyms are exchanged, relative to two inputs: (R,).

        S = E|z(x) − z(x̃)|² / E|z(x) − z(x')|²

    after Cagnetta et al. (arXiv 2307.02129), with x̃ the input x after every production rule of one
    level was replaced by a synonym, and x' another input.  z, z_exchanged: (R, P, N, H).  0: blind
    to the exchange;  1: as far as two unrelated inputs.  NaN where the layer does not move at all.
    """
    moved = (z - z_exchanged).double().square().sum((1, 2, 3))
    # Over all ordered pairs of different inputs: E|z − z'|² = 2 P/(P − 1) · variance.
    P = z.shape[1]
    spread = 2 * P / (P - 1) * (z - z.mean(1, keepdim=True)).double().square().sum((1, 2, 3))
    return torch.where(spread > 0, moved / spread, torch.nan)


def effective_rank(z: Tensor) -> Tensor:
    """exp(entropy of the normalised spectrum of the covariance) of activity (R, P, N, H): (R,).

    Roy & Vetterli (EUSIPCO 2007), on the eigenvalues of the covariance of units over inputs and
    positions. 1: one direction;  H: all alike;  0 where nothing varies.
    """
    flat = z.reshape(z.shape[0], -1, z.shape[-1]).double()
    flat = flat - flat.mean(1, keepdim=True)
    eigenvalues = torch.linalg.eigvalsh(flat.mT @ flat).clamp_min(0)
    total = eigenvalues.sum(-1, keepdim=True)
    p = eigenvalues / total.clamp_min(1e-300)
    rank = torch.special.entr(p).sum(-1).exp()
    return torch.where(total.squeeze(-1) > 0, rank, torch.zeros_like(rank))


def dead_fraction(z: Tensor) -> Tensor:
    """The fraction of units that are silent at every input and position of (R, P, N, H): (R,)."""
    return (z <= 0).all(1).all(1).double().mean(-1)


def spread(z: Tensor) -> Tensor:
    """The mean over units of the standard deviation over inputs and positions: (R,)."""
    return z.reshape(z.shape[0], -1, z.shape[-1]).double().std(1).mean(-1)

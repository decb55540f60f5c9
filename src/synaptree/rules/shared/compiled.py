"""Inner loops of rules, compiled for the CPU by numba: each reads the rows of a pair once.

`compiles` tells whether a tensor can be worked on here. Where it cannot, as on a GPU, rules use
whole tensors instead; both compute the same equations.

The machine code is kept on disk, beside this file or in the user's cache folder.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


def compiles(t: Tensor) -> bool:
    """Whether the loops work on this tensor."""
    return t.device.type == "cpu" and t.dtype in (torch.float32, torch.float64)


def contrast(
    z: Tensor, P: Tensor, a: Tensor, k: Tensor, members: int, mean: float, T: Tensor, G: Tensor
) -> float:
    """CLAPP's hinges for all places of one network; returns the loss.

    z: rows of activity, (K_z, H).  P: rows of predictions, (N, K, H), or (1, K, H) for all
    positions.  a, k: the row of activity and of the prediction of each place, (B, N).  The negative
    is the prediction of the object that comes next in the batch.
    Added to, for each row: T, the signal, shaped as z, and G, ∂loss/∂P.
    """
    return _run(_contrast, z, P, a, k, members, mean, T, G)


def contrast_reversed(
    Q: Tensor, c: Tensor, a: Tensor, k: Tensor, members: int, mean: float, E: Tensor
) -> float:
    """`contrast` where the rows of activity were carried to the contexts, Q = W z: (N, K_z, H).

    c: rows of contexts, (N, K, H) or (1, K, H).  Added to E, shaped as Q: ∂loss/∂Q.
    """
    return _run(_contrast_reversed, Q, c, a, k, members, mean, E)


def _contrast(z: Any, P: Any, a: Any, k: Any, members: Any, mean: Any, T: Any, G: Any):
    (B, N), H = a.shape, z.shape[1]
    zero = mean - mean
    total = 0.0
    for n in range(N):
        at = n if len(P) > 1 else 0
        for b in range(B):
            i, same, other = a[b, n], k[b, n], k[(b + members) % B, n]
            u_pos = u_neg = zero
            for h in range(H):
                u_pos += z[i, h] * P[at, same, h]
                u_neg += z[i, h] * P[at, other, h]
            gamma_pos = gamma_neg = zero
            if not u_pos >= 1:  # also if it is NaN
                total += 1 - u_pos
                gamma_pos = mean
                for h in range(H):
                    G[at, same, h] -= mean * z[i, h]
            if not u_neg <= -1:
                total += 1 + u_neg
                gamma_neg = mean
                for h in range(H):
                    G[at, other, h] += mean * z[i, h]
            if gamma_pos or gamma_neg:
                for h in range(H):
                    T[i, h] += gamma_neg * P[at, other, h] - gamma_pos * P[at, same, h]
    return total * mean


def _contrast_reversed(Q: Any, c: Any, a: Any, k: Any, members: Any, mean: Any, E: Any):
    (B, N), H = a.shape, Q.shape[2]
    zero = mean - mean
    total = 0.0
    for n in range(N):
        at = n if len(c) > 1 else 0
        for b in range(B):
            i, same, other = a[b, n], k[b, n], k[(b + members) % B, n]
            u_pos = u_neg = zero
            for h in range(H):
                u_pos += Q[n, i, h] * c[at, same, h]
                u_neg += Q[n, i, h] * c[at, other, h]
            gamma_pos = gamma_neg = zero
            if not u_pos >= 1:
                total += 1 - u_pos
                gamma_pos = mean
            if not u_neg <= -1:
                total += 1 + u_neg
                gamma_neg = mean
            if gamma_pos or gamma_neg:
                for h in range(H):
                    E[n, i, h] += gamma_neg * c[at, other, h] - gamma_pos * c[at, same, h]
    return total * mean


def _run(loop: Callable[..., float], *given: Any) -> float:
    """Call a loop with arrays in place of tensors, and with numbers of their type."""
    dtype: torch.dtype = given[0].dtype
    real = np.float32 if dtype == torch.float32 else np.float64
    arguments = [
        t.detach().numpy() if isinstance(t, Tensor) else real(t) if isinstance(t, float) else t
        for t in given
    ]
    if (loop, dtype) not in _COMPILED:
        _COMPILED[loop, dtype] = _compiled(loop, arguments)
    return _COMPILED[loop, dtype](*arguments)


_COMPILED: dict[tuple[Callable[..., float], torch.dtype], Callable[..., float]] = {}


def _compiled(loop: Callable[..., float], arguments: Sequence[Any]) -> Callable[..., float]:
    """A loop in machine code for arguments of these types and dimensions.

    Numbers of rows may have any strides; rows themselves lie one after another.
    """
    import numba  # here, since few runs need it

    nb: Any = numba
    kinds: list[Any] = []
    for each in arguments:
        number, ndim = nb.typeof(each), np.ndim(each)
        if ndim:
            order = "A" if each.dtype == np.int32 else "C"
            number = nb.types.Array(number.dtype, ndim, order)
        kinds.append(number)
    signature = nb.float64(*kinds)
    how: dict[str, Any] = {
        # Sums may be added up in another order, which lets them run in the parallel lanes of the
        # processor; infinities and NaN keep their meaning.
        "fastmath": {"reassoc", "contract", "nsz", "arcp"},
        "error_model": "numpy",
        "nogil": True,
    }
    try:
        return nb.njit(signature, cache=True, **how)(loop)
    except (RuntimeError, OSError):  # there is no folder to keep it in, or no space
        return nb.njit(signature, **how)(loop)

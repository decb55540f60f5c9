"""The operations of a layer: the gate, products with weights, and the gradients of weights.

Shapes are those of `synaptree.network.tree`. I and O count the inputs and outputs of a layer.
"""

import torch
from torch import Tensor


def gate(signal: Tensor, z: Tensor) -> Tensor:
    """``signal ⊙ φ'(h)`` for the ReLU, whose derivative is 1 where ``z = φ(h) > 0``. Any shape."""
    return torch.ops.aten.threshold_backward.default(signal, z, 0)


def gate_(signal: Tensor, z: Tensor) -> Tensor:
    """`gate` in the signal's own memory."""
    return torch.ops.aten.threshold_backward.grad_input(signal, z, 0, grad_input=signal)


def apply(
    x: Tensor, W: Tensor, gain: float = 1.0, bias: Tensor | None = None, same: bool = False
) -> Tensor:
    """``gain · x W + bias``: (R, B, N, I) with weights (R, I, O), or (R, N, I, O) if unshared.

    Rows of a table, (R, K, I), are as good with shared weights.  same: x is the same at all
    positions, so that one product is enough for their weights.
    """
    if same:
        b = None if bias is None else bias.flatten(1).unsqueeze(1)
        return apply(x[:, :, :1], together(W), gain, b).view(*x.shape[:3], -1)
    if W.ndim == 3:
        flat = x if x.ndim == 3 else x.reshape(len(x), -1, x.shape[3])
        if bias is None:
            y = scaled_(torch.bmm(flat, W), gain)
        else:
            y = torch.baddbmm(bias, flat, W, alpha=gain)
        return y if x.ndim == 3 else y.view(*x.shape[:3], -1)
    y = torch.matmul(x.transpose(1, 2), W).mul_(gain)
    if bias is not None:
        y += bias.unsqueeze(2)
    return y.transpose(1, 2).contiguous()


def apply_transposed(delta: Tensor, W: Tensor, gain: float = 1.0, same: bool = False) -> Tensor:
    """``gain · delta Wᵀ``: (R, B, N, O) with weights as in `apply`, to (R, B, N, I).  same: the sum
    over positions, (R, B, 1, I), which all read the same."""
    if same:
        return apply_transposed(whole(delta), together(W), gain)
    return apply(delta, W.transpose(-1, -2), gain)


def correlate(x: Tensor, delta: Tensor, gain: float, like: Tensor, same: bool = False) -> Tensor:
    """``gain · Σ x ⊗ delta`` over inputs (and, for shared weights, positions), shaped as `like`.
    same: as for `apply`."""
    if same:
        g = correlate(x[:, :, :1], whole(delta), gain, like[:, 0])
        return apart(g, delta.shape[2])
    if like.ndim == 3:
        R = x.shape[0]
        g = torch.bmm(x.reshape(R, -1, x.shape[-1]).mT, delta.reshape(R, -1, delta.shape[-1]))
    elif len(x) == 1 or x.is_cuda:
        g = torch.matmul(x.permute(0, 2, 3, 1), delta.transpose(1, 2))
    else:  # one product of all replicas would first copy both factors
        g = torch.empty_like(like)
        for x_r, delta_r, g_r in zip(x, delta, g, strict=True):
            torch.bmm(x_r.permute(1, 2, 0), delta_r.transpose(0, 1), out=g_r)
    return scaled_(g, gain)


def scaled_(t: Tensor, gain: float) -> Tensor:
    """``gain · t`` in its own memory."""
    return t if gain == 1.0 else t.mul_(gain)


# Of positions that read the same ------------------------------------------------------------------


def whole(t: Tensor) -> Tensor:
    """All positions side by side as one: (R, B, N, C) to (R, B, 1, N·C)."""
    return t.flatten(2).unsqueeze(2)


def together(W: Tensor) -> Tensor:
    """The weights of all positions as one matrix: (R, N, I, O) to (R, I, N·O)."""
    return W.transpose(1, 2).flatten(2)


def apart(W: Tensor, N: int) -> Tensor:
    """The inverse of `together`."""
    return W.unflatten(2, (N, -1)).transpose(1, 2).contiguous()

"""VectorTree: a TreeNet whose units are vectors, for global error-vector broadcasting."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from synaptree.errors import SynaptreeError
from synaptree.network.operations import apply, apply_transposed
from synaptree.network.tree import Activity, TreeNet, draw_normal


class VectorTree(TreeNet):
    """A TreeNet of `width` vector units a layer, K = n numbers each. No biases.

    Activity has the shapes of a TreeNet with H = K·width, a unit's component k at k·width + i.
    ``W[0]`` (R, s·v, K·width), of any sign; ``W[l-1]`` (R, s·width, width) and ``W_out``
    (R, width, 1), not negative.  t: gating vectors t_i, (R, K, width) for each layer.
    Units come in pairs with opposite t_i (ON and OFF), and weights start so that the activities of
    a pair are opposite. So a pair can do what one unit with weights of both signs does.
    """

    def __init__(self, v: int, n: int, s: int, L: int, width: int, **how: Any) -> None:
        if isinstance(width, int) and width % 2:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SynaptreeError(
                f"width: {width} given, but units of global_error_vector come in pairs; expected "
                f"an even number, as {width + 1}"
            )
        super().__init__(v, n, s, L, width, **how)
        generators, half = how["generators"], width // 2
        self.units, self.width = width, n * width
        self.b, self.b_out = [], None
        places = self.W[0].shape[1:-2]
        first = draw_normal(self, generators, self.stds[0], *places, self.reads(1) * v, n, half)
        self.W[0] = torch.cat([first, -first], -1).flatten(-2)
        for l in range(1, L):
            W = self.W[l].unflatten(-1, (2, half)).unflatten(-3, (-1, 2, half))
            w = 2**0.5 * W[..., 0, :, 0, :]  # half of all units are open, as in a ReLU net
            on = torch.stack([w.relu(), (-w).relu()], -2)
            self.W[l] = torch.stack([on, on.flip(-2)], -4).flatten(-2).flatten(-4, -2)
        w = 2**0.5 * self.W_out[:, :half, :1]
        self.W_out = torch.cat([w.relu(), (-w).relu()], 1)
        t = [draw_normal(self, generators, 1.0, n, half) for _ in range(L)]
        self.t = [torch.cat([half_t, -half_t], -1) for half_t in t]

    def named(self) -> dict[str, Tensor]:
        return super().named() | {f"t.{l}": t for l, t in enumerate(self.t, start=1)}

    @staticmethod
    def activity_width(width: int, n: int) -> int:
        return n * width

    def split(self, z: Tensor) -> Tensor:
        """(R, B, N, K·width) as weights see it, each component an input: (R, B·K, N, width)."""
        return z.unflatten(-1, (self.n, self.units)).transpose(2, 3).flatten(1, 2)

    def join(self, z: Tensor) -> Tensor:
        """The inverse of `split`."""
        return z.unflatten(1, (-1, self.n)).transpose(2, 3).flatten(-2)

    def forward(self, patches: Tensor, noise: Sequence[Tensor] | None = None) -> Activity:
        xs, hs, zs = [patches], [], []
        for l in range(self.L):
            h = self._into(l + 1, xs[l])
            h = h if l == 0 else self.join(h)
            if noise is not None:
                h = h + noise[l]
            vectors = h.unflatten(-1, (self.n, self.units))
            open = torch.einsum("rbnki,rki->rbni", vectors, self.t[l]) >= 0
            hs.append(h)
            zs.append((vectors * open.unsqueeze(3)).flatten(-2))
            if l + 1 < self.L:
                xs.append(self.patches(l + 2, self.split(zs[-1])))
        return Activity(xs, hs, zs, self.readout(zs[-1]))

    def readout(self, z: Tensor) -> Tensor:
        return apply(self.split(z), self.W_out, self.gain_out).view(*z.shape[:2], self.n)

    def gate(self, signal: Tensor, z: Tensor) -> Tensor:
        open = z.unflatten(-1, (self.n, self.units)).ne(0).any(3, keepdim=True)
        return (signal.unflatten(-1, (self.n, self.units)) * open).flatten(-2)

    def gate_(self, signal: Tensor, layer: int, activity: Activity) -> Tensor:
        return signal.copy_(self.gate(signal, activity.z[layer - 1]))

    def down(
        self,
        layer: int,
        delta: Tensor,
        weights: Tensor | None = None,
        activity: Activity | None = None,
    ) -> Tensor:
        return self.join(super().down(layer, self.split(delta), weights))

    def down_from_output(self, error: Tensor, weights: Tensor | None = None) -> Tensor:
        W = self.W_out if weights is None else weights
        components = error.flatten(1).unsqueeze(-1).unsqueeze(-1)
        return self.join(apply_transposed(components, W, self.gain_out))

    def correlated(self, layer: int, x: Tensor, delta: Tensor) -> Tensor:
        return super().correlated(layer, x, delta if layer == 1 else self.split(delta))

    def correlated_out(self, z: Tensor, error: Tensor) -> Tensor:
        return super().correlated_out(self.split(z), error.flatten(1).unsqueeze(-1))

    def constrain(self) -> None:
        for W in (*self.W[1:], self.W_out):
            W.clamp_(min=0)

    def select(self, keep: Tensor) -> None:
        super().select(keep)
        self.t = [t[keep] for t in self.t]

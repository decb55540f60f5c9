"""TreeNet: the network whose tree is the grammar's tree, with a replica axis. It does not learn.

Shapes: ``R`` replicas, ``B`` inputs, ``N_l = s**(L-l)`` positions of layer l, ``H`` units.
Layers are counted as in the design, 1..L; Python lists hold layer l at index ``l - 1``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from synaptree.errors import choice
from synaptree.network.checks import check_network, checked_tokens
from synaptree.network.operations import apply, apply_transposed, correlate, gate, gate_
from synaptree.network.tables import Distinct as Distinct
from synaptree.network.tables import Rows, Tables, every_patch, numbers

Parametrisation = Literal["standard", "mean_field"]
Connectivity = Literal["shared", "local"]


def draw_normal(
    net: "TreeNet", generators: Sequence[torch.Generator], std: float, *shape: int
) -> Tensor:
    """N(0, std²) of shape (R, *shape), replica r from its own generator, drawn in float32."""
    drawn = [
        torch.randn(shape, generator=g, dtype=torch.float32, device=g.device).mul_(std)
        for g in generators
    ]
    return torch.stack(drawn).to(net.device, net.dtype)


@dataclass(frozen=True)
class Activity:
    """The tensors of one forward pass. Lists hold layer l at index l - 1.

    x: patches that layer l reads, (R, B, N_l, s·C).  h: pre-activations, (R, B, N_l, H).
    z: activities φ(h), (R, B, N_l, H).  logits: (R, B, n).
    tables: where layers 1 and 2 were looked up, if they were. They only save work.
    """

    x: list[Tensor]
    h: list[Tensor]
    z: list[Tensor]
    logits: Tensor
    tables: Tables | None = None

    def replaced(self, **tensors: Any) -> "Activity":
        """This activity with other x, h, z or logits, and without tables, which are of the old."""
        return replace(self, tables=None, **tensors)

    def place_by_place(self) -> "Activity":
        """This activity without tables: each place has a signal and a gradient of its own."""
        return replace(self, tables=None)

    def distinct(self, layer: int) -> Distinct | None:
        """The activities of a layer that differ, where it was looked up; otherwise None."""
        return self.tables.distinct() if layer == 1 and self.tables is not None else None

    def beside(self, layer: int, signal: Tensor) -> Tensor:
        """z_l in the shape of a signal, which `TreeNet.down` may have summed for layer 1."""
        tables = self.tables
        if layer == 1 and tables is not None and signal.shape == tables.z.shape:
            return tables.z
        return self.z[layer - 1]


class TreeNet:
    """L hidden ReLU layers on non-overlapping patches of s positions, and a linear readout.

    ``parametrisation="standard"``: He initialisation, biases, one learning rate.
    ``"mean_field"`` (the RHM authors' later code, arXiv 2307.02129): weights N(0, 1), layer output
    divided by √(s·C), readout divided by H, no biases, learning rates multiplied by H
    (`learning_rate_factor`).

    Weights: ``W[l-1]`` (R, s·C, H), or (R, N_l, s·C, H) with ``connectivity="local"``; ``b[l-1]``
    (R, 1, H) or (R, N_l, H); ``W_out`` (R, H, n), ``b_out`` (R, 1, n). Weights start
    with standard deviations ``stds[l-1]`` and ``std_out``; ``gains[l-1]`` and ``gain_out`` multiply
    their products in the forward pass. Replica r is drawn from ``generators[r]`` alone, in float32
    whatever `dtype` is, so that both precisions start alike.
    """

    def __init__(
        self,
        v: int,
        n: int,
        s: int,
        L: int,
        width: int,
        generators: Sequence[torch.Generator],
        parametrisation: Parametrisation = "standard",
        connectivity: Connectivity = "shared",
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        check_network(v, n, s, L, width, generators, dtype)
        self.v, self.n, self.s, self.L, self.width = v, n, s, L, width
        parametrisation = choice("parametrisation", parametrisation, get_args(Parametrisation))
        connectivity = choice("connectivity", connectivity, get_args(Connectivity))
        self.parametrisation: Parametrisation = parametrisation
        self.connectivity: Connectivity = connectivity
        self.dtype, self.device = dtype, torch.device(device)
        self.tokens = torch.eye(v, dtype=dtype, device=self.device)
        self._every: Tensor | None = None
        mean_field = parametrisation == "mean_field"
        fan_in = [s * (v if l == 1 else width) for l in range(1, L + 1)]
        self.gains = [i**-0.5 if mean_field else 1.0 for i in fan_in]
        self.gain_out = 1 / width if mean_field else 1.0
        self.stds = [1.0 if mean_field else (2 / i) ** 0.5 for i in fan_in]
        self.std_out = 1.0 if mean_field else width**-0.5
        self.learning_rate_factor = float(width) if mean_field else 1.0
        self.W: list[Tensor] = []
        self.b: list[Tensor] = []
        for l, i in enumerate(fan_in, start=1):
            places = [self.positions(l)] if connectivity == "local" else []
            self.W.append(draw_normal(self, generators, self.stds[l - 1], *places, i, width))
            if not mean_field:
                shape = (len(generators), *(places or [1]), width)
                self.b.append(torch.zeros(shape, dtype=dtype, device=self.device))
        self.W_out = draw_normal(self, generators, self.std_out, width, n)
        self.b_out: Tensor | None = None
        if not mean_field:
            self.b_out = torch.zeros(len(generators), 1, n, dtype=dtype, device=self.device)

    def positions(self, layer: int) -> int:
        """N_l, the number of positions of layer l = 1..L."""
        return self.s ** (self.L - layer)

    @property
    def replicas(self) -> int:
        """R, the number of networks that are trained together."""
        return self.W_out.shape[0]

    @staticmethod
    def activity_width(width: int, n: int) -> int:
        """H, how many numbers the activity of one position has, in a network of this width."""
        return width

    def finite(self) -> Tensor:
        """Which replicas have not diverged, (R,): their weights are finite, and so small that one
        more multiplication stays finite."""
        limit = torch.finfo(self.dtype).max ** 0.5
        small = [(p.abs() < limit).flatten(1).all(1) for p in self.parameters()]
        return torch.stack(small).all(0)

    def parameters(self) -> list[Tensor]:
        """Every trainable tensor; the first axis of each is the replica axis."""
        return [*self.W, *self.b, self.W_out, *([] if self.b_out is None else [self.b_out])]

    def activity(self, x: Tensor) -> Activity:
        """The forward pass. x: tokens, (R, B, d), any integer type.

        Raises SynaptreeError for another shape or type, and for tokens that are none of 0..v-1.
        """
        return self.read(checked_tokens(self, x))

    def read(self, x: Tensor) -> Activity:
        """`activity` of tokens that are known to be right, which are not checked again."""
        R, B, _ = x.shape
        if self.repeats(B):
            return self.looked_up(numbers(x, self.v, self.s))
        z = torch.nn.functional.embedding(x.to(torch.int32), self.tokens)
        return self.forward(z.reshape(R, B, self.positions(1), -1))

    def repeats(self, B: int) -> bool:
        """Whether patches repeat so often in B inputs that tables of them are less work.

        A table then has fewer rows than layer 1 has places, so that the two shapes always differ.
        """
        own = type(self).forward is TreeNet.forward and self.connectivity == "shared"
        return own and self.L > 1 and 2 * self.s * self.v**self.s <= B * self.positions(1)

    def looked_up(self, patches: Tensor) -> Activity:
        """The forward pass by tables. patches: their `numbers`, (R, B, N_1)."""
        R, B, _ = patches.shape
        rows, x = Rows(patches, self.v, self.s), self._every_patch()
        h = self._into(1, x)
        tables = Tables(rows, x, torch.relu(h))
        above = tables.up(self.W[1], self.gains[1])
        if self.b:
            above += self.b[1].unsqueeze(1)
        z = rows.spread(tables.z)
        xs = [rows.spread(x), z.reshape(R, B, self.positions(2), -1)]
        rest = self._upward(xs, [rows.spread(h), above], [z, torch.relu(above)])
        return replace(rest, tables=tables)

    def _every_patch(self) -> Tensor:
        """Every patch that exists, as in `Tables`."""
        if self._every is None or len(self._every) != self.replicas:
            every = self.tokens[every_patch(self.v, self.s).to(self.device)].flatten(1)
            self._every = every.repeat(self.replicas, self.s, 1, 1)
        return self._every

    def forward(self, patches: Tensor, noise: Sequence[Tensor] | None = None) -> Activity:
        """The forward pass from the patches that layer 1 reads, any reals: (R, B, N_1, s·v).

        noise: added to the pre-activations, for layer l (R, B, N_l, H).
        """
        return self._upward([patches], [], [], noise)

    def _upward(
        self,
        xs: list[Tensor],
        hs: list[Tensor],
        zs: list[Tensor],
        noise: Sequence[Tensor] | None = None,
    ) -> Activity:
        """The rest of a forward pass above the layers whose x, h and z are given (maybe none)."""
        R, B = xs[0].shape[:2]
        for l in range(len(zs) + 1, self.L + 1):
            if l > 1:
                xs.append(zs[-1].reshape(R, B, self.positions(l), -1))
            h = self._into(l, xs[-1])
            hs.append(h if noise is None else h + noise[l - 1])
            zs.append(torch.relu(hs[-1]))
        return Activity(xs, hs, zs, self.readout(zs[-1]))

    def _into(self, layer: int, x: Tensor) -> Tensor:
        """The pre-activations of a layer for the patches x that it reads."""
        bias = self.b[layer - 1] if self.b else None
        return apply(x, self.W[layer - 1], self.gains[layer - 1], bias)

    def readout(self, z: Tensor) -> Tensor:
        """Logits (R, B, n) of the top layer's activity z (R, B, 1, H)."""
        return apply(z, self.W_out, self.gain_out, self.b_out).squeeze(2)

    def gate(self, signal: Tensor, z: Tensor) -> Tensor:
        """``signal ⊙ φ'(h)`` where ``z = φ(h)``; see `gate`."""
        return gate(signal, z)

    def gate_(self, signal: Tensor, layer: int, activity: Activity) -> Tensor:
        """``signal ⊙ φ'(h_l)`` in the signal's own memory; layer 1's signal may be summed."""
        return gate_(signal, activity.beside(layer, signal))

    def down(
        self,
        layer: int,
        delta: Tensor,
        weights: Tensor | None = None,
        activity: Activity | None = None,
    ) -> Tensor:
        """``W_lᵀ δ_l``, carried to the activity of the layer below: (R, B, N_{l-1}, H).

        weights: replace W_l where feedback has weights of its own; shaped as ``W[l-1]``.
        activity: given where only the synapses of layer 1 use its signal. Places with the same
        patch are alike to these, so the signal may come summed over them, as (R, s, K, H).
        """
        B, N = delta.shape[1:3]
        W = self.W[layer - 1] if weights is None else weights
        if layer == 2 and activity is not None and activity.tables is not None:
            return activity.tables.down(delta, W, self.gains[1])
        return apply_transposed(delta, W, self.gains[layer - 1]).view(len(delta), B, N * self.s, -1)

    def down_from_output(self, error: Tensor, weights: Tensor | None = None) -> Tensor:
        """``W_oᵀ e`` for an error (R, B, n): (R, B, 1, H).  weights: replace W_o, (R, H, n)."""
        W = self.W_out if weights is None else weights
        return apply_transposed(error.unsqueeze(2), W, self.gain_out)

    def correlated(self, layer: int, x: Tensor, delta: Tensor) -> Tensor:
        """``Σ x ⊗ δ`` of a layer, shaped as its W: x (R, B, N_l, s·C), delta (R, B, N_l, H)."""
        return correlate(x, delta, self.gains[layer - 1], self.W[layer - 1])

    def correlated_out(self, z: Tensor, error: Tensor) -> Tensor:
        """``Σ z ⊗ e`` of the readout, shaped as W_out: z (R, B, 1, H), error (R, B, n)."""
        return correlate(z, error.unsqueeze(2), self.gain_out, self.W_out)

    def constrain(self) -> None:
        """Clip the weights to the allowed range after an update. A TreeNet has no limits."""

    def select(self, keep: Tensor) -> None:
        """Keep only the replicas `keep` (indices), in place."""
        self.W = [W[keep] for W in self.W]
        self.b = [b[keep] for b in self.b]
        self.W_out = self.W_out[keep]
        self.b_out = None if self.b_out is None else self.b_out[keep]

"""TreeNet: the network whose tree is the grammar's tree, with a replica axis. It knows no learning.

Shapes: ``R`` replicas, ``B`` inputs, ``N_l = s**(L-l)`` positions of layer l, ``H`` units.
Layers are counted as in the design, 1..L; Python lists hold layer l at index ``l - 1``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from synaptree.network.tables import Rows, every_patch, numbers

Parametrisation = Literal["standard", "mean_field"]
Connectivity = Literal["shared", "local"]


def gate(signal: Tensor, z: Tensor) -> Tensor:
    """``signal ⊙ φ'(h)`` for the ReLU, whose derivative is 1 where ``z = φ(h) > 0``. Any shape."""
    return torch.ops.aten.threshold_backward(signal, z, 0)


def apply(x: Tensor, W: Tensor, gain: float = 1.0, bias: Tensor | None = None) -> Tensor:
    """``gain · x W + bias``: (R, B, N, I) with weights (R, I, O), or (R, N, I, O) unshared."""
    R, B, N, _ = x.shape
    if W.ndim == 3:
        offset = x.new_empty(1, 1, 1) if bias is None else bias
        y = torch.baddbmm(
            offset, x.reshape(R, B * N, -1), W, beta=float(bias is not None), alpha=gain
        )
        return y.view(R, B, N, -1)
    y = torch.matmul(x.transpose(1, 2), W).mul_(gain)
    if bias is not None:
        y += bias.unsqueeze(2)
    return y.transpose(1, 2).contiguous()


def apply_transposed(delta: Tensor, W: Tensor, gain: float = 1.0) -> Tensor:
    """``gain · delta Wᵀ``: (R, B, N, O) with weights as in `apply`, to (R, B, N, I)."""
    return apply(delta, W.transpose(-1, -2), gain)


def correlate(x: Tensor, delta: Tensor, gain: float, like: Tensor) -> Tensor:
    """``gain · Σ x ⊗ delta`` over inputs (and, for shared weights, positions), shaped as `like`."""
    if like.ndim == 3:
        R = x.shape[0]
        g = torch.bmm(x.reshape(R, -1, x.shape[-1]).mT, delta.reshape(R, -1, delta.shape[-1]))
    elif len(x) == 1 or x.is_cuda:
        g = torch.matmul(x.permute(0, 2, 3, 1), delta.transpose(1, 2))
    else:  # as one product it would first copy both
        g = torch.empty_like(like)
        for each_x, each_delta, each_g in zip(x, delta, g, strict=True):
            torch.bmm(each_x.permute(1, 2, 0), each_delta.transpose(0, 1), out=each_g)
    return scaled_(g, gain)


def scaled_(t: Tensor, gain: float) -> Tensor:
    """``gain · t`` in its own memory."""
    return t if gain == 1.0 else t.mul_(gain)


def draw_normal(
    net: "TreeNet", generators: Sequence[torch.Generator], std: float, *shape: int
) -> Tensor:
    """N(0, std²) of shape (R, *shape), replica r from its own generator, drawn in float32."""
    each = [torch.randn(shape, generator=g).mul_(std) for g in generators]
    return torch.stack(each).to(net.device, net.dtype)


@dataclass(frozen=True)
class Activity:
    """What one forward pass leaves behind. Lists hold layer l at index l - 1.

    x: patches that layer l reads, (R, B, N_l, s·C).  h: pre-activations, (R, B, N_l, H).
    z: activities φ(h), (R, B, N_l, H).  logits: (R, B, n).
    tables: what layers 1 and 2 were looked up in, if they were; `replace` drops them where what
    they stand for is replaced.
    """

    x: list[Tensor]
    h: list[Tensor]
    z: list[Tensor]
    logits: Tensor
    tables: "Tables | None" = None

    def __post_init__(self) -> None:
        mine = [*self.x[:2], *self.z[:1]]
        if self.tables is not None and [*map(id, mine)] != [*map(id, self.tables.full)]:
            object.__setattr__(self, "tables", None)


@dataclass(frozen=True)
class Tables:
    """What layer 1 says of every patch.

    rows: which place has which row.  x: the patches, (R, s, K, s·v).  z: (R, s, K, H).
    full: the tensors of an `Activity` that they stand for: what the two layers read, and z_1.
    """

    rows: Rows
    x: Tensor
    z: Tensor
    full: tuple[Tensor, ...]


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
        self.v, self.n, self.s, self.L, self.width = v, n, s, L, width
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
        """R, the number of networks that run as one program."""
        return self.W_out.shape[0]

    @staticmethod
    def activity_width(width: int, n: int) -> int:  # noqa: ARG004
        """H, how many numbers a position of a layer says, in a network of this width."""
        return width

    def finite(self) -> Tensor:
        """Which replicas have not diverged, (R,): all their weights are finite, and small enough
        that one more multiplication stays so."""
        limit = torch.finfo(self.dtype).max ** 0.5
        small = [(p.abs() < limit).flatten(1).all(1) for p in self.parameters()]
        return torch.stack(small).all(0)

    def parameters(self) -> list[Tensor]:
        """Every trainable tensor; the first axis of each is the replica axis."""
        return [*self.W, *self.b, self.W_out, *([] if self.b_out is None else [self.b_out])]

    def activity(self, x: Tensor) -> Activity:
        """The forward pass. x: tokens, (R, B, d), any integer type."""
        R, B, _ = x.shape
        if self.repeats(B):
            return self.looked_up(numbers(x, self.v, self.s))
        z = torch.nn.functional.embedding(x.to(torch.int32), self.tokens)
        return self.forward(z.reshape(R, B, self.positions(1), -1))

    def repeats(self, B: int) -> bool:
        """Whether patches repeat so often in B inputs that tables of them are less work.

        Tables then have fewer rows than layer 1 has places: their shapes tell them apart.
        """
        own = type(self).forward is TreeNet.forward and self.connectivity == "shared"
        return own and self.L > 1 and 2 * self.s * self.v**self.s <= B * self.positions(1)

    def looked_up(self, of: Tensor) -> Activity:
        """The forward pass by tables. of: the `numbers` of the patches, (R, B, N_1)."""
        R, B, _ = of.shape
        rows, x = Rows(of, self.v, self.s), self._every_patch()
        h = self._into(1, x)
        z = torch.relu(h)
        above = rows.summed(scaled_(torch.matmul(z, self._by_place(self.W[1])), self.gains[1]))
        if self.b:
            above += self.b[1].unsqueeze(1)
        xs, hs, zs = [rows.spread(x)], [rows.spread(h), above], [rows.spread(z), torch.relu(above)]
        xs.append(zs[0].reshape(R, B, self.positions(2), -1))
        full = (*xs, zs[0])
        return replace(self._upward(xs, hs, zs), tables=Tables(rows, x, z, full))

    def _every_patch(self) -> Tensor:
        """Every patch that there is, as in `Tables`."""
        if self._every is None or len(self._every) != self.replicas:
            every = self.tokens[every_patch(self.v, self.s).to(self.device)].flatten(1)
            self._every = every.repeat(self.replicas, self.s, 1, 1)
        return self._every

    def _by_place(self, W: Tensor) -> Tensor:
        """Weights of layer 2, (R, s·H, H), as what each of the s places adds: (R, s, H, H)."""
        return W.unflatten(1, (self.s, -1))

    def forward(self, patches: Tensor, noise: Sequence[Tensor] | None = None) -> Activity:
        """The forward pass from the patches that layer 1 reads, any reals: (R, B, N_1, s·v).

        `noise`, where given, is added to the pre-activations: for layer l (R, B, N_l, H).
        """
        return self._upward([patches], [], [], noise)

    def _upward(
        self,
        xs: list[Tensor],
        hs: list[Tensor],
        zs: list[Tensor],
        noise: Sequence[Tensor] | None = None,
    ) -> Activity:
        """The rest of a forward pass, from what the lowest layers, or none, read and said."""
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

    def gate_(self, signal: Tensor, z: Tensor) -> Tensor:
        """`gate` in the signal's own memory, for signals that nobody else looks at."""
        return torch.ops.aten.threshold_backward.grad_input(signal, z, 0, grad_input=signal)

    def down(
        self,
        layer: int,
        delta: Tensor,
        weights: Tensor | None = None,
        tables: Tables | None = None,
    ) -> Tensor:
        """``W_lᵀ δ_l``, carried to the activity of the layer below: (R, B, N_{l-1}, H).

        `weights`, shaped as ``W[l-1]``, stand in for W_l where feedback has weights of its own.
        tables: the activity's, where only synapses listen. What comes to layer 1 is then summed
        over all places of a row, (R, s, K, H): to its synapses these places are alike.
        """
        R, B, N, _ = delta.shape
        W = self.W[layer - 1] if weights is None else weights
        if layer == 2 and tables is not None:
            T = torch.matmul(tables.rows.collected(delta), self._by_place(W).mT)
            return scaled_(T, self.gains[1])
        return apply_transposed(delta, W, self.gains[layer - 1]).view(R, B, N * self.s, -1)

    def down_from_output(self, error: Tensor, weights: Tensor | None = None) -> Tensor:
        """``W_oᵀ e`` for an error (R, B, n): (R, B, 1, H); `weights` (R, H, n) may stand in."""
        W = self.W_out if weights is None else weights
        return apply_transposed(error.unsqueeze(2), W, self.gain_out)

    def updates(
        self,
        activity: Activity,
        signals: Sequence[Tensor | None],
        error: Tensor,
        *,
        pre: Sequence[Tensor] | None = None,
        gated: bool = True,
        biases: bool = True,
        shrink: Sequence[Tensor] | None = None,
    ) -> list[Tensor | None]:
        """The three-factor synapse: gradients in the order of `parameters`.

        ``dW_l = Σ x_l ⊗ (T_l ⊙ φ'(h_l))`` for teaching signals T_l (R, B, N_l, H), and the delta
        rule ``Σ z_L ⊗ e`` for the readout. T and e are already means over the batch (divided by B).
        T_1 may come summed, as `down` sums it.
        `pre` stands in for the presynaptic x_l; without `gated` there is no φ'(h_l), without
        `biases` theirs are zero; `shrink` times each unit's weights is added.
        None for a layer without a teaching signal.
        """
        dW: list[Tensor | None] = []
        db: list[Tensor | None] = []
        xs, tables = (activity.x, activity.tables) if pre is None else (pre, None)
        for l, (x, z, T) in enumerate(zip(xs, activity.z, signals, strict=True)):
            if l == 0 and tables is not None and T is not None:
                x, z = tables.x, tables.z
                if T.shape != z.shape:
                    T = tables.rows.collected(T.expand_as(activity.z[0]))
            delta = self.gate(T, z) if gated and T is not None else T
            if l == 1 and tables is not None and delta is not None:
                g = torch.matmul(tables.z.mT, tables.rows.collected(delta))  # (R, s, H, H)
                dW.append(scaled_(g.flatten(1, 2), self.gains[1]))
            else:
                dW.append(None if delta is None else self.correlated(l + 1, x, delta))
            if shrink is not None and (g := dW[l]) is not None:
                g += shrink[l].unsqueeze(-2) * self.W[l]
            if self.b and delta is not None and biases:
                axes = 1 if self.connectivity == "local" else (1, 2)
                db.append(delta.sum(axes).view_as(self.b[l]))
            elif self.b:
                db.append(None if delta is None else torch.zeros_like(self.b[l]))
        dW_out = self.correlated_out(activity.z[-1], error)
        db_out = [] if self.b_out is None else [error.sum(1, keepdim=True)]
        return [*dW, *db, dW_out, *db_out]

    def correlated(self, layer: int, x: Tensor, delta: Tensor) -> Tensor:
        """``Σ x ⊗ δ`` of a layer, shaped as its W: x (R, B, N_l, s·C), delta (R, B, N_l, H)."""
        return correlate(x, delta, self.gains[layer - 1], self.W[layer - 1])

    def correlated_out(self, z: Tensor, error: Tensor) -> Tensor:
        """``Σ z ⊗ e`` of the readout, shaped as W_out: z (R, B, 1, H), error (R, B, n)."""
        return correlate(z, error.unsqueeze(2), self.gain_out, self.W_out)

    def constrain(self) -> None:
        """What the weights must fulfil, again made true after an update: here nothing."""

    def select(self, keep: Tensor) -> None:
        """Keep only the replicas `keep` (indices), in place: for replicas that have stopped."""
        self.W = [W[keep] for W in self.W]
        self.b = [b[keep] for b in self.b]
        self.W_out = self.W_out[keep]
        self.b_out = None if self.b_out is None else self.b_out[keep]

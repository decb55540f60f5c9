"""TreeNet: the network whose tree is the grammar's tree, with a replica axis. It does not learn.

Shapes: ``R`` replicas, ``B`` inputs, ``N_l = s**(L-l)`` positions of layer l, ``H`` units.
Layers are counted as in the design, 1..L; Python lists hold layer l at index ``l - 1``.
"""

from collections.abc import Sequence
from copy import copy
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from synaptree.errors import choice
from synaptree.network.activity import Activity as Activity
from synaptree.network.checks import check_network, checked_inputs
from synaptree.network.initial import draw_normal as draw_normal
from synaptree.network.initial import draw_weights
from synaptree.network.lazy import Lazy
from synaptree.network.operations import apply, apply_transposed, correlate, gate, gate_, whole
from synaptree.network.plain import plain_module
from synaptree.network.rows import Vocabulary, every_patch, numbers
from synaptree.network.settling import settle
from synaptree.network.tables import Distinct as Distinct
from synaptree.network.tables import Read, Tables

Parametrisation = Literal["standard", "mean_field"]
Connectivity = Literal["shared", "local", "full"]


class TreeNet:
    """L hidden ReLU layers on non-overlapping patches of s positions, and a linear readout.

    ``parametrisation="standard"``: He initialisation, biases, one learning rate.
    ``"mean_field"`` (the RHM authors' later code, arXiv 2307.02129): weights N(0, 1), layer output
    divided by √(s·C), readout divided by H, no biases, learning rates multiplied by H
    (`learning_rate_factor`).

    ``connectivity="shared"``: all positions of a layer have the same weights. ``"local"``: each has
    its own. ``"full"``: each has its own, and reads all N_l·s positions below it instead of s, so
    that N_l·s·C stands for s·C wherever shapes are given. This is a fully connected network of
    N_l·H units in layer l. Its positions are groups of units, tied to no part of the string.

    Weights: ``W[l-1]`` (R, s·C, H), or (R, N_l, s·C, H) where they are not shared; ``b[l-1]``
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
        self.units = width  # of a layer; each of them may have several numbers of the width
        parametrisation = choice("parametrisation", parametrisation, get_args(Parametrisation))
        connectivity = choice("connectivity", connectivity, get_args(Connectivity))
        self.parametrisation: Parametrisation = parametrisation
        self.connectivity: Connectivity = connectivity
        self.dtype, self.device = dtype, torch.device(device)
        self.tokens = torch.eye(v, dtype=dtype, device=self.device)
        self._every: Vocabulary | None = None
        mean_field = parametrisation == "mean_field"
        fan_in = [self.reads(l) * (v if l == 1 else width) for l in range(1, L + 1)]
        self.gains = [i**-0.5 if mean_field else 1.0 for i in fan_in]
        self.gain_out = 1 / width if mean_field else 1.0
        self.stds = [1.0 if mean_field else (2 / i) ** 0.5 for i in fan_in]
        self.std_out = 1.0 if mean_field else width**-0.5
        self.learning_rate_factor = float(width) if mean_field else 1.0
        self.W, self.b, self.W_out, self.b_out = draw_weights(self, generators, fan_in)

    settle = staticmethod(settle)

    def positions(self, layer: int) -> int:
        """N_l, the number of positions of layer l = 1..L."""
        return self.s ** (self.L - layer)

    def reads(self, layer: int) -> int:
        """How many positions of the layer below, or of the string, a position of layer l reads."""
        return self.s * (self.positions(layer) if self.connectivity == "full" else 1)

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

    def named(self) -> dict[str, Tensor]:
        """Every tensor that makes this network what it is, by name; that of layer l ends in l."""
        lists = (("W", self.W), ("b", self.b))
        layers = {f"{name}.{l}": t for name, ts in lists for l, t in enumerate(ts, start=1)}
        readout = {"W_out": self.W_out} | ({} if self.b_out is None else {"b_out": self.b_out})
        return layers | readout

    def replica(self, r: int) -> "TreeNet":
        """A copy of replica r by itself."""
        alone = copy(self)
        alone.select(torch.tensor([r], device=self.device))
        return alone

    def to_torch(self, replica: int | None = None) -> nn.Sequential:
        """This network as a plain torch module; see `plain_module`."""
        return plain_module(self, replica)

    def activity(self, x: Tensor) -> Activity:
        """The forward pass. x: tokens, as tensor, array or list of any integer type: (R, B, d), or
        (B, d) or one string (d,) that every replica reads. What comes out always has R and B.
        Or v real numbers at each place: (R, B, d, v), (B, d, v) or (d, v).

        Raises SynaptreeError for another shape or type, and for tokens that are none of 0..v-1.
        """
        return self.read(checked_inputs(self, x))

    def read(self, x: Tensor) -> Activity:
        """`activity` of inputs that are known to be right, which are not checked again."""
        if x.is_floating_point():
            return self.forward(self.patches(1, x.to(self.dtype)))
        if self.repeats(x.shape[1]):
            places = self._every_patch().places(numbers(x, self.v, self.s).unsqueeze(0))
            return self.looked_up(self._every_patch(), places[0])
        z = torch.nn.functional.embedding(x.to(torch.int32), self.tokens)
        return self.forward(self.patches(1, z))

    def repeats(self, B: int) -> bool:
        """Whether patches repeat in B inputs so often that a table of every patch is less work."""
        return self.worthwhile(B, 1, self.v**self.s)

    def worthwhile(self, B: int, layer: int, rows: int) -> bool:
        """Whether a table of so many rows is less work than the places of B inputs.

        It saves the layer above work for each of its places, and costs looking them up.
        """
        own = type(self).forward is TreeNet.forward and self.connectivity == "shared"
        return own and layer < self.L and 2 * rows <= B * self.positions(layer + 1)

    def looked_up(self, vocabulary: Vocabulary, places: Read) -> Activity:
        """The forward pass by tables of the strings that occur.

        places: which of the highest layer's strings the places above it read.
        """
        k, W, gains = len(vocabulary.parts), self.W, self.gains
        B = places.reads.M // self.positions(k + 1)
        tables = Tables(vocabulary.patches, [*vocabulary.readers, places], B)
        tables.add(self._into(1, vocabulary.patches))
        for l in range(1, k):
            tables.add(tables.up(l, W[l], gains[l], self._bias(l + 1)))
        above = tables.up(k, W[k], gains[k], self._bias(k + 1))
        above = above.view(len(above), B, -1, above.shape[2])
        xs = Lazy[Tensor]([partial(tables.at_places, 1, vocabulary.patches)])
        hs, zs = (
            Lazy[Tensor]([partial(tables.at_places, l, t) for l, t in enumerate(rows, start=1)])
            for rows in (tables.h, tables.z)
        )
        for l in range(2, k + 2):
            xs.append(lambda l=l: self.patches(l, zs[l - 2]))
        hs.append(above)
        zs.append(torch.relu(above))
        return self._upward(xs, hs, zs, tables=tables)

    def _every_patch(self) -> Vocabulary:
        """Every patch that exists, for all replicas."""
        if self._every is None or len(self._every.patches) != self.replicas:
            patches = every_patch(self.v, self.s).to(self.device)
            self._every = Vocabulary([patches.expand(self.replicas, -1, -1)], self.tokens)
        return self._every

    def forward(self, patches: Tensor, noise: Sequence[Tensor] | None = None) -> Activity:
        """The forward pass from the patches that layer 1 reads, any reals: (R, B, N_1, s·v).

        noise: added to the pre-activations, for layer l (R, B, N_l, H).
        """
        return self._upward(Lazy([patches]), Lazy(), Lazy(), noise)

    def _upward(
        self,
        xs: Lazy[Tensor],
        hs: Lazy[Tensor],
        zs: Lazy[Tensor],
        noise: Sequence[Tensor] | None = None,
        tables: Tables | None = None,
    ) -> Activity:
        """The rest of a forward pass above the layers whose x, h and z are given (maybe none)."""
        for l in range(len(zs) + 1, self.L + 1):
            if l > 1:
                xs.append(self.patches(l, zs[-1]))
            h = self._into(l, xs[-1])
            hs.append(h if noise is None else h + noise[l - 1])
            zs.append(torch.relu(hs[-1]))
        return Activity(xs, hs, zs, self.readout(zs[-1]), tables)

    def patches(self, layer: int, z: Tensor) -> Tensor:
        """What a layer reads of z below it, or of a string: (R, B, N, C) to (R, B, N_l, s·C).

        With full connectivity all of it, N·C numbers, which the positions have in one memory.
        """
        N, full = self.positions(layer), self.connectivity == "full"
        return whole(z).expand(-1, -1, N, -1) if full else z.reshape(*z.shape[:2], N, -1)

    def _into(self, layer: int, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """The pre-activations of a layer for the patches x that it reads; `weights`: as of `up`."""
        gain = self.gains[layer - 1]
        W, b = (self.W[layer - 1], self._bias(layer)) if weights is None else (weights, None)
        return apply(x, W, gain, b, self._same(x))

    def _same(self, x: Tensor) -> bool:
        """Whether all positions read the same memory."""
        return self.connectivity == "full" and x.stride(2) == 0

    def _bias(self, layer: int) -> Tensor | None:
        return self.b[layer - 1] if self.b else None

    def readout(self, z: Tensor) -> Tensor:
        """Logits (R, B, n) of the top layer's activity z (R, B, 1, H)."""
        return apply(z, self.W_out, self.gain_out, self.b_out).squeeze(2)

    def gate(self, signal: Tensor, z: Tensor) -> Tensor:
        """``signal ⊙ φ'(h)`` where ``z = φ(h)``; see `gate`."""
        return gate(signal, z)

    def gate_(self, signal: Tensor, layer: int, activity: Activity) -> Tensor:
        """``signal ⊙ φ'(h_l)`` in the signal's own memory; the signal may be summed, (R, K, H)."""
        return gate_(signal, activity.beside(layer, signal))

    def up(self, layer: int, z: Tensor, weights: Tensor | None = None) -> Tensor:
        """``W_l z_{l-1} + b_l`` above the first layer, for any z; `weights`: for W_l, no b_l."""
        return self._into(layer, self.patches(layer, z), weights)

    def down(
        self,
        layer: int,
        delta: Tensor,
        weights: Tensor | None = None,
        activity: Activity | None = None,
    ) -> Tensor:
        """``W_lᵀ δ_l``, carried to the activity of the layer below: (R, B, N_{l-1}, H).

        weights: replace W_l where feedback has weights of its own; shaped as ``W[l-1]``.
        activity: given where all that is done with the signal is the same for places that read the
        same string. It may then come summed over these, as (R, K, H); see `Activity.distinct`.
        """
        W, gain = self.W[layer - 1] if weights is None else weights, self.gains[layer - 1]
        tables = None if activity is None else activity.tables
        if tables is not None and tables.has(layer - 1):
            return tables.down(layer - 1, delta, W, gain)
        B, N = delta.shape[1:3]
        full = self.connectivity == "full"
        return apply_transposed(delta, W, gain, full).view(len(delta), B, N * self.s, -1)

    def down_from_output(self, error: Tensor, weights: Tensor | None = None) -> Tensor:
        """``W_oᵀ e`` for an error (R, B, n): (R, B, 1, H).  weights: replace W_o, (R, H, n)."""
        W = self.W_out if weights is None else weights
        return apply_transposed(error.unsqueeze(2), W, self.gain_out)

    def correlated(self, layer: int, x: Tensor, delta: Tensor) -> Tensor:
        """``Σ x ⊗ δ`` of a layer, shaped as its W: x (R, B, N_l, s·C), delta (R, B, N_l, H)."""
        return correlate(x, delta, self.gains[layer - 1], self.W[layer - 1], self._same(x))

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

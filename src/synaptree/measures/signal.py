"""Signal and noise of an update: the square of its mean over inputs, and its variance.

One input updates a layer by g = Σ_p x_p ⊗ (T_p ⊙ φ'(h_p)), summed over positions p. The signal is
‖E g‖², the noise E‖g − E g‖². Their ratio is the reciprocal of the gradient noise scale (McCandlish
et al., arXiv 1812.06162): in a minibatch of noise/signal inputs both are equally large.

Inputs come in K blocks that are independent of each other. With m_k the mean of block k,

    ‖E g‖² ≈ Σ_{j≠k} m_j·m_k / (K(K − 1))          E‖g‖² ≈ the mean of ‖g‖²

are unbiased, also for rules whose update of one input depends on others of its batch, as long as a
batch lies in one block. Standard errors are the jackknife's over blocks.

No update of a single input is ever made: ‖g‖² = Σ_{pq} (x_p·x_q)(δ_p·δ_q) needs only the products
of positions, and what is kept are the K sums of each layer, however many inputs there are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from synaptree.network.operations import apply
from synaptree.network.tree import TreeNet

WHOLE = "whole"  # the name of the update itself, beside its parts in some directions


@dataclass(frozen=True)
class Estimate:
    """A number for each replica, (R,), and its standard error, in float64.

    NaN where it is not defined: for an update that is zero, and for a cosine where an estimate of
    ‖E g‖² is not positive, since there is too much noise for a direction.
    """

    value: Tensor
    error: Tensor


@dataclass
class UpdateSums:
    """What is kept of one layer's updates: for each of K blocks of inputs their sum, and the sum of
    ‖g‖².

    directions: for each name the columns, orthonormal in each replica, (R, s·C, ·), that the
    presynaptic side of the updates is projected on; the part of g in them is F Fᵀ g.
    """

    net: TreeNet
    layer: int
    blocks: int
    directions: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])

    def __post_init__(self) -> None:
        W = self.net.W[self.layer - 1]
        self.sums = W.new_zeros(self.blocks, *W.shape)
        names = (WHOLE, *self.directions)
        zeros = torch.zeros(self.blocks, len(W), dtype=torch.float64, device=W.device)
        self.squares = {name: zeros.clone() for name in names}
        self.counts = [0] * self.blocks

    def products(self, x: Tensor) -> dict[str, Tensor]:
        """x_p·x_q, whole and in each of the directions, as `add` needs it. It is the same for all
        rules.  x: (R, B, N_l, s·C)."""
        parts = {name: apply(x, F) for name, F in self.directions.items()}
        return {name: self._products(part) for name, part in {WHOLE: x, **parts}.items()}

    def add(self, block: int, x: Tensor, products: Mapping[str, Tensor], delta: Tensor) -> None:
        """Add inputs to a block.  delta: T ⊙ φ'(h) of single inputs, not divided by their number,
        (R, B, N_l, H)."""
        self.sums[block] += self.net.correlated(self.layer, x, delta)
        self.counts[block] += x.shape[1]
        of_delta = self._products(delta)
        for name, squares in self.squares.items():
            each = (products[name] * of_delta).flatten(2).sum(2)
            squares[block] += self.net.gains[self.layer - 1] ** 2 * each.double().sum(1)

    def _products(self, t: Tensor) -> Tensor:
        """t_p·t_q of positions that share a weight: of all, (R, B, N, N), or of each with itself,
        (R, B, N, 1)."""
        shared = self.net.connectivity == "shared"
        return t @ t.mT if shared else t.square().sum(3, keepdim=True)

    def means(self, name: str = WHOLE) -> Tensor:
        """The mean update of each block, (R, K, ·), or its part in some directions."""
        counts = self.sums.new_tensor(self.counts).view(-1, *[1] * (self.sums.ndim - 1))
        m = self.sums / counts
        if name != WHOLE:
            F = self.directions[name]
            m = F.view(len(F), *[1] * (m.ndim - 4), *F.shape[1:]).mT @ m
        return m.transpose(0, 1).flatten(2).double()

    def gram(self, name: str = WHOLE) -> Tensor:
        """m_j·m_k of the blocks' means, (R, K, K)."""
        m = self.means(name)
        return m @ m.mT

    def size(self, name: str = WHOLE) -> Tensor:
        """The mean of ‖g‖² in each block, (R, K)."""
        counts = self.squares[name].new_tensor(self.counts)
        return (self.squares[name] / counts.unsqueeze(1)).T


@dataclass(frozen=True)
class Signal:
    """Signal and noise of one layer's updates, for each replica.

    signal: ‖E g‖².  noise: E‖g − E g‖².  ratio: signal/noise.  cosine: of E g with the mean of the
    update that it is compared with.  share_of_signal, share_of_noise: for each name of directions.
    """

    signal: Estimate
    noise: Estimate
    ratio: Estimate
    cosine: Estimate
    share_of_signal: Mapping[str, Estimate]
    share_of_noise: Mapping[str, Estimate]

    @classmethod
    def of(cls, sums: UpdateSums, other: UpdateSums) -> "Signal":
        """The estimates from sums, compared with those of another rule on the same inputs."""
        whole, size = sums.gram(), sums.size()
        signal_share: dict[str, Estimate] = {}
        noise_share: dict[str, Estimate] = {}
        for name in sums.directions:
            gram, part = sums.gram(name), sums.size(name)
            signal_share[name] = jackknife(_ratio, gram, whole)
            noise_share[name] = jackknife(_share_of_noise, gram, part, whole, size)
        return cls(
            jackknife(between, whole),
            jackknife(_noise, whole, size),
            jackknife(_over_noise, whole, size),
            jackknife(_cosine, whole, sums.means() @ other.means().mT, other.gram()),
            signal_share,
            noise_share,
        )


# Statistics of products of means, (R, K, K), and of sizes, (R, K) ---------------------------------


def between(gram: Tensor) -> Tensor:
    """The mean of m_j·m_k over different blocks, (R,), of products (R, K, K)."""
    K = gram.shape[1]
    return (gram.sum((1, 2)) - gram.diagonal(dim1=1, dim2=2).sum(1)) / (K * (K - 1))


def _noise(gram: Tensor, size: Tensor) -> Tensor:
    return size.mean(1) - between(gram)


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    return between(part) / between(whole)


def _over_noise(gram: Tensor, size: Tensor) -> Tensor:
    return between(gram) / _noise(gram, size)


def _share_of_noise(gram: Tensor, part: Tensor, whole: Tensor, size: Tensor) -> Tensor:
    return _noise(gram, part) / _noise(whole, size)


def _cosine(a: Tensor, ab: Tensor, b: Tensor) -> Tensor:
    return between(ab) / (between(a) * between(b)).sqrt()


def jackknife(statistic: Callable[..., Tensor], *by_block: Tensor) -> Estimate:
    """A statistic of values by block, (R, K) or (R, K, K), and its jackknife standard error."""
    K = by_block[0].shape[1]
    left_out: list[Tensor] = []
    for k in range(K):
        keep = torch.tensor([j for j in range(K) if j != k], device=by_block[0].device)
        kept = [t[:, keep] if t.ndim == 2 else t[:, keep][:, :, keep] for t in by_block]
        left_out.append(statistic(*kept))
    each = torch.stack(left_out)
    error = ((K - 1) / K * (each - each.mean(0)).square().sum(0)).sqrt()
    return Estimate(statistic(*by_block), error)

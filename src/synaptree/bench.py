"""How fast this machine trains, compared with plain PyTorch and with matrix products alone.

All figures are ratios within one run. The loops take turns in short slices, so that whatever else
keeps the machine busy slows all of them alike.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from synaptree.errors import SynaptreeError
from synaptree.study.plan import replicas_at_once
from synaptree.training.precision import Precision, arithmetic, check_precision
from synaptree.training.replicas import Replicas
from synaptree.training.spec import RunSpec, make_spec

Step = Callable[[], object]


@dataclass(frozen=True)
class Loop:
    """A step to be timed.

    units: how many networks a call of it updates once.  flops: of the matrix products in a call; 0
    where they are not counted.  precision: of the products.
    """

    step: Step
    units: int = 1
    flops: float = 0.0
    precision: Precision = "float32"


@dataclass(frozen=True)
class Rate:
    """How fast a loop was.

    per_second: updates of one network, in each slice.  flops: of one such update.
    """

    per_second: list[float]
    flops: float

    @property
    def median(self) -> float:
        """Updates of one network per second."""
        return statistics.median(self.per_second)

    def over(self, other: "Rate") -> tuple[float, float, float]:
        """How many times as fast as another loop: median, lowest and highest over the slices."""
        ratios = [a / b for a, b in zip(self.per_second, other.per_second, strict=True)]
        return statistics.median(ratios), min(ratios), max(ratios)

    def share(self, products: "Rate") -> tuple[float, float, float]:
        """The share of a rate of matrix products that is reached: median, lowest, highest."""
        flops = self.flops / products.flops
        middle, low, high = self.over(products)
        return flops * middle, flops * low, flops * high


def alternate(
    loops: Mapping[str, Loop], seconds: float, device: str = "cpu", slice_s: float = 0.5
) -> dict[str, Rate]:
    """The rates of loops that take turns for `seconds` in all, in slices of `slice_s` seconds.

    Each loop warms up first, and is called at least once in each slice.
    """

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    def one_slice(loop: Loop, length: float) -> float:
        count = 0
        with arithmetic(loop.precision):
            began = time.perf_counter()
            while count == 0 or time.perf_counter() - began < length:
                for _ in range(10 if device == "cuda" else 1):
                    loop.step()
                    count += 1
                wait()
            return loop.units * count / (time.perf_counter() - began)

    for loop in loops.values():
        one_slice(loop, 0.2 * slice_s)
    per_second: dict[str, list[float]] = {name: [] for name in loops}
    end = time.perf_counter() + seconds
    while not all(per_second.values()) or time.perf_counter() < end:
        for name, loop in loops.items():
            per_second[name].append(one_slice(loop, slice_s))
    return {name: Rate(per_second[name], loop.flops / loop.units) for name, loop in loops.items()}


def backprop_flops(spec: RunSpec) -> float:
    """Multiplications and additions in the matrix products of one network's step of backprop.

    Each layer has a product in the forward pass, one for its weights, and, but for the first, one
    that carries the signal down.
    """
    flops = 0.0
    for l in range(1, spec.L + 1):
        rows = spec.batch * spec.s ** (spec.L - l)
        reads = spec.s * (spec.v if l == 1 else spec.width)
        flops += (2 if l == 1 else 3) * 2 * rows * reads * spec.width
    return flops + 3 * 2 * spec.batch * spec.width * spec.n


def training(spec: RunSpec, replicas: int = 1, device: str = "cpu") -> Loop:
    """The steps of this package, for replicas of a run that train together."""
    check_precision(spec.precision, device)
    together = Replicas(spec.replicate(replicas), device)
    return Loop(together.step, replicas, replicas * backprop_flops(spec), spec.precision)


def matrix_products(size: int = 1024, device: str = "cpu") -> Loop:
    """Products of large square matrices: the best that the machine can do."""
    a, b = torch.randn(2, size, size, generator=torch.Generator().manual_seed(0)).to(device)
    return Loop(lambda: a @ b, flops=2.0 * size**3)


def own_products(spec: RunSpec, replicas: int = 1, device: str = "cpu") -> Loop:
    """The matrix products of a step of backprop alone, on tensors shaped as in a step."""
    R, B, s, H = replicas, spec.batch, spec.s, spec.width
    reads = [s * (spec.v if l == 0 else H) for l in range(spec.L)]
    rows = [B * s ** (spec.L - l - 1) for l in range(spec.L)]
    W = [torch.randn(R, i, H, device=device) for i in reads]
    g = [torch.empty_like(weights) for weights in W]
    x = torch.randn(R, rows[0], reads[0], device=device)
    z, T = ([torch.randn(R, N, H, device=device) for N in rows] for _ in range(2))

    def step() -> None:
        patches = [x, *(activity.view(R, -1, s * H) for activity in z[:-1])]
        for l in range(spec.L):
            torch.bmm(patches[l], W[l], out=z[l])
        for l in range(spec.L - 1, -1, -1):
            torch.bmm(patches[l].mT, T[l], out=g[l])
            if l:
                torch.bmm(T[l], W[l].mT, out=T[l - 1].view(R, -1, s * H))

    return Loop(step, R, R * backprop_flops(spec))


class Broadcast(nn.Module):
    """A layer as in the RHM authors' first code: multiply each input by each weight, then sum."""

    def __init__(self, channels: int, width: int, s: int) -> None:
        super().__init__()
        self.s = s
        self.weight = nn.Parameter(torch.randn(width, channels, 1, s))
        self.bias = nn.Parameter(torch.zeros(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, d) to (B, H, d/s)."""
        B, C, d = x.shape
        patches = x.view(B, 1, C, d // self.s, self.s)
        products = (patches * self.weight).sum(dim=(2, 4))
        return torch.relu(products * (C * self.s) ** -0.5 + self.bias)


def convolution(channels: int, width: int, s: int) -> nn.Module:
    """A layer as most people would write it: a convolution whose stride is its size."""
    return nn.Sequential(nn.Conv1d(channels, width, s, s), nn.ReLU())


def plain_loop(
    spec: RunSpec,
    layer: Callable[[int, int, int], nn.Module] = convolution,
    loader: bool = False,
    device: str = "cpu",
) -> Loop:
    """The loop that most people would write: one-hot strings, autograd, cross-entropy, fused Adam.

    loader: take batches from a DataLoader, as the RHM authors' code does; otherwise by index.
    """
    channels = [spec.v] + [spec.width] * (spec.L - 1)
    layers = [layer(C, spec.width, spec.s) for C in channels]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(spec.width, spec.n)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=spec.lr, fused=True)
    samples = spec.grammar.sample(spec.P, seed=spec.data_seed)
    one_hot = nn.functional.one_hot(torch.from_numpy(samples.x).long(), spec.v)
    x = one_hot.float().transpose(1, 2).contiguous().to(device)
    y = torch.from_numpy(samples.y).long().to(device)

    def batches() -> Iterator[Any]:
        while True:  # an epoch
            if loader:
                data = TensorDataset(x, y)
                yield from DataLoader(data, spec.batch, shuffle=True, drop_last=True)
            else:
                order = torch.randperm(spec.P, device=device).split(spec.batch)
                yield from ((x[i], y[i]) for i in order if len(i) == spec.batch)

    stream = batches()

    def step() -> None:
        inputs, classes = next(stream)
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(inputs), classes).backward()
        optimizer.step()

    return Loop(step, flops=backprop_flops(spec))


def standard(device: str = "cpu", width: int = 128, L: int = 4) -> dict[str, Loop]:
    """The loops that `synaptree bench` compares, on a grammar of v = n = 8, m = 6.

    Ratios are taken to "plain", shares of "products".
    """
    spec = make_spec(rule="backprop", v=8, n=8, m=6, L=L, P=16384, width=width)
    many = replicas_at_once(spec, device)
    loops = {
        "products": matrix_products(device=device),
        "plain": plain_loop(spec, device=device),
        "plain, DataLoader": plain_loop(spec, loader=True, device=device),
        "plain, broadcasting": plain_loop(spec, Broadcast, device=device),
        "synaptree": training(spec, device=device),
        f"synaptree, {many} replicas": training(spec, many, device),
    }
    in_bfloat16 = spec.model_copy(update={"precision": "bfloat16"})
    with suppress(SynaptreeError):  # not every processor has the instructions
        loops["synaptree, bfloat16"] = training(in_bfloat16, device=device)
        loops[f"synaptree, bfloat16, {many} replicas"] = training(in_bfloat16, many, device)
    return loops

"""How fast this machine trains, as ratios within one run: beside loops in plain PyTorch, and beside
the machine's own matrix products. What is compared takes turns in short slices, so that whatever
else keeps the machine busy slows all of it alike."""

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
    """Something to be timed.  units: networks that a call updates once.  flops: of a call, in
    matrix products; 0 where that is not what it is made of.  precision: what products are in."""

    step: Step
    units: int = 1
    flops: float = 0.0
    precision: Precision = "float32"


@dataclass(frozen=True)
class Rate:
    """What was measured.  per_second: updates of one network, in each slice."""

    per_second: list[float]
    flops: float

    @property
    def median(self) -> float:
        """Updates of one network a second."""
        return statistics.median(self.per_second)

    def over(self, other: "Rate") -> tuple[float, float, float]:
        """How many times as fast as another: median, lowest and highest over the slices."""
        ratios = [a / b for a, b in zip(self.per_second, other.per_second, strict=True)]
        return statistics.median(ratios), min(ratios), max(ratios)

    def share(self, products: "Rate") -> tuple[float, float, float]:
        """The part of a rate of matrix products that is made use of: median, lowest, highest."""
        part = self.flops / products.flops
        middle, low, high = self.over(products)
        return part * middle, part * low, part * high


def alternate(
    loops: Mapping[str, Loop], seconds: float, device: str = "cpu", slice_s: float = 0.5
) -> dict[str, Rate]:
    """Rates of loops that take turns in slices of so many seconds, for so many seconds in all.

    A loop is called at least once a slice, and not counted until it has run for a moment.
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
    found: dict[str, list[float]] = {name: [] for name in loops}
    ends = time.perf_counter() + seconds
    while not all(found.values()) or time.perf_counter() < ends:
        for name, loop in loops.items():
            found[name].append(one_slice(loop, slice_s))
    return {name: Rate(each, loops[name].flops / loops[name].units) for name, each in found.items()}


def backprop_flops(spec: RunSpec) -> float:
    """Multiplications and additions in the matrix products of a step of backprop, of one network:
    forward, down and correlated in each layer; nothing goes down from the first."""
    found = 0.0
    for l in range(1, spec.L + 1):
        rows = spec.batch * spec.s ** (spec.L - l)
        reads = spec.s * (spec.v if l == 1 else spec.width)
        found += (2 if l == 1 else 3) * 2 * rows * reads * spec.width
    return found + 3 * 2 * spec.batch * spec.width * spec.n


def training(spec: RunSpec, replicas: int = 1, device: str = "cpu") -> Loop:
    """Steps of this package: replicas of a run as one program."""
    check_precision(spec.precision, device)
    program = Replicas(spec.replicate(replicas), device)
    return Loop(program.step, replicas, replicas * backprop_flops(spec), spec.precision)


def matrix_products(size: int = 1024, device: str = "cpu") -> Loop:
    """Square products, as large as is best: what the machine can do."""
    a, b = torch.randn(2, size, size, generator=torch.Generator().manual_seed(0)).to(device)
    return Loop(lambda: a @ b, flops=2.0 * size**3)


def own_products(spec: RunSpec, replicas: int = 1, device: str = "cpu") -> Loop:
    """The products of a step of backprop and nothing else, on blocks that lie as in a step."""
    R, B, s, H = replicas, spec.batch, spec.s, spec.width
    reads = [s * (spec.v if l == 0 else H) for l in range(spec.L)]
    rows = [B * s ** (spec.L - l - 1) for l in range(spec.L)]
    W = [torch.randn(R, i, H, device=device) for i in reads]
    g = [torch.empty_like(each) for each in W]
    x = torch.randn(R, rows[0], reads[0], device=device)
    z, T = ([torch.randn(R, N, H, device=device) for N in rows] for _ in range(2))

    def step() -> None:
        patches = [x, *(each.view(R, -1, s * H) for each in z[:-1])]
        for l in range(spec.L):
            torch.bmm(patches[l], W[l], out=z[l])
        for l in range(spec.L - 1, -1, -1):
            torch.bmm(patches[l].mT, T[l], out=g[l])
            if l:
                torch.bmm(T[l], W[l].mT, out=T[l - 1].view(R, -1, s * H))

    return Loop(step, R, R * backprop_flops(spec))


class Broadcast(nn.Module):
    """A layer as in the RHM authors' first code: each input times each weight, and then summed."""

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
    """A layer as one would write it: a convolution whose stride is its size."""
    return nn.Sequential(nn.Conv1d(channels, width, s, s), nn.ReLU())


def plain_loop(
    spec: RunSpec,
    layer: Callable[[int, int, int], nn.Module] = convolution,
    loader: bool = False,
    device: str = "cpu",
) -> Loop:
    """The loop one would write: one-hot strings, layers with autograd, cross-entropy, fused Adam.

    loader: batches from a DataLoader, as the RHM authors' code has them; else by index.
    """
    channels = [spec.v] + [spec.width] * (spec.L - 1)
    layers = [layer(C, spec.width, spec.s) for C in channels]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(spec.width, spec.n)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=spec.lr, fused=True)
    drawn = spec.grammar.sample(spec.P, seed=spec.data_seed)
    one_hot = nn.functional.one_hot(torch.from_numpy(drawn.x).long(), spec.v)
    x = one_hot.float().transpose(1, 2).contiguous().to(device)
    y = torch.from_numpy(drawn.y).long().to(device)
    batches: Iterator[Any] = iter(())

    def next_batch() -> tuple[Tensor, Tensor]:
        nonlocal batches
        found = next(batches, None)
        if found is None:
            if loader:
                data = TensorDataset(x, y)
                batches = iter(DataLoader(data, spec.batch, shuffle=True, drop_last=True))
            else:
                order = torch.randperm(spec.P, device=device).split(spec.batch)
                batches = ((x[i], y[i]) for i in order if len(i) == spec.batch)
            found = next(batches)
        return found

    def step() -> None:
        inputs, classes = next_batch()
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(inputs), classes).backward()
        optimizer.step()

    return Loop(step, flops=backprop_flops(spec))


def standard(device: str = "cpu", width: int = 128, L: int = 4) -> dict[str, Loop]:
    """What `synaptree bench` compares: one network on the design's grammar, v = n = 8, m = 6.

    "plain" is the loop beside which ratios are taken, "products" what shares are of.
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
    low = spec.model_copy(update={"precision": "bfloat16"})
    with suppress(SynaptreeError):
        loops["synaptree, bfloat16"] = training(low, device=device)
        loops[f"synaptree, bfloat16, {many} replicas"] = training(low, many, device)
    return loops

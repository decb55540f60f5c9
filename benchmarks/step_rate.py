"""Training steps per second of backprop, against the loop one would write in plain PyTorch.

    python benchmarks/step_rate.py [--seconds 20]

Both train the same network on the same grammar with the same batch size on one thread: `TreeNet`
with `synaptree`'s loop (minibatches, three-factor synapse, fused Adam), and `nn.Conv1d` with
autograd and fused Adam, whose data wait as one-hot tensors. The two alternate in short slices of
one run, so that a busy machine slows both; what counts is the ratio.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from synaptree.program import Program
from synaptree.spec import RunSpec, make_spec


def plain_loop(spec: RunSpec) -> Callable[[], None]:
    """One step of the plain loop: Conv1d layers of stride s, cross-entropy, autograd, Adam."""
    layers: list[nn.Module] = []
    for l in range(spec.L):
        layers += [
            nn.Conv1d(spec.v if l == 0 else spec.width, spec.width, spec.s, spec.s),
            nn.ReLU(),
        ]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(spec.width, spec.n))
    optimizer = torch.optim.Adam(model.parameters(), lr=spec.lr, fused=True)
    drawn = spec.grammar.sample(spec.P, seed=spec.data_seed)
    x = nn.functional.one_hot(torch.from_numpy(drawn.x).long(), spec.v).float().transpose(1, 2)
    x, y = x.contiguous(), torch.from_numpy(drawn.y).long()
    order, at = torch.randperm(spec.P), 0

    def step() -> None:
        nonlocal order, at
        if at + spec.batch > spec.P:
            order, at = torch.randperm(spec.P), 0
        index = order[at : at + spec.batch]
        at += spec.batch
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(x[index]), y[index]).backward()
        optimizer.step()

    return step


def rates(steps: dict[str, Callable[[], object]], seconds: float) -> dict[str, list[float]]:
    """Steps per second of each loop in alternating slices of half a second."""
    for step in steps.values():
        for _ in range(20):
            step()
    found: dict[str, list[float]] = {name: [] for name in steps}
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        for name, step in steps.items():
            began, count = time.perf_counter(), 0
            while (took := time.perf_counter() - began) < 0.5:
                step()
                count += 1
            found[name].append(count / took)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="for each depth (default 20)")
    seconds = parser.parse_args().seconds
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {platform.machine()}, 1 thread, R=1, H=128, B=128")
    for L in (3, 4):
        spec = make_spec(rule="backprop", v=8, n=8, m=6, L=L, P=16384)
        found = rates({"synaptree": Program([spec]).step, "plain": plain_loop(spec)}, seconds)
        ratios = [a / b for a, b in zip(found["synaptree"], found["plain"], strict=True)]
        median = {name: statistics.median(each) for name, each in found.items()}
        print(
            f"L={L}: synaptree {median['synaptree']:.0f} steps/s, plain {median['plain']:.0f}; "
            f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} – {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()

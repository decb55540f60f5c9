"""Backprop's sample complexity by a training that shares nothing with ours: autograd, torch's SGD.

As the RHM authors' later code trains (arXiv 2307.02129): one-hot inputs, weights N(0, 1), layer
output over √(fan-in), readout over the width, SGD at 0.1 · width with momentum 0.9, batches of 128,
until an epoch's mean loss is below 0.001.  On our grammars (seeds 0-9), as in
studies/backprop-reference/run.yaml, and on grammars drawn as that code draws them.

python benchmarks/backprop.py     # about 15 minutes on one core, into
                                  # results/backprop-reference/independent.csv
"""

import random
from itertools import product
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from synaptree import RandomHierarchyModel

TO = Path(__file__).parent.parent / "results" / "backprop-reference" / "independent.csv"
SIZES = {4: (256, 362, 512, 724, 1024, 1448), 8: (512, 724, 1024, 1448, 2048, 2896)}
M, S, L, WIDTH, BATCH, TESTS = 4, 2, 3, 128, 128, 4096


def ours(v: int, P: int, seed: int) -> tuple[Tensor, Tensor]:
    """P strings of our grammar, and their classes."""
    drawn = RandomHierarchyModel(v=v, n=v, m=M, s=S, L=L, seed=seed).sample(P, seed=7)
    return torch.tensor(drawn.x.astype(int)), torch.tensor(drawn.y.astype(int))


def theirs(v: int, P: int, seed: int) -> tuple[Tensor, Tensor]:
    """P strings of a grammar drawn with Python's `random`, rules of the class first."""
    random.seed(seed)
    tuples = list(product(range(v), repeat=S))
    rules = [torch.tensor(random.sample(tuples, v * M)).view(v, M, S) for _ in range(L)]
    stream = torch.Generator().manual_seed(1000 + seed)
    y = torch.randint(v, (P,), generator=stream)
    x = y.unsqueeze(1)
    for level in rules:
        x = level[x, torch.randint(M, x.shape, generator=stream)].flatten(1)
    return x, y


def test_error(x: Tensor, y: Tensor, v: int, P: int, seed: int) -> float:
    """Train on the first P strings until the loss is low; the error on the others."""
    torch.manual_seed(seed)
    inputs = one_hot(x, v).float()
    weights = [torch.randn(S * (WIDTH if l else v), WIDTH) for l in range(L)]
    weights.append(torch.randn(WIDTH, v))
    for W in weights:
        W.requires_grad_()

    def outputs(h: Tensor) -> Tensor:
        for W in weights[:-1]:
            h = torch.relu(h.reshape(len(h), h.shape[1] // S, -1) @ W / len(W) ** 0.5)
        return h[:, 0] @ weights[-1] / WIDTH

    optimizer = torch.optim.SGD(weights, lr=0.1 * WIDTH, momentum=0.9)
    for _ in range(2000):
        losses: list[float] = []
        for rows in torch.randperm(P).split(BATCH):
            loss = cross_entropy(outputs(inputs[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if sum(losses) / len(losses) < 0.001:
            break
    with torch.no_grad():
        wrong = outputs(inputs[P:]).argmax(1) != y[P:]
    return float(wrong.float().mean())


if __name__ == "__main__":
    torch.set_num_threads(1)
    rows: list[dict[str, object]] = []
    for v, sizes in SIZES.items():
        for draw in (ours, theirs):
            for seed in range(10):
                for P in sizes:
                    error = test_error(*draw(v, P + TESTS, seed), v, P, seed)
                    row = {"v": v, "grammars": draw.__name__, "seed": seed, "P": P}
                    rows.append(row | {"test_error": round(error, 3)})
                print(*rows[-1].values(), flush=True)
    pd.DataFrame(rows).to_csv(TO, index=False)

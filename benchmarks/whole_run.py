"""Whole runs beside the RHM authors' later program: from the start of a process to its end.

    python benchmarks/whole_run.py [--seconds 120]

Their program is rebuilt here as one plain script (`their_program`), from its description (arXiv
2307.02129, and the recipe in benchmarks/backprop.py): strings drawn level by level, one-hot, in a
DataLoader that shuffles; a network of convolutions whose stride is their size, weights N(0, 1),
outputs over √(fan-in), the readout over the width, no biases; SGD at 0.1 · width with momentum 0.9;
cross-entropy on batches of 128 by autograd; the loss and the error on the test strings twenty times
in a run.  Nothing of this package is imported in it.

Ours is the command `synaptree train` with the same recipe, sizes and number of test strings, once
with all that it measures beside the errors (alignment and portraits), once with `--no-portrait`.
Both use one thread.  What is compared is the CPU time of the processes, user's and system's, of one
network; replicas that train together share theirs.
"""

import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

from common import options, shown

KINDS: dict[str, dict[str, int]] = {  # the runs; v = n = 8, s = 2, batch 128
    "L=3 H=128, 4800 steps": {"L": 3, "m": 4, "P": 8192, "width": 128, "steps": 4800},
    "L=4 H=256, 1280 steps": {"L": 4, "m": 4, "P": 16384, "width": 256, "steps": 1280},
}
V, S, BATCH, TESTS, EVALUATIONS = 8, 2, 128, 8192, 20
TOGETHER = 8


def their_program(L: int, m: int, P: int, width: int, steps: int) -> None:
    """The RHM authors' later program, as described above; prints its test error."""
    import torch
    from torch import Tensor, nn
    from torch.utils.data import DataLoader, TensorDataset

    torch.set_num_threads(1)
    random.seed(0)
    torch.manual_seed(0)
    tuples = [(a, b) for a in range(V) for b in range(V)]
    rules = [torch.tensor(random.sample(tuples, V * m)).view(V, m, S) for _ in range(L)]
    drawn: set[tuple[int, ...]] = set()
    strings: list[Tensor] = []
    classes: list[Tensor] = []
    while len(drawn) < P + TESTS:
        y = torch.randint(V, (P + TESTS,))
        x = y.unsqueeze(1)
        for level in rules:
            x = level[x, torch.randint(m, x.shape)].flatten(1)
        for tokens, row, label in zip(x.tolist(), x, y, strict=True):
            if tuple(tokens) not in drawn and len(drawn) < P + TESTS:
                drawn.add(tuple(tokens))
                strings.append(row)
                classes.append(label)
    inputs = nn.functional.one_hot(torch.stack(strings), V).float().permute(0, 2, 1)
    targets = torch.stack(classes)
    train, test = TensorDataset(inputs[:P], targets[:P]), TensorDataset(inputs[P:], targets[P:])

    class Layer(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.filter = nn.Parameter(torch.randn(width, channels, S))

        def forward(self, x: Tensor) -> Tensor:
            fan_in = self.filter.shape[1] * S
            return torch.relu(nn.functional.conv1d(x, self.filter, stride=S) / fan_in**0.5)

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(*(Layer(width if l else V) for l in range(L)))
            self.readout = nn.Parameter(torch.randn(width, V))

        def forward(self, x: Tensor) -> Tensor:
            return self.layers(x).mean(dim=2) @ self.readout / width

    net = Network()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1 * width, momentum=0.9)
    criterion = nn.CrossEntropyLoss()

    def errors() -> tuple[float, float]:
        loss, wrong = 0.0, 0
        with torch.no_grad():
            for x, y in DataLoader(test, batch_size=1024):
                output = net(x)
                loss += criterion(output, y).item() * len(y)
                wrong += int((output.argmax(1) != y).sum())
        return loss / TESTS, wrong / TESTS

    step, found = 0, (0.0, 1.0)
    while step < steps:
        for x, y in DataLoader(train, batch_size=BATCH, shuffle=True):
            optimizer.zero_grad()
            loss = criterion(net(x), y)
            loss.backward()
            optimizer.step()
            step += 1
            if step % (steps // EVALUATIONS) == 0:
                found = errors()
            if step == steps:
                break
    print(json.dumps({"test_error": [found[1]]}))


def ours(kind: dict[str, int], *more: str) -> list[str]:
    """The command that trains with the same recipe."""
    recipe = {"rule": "backprop", "optimizer": "sgd", "parametrisation": "mean_field"}
    given = [
        f"--{name}={value}" for name, value in {**recipe, "v": V, "n": V, "s": S, **kind}.items()
    ]
    return [sys.executable, "-m", "synaptree", "train", *given, f"--batch={BATCH}", *more, "--json"]


def cpu_seconds(command: Sequence[str]) -> tuple[float, float]:
    """The CPU time of a process that a command starts, and the mean test error that it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, statistics.mean(json.loads(done.stdout)["test_error"])


def commands(kind: dict[str, int]) -> dict[str, tuple[list[str], int]]:
    """What is run in turns, with the number of networks that it trains."""
    sizes = list(map(str, kind.values()))
    eight = f"--replicas={TOGETHER}"
    return {
        "theirs": ([sys.executable, __file__, "theirs", *sizes], 1),
        "one network": (ours(kind), 1),
        "one network, no portrait": (ours(kind, "--no-portrait"), 1),
        f"{TOGETHER} at once, each": (ours(kind, eight), TOGETHER),
    }


def section(seconds: float) -> list[str]:
    """Their CPU time over ours, for each kind of run, in turns for about so many seconds."""
    lines = [
        "| run | theirs, CPU s | ours | CPU s | theirs / ours | test errors | times |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, kind in KINDS.items():
        took: dict[str, list[float]] = {what: [] for what in commands(kind)}
        error: dict[str, float] = {}
        began = time.perf_counter()
        while not took["theirs"] or time.perf_counter() - began < seconds:
            for what, (command, networks) in commands(kind).items():
                cpu, error[what] = cpu_seconds(command)
                took[what].append(cpu / networks)
        theirs = took.pop("theirs")
        for what, mine in took.items():
            ratios = [a / b for a, b in zip(theirs, mine, strict=True)]
            ratio = shown((statistics.median(ratios), min(ratios), max(ratios)))
            errors = f"{error['theirs']:.3f}, {error[what]:.3f}"
            lines.append(
                f"| {name} | {statistics.median(theirs):.1f} | {what} | "
                f"{statistics.median(mine):.1f} | {ratio} | {errors} | {len(mine)} |"
            )
    return [*lines, ""]


if __name__ == "__main__":
    if sys.argv[1:2] == ["theirs"]:
        their_program(*map(int, sys.argv[2:]))
    else:
        print("\n".join(section(options(__doc__, 120.0).seconds)))

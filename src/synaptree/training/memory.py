"""How much memory runs take, from their sizes alone; and whether that is there."""

from contextlib import suppress
from pathlib import Path

import psutil
import torch

from synaptree.errors import SynaptreeError
from synaptree.measures.portrait import INPUTS as PORTRAIT_INPUTS
from synaptree.measures.probes import LOGITS, ROWS
from synaptree.training.spec import RunSpec

CHUNK = 2048  # strings that errors are measured on at once
PROBES = 20_000_000  # bytes of linear readers
COMPILER = 100_000_000  # bytes of what compiles the loops of some rules that compare views


def replica_bytes(spec: RunSpec, measured: int = PORTRAIT_INPUTS) -> int:
    """The bytes that plans allow a replica, which follow from its sizes alone and must not change.

    They suffice where all replicas are measured together on this many strings: two whole activities
    and a part of a third, and linear readers, beside what `_training_bytes` counts.
    """
    return _training_bytes(spec, 2.3 * max(spec.batch, measured)) + PROBES


def group_bytes(spec: RunSpec, replicas: int) -> int:
    """An estimate of the bytes that replicas take together at their largest.

    That is when errors are measured, on all replicas at once, or when one portrait after the other
    is drawn.  benchmarks/memory.py compares it with what a process really takes.
    """
    number = 8 if spec.precision == "float64" else 4
    kept = _training_bytes(spec, 0)
    step = _training_bytes(spec, 2.3 * spec.batch) - kept
    # Layer 1, which reads few different patches, is not laid out for the strings that are tested
    # and drawn; units that are vectors are.
    H = spec.rule.network.activity_width(spec.width, spec.n)
    lowest = 2 if spec.width == H else 1
    nodes = sum(spec.places ** (spec.L - l) for l in range(lowest, spec.L + 1))
    a_string = number * 2 * nodes * H
    working = max(step, a_string * min(spec.tests, CHUNK))
    drawing = int(1.1 * a_string * PORTRAIT_INPUTS)
    compiler = COMPILER if spec.rule.needs_views else 0
    return replicas * (kept + working) + max(0, drawing - working) + PROBES + compiler


def _training_bytes(spec: RunSpec, inputs: float) -> int:
    """The data with their order, weights with gradients and the optimiser's moments, and activity
    for so many inputs."""
    number = 8 if spec.precision == "float64" else 4
    token = 1 if spec.numbers <= 256 else 4
    if spec.data.held is not None and spec.data.held.form != "tokens":
        token = 4 * spec.numbers
    nodes, fan_in = _layers(spec)
    H = spec.rule.network.activity_width(spec.width, spec.n)
    data = (spec.P + spec.tests) * (token * spec.places**spec.L + 8) + (32 + nodes[0]) * spec.P
    weights = sum(fan_in) * spec.width + spec.width * spec.n
    if spec.connectivity == "full":
        weights += _weights_of_positions(spec)
    if spec.rule.needs_views:
        weights += sum(nodes) * spec.width**2  # a predictor of its own for each position
    activity = 2 * sum(nodes) * H + nodes[0] * spec.places * spec.numbers
    if spec.width != H:  # units that are vectors: what the next layer reads is laid out anew
        activity += sum(nodes[:-1]) * H
    return int(data + 4 * number * weights + number * activity * inputs)


def check_memory(
    spec: RunSpec, replicas: int, device: str = "cpu", portrait: bool = True, beside: int = 0
) -> None:
    """Raise SynaptreeError, before anything is made, for runs that cannot fit into memory.

    beside: bytes that are needed beside them.
    """
    alone = needed_bytes(spec, portrait=False)
    needed = replicas * alone + (needed_bytes(spec) - alone if portrait else 0) + beside
    there = memory_bytes(device)
    if needed > there:
        raise SynaptreeError(
            f"memory: about {_size(needed)} needed for {replicas} x v={spec.v} n={spec.n} "
            f"s={spec.s} L={spec.L} P={spec.P} width={spec.width} batch={spec.batch}, and "
            f"this {device} has {_size(there)}; expected smaller sizes or fewer runs"
        )


def needed_bytes(spec: RunSpec, portrait: bool = True) -> int:
    """What one replica needs, also where its sizes are extreme.

    `replica_bytes` serves to plan usual runs, and plans must not change.  This adds what is
    small in these.
    """
    number = 8 if spec.precision == "float64" else 4
    nodes, _ = _layers(spec)
    extra = 8 * spec.s * spec.m * max(spec.v, spec.n) * spec.L  # the rules of the grammar
    extra += number * spec.numbers**2  # the tokens as vectors
    if spec.connectivity == "local":
        extra += 4 * number * _weights_of_positions(spec)
    if not portrait:
        return extra + replica_bytes(spec, min(spec.tests, CHUNK)) - PROBES
    # Readers have logits of each class for their examples, of a few places under a position at
    # once; those of the class read a whole layer.
    logits = max(LOGITS, max(ROWS, 2 * spec.width) * max(spec.n, spec.numbers))
    readers = number * (8 * logits + 8 * spec.width**2 + PORTRAIT_INPUTS * nodes[0] * spec.width)
    return extra + replica_bytes(spec) - PROBES + readers


def memory_bytes(device: str = "cpu") -> int:
    """The memory of the GPU; or of the machine, within its container's or job's.

    All of it: what is free just now changes from moment to moment, and a run must not fail by that.
    """
    if device == "cuda":
        return torch.cuda.mem_get_info()[1]
    memory = 2**62  # where the system does not tell
    with suppress(Exception):
        memory = psutil.virtual_memory().total
    with suppress(OSError):  # only Linux has control groups
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            group = Path("/sys/fs/cgroup") / line.rpartition(":")[2].lstrip("/")
            for folder in (group, *group.parents):
                with suppress(OSError, ValueError):  # no such file, or "max"
                    memory = min(memory, int((folder / "memory.max").read_text()))
    return memory


def _size(count: int) -> str:
    """Bytes as a person reads them."""
    unit, size = next(
        (pair for pair in (("MB", 10**6), ("GB", 10**9)) if count < 1000 * pair[1]), ("TB", 10**12)
    )
    tenths = 10 * count // size  # whole numbers, since the count may be too large for a float
    return f"{tenths / 10:.3g} {unit}" if tenths < 10**15 else f"over 10^14 {unit}"


def _weights_of_positions(spec: RunSpec) -> int:
    """How many weights a network has whose positions have their own, without the readout."""
    nodes, fan_in = _layers(spec)
    reads = nodes if spec.connectivity == "full" else [1] * spec.L
    return spec.width * sum(N * i * r for N, i, r in zip(nodes, fan_in, reads, strict=True))


def _layers(spec: RunSpec) -> tuple[list[int], list[int]]:
    """How many positions each layer has, and what a unit there reads."""
    nodes = [spec.places ** (spec.L - l) for l in range(1, spec.L + 1)]
    fan_in = [spec.places * (spec.numbers if l == 1 else spec.width) for l in range(1, spec.L + 1)]
    return nodes, fan_in

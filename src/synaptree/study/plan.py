"""What is left to run, in which programs, and how long it will take.

Runs that differ in their seeds alone train as replicas of one program.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import torch

from synaptree.measures.portrait import INPUTS as PORTRAIT_INPUTS
from synaptree.results.journal import rows
from synaptree.training.precision import arithmetic
from synaptree.training.process import prepare
from synaptree.training.replicas import Replicas
from synaptree.training.spec import RunSpec

# Bytes of layer 1's activity, with its second view, up to which replicas share a core's cache.
CACHE = 2**21
PROBES = 20_000_000  # bytes of the linear readers of one replica
MEMORY = 2**31  # bytes of a program on a CPU; the same on every machine, as shards must be


def plan(specs: Sequence[RunSpec], done: set[str], device: str = "cpu") -> list[list[RunSpec]]:
    """The programs that are left: missing runs, grouped by what may be replicas, longest first.

    No more replicas train at once than memory holds, and on a CPU no more than fit its cache
    together: larger tensors only wait for memory. Results do not depend on it.
    """
    alike: dict[str, list[RunSpec]] = {}
    for spec in specs:
        if spec.run_id not in done:
            alike.setdefault(spec.group, []).append(spec)
    programs: list[list[RunSpec]] = []
    for runs in alike.values():
        at_once = replicas_at_once(runs[0], device)
        programs += [runs[i : i + at_once] for i in range(0, len(runs), at_once)]
    return sorted(programs, key=cost, reverse=True)


def replicas_at_once(spec: RunSpec, device: str = "cpu") -> int:
    """How many replicas of a run train best as one program."""
    if device == "cuda":
        memory = int(0.8 * torch.cuda.get_device_properties(0).total_memory)
        return max(1, memory // replica_bytes(spec))
    views = 2 if spec.rule.needs_views else 1
    cache = CACHE // (4 * views * spec.batch * spec.s ** (spec.L - 1) * spec.width)
    return max(1, min(MEMORY // replica_bytes(spec), cache))


def replica_bytes(spec: RunSpec) -> int:
    """An estimate of the bytes that one replica adds to its program at its largest.

    That is when the portrait compares its strings with their synonyms: two whole activities and a
    part of a third, beside the data with their order, weights with gradients and the optimiser's
    moments, and the probes. benchmarks/memory.py holds it against what is really taken.
    """
    number = 8 if spec.precision == "float64" else 4
    token = 1 if spec.v <= 256 else 4
    nodes = [spec.s ** (spec.L - l) for l in range(1, spec.L + 1)]
    fan_in = [spec.s * (spec.v if l == 1 else spec.width) for l in range(1, spec.L + 1)]
    H = spec.rule.network.activity_width(spec.width, spec.n)
    data = (spec.P + spec.tests) * (token * spec.s**spec.L + 8) + (32 + nodes[0]) * spec.P
    weights = sum(fan_in) * spec.width + spec.width * spec.n
    if spec.rule.needs_views:
        weights += sum(nodes) * spec.width**2  # a predictor of its own for each position
    activity = 2 * sum(nodes) * H + nodes[0] * spec.s * spec.v
    if spec.width != H:  # units that are vectors: what the next layer reads is laid out anew
        activity += sum(nodes[:-1]) * H
    inputs = 2.3 * max(spec.batch, PORTRAIT_INPUTS)
    return int(data + 4 * number * weights + number * activity * inputs) + PROBES


def cost(program: Sequence[RunSpec]) -> float:
    """How long a program takes, in a unit that only serves to compare programs."""
    spec = program[0]
    nodes = sum(spec.s**k for k in range(spec.L))
    # Layerwise rules have predictors beside each layer; a trained readout alone costs little.
    weight = 2.0 if spec.rule.needs_views else 0.3 if spec.rule.name == "readout_only" else 1.0
    return weight * spec.steps * spec.batch * nodes * len(program)


def done_in(folder: Path, failed_too: bool = False) -> set[str]:
    """The ids of the runs that are done in a folder of results, or that ended in an error."""
    return {row["run_id"] for row in rows(folder) if failed_too or row["status"] == "done"}


def shard(programs: Sequence[list[RunSpec]], part: int, parts: int) -> list[list[RunSpec]]:
    """The share of one of several independent drivers: part 1..parts of a plan with nothing done.

    Every driver makes the same plan, so that the shares are disjoint and together complete.
    """
    return list(programs)[part - 1 :: parts]


def seconds_left(programs: Sequence[Sequence[RunSpec]], device: str = "cpu") -> float:
    """An estimate of the seconds of one worker that programs take, from a few measured steps.

    Programs of the same shape are measured once.  Data, evaluation and portraits are not counted:
    they are a small part of runs of usual length.
    """
    prepare()  # as a worker is: more threads than its one only wait for each other
    measured: dict[str, float] = {}
    seconds = 0.0
    for specs in programs:
        spec = specs[0]
        short = spec.model_copy(update={"P": min(spec.P, 4 * max(spec.batch, 256)), "steps": 1})
        same = {"grammar_seed": 0, "data_seed": 0, "network_seed": 0, "lr": 1e-3}
        key = f"{len(specs)} {short.model_copy(update=same).run_id}"
        if key not in measured:
            replicas = [s.model_copy(update={"P": short.P}) for s in specs]
            with arithmetic(spec.precision):
                measured[key] = _seconds_a_step(Replicas(replicas, device))
        seconds += measured[key] * spec.steps
    return seconds


def _seconds_a_step(program: Replicas) -> float:
    for _ in range(3):
        program.step()
    began = time.perf_counter()
    for _ in range(10):
        program.step()
    return (time.perf_counter() - began) / 10

"""What is left to run, in which groups, and how much memory a group takes.

Runs that differ in their seeds alone train together, as the replicas of one group.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from synaptree.results.journal import rows
from synaptree.training.memory import replica_bytes
from synaptree.training.spec import RunSpec

# Bytes of layer 1's activity, with its second view, up to which replicas share a core's cache.
CACHE = 2**21
MEMORY = 2**31  # bytes of a group on a CPU; the same on every machine, as shares must be


def plan(specs: Sequence[RunSpec], done: set[str], device: str = "cpu") -> list[list[RunSpec]]:
    """The groups that are left: the runs that are not done, the longest group first.

    A group is no larger than memory allows, and on a CPU no larger than its cache allows: larger
    tensors only wait for memory.
    """
    alike: dict[str, list[RunSpec]] = {}
    for spec in specs:
        if spec.run_id not in done:
            alike.setdefault(spec.group, []).append(spec)
    groups: list[list[RunSpec]] = []
    for runs in alike.values():
        size = replicas_at_once(runs[0], device)
        groups += [runs[i : i + size] for i in range(0, len(runs), size)]
    return sorted(groups, key=cost, reverse=True)


def shard(groups: Sequence[list[RunSpec]], part: int, parts: int) -> list[list[RunSpec]]:
    """The share of one of several independent drivers: part 1..parts of a plan with nothing done.

    Every driver makes the same plan, so that the shares are disjoint and together complete.
    """
    return list(groups)[part - 1 :: parts]


def done_in(folder: Path, failed_too: bool = False) -> set[str]:
    """The ids of the runs that are done in a folder of results, or that ended in an error."""
    return {row["run_id"] for row in rows(folder) if failed_too or row["status"] == "done"}


def replicas_at_once(spec: RunSpec, device: str = "cpu") -> int:
    """How many replicas of a run train best as one group."""
    if device == "cuda":
        memory = int(0.8 * torch.cuda.get_device_properties(0).total_memory)
        return max(1, memory // replica_bytes(spec))
    views = 2 if spec.rule.needs_views else 1
    cache = CACHE // (4 * views * spec.batch * spec.s ** (spec.L - 1) * spec.width)
    return max(1, min(MEMORY // replica_bytes(spec), cache))


def cost(group: Sequence[RunSpec]) -> float:
    """How long a group takes, in a unit that only serves to compare groups."""
    spec = group[0]
    nodes = sum(spec.s**k for k in range(spec.L))
    # Layerwise rules have predictors beside each layer; a trained readout alone costs little.
    weight = 2.0 if spec.rule.needs_views else 0.3 if spec.rule.name == "readout_only" else 1.0
    return weight * spec.steps * spec.batch * nodes * len(group)

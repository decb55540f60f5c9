"""The memory that `--dry-run` foretells for a replica, beside what a process really takes more.

    python benchmarks/memory.py

Each run trains in a process of its own with one replica and with five; a quarter of the difference
of their largest sizes is a replica. Children start small, or the parent's pages would be counted.
"""

import json
import resource
import subprocess
import sys

from common import arguments, print_section

from synaptree import train_replicas
from synaptree.study.plan import replica_bytes
from synaptree.training.process import prepare
from synaptree.training.spec import RunSpec, make_spec

RUNS: tuple[dict[str, object], ...] = (
    {"rule": "backprop", "L": 4, "m": 6, "P": 131072},
    {"rule": "backprop", "L": 3, "m": 8, "P": 16384},
    {"rule": "backprop", "L": 3, "m": 8, "P": 16384, "width": 512},
    {"rule": "backprop", "L": 5, "m": 4, "P": 262144},
    {"rule": "infonce", "L": 4, "m": 6, "P": 131072, "views": "sibling,same_class"},
    {"rule": "vicreg", "L": 3, "m": 8, "P": 16384, "views": "trace:7", "batch": 512},
    {"rule": "global_error_vector", "L": 4, "m": 6, "P": 131072, "width": 32},
)


def spec_of(given: dict[str, object]) -> RunSpec:
    """A few steps of a run."""
    return make_spec(v=8, n=8, steps=3, evaluations=1, **given)


def child(given: dict[str, object], replicas: int) -> None:
    """Train, and print the largest size of this process in bytes."""
    prepare()
    train_replicas(spec_of(given).replicate(replicas))
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def taken(given: dict[str, object], replicas: int) -> int:
    """`child` in a process of its own."""
    words = [sys.executable, __file__, json.dumps(given), str(replicas)]
    # An interpreter between, so that the child is not forked from a large process.
    small = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", small, *words], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1])


def section(device: str, seconds: float) -> list[str]:  # noqa: ARG001
    """Each run's replica, foretold and measured."""
    lines = ["| run | foretold | measured | foretold / measured |", "|---|---|---|---|"]
    for given in RUNS:
        foretold = replica_bytes(spec_of(given)) / 1e6
        measured = (taken(given, 5) - taken(given, 1)) / 4e6
        name = " ".join(f"{k}={w}" for k, w in given.items() if k != "rule")
        figures = f"{foretold:.0f} MB | {measured:.0f} MB | {foretold / measured:.2f}"
        lines.append(f"| {given['rule']} {name} | {figures} |")
    return [*lines, ""]


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1].startswith("{"):
        child(json.loads(sys.argv[1]), int(sys.argv[2]))
    else:
        print_section(section, arguments(__doc__))

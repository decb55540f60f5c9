"""The memory that `--dry-run` predicts for a replica, beside what a process really needs for it.

    python benchmarks/memory.py

Each run trains in a process of its own, once with one replica and once with five. A quarter of the
difference between the largest sizes of these processes is a replica.
"""

import json
import resource
import subprocess
import sys

from common import options

from synaptree import train_replicas
from synaptree.training.memory import group_bytes
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


def spec_of(settings: dict[str, object]) -> RunSpec:
    """A run of a few steps."""
    return make_spec(v=8, n=8, steps=3, evaluations=1, **settings)


def child(settings: dict[str, object], replicas: int) -> None:
    """Train, and print the largest size of this process in bytes."""
    prepare()
    train_replicas(spec_of(settings).replicate(replicas))
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def taken(settings: dict[str, object], replicas: int) -> int:
    """What `child` prints, in bytes, in a process of its own."""
    words = [sys.executable, __file__, json.dumps(settings), str(replicas)]
    # Through a small interpreter: the pages of a large parent would be counted as the child's.
    small = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", small, *words], capture_output=True, text=True, check=True
    )
    return int(done.stdout.split()[-1])


def section() -> list[str]:
    """The memory of a replica of each run, predicted and measured."""
    lines = ["| run | predicted | measured | predicted / measured |", "|---|---|---|---|"]
    for settings in RUNS:
        spec = spec_of(settings)
        predicted = (group_bytes(spec, 5) - group_bytes(spec, 1)) / 4e6
        measured = (taken(settings, 5) - taken(settings, 1)) / 4e6
        name = " ".join(f"{k}={w}" for k, w in settings.items() if k != "rule")
        figures = f"{predicted:.0f} MB | {measured:.0f} MB | {predicted / measured:.2f}"
        lines.append(f"| {settings['rule']} {name} | {figures} |")
    return [*lines, ""]


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1].startswith("{"):
        child(json.loads(sys.argv[1]), int(sys.argv[2]))
    else:
        options(__doc__)
        print("\n".join(section()))

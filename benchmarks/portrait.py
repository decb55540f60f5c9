"""What a portrait takes of a run of 3000 steps of backprop (H = 128, B = 128), by depth.

    python benchmarks/portrait.py [--seconds 10]

Steps and portraits take turns, on networks that have learned for some hundred steps; the replicas
of a run are measured one after the other.
"""

from functools import partial

import torch
from common import options, shown

from synaptree.bench import Loop, alternate
from synaptree.measures.portrait import portraits
from synaptree.training.precision import arithmetic
from synaptree.training.replicas import Replicas
from synaptree.training.spec import make_spec

STEPS = 3000
LEARNED = {3: 600, 4: 300, 5: 150, 6: 60}  # steps before, which take a few seconds each
REPLICAS = (1, 4)


def section(device: str, seconds: float) -> list[str]:
    """The share of a portrait in the time of such a run, for each depth."""
    heads = " | ".join(f"R={R}" for R in REPLICAS)
    lines = [f"| L | {heads} |", "|" + "---|" * (1 + len(REPLICAS))]
    for L, learned in LEARNED.items():
        cells: list[str] = []
        for R in REPLICAS:
            specs = make_spec(rule="backprop", v=8, n=8, m=4, L=L, P=8192).replicate(R)
            replicas = Replicas(specs, torch.device(device))
            with arithmetic(specs[0].precision):
                for _ in range(learned):
                    replicas.step()
            grammars, seeds = [spec.grammar for spec in specs], list(range(R))

            drawn = partial(portraits, replicas.net, grammars, seeds)
            loops = {"steps": Loop(replicas.step), "portrait": Loop(drawn)}
            rates = alternate(loops, seconds, device, slice_s=0.5)
            middle, low, high = rates["steps"].over(rates["portrait"])
            share = (middle / STEPS, low / STEPS, high / STEPS)
            cells.append(shown(share, percent=True))
        lines.append(f"| {L} | {' | '.join(cells)} |")
    return [*lines, ""]


if __name__ == "__main__":
    chosen = options(__doc__, 10.0)
    print("\n".join(section(chosen.device, chosen.seconds)))

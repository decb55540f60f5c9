"""Steps per second of every rule beside backprop on the same network, and the size of its products.

    python benchmarks/every_rule.py [--device cuda] [--seconds 2]

A local rule needs no pass down through the layers. But rules that predict apply and learn a matrix
of their own at each position; with few dimensions (`dims`) these matrices are small.
"""

from common import options, shown
from torch.utils.flop_counter import FlopCounterMode

from synaptree import rules
from synaptree.bench import Loop, alternate, training
from synaptree.rules import Rule
from synaptree.training.spec import RunSpec, make_spec

FEW = {"lpl": 8, "vicreg": 8, "barlow_twins": 32}  # dims, as in studies/layerwise/run.yaml


def spec_of(rule: Rule, views: str = "sibling,same_class") -> RunSpec:
    """A run of a rule on the design's deep grammar, with the views or the decay that it needs."""
    needed = {"views": views} if rule.needs_views else {}
    decay = {"weight_decay": 0.1} if rule.needs_decay else {}
    return make_spec(rule=rule, v=8, n=8, m=6, L=4, P=16384, **needed, **decay)


def multiplied(loop: Loop) -> float:
    """Multiplications and additions in the matrix products of a step, as torch counts them."""
    with FlopCounterMode(display=False) as counter:
        loop.step()
    return counter.get_total_flops()


def section(device: str, seconds: float) -> list[str]:
    """Each rule against backprop, in turns, for `seconds` each."""
    lines = ["| rule | family | × backprop's steps/s | × its products |", "|---|---|---|---|"]
    backprop = training(spec_of(rules.get("backprop")), device=device)
    least = multiplied(backprop)
    measured = [rules.get(name) for name in rules.names()]
    measured += [rules.get(name, dims=dims) for name, dims in FEW.items()]
    for rule in sorted(measured, key=lambda rule: (rule.facts.family, rule.label)):
        loop = training(spec_of(rule), device=device)
        rates = alternate({"backprop": backprop, "rule": loop}, seconds, device, slice_s=0.2)
        ratio = shown(rates["rule"].over(rates["backprop"]))
        products = f"{multiplied(loop) / least:.2f}"
        lines.append(f"| {rule.label} | {rule.facts.family} | {ratio} | {products} |")
    return [*lines, ""]


if __name__ == "__main__":
    chosen = options(__doc__, 2.0)
    print("\n".join(section(chosen.device, chosen.seconds)))

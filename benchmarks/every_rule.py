"""Steps per second of every rule beside backprop on the same network, and what they multiply.

    python benchmarks/every_rule.py [--device cuda] [--seconds 2]

A local rule needs no pass down through the stack, but those that predict have a matrix of their own
at each position, which is applied and learned; rules with few dimensions (`dims`) have small ones.
"""

from common import arguments, print_section, shown
from torch.utils.flop_counter import FlopCounterMode

from synaptree import rules
from synaptree.bench import Loop, alternate, training
from synaptree.rules import Rule
from synaptree.training.spec import RunSpec, make_spec

FEW = {"lpl": 8, "vicreg": 8, "barlow_twins": 32}  # dims, as in studies/layerwise/run.yaml


def spec_of(rule: Rule, views: str = "sibling,same_class") -> RunSpec:
    """A run of a rule on the design's deep grammar, with what it cannot do without."""
    given = {"views": views} if rule.needs_views else {}
    decay = {"weight_decay": 0.1} if rule.needs_decay else {}
    return make_spec(rule=rule, v=8, n=8, m=6, L=4, P=16384, **given, **decay)


def multiplied(loop: Loop) -> float:
    """What a step multiplies and adds in matrix products, as torch counts it."""
    with FlopCounterMode(display=False) as counter:
        loop.step()
    return counter.get_total_flops()


def section(device: str, seconds: float) -> list[str]:
    """Each rule against backprop, in turns, so many seconds."""
    lines = ["| rule | family | × backprop's steps/s | × its products |", "|---|---|---|---|"]
    backprop = training(spec_of(rules.get("backprop")), device=device)
    least = multiplied(backprop)
    found = [rules.get(name) for name in rules.names()]
    found += [rules.get(name, dims=dims) for name, dims in FEW.items()]
    for rule in sorted(found, key=lambda rule: (rule.facts.family, rule.label)):
        loop = training(spec_of(rule), device=device)
        rates = alternate({"backprop": backprop, "rule": loop}, seconds, device, slice_s=0.2)
        ratio = shown(rates["rule"].over(rates["backprop"]))
        products = f"{multiplied(loop) / least:.2f}"
        lines.append(f"| {rule.label} | {rule.facts.family} | {ratio} | {products} |")
    return [*lines, ""]


if __name__ == "__main__":
    print_section(section, arguments(__doc__, 2.0))

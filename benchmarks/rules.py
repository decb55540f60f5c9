"""Steps per second of every rule beside backprop on the same network.

python benchmarks/rules.py [--device cuda] [--seconds 2]
"""

from common import arguments, print_section, shown

from synaptree import rules
from synaptree.bench import alternate, training
from synaptree.spec import RunSpec, make_spec


def spec_of(name: str, views: str = "sibling,same_class") -> RunSpec:
    """A run of a rule on the design's deep grammar, with what it cannot do without."""
    rule = rules.get(name)
    given = {"views": views} if rule.needs_views else {}
    decay = {"weight_decay": 0.1} if rule.needs_decay else {}
    return make_spec(rule=rule, v=8, n=8, m=6, L=4, P=16384, **given, **decay)


def section(device: str, seconds: float) -> list[str]:
    """Each rule against backprop, in turns, so many seconds."""
    lines = ["| rule | family | × backprop's steps/s |", "|---|---|---|"]
    backprop = training(spec_of("backprop"), device=device)
    for name in rules.names():
        spec = spec_of(name)
        loops = {"backprop": backprop, "rule": training(spec, device=device)}
        rates = alternate(loops, seconds, device, slice_s=0.2)
        ratio = shown(rates["rule"].over(rates["backprop"]))
        lines.append(f"| {spec.rule.label} | {spec.rule.facts.family} | {ratio} |")
    return [*lines, ""]


if __name__ == "__main__":
    print_section(section, arguments(__doc__, 2.0))

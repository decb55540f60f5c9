"""Steps per second of every rule beside backprop, and beside its own matrix products.

    python benchmarks/every_rule.py [--device cuda] [--seconds 2]

A local rule needs no pass down through the layers. But rules that predict apply and learn a matrix
of their own at each position; with few dimensions (`dims`) these matrices are small. The share of
its products is the time that the matrix products of a step take alone, in the time of the step.
"""

from typing import Any

import torch
from common import options, shown
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from synaptree import rules
from synaptree.bench import Loop, alternate, training
from synaptree.rules import Rule
from synaptree.training.spec import RunSpec, make_spec

FEW = {"lpl": 8, "vicreg": 8, "barlow_twins": 32}  # dims, as in studies/layerwise/run.yaml
DEEP = ("clapp_pp", "clapp", "infonce", "lpl", "vicreg")
PRODUCTS = ("mm", "addmm", "bmm", "baddbmm")


def spec_of(rule: Rule, L: int = 4, m: int = 6, views: str = "sibling,same_class") -> RunSpec:
    """A run of a rule on the design's deep grammar, with the views or the decay that it needs."""
    needed = {"views": views} if rule.needs_views else {}
    decay = {"weight_decay": 0.1} if rule.needs_decay else {}
    return make_spec(rule=rule, v=8, n=8, m=m, L=L, P=16384, **needed, **decay)


def multiplied(loop: Loop) -> float:
    """Multiplications and additions in the matrix products of a step, as torch counts them."""
    with FlopCounterMode(display=False) as counter:
        loop.step()
    return counter.get_total_flops()


class Factors(TorchDispatchMode):
    """Notes the factors of each matrix product."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[Tensor, Tensor]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket.__name__.rstrip("_") in PRODUCTS:
            self.pairs.append(tuple(t for t in args if isinstance(t, Tensor))[-2:])
        return func(*args, **(kwargs or {}))


def products_of(loop: Loop, device: str) -> Loop:
    """The matrix products of a loop's step alone, on tensors laid out in memory as they are."""
    with Factors() as seen:
        loop.step()

    def alike(t: Tensor) -> Tensor:
        last = sum((n - 1) * stride for n, stride in zip(t.shape, t.stride(), strict=True))
        return torch.randn(last + 1, dtype=t.dtype, device=device).as_strided(t.shape, t.stride())

    pairs: list[tuple[Tensor, Tensor, Tensor]] = []
    for a, b in seen.pairs:
        a, b = alike(a), alike(b)
        pairs.append((a, b, a @ b))

    def step() -> None:
        for a, b, out in pairs:
            (torch.bmm if a.ndim == 3 else torch.mm)(a, b, out=out)

    return Loop(step)


def row(rule: Rule, backprop: Loop, device: str, seconds: float, **kind: int) -> str:
    """A rule, backprop and the rule's products in turns, for `seconds`, as a row of a table."""
    loop = training(spec_of(rule, **kind), device=device)
    loops = {"backprop": backprop, "rule": loop, "products": products_of(loop, device)}
    rates = alternate(loops, seconds, device, slice_s=0.2)
    ratio = shown(rates["rule"].over(rates["backprop"]))
    size = f"{multiplied(loop) / multiplied(backprop):.2f}"
    share = shown(rates["rule"].over(rates["products"]), percent=True)
    return f"| {rule.label} | {rule.facts.family} | {ratio} | {size} | {share} |"


def section(device: str, seconds: float) -> list[str]:
    """Each rule at L = 4, and those of the deep trees at L = 6."""
    measured = [rules.get(name) for name in rules.names()]
    measured += [rules.get(name, dims=dims) for name, dims in FEW.items()]
    measured.sort(key=lambda rule: (rule.facts.family, rule.label))
    lines: list[str] = []
    for kind, of in (
        ({"L": 4, "m": 6}, measured),
        ({"L": 6, "m": 4}, [rules.get(name) for name in DEEP]),
    ):
        backprop = training(spec_of(rules.get("backprop"), **kind), device=device)
        lines += [
            f"L = {kind['L']}, m = {kind['m']}:",
            "",
            "| rule | family | × backprop's steps/s | × its products | share of own products |",
            "|---|---|---|---|---|",
            *(row(rule, backprop, device, seconds, **kind) for rule in of),
            "",
        ]
    return lines


if __name__ == "__main__":
    chosen = options(__doc__, 2.0)
    print("\n".join(section(chosen.device, chosen.seconds)))

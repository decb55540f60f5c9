"""Steps per second of backprop beside loops in plain PyTorch and beside the machine's own products.

python benchmarks/speed.py [--device cuda] [--seconds 20]
"""

from common import arguments, print_section, shown

from synaptree.bench import (
    Broadcast,
    Loop,
    alternate,
    matrix_products,
    own_products,
    plain_loop,
    training,
)
from synaptree.errors import SynaptreeError
from synaptree.spec import make_spec
from synaptree.study.plan import replicas_at_once

SIZES = ((3, 128), (4, 128), (3, 256), (4, 256))  # L, H


def measured(L: int, width: int, device: str, seconds: float) -> list[str]:
    """The table of one size of network, in Markdown."""
    spec = make_spec(rule="backprop", v=8, n=8, m=6, L=L, P=16384, width=width)
    field = spec.model_copy(update={"parametrisation": "mean_field"})
    low = spec.model_copy(update={"precision": "bfloat16"})
    many = replicas_at_once(spec, device)
    counts = [1] if many == 1 else [1, many]
    loops: dict[str, Loop] = {
        "square products (1024)": matrix_products(device=device),
        "its own products alone": own_products(spec, device=device),
        "plain loop (conv1d)": plain_loop(spec, device=device),
        "plain loop, DataLoader": plain_loop(spec, loader=True, device=device),
        "plain loop, broadcasting": plain_loop(spec, Broadcast, device=device),
    }
    for one, name in ((spec, ""), (field, ", mean_field"), (low, ", bfloat16")):
        for R in counts:
            try:
                loops[f"synaptree{name}, R={R}"] = training(one, R, device)
            except SynaptreeError as fault:
                print(fault)
    rates = alternate(loops, seconds, device)
    square, own, plain = (rates[name] for name in list(loops)[:3])
    gflops = square.median * square.flops / 1e9
    lines = [
        f"**L={L}, H={width}** (v=n=8, m=6, s=2, B=128; products at {gflops:.0f} GFLOP/s)",
        "",
        "| loop | networks × steps/s | × plain loop | of square products | of its own products |",
        "|---|---|---|---|---|",
    ]
    for name, rate in list(rates.items())[1:]:
        digits = 0 if rate.median > 10 else 2
        shares = (shown(rate.share(one), percent=True) for one in (square, own))
        ratio = shown(rate.over(plain))
        lines.append(f"| {name} | {rate.median:.{digits}f} | {ratio} | {' | '.join(shares)} |")
    return [*lines, ""]


def section(device: str, seconds: float) -> list[str]:
    """All sizes."""
    return [line for L, H in SIZES for line in measured(L, H, device, seconds)]


if __name__ == "__main__":
    print_section(section, arguments(__doc__))

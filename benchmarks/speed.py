"""Steps per second of backprop beside loops in plain PyTorch and matrix products alone.

python benchmarks/speed.py [--device cuda] [--seconds 20]
"""

import sys
import time

from common import options, shown
from torch.profiler import ProfilerActivity, profile

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
from synaptree.study.plan import replicas_at_once
from synaptree.training.spec import make_spec

PARTS = {
    "products": ("aten::bmm", "aten::baddbmm"),
    "gates φ, φ'": ("aten::clamp_min", "aten::relu", "aten::threshold_backward"),
    "Adam": ("aten::_fused_adamw_", "aten::_fused_adam_"),
}
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
                print(fault, file=sys.stderr)
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


def breakdown(L: int, width: int, steps: int = 200) -> str:
    """Where the time of a step of one network goes on a CPU.

    Torch's profiler times the operations; the rest of an unprofiled step is Python and dispatch.
    """
    step = training(make_spec(rule="backprop", v=8, n=8, m=6, L=L, P=16384, width=width)).step
    for _ in range(steps):
        step()
    began = time.perf_counter()
    for _ in range(steps):
        step()
    whole = 1e6 * (time.perf_counter() - began)
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(steps):
            step()
    spent = dict.fromkeys([*PARTS, "other operations"], 0.0)
    for operation in profiled.key_averages():
        key = operation.key
        if key.startswith("aten::"):
            name = next((n for n, ops in PARTS.items() if key in ops), "other operations")
            spent[name] += operation.self_cpu_time_total
    spent["Python and dispatch"] = max(0.0, whole - sum(spent.values()))
    cells = " | ".join(f"{100 * part / whole:.0f}%" for part in spent.values())
    return f"| L={L}, H={width} | {whole / 1000 / steps:.2f} ms | {cells} |"


def section(device: str, seconds: float) -> list[str]:
    """The tables of all sizes of network."""
    lines = [line for L, H in SIZES for line in measured(L, H, device, seconds)]
    lines += [
        "Shares are of the rate at which dense backprop's products would be multiplied: with "
        "tables of the strings that occur (`network/tables.py`) there are fewer, and a share "
        "can be above 100%.",
        "",
    ]
    if device != "cpu":
        return lines
    names = [*PARTS, "other operations", "Python and dispatch"]
    return [
        *lines,
        "Where the time of a step goes (R=1, float32):",
        "",
        f"| network | step | {' | '.join(names)} |",
        "|" + "---|" * (len(names) + 2),
        *(breakdown(L, H) for L, H in SIZES),
        "",
    ]


if __name__ == "__main__":
    chosen = options(__doc__)
    print("\n".join(section(chosen.device, chosen.seconds)))

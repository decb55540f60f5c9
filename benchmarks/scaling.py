"""How the time of a step grows with L, m, P, H and R, and the share of data and views in it.

python benchmarks/scaling.py [--device cuda] [--seconds 3]
"""

from common import options, shown
from every_rule import spec_of

from synaptree import rules
from synaptree.bench import Loop, alternate, training
from synaptree.training.precision import arithmetic
from synaptree.training.replicas import Replicas
from synaptree.training.spec import RunSpec, make_spec

BASE = {"v": 8, "n": 8, "m": 4, "L": 3, "P": 16384, "width": 128}
ALONG: dict[str, tuple[int, ...]] = {
    "L": (3, 4, 5, 6),
    "m": (2, 4, 6, 8),
    "P": (4096, 16384, 65536, 262144),
    "width": (32, 64, 128, 256, 512),
}
REPLICAS = (1, 2, 4, 8, 16)


def scaled(name: str, values: tuple[int, ...], device: str, seconds: float) -> list[str]:
    """The time of a step along one size, relative to its first value."""
    base = BASE | ({"L": 5, "P": 8192} if name == "m" else {"L": 4} if name == "P" else {})
    specs = {x: make_spec(rule="backprop", **base | {name: x}) for x in values}
    loops = {str(x): training(spec, device=device) for x, spec in specs.items()}
    rates = alternate(loops, seconds, device, slice_s=0.3)
    first = rates[str(values[0])]
    times = " · ".join(f"{x}: {shown(first.over(rates[str(x)]))}" for x in values[1:])
    return [f"| {name} | {values[0]} | {times} |"]


def replicas(device: str, seconds: float) -> list[str]:
    """The time of a step of R replicas, divided by R, relative to one replica alone."""
    spec = make_spec(rule="backprop", **BASE | {"L": 4})
    rates = alternate(
        {str(R): training(spec, R, device) for R in REPLICAS}, seconds, device, slice_s=0.3
    )
    times = " · ".join(f"{R}: {shown(rates['1'].over(rates[str(R)]))}" for R in REPLICAS[1:])
    return [f"| R, for each replica | 1 | {times} |"]


def late(device: str, seconds: float) -> list[str]:
    """A step late in a run, when many units have long been silent, relative to one at its start.

    Measured for a few seconds only, since the early run grows older meanwhile.
    """
    lines = ["", "| run | time of a step after 1500, as a multiple |", "|---|---|"]
    for rule in ("backprop", "clapp"):
        spec = spec_of(rules.get(rule)).model_copy(update={"lr": 0.01, "weight_decay": 0.3})
        loops = {when: training(spec, device=device) for when in ("early", "late")}
        with arithmetic(spec.precision):
            for _ in range(1500):
                loops["late"].step()
        rates = alternate(loops, seconds, device, slice_s=0.2)
        lines.append(f"| {rule} | {shown(rates['early'].over(rates['late']))} |")
    return lines


def parts(spec: RunSpec, device: str) -> dict[str, Loop]:
    """A whole step, and two parts of it: drawing the minibatch, and making the views' contexts."""
    replicas = Replicas([spec], device)
    activity = replicas.observe().activity

    def views() -> None:
        for view, z in zip(replicas.views, activity.z, strict=True):
            view.context(z, spec.s, spec.members, replicas.steps)

    loops = {"step": Loop(replicas.step), "strings": Loop(replicas.feed.next)}
    return loops | ({"views": Loop(views)} if replicas.views else {})


def shares(device: str, seconds: float) -> list[str]:
    """The share of the minibatch and of the views in the time of a step."""
    lines = ["", "| run | strings | views |", "|---|---|---|"]
    specs = {"backprop": spec_of(rules.get("backprop"))}
    specs |= {
        f"clapp, {v}": spec_of(rules.get("clapp"), views=v)
        for v in ("sibling,same_class", "trace:7")
    }
    specs["vicreg, half_mask"] = spec_of(rules.get("vicreg"), views="half_mask,same_class")
    for name, spec in specs.items():
        rates = alternate(parts(spec, device), seconds, device, slice_s=0.2)
        part = {k: shown(rates["step"].over(r), percent=True) for k, r in rates.items()}
        lines.append(f"| {name} | {part['strings']} | {part.get('views', '–')} |")
    return lines


def section(device: str, seconds: float) -> list[str]:
    """All tables."""
    lines = ["| along | from | time of a step, as a multiple |", "|---|---|---|"]
    for name, values in ALONG.items():
        lines += scaled(name, values, device, seconds)
    return [
        *lines,
        *replicas(device, seconds),
        *shares(device, seconds),
        *late(device, min(seconds, 1.5)),
        "",
    ]


if __name__ == "__main__":
    chosen = options(__doc__, 3.0)
    print("\n".join(section(chosen.device, chosen.seconds)))

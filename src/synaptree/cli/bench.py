"""`synaptree bench`: how fast this machine trains."""

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synaptree.cli.words import AS_JSON, DEVICE, NUMBER, show, terminal
from synaptree.errors import SynaptreeError

if TYPE_CHECKING:
    from synaptree.bench import Rate


LONGEST = 86_400  # seconds


def bench(
    device: DEVICE = "cpu",
    seconds: Annotated[float, typer.Option(help="Seconds to measure.", **NUMBER)] = 30,
    as_json: AS_JSON = False,
) -> None:
    """Measure how fast this machine trains, beside plain PyTorch and its own matrix products."""
    from synaptree.bench import alternate, standard
    from synaptree.results.sessions import machine
    from synaptree.study.check import check
    from synaptree.training.process import prepare

    check(None, device)
    if not 1 <= seconds <= LONGEST:
        raise SynaptreeError(f"seconds: {seconds:g} given; expected 1 to {LONGEST}")
    prepare()
    rates = alternate(standard(device), seconds, device)
    here = machine(device)
    if as_json:
        print(json.dumps({"machine": here, "loops": _rows(rates)}))
    else:
        _show(here, rates)


def _rows(rates: "dict[str, Rate]") -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for name, rate in rates.items():
        row: dict[str, Any] = {"per_second": rate.median}
        if name == "products":
            row["gflops"] = rate.median * rate.flops / 1e9
        else:
            row["over_plain"] = dict(
                zip(("median", "lowest", "highest"), rate.over(rates["plain"]), strict=True)
            )
            row["of_products"] = rate.share(rates["products"])[0]
        rows[name] = row
    return rows


def _show(here: dict[str, Any], rates: "dict[str, Rate]") -> None:
    from rich.table import Table

    rows = _rows(rates)
    table = Table(title="backprop, L=4 v=n=8 s=2, H=128, B=128, one thread", title_justify="left")
    table.add_column("loop")
    for heading in ("networks × steps/s", "× plain", "range", "of float32 products"):
        table.add_column(heading, justify="right")
    for name, row in rows.items():
        if name == "products":
            continue
        over = row["over_plain"]
        low = row["per_second"] < 10
        table.add_row(
            name,
            f"{row['per_second']:.{1 if low else 0}f}",
            f"{over['median']:.2f}",
            f"{over['lowest']:.2f} – {over['highest']:.2f}",
            f"{100 * row['of_products']:.0f}%",
        )
    console = terminal()
    show(table, console)
    console.print(
        f"{here.get('gpu', here['processor'])}, torch {version('torch')}: "
        f"float32 products at {rows['products']['gflops']:.0f} GFLOP/s"
    )

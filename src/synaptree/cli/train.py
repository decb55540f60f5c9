"""One rule on one kind of grammar."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synaptree.cli.words import (
    AS_JSON,
    DEPTH,
    DEVICE,
    SEED,
    M,
    N,
    S,
    V,
    assignment,
    cell,
    check,
    terminal,
)

if TYPE_CHECKING:
    from rich.console import Console

    from synaptree.training.spec import RunSpec


def train(
    rule: Annotated[str, typer.Option("--rule", help="The rule; `synaptree rules` lists them.")],
    views: Annotated[
        str,
        typer.Option(
            help="For layerwise rules, V[,V…] from below: sibling, half_mask, half_mask:neurons, "
            "same_class, trace:K, same_latent:k, movie:p."
        ),
    ] = "",
    v: V = 8,
    n: N = 8,
    m: M = 4,
    s: S = 2,
    depth: DEPTH = 3,
    P: Annotated[int, typer.Option("--P", help="Training-set size.")] = 4096,
    seed: SEED = 0,
    replicas: Annotated[int, typer.Option(help="Grammars, seeds S … S+R-1.", min=1)] = 1,
    width: Annotated[int | None, typer.Option(help="Units of a layer.  [default: 128]")] = None,
    steps: Annotated[int | None, typer.Option(help="Updates.  [default: 2000]")] = None,
    batch: Annotated[int | None, typer.Option(help="Inputs a step.  [default: 128]")] = None,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate.  [default: adam 0.001, sgd 0.1]")
    ] = None,
    lr_schedule: Annotated[str | None, typer.Option(help="constant or cosine.")] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="What weights lose, times lr, a step.  [default: 0]")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(help="together, or one layer after the other: sequential, plateau."),
    ] = None,
    stop_loss: Annotated[
        float | None, typer.Option(help="Stop once the training loss is below.  [default: never]")
    ] = None,
    validation: Annotated[
        float | None, typer.Option(help="Part of P held back to choose the best evaluation.")
    ] = None,
    readout_steps: Annotated[
        int | None,
        typer.Option(help="The last of the steps, in which the readout learns on frozen layers."),
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="adam or sgd.")] = None,
    parametrisation: Annotated[str | None, typer.Option(help="standard or mean_field.")] = None,
    connectivity: Annotated[str | None, typer.Option(help="shared or local.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="float32, float64 or bfloat16 (its products).")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="masking: transpose, sign, random or interpolated:α.")
    ] = None,
    masks: Annotated[
        str | None,
        typer.Option(
            help="masking: true, none, other_input, batch_mean, mean_jacobian, kept:q, nearest:k."
        ),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Any option of the rule, as temperature=0.5.")
    ] = None,
    device: DEVICE = "cpu",
    out: Annotated[Path | None, typer.Option(help="Also append to the results here.")] = None,
    as_json: AS_JSON = False,
) -> None:
    """Train one rule on one kind of grammar."""
    from synaptree import rules
    from synaptree.results.journal import Journal
    from synaptree.results.row import row_of
    from synaptree.study.progress import Live, Update
    from synaptree.training.loop import train_replicas
    from synaptree.training.spec import make_spec

    options = dict(assignment(text) for text in option or [])
    options |= {k: w for k, w in {"weights": weights, "masks": masks}.items() if w is not None}
    given = {
        "width": width, "steps": steps, "batch": batch, "lr": lr, "lr_schedule": lr_schedule,
        "weight_decay": weight_decay, "schedule": schedule, "stop_loss": stop_loss,
        "validation": validation, "readout_steps": readout_steps,
        "optimizer": optimizer, "parametrisation": parametrisation,
        "connectivity": connectivity, "precision": precision,
    }  # fmt: skip
    spec = make_spec(
        rule=rules.get(rule, **options),
        views=views,
        v=v,
        n=n,
        m=m,
        s=s,
        L=depth,
        P=P,
        grammar_seed=seed,
        data_seed=seed,
        network_seed=seed,
        **{k: w for k, w in given.items() if w is not None},
    )
    specs = spec.replicate(replicas)
    check(out, device, spec.precision)
    console = terminal(stderr=as_json)
    with Live([specs], console) as live:
        results = train_replicas(specs, device=device, progress=lambda made: live(Update(0, made)))
    rows = [row_of(result) for result in results]
    if out is not None:
        journal = Journal(out)
        journal.append(*rows)
        journal.close()
    if as_json:
        print(json.dumps(_train_json(spec, rows)))
    else:
        _print_training(rows, console)


def _train_json(spec: "RunSpec", rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The one JSON object of `train --json`; lists have one entry a replica."""
    matrices = [row["portrait"]["probe"] for row in rows]
    return {
        "rule": spec.rule.name,
        "rule_options": spec.rule.model_dump(mode="json", exclude={"name"}),
        "views": list(spec.views),
        **{name: getattr(spec, name) for name in ("v", "n", "m", "s", "L", "P")},
        "seed": spec.grammar_seed,
        "replicas": len(rows),
        "steps": spec.steps,
        "steps_made": [row["steps"] for row in rows],
        "test_error": [row["test_error"] for row in rows],
        "train_error": [row["train_error"] for row in rows],
        # Of each layer, how well the latents of its own level are read from it.
        "probe": [[layer[l] for l, layer in enumerate(matrix)] for matrix in matrices],
        "probe_matrix": matrices,
        "run_id": [row["run_id"] for row in rows],
        "wall_s": max(row["wall_s"] for row in rows),
        "code_version": rows[0]["code_version"],
    }


def _print_training(rows: list[dict[str, Any]], console: "Console") -> None:
    from rich.table import Table

    table = Table(title=cell(rows[0]["label"]), title_justify="left")
    depth = len(rows[0]["portrait"]["probe"])
    heads = [f"level {k}\nin layer {k}" for k in range(1, depth + 1)]
    for name in ("seed", "steps", "test\nerror", "train\nerror", *heads):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        probe = [f"{row['portrait']['probe'][k][k]:.3f}" for k in range(depth)]
        errors = [f"{row[name]:.4f}" for name in ("test_error", "train_error")]
        table.add_row(str(row["spec"]["grammar_seed"]), str(row["steps"]), *errors, *probe)
    console.print(table)
    for row in rows:
        if row["collapsed"]:
            layers = ", ".join(map(str, row["collapsed"]))
            seed = row["spec"]["grammar_seed"]
            console.print(f"seed {seed}: collapsed (effective rank below 2) in layer {layers}")

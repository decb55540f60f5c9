"""`synaptree train`: train one rule on one kind of grammar."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from synaptree.cli.words import (
    AS_JSON,
    COUNT,
    DEPTH,
    DEVICE,
    NO_PORTRAIT,
    NUMBER,
    PLACE,
    SEED,
    WHOLE,
    M,
    N,
    S,
    V,
    assignment,
    terminal,
)
from synaptree.errors import SynaptreeError

MOST_REPLICAS = 10_000  # that one process could hold and train together


def train(
    rule: Annotated[
        str,
        typer.Option(
            "--rule",
            help="A rule that `synaptree rules` lists, or your own, as my_rules.py:MyRule.",
        ),
    ],
    views: Annotated[
        str,
        typer.Option(
            help="Layerwise rules: the view of each layer, V[,V…], lowest first: sibling, "
            "half_mask, half_mask:neurons, same_class, trace:K, same_latent:k, movie:p."
        ),
    ] = "",
    v: V = 8,
    n: N = 8,
    m: M = 4,
    s: S = 2,
    depth: DEPTH = 3,
    P: Annotated[int, typer.Option("--P", help="Number of training strings.", **WHOLE)] = 4096,
    seed: SEED = 0,
    replicas: Annotated[
        int, typer.Option(help="Number of grammars; their seeds count up from --seed.", **COUNT)
    ] = 1,
    width: Annotated[
        int | None,
        typer.Option(help="Units of each layer, at each position (default: 128).", **WHOLE),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Number of weight updates (default: 2000).", **WHOLE)
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Inputs in each step (default: 128).", **WHOLE)
    ] = None,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate (default: adam 0.001, sgd 0.1).", **NUMBER)
    ] = None,
    lr_schedule: Annotated[
        str | None, typer.Option(help="Course of the learning rate: constant or cosine.")
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(
            help="Share of itself, times lr, that a weight loses in a step (default: 0).", **NUMBER
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="How layers learn: together, or one after the other (sequential or plateau)."
        ),
    ] = None,
    stop_loss: Annotated[
        float | None,
        typer.Option(
            help="Stop as soon as the training loss is below this (default: never).", **NUMBER
        ),
    ] = None,
    validation: Annotated[
        float | None,
        typer.Option(
            help="Fraction of P held back for early stopping: the best evaluation is kept.",
            **NUMBER,
        ),
    ] = None,
    readout_steps: Annotated[
        int | None,
        typer.Option(
            help="How many of the last steps train only the readout, on frozen layers.", **WHOLE
        ),
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="Optimiser: adam or sgd.")] = None,
    parametrisation: Annotated[
        str | None, typer.Option(help="Scaling with the width: standard or mean_field.")
    ] = None,
    connectivity: Annotated[
        str | None, typer.Option(help="Weights of positions: shared or local.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="float32, float64, or bfloat16 (for matrix products).")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Rule masking, feedback weights: transpose, sign, random, interpolated:α."
        ),
    ] = None,
    masks: Annotated[
        str | None,
        typer.Option(
            help="Rule masking, masks: true, none, other_input, batch_mean, mean_jacobian, kept:q, "
            "mixed:q, fresh[:q], frozen[:q], nearest:k, only:l, except:l."
        ),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="An option of the rule, such as temperature=0.5.")
    ] = None,
    device: DEVICE = "cpu",
    out: Annotated[
        Path | None, typer.Option(help="Also append the results to this folder.", **PLACE)
    ] = None,
    no_portrait: NO_PORTRAIT = False,
    as_json: AS_JSON = False,
) -> None:
    """Train one rule on one kind of grammar."""
    from synaptree import rules
    from synaptree.cli.tables.training import print_training, training_json
    from synaptree.results.journal import Journal
    from synaptree.results.row import row_of
    from synaptree.study.check import check
    from synaptree.study.progress import Live
    from synaptree.study.update import Update
    from synaptree.training.loop import train_replicas
    from synaptree.training.memory import check_memory
    from synaptree.training.spec import make_spec

    if replicas > MOST_REPLICAS:
        raise SynaptreeError(f"replicas: {replicas} given; expected at most {MOST_REPLICAS}")
    options = dict(assignment(text) for text in option or [])
    options |= {k: w for k, w in {"weights": weights, "masks": masks}.items() if w is not None}
    settings = {
        "width": width,
        "steps": steps,
        "batch": batch,
        "lr": lr,
        "lr_schedule": lr_schedule,
        "weight_decay": weight_decay,
        "schedule": schedule,
        "stop_loss": stop_loss,
        "validation": validation,
        "readout_steps": readout_steps,
        "optimizer": optimizer,
        "parametrisation": parametrisation,
        "connectivity": connectivity,
        "precision": precision,
    }
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
        **{name: value for name, value in settings.items() if value is not None},
    )
    check(out, device, spec.precision)
    check_memory(spec, replicas, device, not no_portrait)
    specs = spec.replicate(replicas)
    console = terminal(stderr=as_json)
    with Live(console) as live:
        results = train_replicas(
            specs,
            device=device,
            portrait=not no_portrait,
            progress=lambda p: live(Update([specs], 0, p.step, p.test_error, message=p.doing)),
        )
    rows = [row_of(result) for result in results]
    if out is not None:
        with closing(Journal(out)) as journal:
            journal.append(*rows)
    if as_json:
        print(json.dumps(training_json(spec, rows)))
    else:
        print_training(rows, console)

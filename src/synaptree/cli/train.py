"""`synaptree train`: one rule on one kind of grammar."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from synaptree.cli.run_options import (
    BATCH,
    CONNECTIVITY,
    LR,
    LR_SCHEDULE,
    MASKS,
    OPTIMIZER,
    OPTION,
    PARAMETRISATION,
    PRECISION,
    READOUT_STEPS,
    RULE,
    SCHEDULE,
    STEPS,
    STOP_LOSS,
    VALIDATION,
    VIEWS,
    WEIGHT_DECAY,
    WEIGHTS,
    WIDTH,
    run_fields,
)
from synaptree.cli.words import (
    AS_JSON,
    COUNT,
    DEPTH,
    DEVICE,
    NO_PORTRAIT,
    PLACE,
    SEED,
    WHOLE,
    M,
    N,
    S,
    V,
    terminal,
)
from synaptree.errors import SynaptreeError

MOST_REPLICAS = 10_000  # that one process could hold and train together


def train(
    rule: RULE,
    views: VIEWS = "",
    v: V = 8,
    n: N = 8,
    m: M = 4,
    s: S = 2,
    depth: DEPTH = 3,
    P: Annotated[int, typer.Option("--P", help="Training-set size.", **WHOLE)] = 4096,
    seed: SEED = 0,
    replicas: Annotated[int, typer.Option(help="Grammars, seeds S … S+R-1.", **COUNT)] = 1,
    width: WIDTH = None,
    steps: STEPS = None,
    batch: BATCH = None,
    lr: LR = None,
    lr_schedule: LR_SCHEDULE = None,
    weight_decay: WEIGHT_DECAY = None,
    schedule: SCHEDULE = None,
    stop_loss: STOP_LOSS = None,
    validation: VALIDATION = None,
    readout_steps: READOUT_STEPS = None,
    optimizer: OPTIMIZER = None,
    parametrisation: PARAMETRISATION = None,
    connectivity: CONNECTIVITY = None,
    precision: PRECISION = None,
    weights: WEIGHTS = None,
    masks: MASKS = None,
    option: OPTION = None,
    device: DEVICE = "cpu",
    out: Annotated[
        Path | None, typer.Option(help="Also append to the results here.", **PLACE)
    ] = None,
    no_portrait: NO_PORTRAIT = False,
    as_json: AS_JSON = False,
) -> None:
    """Train one rule on one kind of grammar."""
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
    fields = run_fields(
        rule,
        option,
        weights=weights,
        masks=masks,
        views=views,
        v=v,
        n=n,
        m=m,
        s=s,
        L=depth,
        width=width,
        steps=steps,
        batch=batch,
        lr=lr,
        lr_schedule=lr_schedule,
        weight_decay=weight_decay,
        schedule=schedule,
        stop_loss=stop_loss,
        validation=validation,
        readout_steps=readout_steps,
        optimizer=optimizer,
        parametrisation=parametrisation,
        connectivity=connectivity,
        precision=precision,
    )
    spec = make_spec(**fields, P=P, grammar_seed=seed, data_seed=seed, network_seed=seed)
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

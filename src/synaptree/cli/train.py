"""`synaptree train`: train one rule on one kind of grammar, or on data of one's own."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from synaptree.cli.run_settings import (
    BATCH,
    CONNECTIVITY,
    DATA,
    DATA_SEED,
    EVALUATIONS,
    GRAMMAR_SEED,
    LR,
    LR_SCHEDULE,
    MASKS,
    MOMENTUM,
    NETWORK_SEED,
    OPTIMIZER,
    OPTION,
    OUT,
    PARAMETRISATION,
    PRECISION,
    READOUT_STEPS,
    REPLICAS,
    RESUME,
    RULE,
    SAVE,
    SCHEDULE,
    STEPS,
    STOP_LOSS,
    STRINGS,
    TESTS,
    VALIDATION,
    VARIANT,
    VIEWS,
    WEIGHT_DECAY,
    WEIGHTS,
    WIDTH,
    run_fields,
    typed,
)
from synaptree.cli.words import (
    AS_JSON,
    DEPTH,
    DEVICE,
    NO_PORTRAIT,
    SEED,
    M,
    N,
    S,
    V,
    terminal,
)
from synaptree.errors import SynaptreeError

if TYPE_CHECKING:
    from rich.console import Console

    from synaptree.results.row import Row
    from synaptree.training.spec import RunSpec

MOST_REPLICAS = 10_000  # that one process could hold and train together


def train(
    context: typer.Context,
    rule: RULE,
    views: VIEWS = "",
    v: V = 8,
    n: N = 8,
    m: M = 4,
    s: S = 2,
    depth: DEPTH = 3,
    P: STRINGS = 4096,
    variant: VARIANT = "",
    data: DATA = None,
    seed: SEED = 0,
    grammar_seed: GRAMMAR_SEED = None,
    data_seed: DATA_SEED = None,
    network_seed: NETWORK_SEED = None,
    replicas: REPLICAS = 1,
    width: WIDTH = None,
    steps: STEPS = None,
    batch: BATCH = None,
    lr: LR = None,
    lr_schedule: LR_SCHEDULE = None,
    weight_decay: WEIGHT_DECAY = None,
    schedule: SCHEDULE = None,
    stop_loss: STOP_LOSS = None,
    validation: VALIDATION = None,
    evaluations: EVALUATIONS = None,
    tests: TESTS = None,
    readout_steps: READOUT_STEPS = None,
    optimizer: OPTIMIZER = None,
    momentum: MOMENTUM = None,
    parametrisation: PARAMETRISATION = None,
    connectivity: CONNECTIVITY = None,
    precision: PRECISION = None,
    weights: WEIGHTS = None,
    masks: MASKS = None,
    option: OPTION = None,
    device: DEVICE = "cpu",
    out: OUT = None,
    save: SAVE = None,
    resume: RESUME = None,
    no_portrait: NO_PORTRAIT = False,
    as_json: AS_JSON = False,
) -> None:
    """Train one rule on one kind of grammar, or on data of your own."""
    from synaptree.cli.tables.training import print_training, training_json
    from synaptree.training.spec import Variant, make_spec

    if replicas > MOST_REPLICAS:
        raise SynaptreeError(f"replicas: {replicas} given; expected at most {MOST_REPLICAS}")
    sizes: dict[str, Any] = {"v": v, "n": n, "m": m, "s": s, "L": depth, "P": P}
    if data is not None:
        sizes = typed(context, v="v", n="n", m="m", s="s", L="depth", P="P")
    elif Variant.given(variant).dials.rules:
        sizes = typed(context, v="v", n="n", m="m", s="s", L="depth") | {"P": P}
    fields = run_fields(
        rule,
        option,
        weights=weights,
        masks=masks,
        views=views,
        **sizes,
        variant=variant,
        data=data,
        seed=seed,
        grammar_seed=grammar_seed,
        data_seed=data_seed,
        network_seed=network_seed,
        width=width,
        steps=steps,
        batch=batch,
        lr=lr,
        lr_schedule=lr_schedule,
        weight_decay=weight_decay,
        schedule=schedule,
        stop_loss=stop_loss,
        validation=validation,
        evaluations=evaluations,
        tests=tests,
        readout_steps=readout_steps,
        optimizer=optimizer,
        momentum=momentum,
        parametrisation=parametrisation,
        connectivity=connectivity,
        precision=precision,
    )
    spec = make_spec(**fields)
    console = terminal(stderr=as_json)
    rows = _rows(spec, replicas, device, not no_portrait, out, save, resume, console)
    if as_json:
        print(json.dumps(training_json(spec, rows)))
    else:
        print_training(rows, console)


def _rows(
    spec: "RunSpec",
    replicas: int,
    device: str,
    portrait: bool,
    out: Path | None,
    save: Path | None,
    resume: Path | None,
    console: "Console",
) -> "Sequence[Row]":
    """Train replicas of a run and return their rows, which are kept in `out`; and what was trained
    in `save`."""
    from synaptree.results.journal import Journal
    from synaptree.results.row import row_of
    from synaptree.study.check import check, few_tests
    from synaptree.study.progress import Live
    from synaptree.study.update import Update
    from synaptree.training.checkpoint import Checkpoint
    from synaptree.training.loop import train_replicas
    from synaptree.training.memory import check_memory
    from synaptree.training.saving import NETWORKS, save_in

    for folder in (out, save):
        check(folder, device, spec.precision)
    check_memory(spec, replicas, device, portrait)
    if resume is not None and replicas > 1:
        raise SynaptreeError(f"resume: {replicas} replicas given; expected one, as one was saved")
    specs = spec.replicate(replicas)
    checkpoint = None if save is None else Checkpoint.of(save, specs)
    with Live(console) as live:
        results = train_replicas(
            specs,
            device=device,
            portrait=portrait,
            keep=save is not None,
            resume=None if resume is None else [resume],
            checkpoint=checkpoint,
            progress=lambda p: live(
                Update([specs], 0, p.step, p.test_error, message=p.warning or p.doing)
            ),
        )
    if few := few_tests(specs):
        console.print(few, markup=False, highlight=False, soft_wrap=True)
    rows = [row_of(result) for result in results]
    if out is not None:
        with closing(Journal(out)) as journal:
            journal.append(*rows)
    if save is not None and checkpoint is not None:
        save_in(save, results)
        checkpoint.remove()
        console.print(f"networks are in {save / NETWORKS}", markup=False, soft_wrap=True)
    return rows

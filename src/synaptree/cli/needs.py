"""`synaptree needs` and `synaptree study needs`: how much data rules need, by bisection."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synaptree.cli import words
from synaptree.cli.run_settings import (
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
    DEPTH,
    DEVICE,
    DRY_RUN,
    PLACE,
    RETRY,
    SCHEDULER,
    SCHEDULER_FILE,
    WORKERS,
    M,
    N,
    S,
    V,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synaptree.data_needs.sought import Sought
    from synaptree.study.run import Options


def _span(text: str) -> str:
    words.span(text)
    return text


def _numbers(text: str) -> str:
    words.numbers(text)
    return text


SPAN = Annotated[
    str,
    typer.Option("--P", metavar="A..B", help="The least and the largest P tried.", callback=_span),
]
GRAMMARS = Annotated[str, typer.Option(help="Grammars, as 0-9 or 0,2,5.", callback=_numbers)]
OUT = Annotated[Path, typer.Option(help="Folder for results.", **PLACE)]


def needs(
    rule: RULE,
    views: VIEWS = "",
    v: V = 8,
    n: N = 8,
    m: M = 4,
    s: S = 2,
    depth: DEPTH = 3,
    P: SPAN = "64..131072",
    seeds: GRAMMARS = "0-9",
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
    out: OUT = Path("runs/needs"),
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    scheduler_file: SCHEDULER_FILE = None,
    retry: RETRY = False,
    dry_run: DRY_RUN = False,
    device: DEVICE = "cpu",
    as_json: AS_JSON = False,
) -> None:
    """P* of one rule, by bisection: the training-set size from which on it solves the task.

    Started again on the same folder, it goes on."""
    from synaptree.data_needs.sought import sought_of

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
    sought = [sought_of(fields, words.numbers(seeds), words.span(P))]
    options: Options = {
        "workers": workers,
        "scheduler": words.address(scheduler, scheduler_file),
        "device": device,
        "retry": retry,
        "command": "synaptree needs --out FOLDER",
    }
    _find(sought, out, options, dry_run, as_json)


def study_needs(
    file: Annotated[Path, typer.Argument(help="A study file (YAML).", **PLACE)],
    out: OUT,
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    scheduler_file: SCHEDULER_FILE = None,
    retry: RETRY = False,
    dry_run: DRY_RUN = False,
    device: DEVICE = "cpu",
    as_json: AS_JSON = False,
) -> None:
    """P* of each rule of a study by bisection, between its smallest and largest P, on its seeds.

    Started again on the same folder, it goes on."""
    from synaptree.data_needs.sought import sought_in

    options: Options = {
        "workers": workers,
        "scheduler": words.address(scheduler, scheduler_file),
        "device": device,
        "retry": retry,
        "command": f"synaptree study needs {words.public_name(file)} --out FOLDER",
    }
    _find(sought_in(file), out, options, dry_run, as_json)


def _find(
    sought: "Sequence[Sought]", out: Path, options: "Options", dry_run: bool, as_json: bool
) -> None:
    from synaptree.cli.tables.needs import needs_json, print_needs
    from synaptree.data_needs.find import estimate_needs, pursue
    from synaptree.study.rounds import Rounds

    if dry_run:
        grid = sum(each.grid for each in sought)
        words.say(f"an estimate, as if P* were n·m^L (a grid would have {grid} runs):")
        workers, device = options.get("workers"), options.get("device", "cpu")
        words.say_estimate(estimate_needs(sought, out, workers=workers, device=device))
        return
    with Rounds(words.terminal(stderr=as_json)) as rounds:
        found = pursue(sought, out, {**options, "progress": rounds})
    if as_json:
        print(json.dumps(needs_json(found)))
    else:
        print_needs(found, words.terminal())
    words.end_with_guesses(sum(each.failed for each in found), out)

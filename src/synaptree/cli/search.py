"""`synaptree study search`: find the best settings of each rule, in the same way for all."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synaptree.cli.words import (
    DEVICE,
    DRY_RUN,
    PLACE,
    RETRY,
    SCHEDULER,
    SCHEDULER_FILE,
    WORKERS,
    address,
    cost,
    end_with_guesses,
    public_name,
    say,
    terminal,
)
from synaptree.errors import several

if TYPE_CHECKING:
    from synaptree.study.search.search import SearchEstimate


def study_search(
    file: Annotated[Path, typer.Argument(help="A search file (YAML).", **PLACE)],
    out: Annotated[Path, typer.Option(help="The folder for results.", **PLACE)],
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    scheduler_file: SCHEDULER_FILE = None,
    retry: RETRY = False,
    dry_run: DRY_RUN = False,
    device: DEVICE = "cpu",
) -> None:
    """Find the best settings of each rule. Every rule tries as many settings, on as many inputs.

    If it is started again on the same folder, it continues. At the end it writes OUT/winners.yaml.
    """
    from synaptree.cli.tables.winners import print_winners
    from synaptree.study.rounds import Rounds
    from synaptree.study.search.search import estimate_search, search
    from synaptree.study.search.winners import rule_files

    if dry_run:
        _say_estimate(estimate_search(file, out, workers=workers, device=device))
        return
    with Rounds(terminal()) as rounds:
        winners = search(
            file,
            out,
            workers=workers,
            scheduler=address(scheduler, scheduler_file),
            device=device,
            retry=retry,
            progress=rounds,
            command=f"synaptree study search {public_name(file)} --out FOLDER",
        )
    print_winners(winners, terminal())
    own = rule_files(winners)
    beside = f"; to use it, copy it beside {', '.join(own)}" if own else ""
    say(f"wrote {out / 'winners.yaml'}, a study file with these settings{beside}")
    end_with_guesses(sum(winner.failed for winner in winners), out)


def _say_estimate(estimate: "SearchEstimate") -> None:
    asked = estimate.search
    rungs = ", then ".join(
        f"{rung.settings} on {several(rung.seeds, 'seed')}" for rung in asked.rungs
    )
    say(
        f"{several(len(asked.contests), 'pair')} of a rule and a kind of grammar; each tries "
        f"{asked.settings} settings in {estimate.runs} runs: {rungs}, then {asked.widenings} "
        f"challengers on {len(asked.seeds)}"
    )
    say(
        f"{estimate.runs * len(asked.contests)} runs, {estimate.left} are left; "
        f"{cost(estimate.seconds, estimate.workers, estimate.bytes)}"
    )

"""`synaptree reproduce` and `synaptree report`: judge the claims of the study."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synaptree.cli.words import (
    DEVICE,
    DRY_RUN,
    NO_PORTRAIT,
    PLACE,
    RESULTS,
    SCHEDULER,
    SCHEDULER_FILE,
    WORKERS,
    address,
    end_with_failures,
    say,
    say_estimate,
    terminal,
)

if TYPE_CHECKING:
    from rich.console import Console

    from synaptree.reproduction import Conclusion


def reproduce(
    preset: Annotated[
        str,
        typer.Option(
            help="quick (at most 10 minutes on 2 cores), laptop (3 hours) or full (a GPU or a "
            "cluster)."
        ),
    ] = "quick",
    out: Annotated[
        Path | None, typer.Option(help="Folder for results (default: runs/PRESET).", **PLACE)
    ] = None,
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    scheduler_file: SCHEDULER_FILE = None,
    dry_run: DRY_RUN = False,
    device: DEVICE = "cpu",
    precision: Annotated[
        str | None, typer.Option(help="float32, or bfloat16 for faster matrix products.")
    ] = None,
    no_portrait: NO_PORTRAIT = False,
) -> None:
    """Train the runs of a preset, judge the study's claims, and write the report.

    If it is started again on the same folder, it trains only the runs that are missing.
    """
    from synaptree import reproduction
    from synaptree.study.preset import preset_study
    from synaptree.study.progress import Live

    folder = out or reproduction.default_folder(preset, precision)
    if dry_run:
        from synaptree.study.run import estimate

        study = preset_study(preset, precision)
        say_estimate(
            estimate(
                study,
                folder,
                workers=workers,
                device=device,
                retry=True,
                portrait=not no_portrait,
            )
        )
        return
    console = terminal()
    with Live(console) as live:
        conclusion = reproduction.reproduce(
            preset,
            folder,
            precision=precision,
            workers=workers,
            scheduler=address(scheduler, scheduler_file),
            device=device,
            portrait=not no_portrait,
            progress=live,
        )
    _print(conclusion, console)
    end_with_failures(conclusion.frame, "see the report; the same command runs them again")


def report(
    folder: RESULTS,
) -> None:
    """Judge the claims on the results in a folder, and rewrite its report."""
    from synaptree.reproduction import conclude

    _print(conclude(folder), terminal())


def _print(conclusion: "Conclusion", console: "Console") -> None:
    from synaptree.cli.tables.answer import print_answer
    from synaptree.cli.tables.claims import print_claims
    from synaptree.cli.tables.other_kinds import print_other_kinds
    from synaptree.cli.tables.scoreboard import print_scoreboard
    from synaptree.report import elsewhere
    from synaptree.report.answer import answer
    from synaptree.report.inputs import Inputs
    from synaptree.report.registrations import own_rules
    from synaptree.results.columns import failed, finished, states

    if count := len(failed(conclusion.frame)):
        say(f"{count} of {len(conclusion.frame)} runs failed and are in no number below")
    if became := states(finished(conclusion.frame)):
        say(f"of the runs done: {became}")
    inputs = Inputs.of(conclusion.frame, {})
    others = elsewhere.compared(inputs)
    if elsewhere.mostly_others(inputs.runs):
        print_answer(elsewhere.answer(others), console)
        print_other_kinds(others, console)
    else:
        print_answer(answer(conclusion.second, conclusion.board), console)
        print_scoreboard(conclusion.board, console)
        print_other_kinds(others, console)
        notes = own_rules(conclusion.frame)
        print_claims(conclusion.outcomes, conclusion.second, console, notes)
    say(f"report: {conclusion.report}")

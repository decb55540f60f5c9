"""`synaptree study`: train many runs from a file, and show or export their results."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synaptree.cli.words import (
    DEVICE,
    DRY_RUN,
    NO_PORTRAIT,
    PLACE,
    RESULTS,
    RETRY,
    SCHEDULER,
    SCHEDULER_FILE,
    WORKERS,
    address,
    end_with_failures,
    public_name,
    say,
    say_estimate,
    terminal,
)
from synaptree.errors import SynaptreeError, several, shown

if TYPE_CHECKING:
    import pandas as pd


def study_run(
    file: Annotated[Path, typer.Argument(help="A study file (YAML).", **PLACE)],
    out: Annotated[Path, typer.Option(help="The folder for results.", **PLACE)],
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    scheduler_file: SCHEDULER_FILE = None,
    shard: Annotated[
        str | None, typer.Option(help="Train only share i of n, written i/n, for job arrays.")
    ] = None,
    retry: RETRY = False,
    dry_run: DRY_RUN = False,
    device: DEVICE = "cpu",
    no_portrait: NO_PORTRAIT = False,
    save: Annotated[bool, typer.Option("--save", help="Keep the trained networks, too.")] = False,
) -> None:
    """Run a study. Started again on the same folder, it trains the runs that are missing."""
    from synaptree.report.inputs import board_of
    from synaptree.study.progress import Live
    from synaptree.study.run import estimate, run_study

    part = _shard(shard)
    if dry_run:
        say_estimate(
            estimate(
                file,
                out,
                workers=workers,
                device=device,
                shard=part,
                retry=retry,
                portrait=not no_portrait,
            )
        )
        return
    with Live(terminal()) as live:
        frame = run_study(
            file,
            out,
            workers=workers,
            scheduler=address(scheduler, scheduler_file),
            device=device,
            shard=part,
            retry=retry,
            portrait=not no_portrait,
            save=save,
            progress=live,
            command=f"synaptree study run {public_name(file)} --out FOLDER",
            curves=False,
        )
    _print_status(out, board_of(frame))
    end_with_failures(
        frame, f"`synaptree study status {out}` names them, `--retry` runs them again"
    )


def study_status(
    folder: RESULTS,
) -> None:
    """Show how many runs are done, failed and left, and the best settings of each rule so far."""
    _print_status(folder)


def study_export(
    folder: RESULTS,
    to: Annotated[str, typer.Option(help="csv, parquet or tensorboard.")] = "csv",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file or folder to write (default: FOLDER/results.TO, FOLDER/tensorboard).",
            **PLACE,
        ),
    ] = None,
) -> None:
    """Write the results for other programs: a table of runs, or learning curves for TensorBoard."""
    from synaptree.results.export import export

    say(f"wrote {export(folder, to, out)}")


def _shard(text: str | None) -> tuple[int, int]:
    numbers = re.fullmatch(r"(\d{1,9})/(\d{1,9})", "1/1" if text is None else text, re.ASCII)
    if numbers and 1 <= int(numbers[1]) <= int(numbers[2]):
        return int(numbers[1]), int(numbers[2])
    raise SynaptreeError(f"shard: {shown(text)} given; expected i/n with i from 1 to n, as 1/4")


def _print_status(folder: Path, board: "pd.DataFrame | None" = None) -> None:
    """Print the state of a study's runs, then its scoreboard or the best settings of each rule."""
    import pandas as pd

    from synaptree.cli.tables.scoreboard import print_scoreboard
    from synaptree.cli.tables.settings import print_settings
    from synaptree.results.columns import kind_name, states
    from synaptree.results.frame import load
    from synaptree.results.journal import rows
    from synaptree.study.kept import asked

    wanted = asked(folder)
    if wanted and next(rows(folder, curves=False), None) is None:
        say(f"{folder}: 0 runs done, 0 failed, {len(wanted)} left")
        return
    frame = load(folder, curves=False)
    own = frame[frame["run_id"].isin(wanted)] if wanted else frame
    done, failed = (own[own["status"] == status] for status in ("done", "failed"))
    left = "" if wanted is None else f", {len(wanted - set(frame['run_id']))} left"
    others = len(frame) - len(own)
    also = f"; {several(others, 'run')} of other studies too" if others else ""
    say(f"{folder}: {several(len(done), 'run')} done, {len(failed)} failed{left}{also}")
    if became := states(done):
        say(f"of the runs done: {became}")
    if board is None or board.empty:
        print_settings(frame if board is None else own, terminal())
    else:
        print_scoreboard(board, terminal())
        say(f"the settings that are best: synaptree study status {folder}")
    kinds = [kind_name(run) for run in failed.to_dict("records")]
    failed = failed.assign(kind=pd.Series(kinds, failed.index, dtype=object))
    reasons = failed.groupby(["label", "kind", "P", "error"], dropna=False)["seed"]
    for (label, kind, P, error), seeds in reasons:
        say(f"failed: {label}, {kind} P={P}, {several(len(seeds), 'run')}: {error}")

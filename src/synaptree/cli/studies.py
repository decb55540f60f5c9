"""Many runs: presets, study files, and what became of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synaptree.cli.words import (
    DEVICE,
    DRY_RUN,
    SCHEDULER,
    WORKERS,
    cell,
    check,
    cores,
    say,
    terminal,
)
from synaptree.errors import SynaptreeError
from synaptree.safely import write

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from synaptree.claims.judge import Outcome
    from synaptree.training.spec import RunSpec


def reproduce(
    preset: Annotated[
        str,
        typer.Option(
            help="quick: at most 10 minutes on 2 cores; laptop: 3 hours; full: a GPU or a cluster."
        ),
    ] = "quick",
    out: Annotated[
        Path | None, typer.Option(help="Folder for results.  [default: runs/PRESET]")
    ] = None,
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    dry_run: DRY_RUN = False,
    device: DEVICE = "cpu",
    precision: Annotated[
        str | None, typer.Option(help="float32, or bfloat16 for faster matrix products.")
    ] = None,
) -> None:
    """Train every rule of a preset, judge the study's claims, and write the report.

    Started again on the same folder, it goes on with the runs that are missing.
    """
    from synaptree.study.preset import preset as load_preset

    specs = load_preset(preset, precision)
    name = preset if precision is None else f"{preset}-{precision}"
    folder = out or Path("runs") / name
    if dry_run:
        _foretell(specs, folder, (1, 1), False, workers, device)
        return
    _check(folder, device, specs, scheduler)
    console = terminal()
    command = f"synaptree reproduce --preset {preset}"
    failed = _run(
        *(specs, folder, console, command + (f" --precision {precision}" if precision else "")),
        workers=workers,
        scheduler=scheduler,
        device=device,
    )
    _conclude(folder, console, {spec.run_id for spec in specs})
    if failed:
        raise SynaptreeError(f"{failed} runs failed; the report names their errors")


def study_run(
    file: Annotated[Path, typer.Argument(help="A study file (YAML).")],
    out: Annotated[Path, typer.Option(help="Folder for results.")],
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    shard: Annotated[
        str | None, typer.Option(help="i/n: this driver's share of n, for job arrays.")
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Run failed runs again.")] = False,
    dry_run: DRY_RUN = False,
    device: DEVICE = "cpu",
) -> None:
    """Run a study; started again on the same folder, go on with the runs that are missing."""
    from synaptree.study.files import read_study
    from synaptree.study.plan import plan
    from synaptree.study.plan import shard as share

    specs = read_study(file)
    part, parts = _shard(shard)
    if dry_run:
        _foretell(specs, out, (part, parts), not retry, workers, device)
        return
    mine = [s for p in share(plan(specs, set(), device), part, parts) for s in p]
    _check(out, device, specs, scheduler)
    write(out, "study.yaml", file.read_text("utf-8"))
    name = file.name if file.is_absolute() else file  # whose folders these are is nobody's business
    failed = _run(
        *(mine, out, terminal(), f"synaptree study run {name} --out FOLDER"),
        share=(part, parts),
        failed_too=not retry,
        workers=workers,
        scheduler=scheduler,
        device=device,
    )
    _print_status(out)
    if failed:
        raise SynaptreeError(f"{failed} runs failed; `synaptree study status {out}` names them")


def study_status(
    folder: Annotated[Path, typer.Argument(help="A folder of results.")],
) -> None:
    """What is done, failed and left, and the best of each rule so far."""
    _print_status(folder)


def study_export(
    folder: Annotated[Path, typer.Argument(help="A folder of results.")],
    to: Annotated[str, typer.Option(help="csv, parquet or tensorboard.")] = "csv",
    out: Annotated[
        Path | None,
        typer.Option(help="The file or folder.  [default: FOLDER/results.TO, FOLDER/tensorboard]"),
    ] = None,
) -> None:
    """Write the results for other programs: one table, one row a run, or TensorBoard's curves."""
    from synaptree.results.export import export

    say(f"wrote {export(folder, to, out)}")


def report(
    folder: Annotated[Path, typer.Argument(help="A folder of results, as runs/quick.")],
) -> None:
    """Judge the claims on the results in a folder, and write its report anew."""
    _conclude(folder, terminal())


def _check(folder: Path, device: str, specs: "list[RunSpec]", scheduler: str | None) -> None:
    here = scheduler is None  # what the processors of a cluster can do, its workers say
    low = here and any(spec.precision == "bfloat16" for spec in specs)
    check(folder, device, "bfloat16" if low else "float32")


def _run(
    specs: "list[RunSpec]",
    folder: Path,
    console: "Console",
    command: str,
    *,
    workers: int | None,
    scheduler: str | None,
    device: str,
    share: tuple[int, int] = (1, 1),
    failed_too: bool = False,
) -> int:
    """Run what is missing, alone in the folder; returns how many runs failed.

    command: what is kept as having made the results.  failed_too: runs that failed before count as
    being there.
    """
    from synaptree.study.lock import hold
    from synaptree.study.plan import done_in, plan
    from synaptree.study.progress import Live

    with hold(folder, *share):
        programs = plan(specs, done_in(folder, failed_too), device)
        if kept := len(specs) - sum(map(len, programs)):
            say(f"{kept} of {len(specs)} runs are there already in {folder}, going on")
        if not programs:
            return 0
        from synaptree.study.engine import run

        with Live(programs, console) as live:
            return run(
                *(programs, folder),
                workers=workers or cores(),
                scheduler=scheduler,
                device=device,
                command=command,
                tell=live,
                say=live.note,
            )


def _foretell(
    specs: "list[RunSpec]",
    folder: Path,
    part: tuple[int, int],
    failed_too: bool,
    workers: int | None,
    device: str,
) -> None:
    """Say what is left to run, how long it will take and in how much memory."""
    from synaptree.study.plan import done_in, plan, replica_bytes, seconds_left, shard
    from synaptree.study.progress import duration

    mine = [s for p in shard(plan(specs, set(), device), *part) for s in p]
    programs = plan(mine, done_in(folder, failed_too), device)
    count = workers or cores()
    seconds = seconds_left(programs, device) / min(count, max(len(programs), 1))
    largest = max((len(p) * replica_bytes(p[0]) for p in programs), default=0)
    say(
        f"{len(specs)} runs, {len(mine)} of them in this share; {sum(map(len, programs))} are "
        f"left, in {len(programs)} programs of up to {max(map(len, programs), default=0)} "
        f"replicas; about {duration(seconds)} on {count} workers, {largest / 1e6:.0f} MB each "
        "beside torch"
    )


def _shard(text: str | None) -> tuple[int, int]:
    part, slash, parts = (text or "1/1").partition("/")
    if slash and part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts):
        return int(part), int(parts)
    raise SynaptreeError(f"shard: {text!r} given; expected i/n with i from 1 to n, as 1/4")


def _print_status(folder: Path) -> None:
    from synaptree.results.frame import load
    from synaptree.study.files import read_study

    frame = load(folder, curves=False)
    done, failed = (frame[frame["status"] == status] for status in ("done", "failed"))
    left = ""
    if (folder / "study.yaml").exists():
        wanted = {spec.run_id for spec in read_study(folder / "study.yaml")}
        left = f", {len(wanted - set(frame['run_id']))} left"
    say(f"{folder}: {len(done)} runs done, {len(failed)} failed{left}")
    _print_best(frame, terminal())
    reasons = failed.groupby(["label", "L", "m", "P", "error"], dropna=False)["seed"]
    for (label, L, m, P, error), seeds in reasons:
        say(f"failed: {label}, L={L} m={m} P={P}, {len(seeds)} runs: {error}")


def _print_best(frame: "pd.DataFrame", console: "Console") -> None:
    """For each grammar a table of its rules, the best settings of each."""
    from rich.table import Table

    from synaptree.analysis.settings import best_settings

    best = best_settings(frame)
    many = len(best) > 0 and (best["tried"] > 1).any()
    for grammar, rows in best.groupby("grammar", sort=False) if len(best) else ():
        title = f"{grammar}: test error of the best settings" if many else f"{grammar}: test error"
        table = Table(title=title, title_justify="left")
        for name in ("rule", "mean", "range", "runs", *(["tried", "settings"] if many else [])):
            table.add_column(name, justify="left" if name in ("rule", "settings") else "right")
        for row in rows.sort_values("test_error", kind="stable").to_dict("records"):
            spread = f"{100 * row['lowest']:.1f} – {100 * row['highest']:.1f}"
            lost = f" ({row['diverged']} diverged)" if row["diverged"] else ""
            more = [f"{row['tried']}{lost}", cell(row["settings"])] if many else []
            mean = f"{100 * row['test_error']:.1f}%"
            table.add_row(cell(row["label"]), mean, spread, str(row["replicas"]), *more)
        console.print(table)


def _conclude(folder: Path, console: "Console", only: set[str] | None = None) -> None:
    """Print the claims and write the report; `only`: leave out other runs in the folder."""
    from synaptree.claims.judge import judge
    from synaptree.report.page import write_report
    from synaptree.results.frame import load

    frame = load(folder)
    outcomes = judge(frame if only is None else frame[frame["run_id"].isin(only)])
    _print_errors(frame, console)
    _print_claims(outcomes, console)
    page = write_report(folder, outcomes)
    say(f"report: {page}")


def _print_errors(frame: "pd.DataFrame", console: "Console") -> None:
    """A column for each grammar, or, where these are many, a part of the table."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from synaptree.analysis.data_curves import foremost
    from synaptree.report.figures.errors import labels
    from synaptree.results.columns import by_kind

    done = frame[frame["status"] == "done"]
    shown = foremost(done)
    rows = [label for label, _ in labels(shown)]
    panels = {
        name.replace(" s=", "\ns="): {
            label: f"{100 * e.mean():5.1f}% ({100 * e.min():.1f} – {100 * e.max():.1f})"
            for label, e in runs.groupby("label")["test_error"]
        }
        for name, runs in by_kind(shown)
    }
    title = "Test error, mean over grammars (lowest – highest)"
    if len(panels) <= 3:
        table = Table(title=title, title_justify="left")
        for head in ("rule", *panels):
            table.add_column(head)
        for label in rows:
            table.add_row(cell(label), *(each.get(label, "") for each in panels.values()))
    else:
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_header=False)
        for name, each in panels.items():
            table.add_row(f"[bold]{name.replace(chr(10), ' ')}", "")
            for label in rows:
                if label in each:
                    table.add_row(cell(f"  {label}"), each[label])
    console.print(table)
    if others := done["run_id"].nunique() - shown["run_id"].nunique():
        console.print(f"{others} runs at other sizes: see the report")


def _print_claims(outcomes: "list[Outcome]", console: "Console") -> None:
    from rich.table import Table

    colour = {"reproduced": "green", "not reproduced": "red", "undecided": "yellow"}
    table = Table(title="The claims of the study", title_justify="left", show_lines=True)
    for name in ("", "claim", "outcome", "effect"):
        table.add_column(name, ratio={"claim": 2, "effect": 3}.get(name))
    for o in outcomes:
        verdict = f"[{colour[o.verdict]}]{o.verdict}"
        table.add_row(str(o.number), cell(o.claim), verdict, "\n".join(map(cell, o.effects)))
    console.print(table)

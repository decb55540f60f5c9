"""`synaptree judge`: what a rule of your own learns, what it needs to know, and beside whom."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synaptree.cli import interrupt
from synaptree.cli.words import (
    DEVICE,
    DRY_RUN,
    PLACE,
    RETRY,
    SCHEDULER,
    SCHEDULER_FILE,
    WORKERS,
    address,
    assignment,
    end_with_failures,
    say,
    terminal,
)
from synaptree.errors import several

if TYPE_CHECKING:
    from rich.console import Console

    from synaptree.judgement.judge import Judgement
    from synaptree.judgement.plan import Plan
    from synaptree.study.run import Options
    from synaptree.study.update import Update


def judge(
    names: Annotated[
        list[str],
        typer.Argument(metavar="RULE...", help="As my_rules.py, or 'my_rules.py:MyRule(gain=5)'."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for results (default: runs/judge-FILE).", **PLACE),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="At most 5 minutes on 2 quiet cores: 3 grammars a kind, too few for a verdict, "
            "and no search of settings.",
        ),
    ] = False,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Fix a setting by hand, as lr=0.01, in place of a search."),
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(
            help="A folder of results to stand beside (default: those that ship with synaptree).",
            **PLACE,
        ),
    ] = None,
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    scheduler_file: SCHEDULER_FILE = None,
    retry: RETRY = False,
    dry_run: DRY_RUN = False,
    device: DEVICE = "cpu",
) -> None:
    """Judge a rule of your own beside all committed ones: what it learns, and what it must know.

    If it is started again on the same folder, it trains only the runs that are missing.
    """
    from synaptree.judgement.asked import public
    from synaptree.judgement.judge import carry_out, plan_of
    from synaptree.study.rounds import Rounds

    say(f"checking and auditing {', '.join(map(public, names))}")
    settings = dict(assignment(text, "set", "lr=0.01") for text in setting or [])
    folder = out or Path("runs") / f"judge-{Path(names[0].partition('.py')[0]).name}"
    plan = plan_of(names, folder, beside=beside, quick=quick, settings=settings)
    options: Options = {
        "workers": workers,
        "scheduler": address(scheduler, scheduler_file),
        "device": device,
        "retry": retry,
        "command": _command(names, quick, setting),
    }
    left = _say_estimate(plan, options)
    if dry_run:
        return
    console = terminal()
    with Rounds(console) as rounds:
        count = Count(left, rounds)
        interrupt.say_kept(count.said)
        found = carry_out(plan, {**options, "progress": count})
    _print(found, console)


class Count:
    """Counts the runs that have ended, of those that were left, and passes updates on."""

    def __init__(self, left: int, tell: "Callable[[Update], None]") -> None:
        self.left, self.ended, self._tell = left, 0, tell

    def __call__(self, update: "Update") -> None:
        """Count what has ended.  It is on the disk before this is called."""
        if update.group is not None and update.failed is not None:
            self.ended += len(update.groups[update.group])
        self._tell(update)

    def said(self) -> str:
        """How much is done.  A group of which a run was missing trains whole; those of its runs
        that were there already are not among the ones that were left."""
        runs = "all runs"
        if self.left:
            runs = f"{min(self.ended, self.left)} of the {self.left} runs that were left"
        return f"{runs} are done and kept; the same command goes on"


def _print(found: "Judgement", console: "Console") -> None:
    from synaptree.cli.tables.judged import print_page
    from synaptree.cli.tables.scoreboard import print_scoreboard

    print_scoreboard(found.board, console)
    for page in found.pages:
        print_page(page, console)
    say(f"report: {found.report}")
    own = found.frame[found.frame["run_id"].isin(found.runs)]
    end_with_failures(own, "see the report; `--retry` runs them again")


def _command(names: list[str], quick: bool, settings: list[str] | None) -> str:
    """What a person would type, without the folders of their files."""
    from synaptree.judgement.asked import public

    given = [f"--set {text}" for text in settings or []]
    rules = [f"'{name}'" if "(" in name else name for name in map(public, names)]
    return " ".join(["synaptree judge", *rules, *["--quick"] * quick, *given, "--out FOLDER"])


def _say_estimate(plan: "Plan", options: "Options") -> int:
    """Print how long the runs take, and return how many are left."""
    from synaptree.study.progress import duration

    left, seconds = plan.seconds(options)
    places = list(dict.fromkeys(m.place.name for r in plan.rules for m in plan.models(r)))
    what = "a search of settings, then runs" if plan.searches else "runs"
    say(
        f"{what} on {', '.join(places)}: {several(left, 'run')} left, about {duration(seconds)} on "
        f"{several(plan.workers(options), 'worker')}, as fast as this machine is now"
    )
    for warning in plan.warnings:
        say(warning)
    return left

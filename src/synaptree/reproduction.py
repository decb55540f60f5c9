"""The study as a whole from Python: train a preset, judge the claims, write the report."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synaptree.audit.kept import audits
from synaptree.claims import second
from synaptree.claims.base import Audits, Outcome
from synaptree.claims.first.judged import own_outcomes
from synaptree.claims.judge import rule_forms, verdicts_of
from synaptree.claims.second.base import are_registered, judged_seeds
from synaptree.claims.second.outcome import Outcome as SecondOutcome
from synaptree.errors import unknown
from synaptree.report.inputs import board_of
from synaptree.report.page import write_report
from synaptree.results.frame import load
from synaptree.study.kept import claims_asked
from synaptree.study.preset import preset_study
from synaptree.study.run import run_study
from synaptree.study.update import Update


@dataclass(frozen=True)
class Judged:
    """What a frame of results says.

    frame: its runs, as `load` gives them; failed ones have the status "failed".  outcomes: the
    verdict of the first registration on each of its claims, with its evidence; on its own runs
    where the frame has grammar seeds of the second.  second: the same of the second registration,
    judged on its own grammar seeds where the frame has any; otherwise a rehearsal on all.  board:
    the scoreboard, a row a rule and kind of grammar.
    """

    frame: pd.DataFrame
    outcomes: list[Outcome]
    second: list[SecondOutcome]
    board: pd.DataFrame


@dataclass(frozen=True)
class Conclusion(Judged):
    """What a folder of results says.  report: the path of report.html."""

    report: Path


def reproduce(
    preset: str = "quick",
    folder: str | Path | None = None,
    *,
    precision: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    device: str = "cpu",
    portrait: bool = True,
    progress: Callable[[Update], None] | bool | None = None,
) -> Conclusion:
    """Train the runs of a preset, judge the study's claims, and write the report.

    Called again with the same folder it goes on with the runs that are missing, and runs those
    again that failed.

        if __name__ == "__main__":
            study = reproduce("quick", workers=2)
            for outcome in study.second:
                print(outcome.number, outcome.verdict, outcome.claim)

    preset: "quick" (at most 10 minutes on 2 cores), "laptop" (about 3 hours) or "full" (the
    laptop preset with 20 grammars everywhere).
    folder: where the results are kept; by default ``runs/PRESET``.
    precision: "bfloat16" makes matrix products faster; by default what the preset says.
    workers, scheduler, device, portrait, progress: as for `run_study`.

    Raises SynaptreeError for an unknown preset or precision, and as `run_study` does.
    """
    study = preset_study(preset, precision)
    folder = default_folder(preset, precision) if folder is None else Path(folder)
    run_study(
        study,
        folder,
        workers=workers,
        scheduler=scheduler,
        device=device,
        retry=True,
        portrait=portrait,
        progress=progress,
        command=f"synaptree reproduce --preset {preset}"
        + (f" --precision {precision}" if precision else ""),
    )
    return conclude(folder, {spec.run_id for spec in study.specs})


def default_folder(preset: str, precision: str | None = None) -> Path:
    """Where the results of a preset are kept unless the user says otherwise."""
    return Path("runs") / (preset if precision is None else f"{preset}-{precision}")


def conclude(folder: str | Path, runs: Collection[str] | None = None) -> Conclusion:
    """Judge the claims on the results in a folder, and write its report anew.

    runs: the ids of the runs that the claims are judged on; by default all in the folder.
    Raises SynaptreeError where the folder holds no results or cannot be written.
    """
    folder = Path(folder)
    frame = every = load(folder)
    if runs is not None:
        frame = every[every["run_id"].isin(list(runs))].reset_index(drop=True)
    kept = audits(folder, rule_forms(frame))
    found = judged(frame, kept, claims_asked(folder))
    report = write_report(folder, found.outcomes, kept, every, found.second)
    return Conclusion(found.frame, found.outcomes, found.second, found.board, report)


def judged(frame: pd.DataFrame, kept: Audits, asked: Collection[str] | None = None) -> Judged:
    """Judge the claims of both registrations on `load`'s frame, with the audits of its rules.

    On grammars that the second registration is about, the outcomes of the first are those of its
    own runs.

    asked: the numbers of the claims of the second that are asked; by default all.
    Raises SynaptreeError for a number that no claim has.
    """
    claims = {claim.number: claim for claim in second.CLAIMS}
    for number in asked or ():
        if number not in claims:
            raise unknown("claim", number, claims)
    seeds = judged_seeds(frame)
    outcomes = own_outcomes() if are_registered(seeds) else verdicts_of(frame, kept)
    chosen = [claims[number] for number in claims if asked is None or number in asked]
    anew = verdicts_of(frame, kept, chosen, seeds)
    return Judged(frame, outcomes, anew, board_of(frame, kept))

"""The main job of a search: its rounds of runs, and the winners that come of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synaptree.safely import write
from synaptree.study import plan as planning
from synaptree.study.check import check_process, check_study, folder_named
from synaptree.study.estimate import START, largest_bytes, seconds_left
from synaptree.study.files import Study
from synaptree.study.kept import keep
from synaptree.study.lock import hold
from synaptree.study.rounds import telling
from synaptree.study.run import cores, run_study
from synaptree.study.search.contest import Search
from synaptree.study.search.file import read_search
from synaptree.study.search.outcomes import Outcome, outcomes_in
from synaptree.study.search.race import Decisions, Winner
from synaptree.study.search.winners import NAME, winners_text
from synaptree.study.update import Update
from synaptree.study.write import study_text
from synaptree.training.precision import check_device
from synaptree.training.spec import RunSpec

FILE = "search.yaml"


def search(
    file: str | Path | Search,
    folder: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    device: str = "cpu",
    retry: bool = False,
    progress: Callable[[Update], None] | bool | None = None,
    command: str = "",
) -> list[Winner]:
    """Search the best setting of each rule on each kind of grammar, and return the winners.

    Called again with the same folder it goes on, and decides as it would have done: decisions
    depend on the results alone, and finished runs are never trained twice.

    file: the path of a search file (docs/studies.md), or a search.
    folder: where the results are kept, the search as search.yaml, and its winners as winners.yaml.
    The other arguments are those of `run_study`.  Each round of runs has updates of its own, whose
    groups are that round's.

    A run that failed or diverged counts as guessing.  Raises what `run_study` raises, and
    SynaptreeError for a mistake in the file.
    """
    check_process(scheduler)
    folder = folder_named(folder)
    asked = file if isinstance(file, Search) else read_search(Path(file))
    check_device(device)
    check_study(folder, device, [contest.base for contest in asked.contests], scheduler)
    with hold(folder, what="search"), telling(progress) as tell:
        write(folder, FILE, asked.text)
        outcomes = outcomes_in(folder)
        decisions = Decisions(asked, outcomes)
        specs: list[RunSpec] = []
        rounds = len(asked.rungs) + asked.widenings
        for number, each in enumerate(decisions, 1):
            specs += each.specs
            if not _left(each.specs, outcomes, retry):
                continue
            (folder / NAME).unlink(missing_ok=True)  # of an earlier form of the search
            if tell is not None:
                message = f"round {number} of {rounds}: {each.title}"
                tell(Update((), message=f"{message}, {len(each.specs)} runs"))
            run_study(
                each.specs,
                folder,
                workers=workers,
                scheduler=scheduler,
                device=device,
                retry=retry,
                portrait=False,  # a search reads errors alone
                progress=tell,
                command=command,
                part_of=Study(specs, study_text(specs, folder)),
            )
            outcomes.update(outcomes_in(folder, {spec.run_id for spec in each.specs}))
        winners = decisions.winners()
        keep(folder, Study(specs, study_text(specs, folder)))
        write(folder, NAME, winners_text(asked, winners, folder))
    return winners


def _left(specs: list[RunSpec], outcomes: dict[str, Outcome], retry: bool) -> bool:
    ended = [outcomes.get(spec.run_id) for spec in specs]
    return any(outcome is None or (retry and outcome.failed) for outcome in ended)


@dataclass(frozen=True)
class SearchEstimate:
    """What a search would do.

    runs: of each rule on each kind.  left: how many runs of all are missing.  seconds: how long
    these take on the workers.  bytes: what the largest group adds to a worker's memory.
    """

    search: Search
    runs: int
    left: int
    workers: int
    seconds: float
    bytes: int


def estimate_search(
    file: str | Path | Search,
    folder: str | Path,
    *,
    workers: int | None = None,
    device: str = "cpu",
) -> SearchEstimate:
    """What `search` with these arguments would do, and how long it would take.

    Some steps are measured; nothing is written.  Which settings will enter later rounds is not
    known yet: those that were drawn first stand for them.
    """
    asked = file if isinstance(file, Search) else read_search(Path(file))
    check_device(device)
    known = outcomes_in(Path(folder))
    guessed = _Guessed(known)
    groups: list[list[RunSpec]] = []
    for each in Decisions(asked, guessed):
        groups += planning.left(planning.plan(each.specs, device), known)
    count = workers or cores()
    rounds = len(asked.rungs) + asked.widenings
    seconds = seconds_left(groups, device, count, portrait=False)
    return SearchEstimate(
        search=asked,
        runs=asked.runs,
        left=sum(spec.run_id not in known for group in groups for spec in group),
        workers=count,
        seconds=seconds + (START * (rounds - 1) if groups else 0.0),
        bytes=largest_bytes(groups),
    )


class _Guessed(dict[str, Outcome]):
    """Outcomes, among which a run that is not known yet has ended like every other."""

    def __missing__(self, run: str) -> Outcome:
        del run
        return Outcome(1.0, 0.0, 0.0)

"""The main job: train the runs of a study that are missing in its folder."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypedDict

import pandas as pd

from synaptree.errors import SynaptreeError, WorkersError
from synaptree.results.frame import load_with
from synaptree.results.record import Reader
from synaptree.study import plan as planning
from synaptree.study.check import check_process, check_study, few_tests, folder_named
from synaptree.study.estimate import Estimate, largest_bytes, seconds_left
from synaptree.study.files import Study, study_file
from synaptree.study.kept import keep
from synaptree.study.lock import hold
from synaptree.study.rounds import telling
from synaptree.study.update import Update
from synaptree.study.write import study_text
from synaptree.training.precision import check_device
from synaptree.training.spec import RunSpec

WHOLE = (1, 1)  # the share of a driver that is alone


class Options(TypedDict, total=False):
    """How the runs are made: see `run_study`.  Each round of runs has updates of its own."""

    workers: int | None
    scheduler: str | None
    device: str
    retry: bool
    progress: Callable[[Update], None] | bool | None
    command: str


def run_study(
    study: str | Path | Study | Iterable[RunSpec],
    folder: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    device: str = "cpu",
    shard: tuple[int, int] = WHOLE,
    retry: bool = False,
    portrait: bool = True,
    save: bool = False,
    progress: Callable[[Update], None] | bool | None = None,
    command: str = "",
    curves: bool = True,
    part_of: Study | None = None,
) -> pd.DataFrame:
    """Train the runs of a study that are missing in a folder, and return the study's results.

    Called again with the same folder it goes on: finished runs are never trained twice.

        if __name__ == "__main__":  # worker processes import the script
            spec = make_spec(rule="dfa", v=8, n=8, m=4, L=3, P=4096)
            frame = run_study(spec.replicate(5), "runs/dfa", workers=2)
            print(frame.groupby("label")["test_error"].mean())

    study: the path of a study file (docs/studies.md), or runs.
    folder: where the results are kept, and the study as study.yaml.
    workers: processes, by default one a core; or scheduler: a Dask cluster, as tcp://host:8786.
    device: "cpu" or "cuda", of each worker.
    shard: (i, n): train share i of n, from 1; other processes train the others into the folder.
    retry: train runs again that failed before.
    portrait: whether to measure what each layer represents (probes, synonyms, rank); these columns
    stay empty otherwise, and what needs them says "not measured".
    save: whether to keep the trained networks, as networks/RUN_ID.safetensors in the folder.
    progress: True shows a bar for each rule (in a terminal or a notebook; elsewhere lines), on
    standard error; or a function is called with each `Update`, perhaps from another thread, and
    what it raises ends the study.
    command: what a person would type to do this, kept beside the results.
    curves: whether what is returned has learning curves and portraits, as for `load`.
    part_of: the study that these runs belong to, which is kept in the folder in their place.

    Returns `load`'s frame of the runs of this share.  A failed run has the status "failed" and its
    error, and does not stop the others.  Raises SynaptreeError for a mistake in the study, a folder
    that cannot be written or is in use, and a cluster that cannot be reached or is lost;
    WorkersError where no worker can start.  After Ctrl-C what was finished is kept.
    """
    check_process(scheduler)
    folder = folder_named(folder)
    if save and scheduler is not None:
        raise SynaptreeError(
            "save: given with a cluster, whose machines may have other disks; expected workers of "
            "this machine"
        )
    study = _read(study)
    check_device(device)
    groups = _share(study.specs, shard, device)
    share = [spec for group in groups for spec in group]
    check_study(folder, device, share, scheduler)
    with hold(folder, *shard), telling(progress) as tell:
        other = keep(folder, part_of or study)
        done = planning.done_in(folder, not retry, _reader(groups, curves=False))
        left = planning.left(groups, done)
        if tell is not None:
            beginning = _beginning(study.specs, share, done, folder, shard)
            few = "" if part_of else few_tests([spec for group in left for spec in group])
            tell(Update(left, message="; ".join(filter(None, (other, beginning, few)))))
        if left:
            _engine()(
                left,
                folder,
                workers=workers or cores(),
                scheduler=scheduler,
                device=device,
                command=command,
                done=done,
                portrait=portrait,
                save=save,
                progress=tell,
            )
    return _results(folder, share, _reader(groups, curves))


def _engine() -> Callable[..., int]:
    """The engine's `run`.  Dask takes a second to import, and reads its configuration then."""
    try:
        from synaptree.study.engine import run
    except Exception as fault:
        reason = " ".join(str(fault).split())[:200]
        raise WorkersError(
            f"workers: Dask does not start ({type(fault).__name__}: {reason}); expected a sound "
            "configuration, as in ~/.config/dask"
        ) from None
    return run


def estimate(
    study: str | Path | Study | Iterable[RunSpec],
    folder: str | Path,
    *,
    workers: int | None = None,
    device: str = "cpu",
    shard: tuple[int, int] = WHOLE,
    retry: bool = False,
    portrait: bool = True,
) -> Estimate:
    """What `run_study` with these arguments would do, and how long it would take.

    Some steps are measured; nothing is written.  Raises SynaptreeError for a mistake in the study.
    """
    check_device(device)
    specs = _read(study).specs
    groups = _share(specs, shard, device)
    done = planning.done_in(Path(folder), not retry, _reader(groups, curves=False))
    left = planning.left(groups, done)
    missing = sum(spec.run_id not in done for group in left for spec in group)
    count = workers or cores()
    seconds = seconds_left(left, device, min(count, len(left)), portrait)
    size = largest_bytes(left)
    return Estimate(len(specs), sum(map(len, groups)), missing, left, count, seconds, size)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _read(study: str | Path | Study | Iterable[RunSpec]) -> Study:
    if isinstance(study, Study):
        return study
    if isinstance(study, str | Path):
        return study_file(Path(study))
    specs = list({spec.run_id: spec for spec in study}.values())
    if not specs:
        raise SynaptreeError("study: no runs given; expected at least one")
    return Study(specs, study_text(specs))


def _share(specs: list[RunSpec], shard: tuple[int, int], device: str) -> list[list[RunSpec]]:
    """The groups of this driver's share."""
    part, parts = shard
    if not 1 <= part <= parts:
        raise SynaptreeError(f"shard: {shard} given; expected (i, n) with i from 1 to n, as (1, 4)")
    return planning.shard(planning.plan(specs, device), part, parts)


def _reader(groups: list[list[RunSpec]], curves: bool) -> Reader:
    return Reader(curves).know(group[0] for group in groups)


def _results(folder: Path, share: list[RunSpec], reader: Reader) -> pd.DataFrame:
    if not share:  # the folder may hold nothing at all yet
        return pd.DataFrame(columns=["run_id", "label", "status", "error", "test_error"])
    frame = load_with(reader, folder)
    mine = [spec.run_id for spec in share]
    return frame[frame["run_id"].isin(mine)].reset_index(drop=True)


def _beginning(
    specs: list[RunSpec],
    share: list[RunSpec],
    done: set[str],
    folder: Path,
    shard: tuple[int, int],
) -> str:
    """What is there already, as a sentence; or that the share is empty."""
    if not share:
        part, parts = shard
        return f"share {part}/{parts} is empty: all {len(specs)} runs are in other shares"
    kept = sum(spec.run_id in done for spec in share)
    if kept:
        rest = "going on" if kept < len(share) else "nothing left to run"
        return f"{kept} of {len(share)} runs are there already in {folder}, {rest}"
    return ""

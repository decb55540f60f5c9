"""A file from which runs go on that train together, should their process be killed."""

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor
from typing_extensions import TypedDict

from synaptree.errors import SynaptreeError
from synaptree.network.saved import fill, named, read_file, write_file
from synaptree.rules.source import hash_of
from synaptree.safely import printable
from synaptree.training.result import Result, Trained
from synaptree.training.snapshot import Snapshot, asked
from synaptree.training.spec import RunSpec
from synaptree.training.standing import Standing
from synaptree.version import code_hash, versions

CHECKPOINTS = "checkpoints"  # their folder in a folder of results


@dataclass
class Checkpoint:
    """The file is written at evaluations, at most every `every` seconds, and is not removed.

    What it holds is used by runs of the same settings, with the same versions of what calculates,
    and no others: only then the bits are those of a run that was never killed.
    """

    path: Path
    every: float = 0.0

    def __post_init__(self) -> None:
        self.path = named(self.path)
        self.written = time.monotonic()

    @classmethod
    def of(cls, folder: Path, specs: Sequence[RunSpec], every: float = 0.0) -> "Checkpoint":
        """The checkpoint of a group of runs in a folder of results."""
        name = hash_of(" ".join(spec.run_id for spec in specs))
        return cls(folder / CHECKPOINTS / name, every)

    def remove(self) -> None:
        """Remove the file, if it is there, and its folder where it was the last one."""
        with suppress(OSError):
            self.path.unlink()
            self.path.parent.rmdir()

    def write(self, standing: Standing) -> str:
        """Write where runs stand after an evaluation, unless the last time was just now.

        Returns why that failed: a full disk must not end a run.  Otherwise nothing.
        """
        if time.monotonic() - self.written < self.every:
            return ""
        snapshot = standing.snapshot()
        tensors, ended = dict(snapshot.tensors), standing.evaluation.results
        for run, result in ended.items():
            if result.trained is not None:
                kept = result.trained.tensors().items()
                tensors |= {f"ended.{run}.{name}": t for name, t in kept}
        card = {
            "checkpoint": _identity(standing),
            "alive": standing.replicas.alive,
            "training": snapshot.about(),
            "ended": {str(run): _measured(result) for run, result in ended.items()},
        }
        self.written = time.monotonic()
        try:
            write_file(self.path, tensors, card)
        except SynaptreeError as fault:
            return f"checkpoint {printable(self.path)} is not kept: {fault}"
        return ""

    def standing(self, make: Callable[[], Standing], say: Callable[[str], None]) -> Standing | None:
        """Runs as they stood when the file was written, if it is there and of these runs.

        Otherwise None; `say` is told why a file is ignored.  make: begins the runs.
        """
        if not self.path.is_file() and not self.path.is_symlink():
            return None
        try:
            card, tensors = read_file(self.path)
            standing = make()
            if card.get("checkpoint") != _identity(standing):
                raise SynaptreeError("it is of other settings or another version")
            _go_on(standing, card, tensors)
        except SynaptreeError as fault:
            say(f"checkpoint {printable(self.path)} is ignored: {fault}")
            return None
        return standing


def _go_on(standing: Standing, card: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    ended = _results(standing, card.get("ended"), tensors)
    alive = [run for run in range(len(standing.specs)) if run not in ended]
    going_on = {name: t for name, t in tensors.items() if not name.startswith("ended.")}
    snapshot = Snapshot.read(card.get("training"), going_on)
    snapshot.check([standing.specs[run] for run in alive])
    if ended:
        standing.select(alive)
    standing.go_on_from(snapshot)
    standing.evaluation.results.update(ended)


def _identity(standing: Standing) -> dict[str, Any]:
    """What must be the same where runs go on from a checkpoint."""
    return {
        "runs": [asked(spec) for spec in standing.specs],
        "portrait": standing.evaluation.portrait,
        "keep": standing.keep,
        "device": standing.replicas.device.type,
        "processor": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
        "code": code_hash(),
        "versions": versions(),
    }


# Runs that have ended before their companions ---------------------------------------------------


def _measured(result: Result) -> dict[str, Any]:
    """The measurements of a result as JSON."""
    measured = asdict(replace(result, trained=None))
    return {name: measured[name] for name in _HINTS}


_HINTS = {
    name: hint for name, hint in get_type_hints(Result).items() if name not in ("spec", "trained")
}
_MEASURED: TypeAdapter[Any] = TypeAdapter(TypedDict("Measured", _HINTS))  # pyright: ignore
_RUNS: TypeAdapter[dict[int, Any]] = TypeAdapter(dict[int, Any])


def _results(standing: Standing, ended: Any, tensors: Mapping[str, Tensor]) -> dict[int, Result]:
    """The results of the runs that have ended.  Raises SynaptreeError where there are none."""
    try:
        runs = _RUNS.validate_python(ended)
        measured = {run: _MEASURED.validate_python(each) for run, each in runs.items()}
    except ValidationError as fault:
        raise SynaptreeError(f"no results ({fault.errors()[0]['msg']})") from None
    if measured.keys() - set(range(len(standing.specs))):
        raise SynaptreeError("results of runs that are none of these")
    results = {run: Result(standing.specs[run], **each) for run, each in measured.items()}
    if not standing.keep:
        return results
    return {
        run: replace(result, trained=_trained(standing, f"ended.{run}.", tensors))
        for run, result in results.items()
    }


def _trained(standing: Standing, prefix: str, tensors: Mapping[str, Tensor]) -> Trained:
    """What a run had made when it stopped."""
    replicas = standing.replicas
    first = torch.tensor([0], device=replicas.device)
    trained = Trained(replicas.net.replica(0), replicas.state.select(first), None)
    given = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    fill(trained.tensors(), given)
    return trained

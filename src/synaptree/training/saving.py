"""Trained networks to files, and training from there."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from torch import Tensor

from synaptree.errors import SynaptreeError, shown
from synaptree.network.saved import NETWORK, Sizes, named, no_file, read_file, write_file
from synaptree.network.tree import TreeNet
from synaptree.safely import write
from synaptree.training.result import Result
from synaptree.training.snapshot import Snapshot
from synaptree.training.spec import SEEDS, RunSpec
from synaptree.training.trained import STATE, Trained, network_tensors
from synaptree.version import versions

Resumed: TypeAlias = Result | str | Path
GRAMMAR = ("v", "n", "m", "s", "L")
NETWORKS = "networks"  # their folder in a folder of results
TRAINING = "training."  # begins the names of what only training needs


def save(what: Result | TreeNet, path: str | Path) -> Path:
    """Write a trained network to ``NAME.safetensors``, with a card for people in ``NAME.json``.

    Of a result of `train` the file also has what training goes on from.  The path of the file is
    returned; its ending may be left out.  `load_network` reads the network, and
    ``train(spec, resume=path)`` goes on.

    Raises SynaptreeError for anything else, and where the file cannot be written.
    """
    path = named(path)
    if isinstance(what, TreeNet):
        card, tensors = _about_network(what), network_tensors(what)
    elif isinstance(what, Result):  # pyright: ignore[reportUnnecessaryIsInstance]
        card, tensors = _about_network(what.network) | _about_run(what), _tensors(what.kept)
    else:
        raise SynaptreeError(
            f"save: {shown(what)} given; expected a result of train(…), or its network"
        )
    snapshot = what.kept.snapshot if isinstance(what, Result) else None
    training = {} if snapshot is None else {"training": snapshot.about()}
    text = json.dumps(card, indent=2, ensure_ascii=False, allow_nan=False)
    write(path.parent, f"{path.stem}.json", f"{text}\n")
    write_file(path, tensors, card | training)
    return path


def save_in(folder: Path, results: Sequence[Result]) -> None:
    """Save what was trained in a folder of results, under the ids of the runs."""
    for result in results:
        save(result, folder / NETWORKS / result.spec.run_id)


def resumed(specs: Sequence[RunSpec], before: Sequence[Resumed]) -> Snapshot:
    """The snapshot from which these runs go on.  Raises SynaptreeError where there is none."""
    if isinstance(before, str | Path | Result) or len(before) != len(specs):
        raise SynaptreeError(
            f"resume: {shown(before)} given; expected a list with one result, or path, for each of "
            f"{len(specs)} runs"
        )
    snapshot = Snapshot.together([_snapshot(each) for each in before])
    snapshot.check(specs)
    return snapshot


def _snapshot(before: Resumed) -> Snapshot:
    if isinstance(before, Result):
        found = before.kept.snapshot
        if found is None:
            raise SynaptreeError(
                f"resume: a run that stopped after {before.steps} steps, below its stop_loss, "
                "given; expected one that can go on"
            )
        return found
    if not isinstance(before, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SynaptreeError(
            f"resume: {shown(before)} given; expected a result of train(…), or the path of a saved "
            "one"
        )
    path = named(before)
    card, tensors = read_file(path)
    if "training" not in card:
        raise SynaptreeError(
            f"resume: {shown(str(path))} holds a network alone; expected a saved result of a run "
            "that has not stopped"
        )
    own = {
        name.removeprefix(TRAINING): t for name, t in tensors.items() if name.startswith(TRAINING)
    }
    shared = {name: t for name, t in tensors.items() if not name.startswith(TRAINING)}
    try:
        return Snapshot.read(card["training"], shared | own)
    except SynaptreeError as fault:
        raise no_file(path, f"holds {fault}") from None


def _tensors(kept: Trained) -> dict[str, Tensor]:
    """The tensors of what was trained, and those that only training needs."""
    tensors = kept.tensors()
    if kept.snapshot is None:
        return tensors
    # Where the best weights are kept, training goes on from others.
    best = any(name.startswith("best.") for name in kept.snapshot.tensors)
    shared = (STATE,) if best else (STATE, NETWORK)
    return tensors | {
        f"{TRAINING}{name}": t
        for name, t in kept.snapshot.tensors.items()
        if not name.startswith(shared)
    }


def _about_network(net: TreeNet) -> dict[str, Any]:
    return {"network": msgspec.to_builtins(Sizes.of(net)), "versions": versions()}


def _about_run(result: Result) -> dict[str, Any]:
    spec = result.spec
    settings = spec.model_dump(mode="json")
    return {
        "run_id": spec.run_id,
        "rule": spec.rule.label,
        "spec": settings,
        "seeds": {name: settings[name] for name in SEEDS},
        "grammar": {name: settings[name] for name in (*GRAMMAR, "grammar_seed")},
        "steps": result.steps,
        "stopped": result.stopped,
        "diverged": result.diverged,
        "errors": {"test": result.test_error, "train": result.train_error},
    }

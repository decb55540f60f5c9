"""A study file from runs: what is kept in a folder whose runs were made in Python."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from synaptree.rules import source_of
from synaptree.study.grid import SEEDS
from synaptree.training.spec import RunSpec


def study_text(specs: Iterable[RunSpec], folder: Path | None = None) -> str:
    """The text of a study file with exactly these runs, an entry for all that differ in seeds.

    folder: where the file will lie.  Data of one's own are named by their path from there.  A rule
    from a file, and data where no folder is given, are named by the file's base name: keep them
    beside the study file.
    """
    alike: dict[str, list[RunSpec]] = {}
    for spec in specs:
        alike.setdefault(spec.group, []).append(spec)
    entries = [
        fields_of(runs[0], folder) | {"seeds": seeds}
        for runs in alike.values()
        for seeds in _seeds(runs)
    ]
    return "runs:\n" + "".join(f"  - {flow(entry)}\n" for entry in entries)


def flow(value: dict[str, Any] | list[Any]) -> str:
    """An entry of a study file, or another value of it, in one line."""
    return yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf
    ).strip()


def fields_of(spec: RunSpec, folder: Path | None = None) -> dict[str, Any]:
    """What a spec says but for its seeds; settings at their defaults are left out.

    folder: as for `study_text`.
    """
    fields = spec.model_dump(mode="json", exclude_defaults=True, exclude={*SEEDS.values(), "rule"})
    if spec.optimizer == "sgd":  # its learning rate has another default
        fields["lr"] = spec.lr
    if folder is not None and spec.data.path is not None:
        fields["data"] = spec.data.written(folder)
    if folder is not None and spec.variant.dials.rules.path is not None:
        fields["variant"] = spec.variant.written(folder)
    if spec.views:
        fields["views"] = ",".join(spec.views)
    name, source = spec.rule.name, source_of(type(spec.rule))
    if source is not None:
        name = f"{source.file}:{type(spec.rule).__name__}"
    changed = spec.rule.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
    changed.pop("source", None)
    return {"rule": {"name": name} | changed if changed else name} | fields


def _seeds(runs: Sequence[RunSpec]) -> list[list[int] | dict[str, int]]:
    """The seeds of runs that are alike but for them: one list where a run's three are equal."""
    same: list[int] = []
    others: list[list[int] | dict[str, int]] = []
    for run in runs:
        seeds = {name: getattr(run, field) for name, field in SEEDS.items()}
        if len(set(seeds.values())) == 1:
            same.append(run.grammar_seed)
        else:
            others.append(seeds)
    return [same, *others] if same else others

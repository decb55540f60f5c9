"""One entry of a study file: the grid over all its lists, as runs."""

import itertools
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from synaptree import rules
from synaptree.errors import SynaptreeError, unknown
from synaptree.rules import Rule
from synaptree.study.yaml_lines import Fault, Map
from synaptree.training.spec import RunSpec, make_spec

SEEDS = {"grammar": "grammar_seed", "data": "data_seed", "network": "network_seed"}
FIELDS = [name for name in RunSpec.model_fields if name not in SEEDS.values()]
REQUIRED = ("rule", "v", "n", "m", "L", "P")
MOST_RUNS = 1_000_000  # of one entry

Seeds = dict[str, int]  # one value for each of a run's three seeds


def seeds_of(mapping: Map, path: str, faults: list[Fault]) -> Iterator[Seeds]:
    """The seeds of a study, or of an entry: one number for all three, or a grid of three lists."""
    value = mapping.get("seeds", [0])
    line = mapping.lines.get("seeds", mapping.line)
    if not isinstance(value, Map):
        for seed in _numbers(value, path, line, faults):
            yield dict.fromkeys(SEEDS.values(), seed)
        return
    for name in value:
        if name not in SEEDS:
            text = str(unknown("seed", name, SEEDS))
            faults.append(Fault(value.lines[name], f"{path}.{name}", text))
    axes = [_numbers(value.get(name, [0]), f"{path}.{name}", line, faults) for name in SEEDS]
    for seeds in itertools.product(*axes):
        yield dict(zip(SEEDS.values(), seeds, strict=True))


def _numbers(value: object, path: str, line: int, faults: list[Fault]) -> list[int]:
    """Whole numbers of at least 0 from a number, a list of them, or a range as 0-9."""
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,12})-(\d{1,12})", value)):
        first, last = int(match[1]), int(match[2])
        if first <= last < first + MOST_RUNS:
            return list(range(first, last + 1))
    numbers: list[object] = cast(list[object], value) if isinstance(value, list) else [value]
    if numbers and all(type(n) is int and n >= 0 for n in numbers):
        return cast(list[int], numbers)
    text = f"{value!r} given; expected whole numbers of at least 0, as [0, 1] or 0-9"
    faults.append(Fault(line, path, text))
    return [0]


def runs_of_entry(
    entry: Map,
    defaults: Map,
    seeds: list[Seeds],
    path: str,
    folder: Path,
    faults: list[Fault],
) -> Iterator[RunSpec]:
    """The runs of one entry, with its own seeds or those of the study.

    path: the entry's place in the file.  folder: where relative paths of rules' files begin.
    faults: gets what is wrong with the entry.
    """
    before = len(faults)
    if "seeds" in entry:
        seeds = list(seeds_of(entry, f"{path}.seeds", faults))
    inherited = {name: value for name, value in defaults.items() if name not in entry}
    axes = _axes(inherited, defaults.lines, "defaults", folder, faults)
    own = {name: value for name, value in entry.items() if name != "seeds"}
    axes |= _axes(own, entry.lines, path, folder, faults)
    for name in REQUIRED:
        if name not in entry and name not in defaults:
            faults.append(Fault(entry.line, path, f"{name} is missing"))
    if len(faults) > before:
        return
    count = len(seeds) * math.prod(map(len, axes.values()))
    if count > MOST_RUNS:
        text = f"{count} runs; expected at most {MOST_RUNS} an entry"
        faults.append(Fault(entry.line, path, text))
        return
    for values in itertools.product(*axes.values()):
        fields: dict[str, Any] = dict(zip(axes, values, strict=True))
        if isinstance(fields["P"], float):  # a multiple of n·m**L
            size = fields["n"] * fields["m"] ** fields["L"]
            fields["P"] = max(1, round(fields["P"] * size))
        for seed in seeds:
            try:
                yield make_spec(**fields, **seed)
            except SynaptreeError as fault:
                faults.append(Fault(entry.line, path, str(fault)))
                break  # the other seeds have the same fault


def _axes(
    fields: dict[str, object], lines: dict[str, int], path: str, folder: Path, faults: list[Fault]
) -> dict[str, list[Any]]:
    """The values of each field; a field that is no list has one."""
    axes: dict[str, list[Any]] = {}
    for name, field in fields.items():
        place, line = f"{path}.{name}", lines[name]
        if name not in FIELDS:
            faults.append(Fault(line, place, str(unknown("field", name, FIELDS))))
            continue
        values: list[object] = cast(list[object], field) if isinstance(field, list) else [field]
        if not values:
            faults.append(Fault(line, place, "an empty list given; expected at least one value"))
        axes[name] = []
        for value in values:
            try:
                axes[name] += _rules(value, folder) if name == "rule" else [_value(name, value)]
            except SynaptreeError as fault:
                faults.append(Fault(line, place, str(fault)))
    return axes


def _value(name: str, value: Any) -> Any:
    """The value of a field other than `rule`, checked.  A multiple of n·m**L becomes a float."""
    if name == "views":
        if not isinstance(value, str):
            raise SynaptreeError(f"{value!r} given; expected as in 'sibling,same_class'")
        return value
    if name == "P" and isinstance(value, str):
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)x", value)
        if not match or float(match[1]) == 0:
            raise SynaptreeError(f"{value!r} given; expected a number, or as in 4x for 4·n·m**L")
        return float(match[1])
    return RunSpec.checked(name, value)


def _rules(value: object, folder: Path) -> list[Rule]:
    """The rules that a value names: one, or a grid where options of the rule are lists."""
    if isinstance(value, str):
        return [rules.get(_located(value, folder))]
    if not isinstance(value, Map) or not isinstance(value.get("name"), str):
        raise SynaptreeError(
            f"{value!r} given; expected a rule's name, or {{name: …, its options}}"
        )
    options: dict[str, list[object]] = {
        name: cast(list[object], option) if isinstance(option, list) else [option]
        for name, option in value.items()
        if name != "name"
    }
    reference = _located(value["name"], folder)
    return [
        rules.get(reference, **dict(zip(options, values, strict=True)))
        for values in itertools.product(*options.values())
    ]


def _located(reference: str, folder: Path) -> str:
    """A reference to a rule whose file, if it names one, is looked for beside the study file."""
    return str(folder / reference) if re.search(r"\.py(:\w+)?$", reference) else reference

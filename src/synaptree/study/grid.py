"""One entry of a study file: the grid over all its lists, counted before it is built."""

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from synaptree import rules
from synaptree.errors import SynaptreeError, shown, unknown
from synaptree.rules import Rule
from synaptree.sources.dataset import Dataset
from synaptree.sources.dials import PLAIN, Variant
from synaptree.sources.rules_file import RulesFile
from synaptree.study.yaml_lines import LONGEST, Fault, Map
from synaptree.training.names import SYNONYMS
from synaptree.training.spec import RunSpec, make_spec

SEEDS = {"grammar": "grammar_seed", "data": "data_seed", "network": "network_seed"}
FIELDS = [name for name in RunSpec.model_fields if name not in SEEDS.values()]
GRIDS = ("rule", "variant")  # fields whose values may be grids themselves
REQUIRED = ("rule", "v", "n", "m", "L", "P")


@dataclass(frozen=True)
class Seeds:
    """Seeds of runs: numbers for all three alike, or for each of the three its own."""

    axes: list[list[int]]

    @property
    def count(self) -> int:
        """How many there are."""
        return math.prod(map(len, self.axes))

    def __iter__(self) -> Iterator[dict[str, int]]:
        for seeds in itertools.product(*self.axes):
            alike = seeds * 3 if len(seeds) == 1 else seeds
            yield dict(zip(SEEDS.values(), alike, strict=True))


def seeds_of(mapping: Map, path: str, faults: list[Fault]) -> Seeds:
    """The seeds of a study, or of an entry: one number for all three, or a grid of three lists."""
    value = mapping.get("seeds", [0])
    line = mapping.lines.get("seeds", mapping.line)
    if not isinstance(value, Map):
        return Seeds([_numbers(value, path, line, faults)])
    for name in value:
        if name not in SEEDS:
            text = str(unknown("seed", name, SEEDS))
            faults.append(Fault(value.lines[name], f"{path}.{name}", text))
    axes = [_numbers(value.get(name, [0]), f"{path}.{name}", line, faults) for name in SEEDS]
    return Seeds(axes)


def _numbers(value: object, path: str, line: int, faults: list[Fault]) -> list[int]:
    """Whole numbers of at least 0 from a number, a list of them, or a range as 0-9."""
    try:
        if isinstance(value, str) and (ends := re.fullmatch(r"(\d{1,12})\s*-\s*(\d{1,12})", value)):
            first, last = int(ends[1]), int(ends[2])
            if not first <= last < first + LONGEST:
                raise SynaptreeError(f"{value} given; expected a range of 1 to {LONGEST} numbers")
            return list(range(first, last + 1))
        numbers: list[object] = cast(list[object], value) if isinstance(value, list) else [value]
        if not numbers:
            raise SynaptreeError("an empty list given; expected at least one number")
        return [RunSpec.checked("grammar_seed", number) for number in numbers]
    except SynaptreeError as fault:
        faults.append(Fault(line, path, f"{fault}, as in [0, 1] or 0-9"))
        return [0]


@dataclass(frozen=True)
class Entry:
    """An entry of a study file, with what it inherits.

    path: its place in the file.  folder: where relative paths of rules' files begin.  defaults: the
    fields of every run.  seeds: its own, or those of the study.
    """

    fields: Map
    defaults: Map
    seeds: Seeds
    path: str
    folder: Path
    checked: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    @property
    def count(self) -> int:
        """How many runs the grid has.  Nothing is built for it."""
        fields = {**self.defaults, **self.fields}
        lists = [value for name, value in fields.items() if name not in ("seeds", *GRIDS)]
        grids = [_grid_count(fields.get(name)) for name in GRIDS]
        return math.prod([self.seeds.count, *grids, *map(_length, lists)])

    def runs(self, faults: list[Fault]) -> Iterator[RunSpec]:
        """The runs of the grid.  faults: gets what is wrong with the entry."""
        before = len(faults)
        axes: dict[str, list[Any]] = {}
        for name, value in self.defaults.items():
            if name not in self.fields:
                line = self.defaults.lines[name]
                if name not in self.checked:  # once for all entries
                    self.checked[name] = _axis(name, value, "defaults", line, self.folder, faults)
                axes[name] = self.checked[name]
        for name, value in self.fields.items():
            if name != "seeds":
                line = self.fields.lines[name]
                axes[name] = _axis(name, value, self.path, line, self.folder, faults)
        for name in _required(axes):
            if name not in axes:
                faults.append(Fault(self.fields.line, self.path, f"{name} is missing"))
        if len(faults) > before:
            return
        for values in itertools.product(*axes.values()):
            fields: dict[str, Any] = dict(zip(axes, values, strict=True))
            if isinstance(fields.get("P"), float):  # a multiple of n·m**L
                on_rules = fields.get("variant", PLAIN).dials.rules
                if own := "data" if fields.get("data") else "own rules" if on_rules else "":
                    text = f"P: a multiple of n·m**L given with {own}; expected a number"
                    faults.append(Fault(self.fields.line, self.path, text))
                    break
                size = fields["n"] * fields["m"] ** fields["L"]
                fields["P"] = max(1, round(fields["P"] * size))
            for seed in self.seeds:
                try:
                    yield make_spec(**fields, **seed)
                except SynaptreeError as fault:
                    faults.append(Fault(self.fields.line, self.path, str(fault)))
                    break  # the other seeds have the same fault


def _required(axes: dict[str, list[Any]]) -> Sequence[str]:
    """The fields that an entry must have: sizes follow from data, and most from own rules."""
    if any(axes.get("data", ())):
        return ("rule",)
    if any(each.dials.rules for each in axes.get("variant", ())):
        return ("rule", "P")
    return REQUIRED


def _length(value: object) -> int:
    """How many values a field has; an empty list is refused elsewhere."""
    return max(1, len(cast(list[object], value))) if isinstance(value, list) else 1


def _grid_count(value: object) -> int:
    """How many rules or variants a field names, with the grids of their options or dials."""
    if isinstance(value, list):
        return max(1, sum(map(_grid_count, cast(list[object], value))))
    if isinstance(value, Map):
        return math.prod(map(_length, value.values()))
    return 1


def _axis(
    name: str, value: object, path: str, line: int, folder: Path, faults: list[Fault]
) -> list[Any]:
    """The values of a field; one that is no list has one."""
    place = f"{path}.{name}"
    if name not in FIELDS:
        faults.append(Fault(line, place, str(unknown("field", name, FIELDS, SYNONYMS))))
        return []
    values: list[object] = cast(list[object], value) if isinstance(value, list) else [value]
    if not values:
        faults.append(Fault(line, place, "an empty list given; expected at least one value"))
    axis: list[Any] = []
    for each in values:
        try:
            axis += _values(name, each, folder)
        except SynaptreeError as fault:
            faults.append(Fault(line, place, str(fault)))
    return axis


def _values(name: str, value: Any, folder: Path) -> list[Any]:
    """The values of a field that one entry of its list stands for, checked."""
    if name == "rule":
        return _rules(value, folder)
    if name == "variant":
        grid = _grid(value) if isinstance(value, Map) else [value]
        beside = partial(RulesFile.given, folder=folder)
        return [Variant.given(dials, beside) for dials in grid]
    if name == "data":
        return [_data(value, folder)]
    return [_value(name, value)]


def _grid(options: dict[str, Any]) -> list[dict[str, Any]]:
    """All combinations of options, of which some are lists."""
    axes: dict[str, list[object]] = {
        name: cast(list[object], option) if isinstance(option, list) else [option]
        for name, option in options.items()
    }
    for name, values in axes.items():
        if not values:
            raise SynaptreeError(f"{name}: an empty list given; expected at least one value")
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def _data(value: object, folder: Path) -> Dataset:
    """Data whose file is looked for beside the study file."""
    if not isinstance(value, str) or not value.strip():
        raise SynaptreeError(f"{shown(value)} given; expected the path of an .npz file")
    return Dataset.located(value, folder)


def _value(name: str, value: Any) -> Any:
    """The value of any other field, checked.  A multiple of n·m**L becomes a float."""
    if name == "views":
        if not isinstance(value, str):
            raise SynaptreeError(f"{shown(value)} given; expected as in 'sibling,same_class'")
        return value
    if name == "P" and isinstance(value, str) and value.rstrip().endswith("x"):
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*x\s*", value)
        if not match or float(match[1]) == 0:
            raise SynaptreeError(
                f"{shown(value)} given; expected a number, or as in 4x for 4·n·m**L"
            )
        return float(match[1])
    return RunSpec.checked(name, value)


def _rules(value: object, folder: Path) -> list[Rule]:
    """The rules that a value names: one, or a grid where options of the rule are lists."""
    if isinstance(value, str):
        return [rules.named(_located(value, folder))]
    if not isinstance(value, Map) or not isinstance(value.get("name"), str):
        raise SynaptreeError(
            f"{shown(value)} given; expected a rule's name, or {{name: …, its options}}"
        )
    options = {name: option for name, option in value.items() if name != "name"}
    reference = _located(value["name"], folder)
    return [rules.get(reference, **each) for each in _grid(options)]


def _located(reference: str, folder: Path) -> str:
    """A reference to a rule whose file, if it names one, is looked for beside the study file."""
    return str(folder / reference) if re.search(r"\.py(:\w+)?(\(.*\))?$", reference) else reference

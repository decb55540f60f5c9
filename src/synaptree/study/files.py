"""Study files: many runs in one YAML file, and every fault of it at once.

    seeds: 0-9                       # or a list; grammar, data and network seed of a run alike
    defaults: {v: 8, n: 8, s: 2}     # fields of every run
    runs:
      - rule: [backprop, {name: dfa, scale: [0.3, 1]}]
        L: [3, 4]                    # a list is an axis of a grid
        m: 4
        P: [1x, 4x]                  # multiples of n·m**L, or numbers
      - {rule: clapp, views: ["sibling,same_class"], L: 3, m: 4, P: 4096}
    anchors: ...                     # a place for YAML anchors, otherwise ignored

The fields of a run are those of `RunSpec`; `views` is written as on the command line.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, cast

import yaml
from pydantic import TypeAdapter, ValidationError

from synaptree import rules
from synaptree.errors import SynaptreeError, unknown
from synaptree.rules import Rule
from synaptree.safely import printable
from synaptree.training.spec import RunSpec, make_spec

TOP = ("seeds", "defaults", "runs", "anchors")
SEEDS = {"grammar": "grammar_seed", "data": "data_seed", "network": "network_seed"}
MOST_RUNS = 1_000_000


class _Map(dict[Any, Any]):
    """A mapping that knows the line of each of its values."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[Any, int] = {}


@dataclass(frozen=True)
class Fault:
    """One fault: its line, where in the file it is, and what was given and expected."""

    line: int
    path: str
    text: str


class _Loader(yaml.SafeLoader):
    """Safe YAML whose mappings know their lines and refuse a key that is given twice."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.faults: list[Fault] = []


def _map(loader: _Loader, node: yaml.MappingNode) -> _Map:
    first: dict[str, int] = {}
    for key, _ in list(node.value):
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            loader.faults.append(Fault(line, "key", "no name; expected a name"))
            return _Map(line)
        if key.value in first and key.tag != "tag:yaml.org,2002:merge":
            text = f"{key.value!r} is given twice, first in line {first[key.value]}"
            loader.faults.append(Fault(line, str(key.value), text))
        first.setdefault(key.value, line)
    loader.flatten_mapping(node)
    made = _Map(node.start_mark.line + 1)
    for key, value in node.value:
        name = loader.construct_object(key, deep=True)
        if not isinstance(name, str):
            text = f"{name!r} given; expected a name"
            loader.faults.append(Fault(key.start_mark.line + 1, str(name), text))
            continue
        made[name] = loader.construct_object(value, deep=True)
        made.lines[name] = value.start_mark.line + 1
    return made


_Loader.add_constructor("tag:yaml.org,2002:map", _map)


def read_study(path: Path) -> list[RunSpec]:
    """All runs of a study file, each once, in the order of the file.

    Raises SynaptreeError with a line for each fault: file, line, path in the file, what was given,
    what was expected and the nearest valid name.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or "it is no UTF-8 text"
        beside = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        near = get_close_matches(path.name, beside, n=1) if isinstance(fault, OSError) else []
        hint = f"; did you mean {str(path.parent / near[0])!r}?" if near else ""
        raise SynaptreeError(f"{path}: cannot be read ({str(reason).lower()}){hint}") from None
    specs, faults = parse_study(text)
    if faults:
        ordered = sorted(set(faults), key=lambda f: (f.line, f.path, f.text))
        lines = (f"{path}:{f.line}: {f.path}: {f.text}" for f in ordered)
        raise SynaptreeError("\n".join(map(printable, lines)))
    return specs


def parse_study(text: str) -> tuple[list[RunSpec], list[Fault]]:
    """The runs of a study file's text, and its faults; the runs are complete if there are none."""
    try:
        loader = _Loader(text)
        study: object = loader.get_single_data()
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        problem = getattr(fault, "problem", None) or str(fault)
        return [], [Fault(mark.line + 1 if mark else 1, "file", f"no YAML: {problem}")]
    except RecursionError:
        return [], [Fault(1, "file", "is nested too deep; expected seeds, defaults and runs")]
    faults = loader.faults
    if not isinstance(study, _Map):
        return [], [*faults, Fault(1, "file", f"expected the keys {', '.join(TOP)}")]
    for key in study:
        if key not in TOP:
            faults.append(Fault(study.lines[key], key, str(unknown("key", key, TOP))))
    seeds = list(_seeds(study, "seeds", faults))
    defaults = study.get("defaults", _Map(study.line))
    runs = study.get("runs")
    if not isinstance(defaults, _Map):
        faults.append(Fault(study.lines["defaults"], "defaults", "expected fields of a run"))
        defaults = _Map(study.line)
    if not isinstance(runs, list) or not runs:
        line = study.lines.get("runs", study.line)
        return [], [*faults, Fault(line, "runs", "expected a list of at least one entry")]
    specs: dict[str, RunSpec] = {}
    for place, entry in enumerate(cast(list[object], runs)):
        where = f"runs[{place}]"
        if not isinstance(entry, _Map):
            faults.append(Fault(study.lines["runs"], where, f"{entry!r} given; expected fields"))
            continue
        for spec in _entry(entry, defaults, seeds, where, faults):
            specs.setdefault(spec.run_id, spec)
    return list(specs.values()), faults


def _seeds(of: _Map, path: str, faults: list[Fault]) -> Iterator[dict[str, int]]:
    """The seeds of the replicas of every run of a study, or of an entry."""
    given = of.get("seeds", [0])
    line = of.lines.get("seeds", of.line)
    if isinstance(given, _Map):
        axes = [_numbers(given.get(kind, [0]), f"{path}.{kind}", line, faults) for kind in SEEDS]
        for kind in given:
            if kind not in SEEDS:
                text = str(unknown("seed", kind, SEEDS))
                faults.append(Fault(given.lines[kind], f"{path}.{kind}", text))
        for values in itertools.product(*axes):
            yield dict(zip(SEEDS.values(), values, strict=True))
    else:
        for seed in _numbers(given, path, line, faults):
            yield dict.fromkeys(SEEDS.values(), seed)


def _numbers(given: object, path: str, line: int, faults: list[Fault]) -> list[int]:
    """Non-negative whole numbers from a number, a list of them, or a range as 0-9."""
    if isinstance(given, str) and (match := re.fullmatch(r"(\d{1,12})-(\d{1,12})", given)):
        first, last = int(match[1]), int(match[2])
        if first <= last < first + MOST_RUNS:
            return list(range(first, last + 1))
    values: list[object] = cast(list[object], given) if isinstance(given, list) else [given]
    if values and all(type(v) is int and v >= 0 for v in values):
        return cast(list[int], values)
    text = f"{given!r} given; expected whole numbers of at least 0, as [0, 1] or 0-9"
    faults.append(Fault(line, path, text))
    return [0]


def _entry(
    entry: _Map, defaults: _Map, seeds: list[dict[str, int]], where: str, faults: list[Fault]
) -> Iterator[RunSpec]:
    """The runs of one entry: the grid over all its lists, and its own seeds or the study's."""
    known = [name for name in RunSpec.model_fields if name not in SEEDS.values()]
    axes: dict[str, list[Any]] = {}
    before = len(faults)
    if "seeds" in entry:
        seeds = list(_seeds(entry, f"{where}.seeds", faults))
    for source, prefix in ((defaults, "defaults"), (entry, where)):
        for name, given in source.items():
            if name in entry and (source is defaults or name == "seeds"):
                continue
            path, line = f"{prefix}.{name}", source.lines[name]
            if name not in known:
                faults.append(Fault(line, path, str(unknown("field", name, known))))
                continue
            values: list[object] = cast(list[object], given) if isinstance(given, list) else [given]
            if not values:
                faults.append(Fault(line, path, "an empty list given; expected at least one value"))
            axes[name] = []
            for value in values:
                try:
                    axes[name] += list(_values(name, value))
                except SynaptreeError as fault:
                    faults.append(Fault(line, path, str(fault)))
    for name in ("rule", "v", "n", "m", "L", "P"):
        if name not in entry and name not in defaults:
            faults.append(Fault(entry.line, where, f"{name} is missing"))
    if len(faults) > before:
        return
    count = len(seeds)
    for values in axes.values():
        count *= len(values)
    if count > MOST_RUNS:
        text = f"{count} runs; expected at most {MOST_RUNS} an entry"
        faults.append(Fault(entry.line, where, text))
        return
    for chosen in itertools.product(*axes.values()):
        fields: dict[str, Any] = dict(zip(axes, chosen, strict=True))
        if isinstance(fields["P"], float):  # a multiple of n·m**L
            size = fields["n"] * fields["m"] ** fields["L"]
            fields["P"] = max(1, round(fields["P"] * size))
        for seed in seeds:
            try:
                yield make_spec(**fields, **seed)
            except SynaptreeError as fault:
                faults.append(Fault(entry.line, where, str(fault)))
                break  # the other seeds have the same fault


def _values(name: str, given: Any) -> Iterator[Any]:
    """One value of a field, checked; or several, where the options of a rule are lists."""
    if name == "rule":
        yield from _rules(given)
    elif name == "views":
        if not isinstance(given, str):
            raise SynaptreeError(f"{given!r} given; expected as in 'sibling,same_class'")
        yield given
    elif name == "P" and isinstance(given, str):
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)x", given)
        if not match or float(match[1]) == 0:
            raise SynaptreeError(f"{given!r} given; expected a number, or as in 4x for 4·n·m**L")
        yield float(match[1])
    else:
        field = RunSpec.model_fields[name]
        kind: Any = cast(Any, Annotated)[field.annotation, field]
        try:
            yield TypeAdapter(kind).validate_python(given)
        except ValidationError as fault:
            expected = fault.errors()[0]["msg"].removeprefix("Input should be ")
            raise SynaptreeError(f"{given!r} given; expected {expected}") from None


def _rules(given: object) -> Iterator[Rule]:
    if isinstance(given, str):
        yield rules.get(given)
    elif isinstance(given, _Map) and isinstance(given.get("name"), str):
        options: dict[str, list[object]] = {
            k: cast(list[object], v) if isinstance(v, list) else [v]
            for k, v in given.items()
            if k != "name"
        }
        for values in itertools.product(*options.values()):
            yield rules.get(given["name"], **dict(zip(options, values, strict=True)))
    else:
        raise SynaptreeError(
            f"{given!r} given; expected a rule's name, or {{name: …, its options}}"
        )

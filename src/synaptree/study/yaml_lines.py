"""YAML that knows its line numbers, so that every fault of a file can name its line."""

import re
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from synaptree.errors import shown

# libyaml's parser is ten times as fast; both give the same values.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 50  # levels of nesting: a study file has six
LONGEST = 200_000  # entries of a list or a mapping
VALUES = 20 * LONGEST  # of a file

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
# Numbers, truth and nothing as people write them today.  What YAML 1.1 made of other texts
# surprises: 040 was 32, 1:30 was 90, on was true, 2026-01-01 a date.  These are texts here.
_FORMS = {
    "int": re.compile(r"[-+]?(0|[1-9][0-9_]*)"),
    "float": re.compile(
        r"[-+]?((0|[1-9][0-9_]*)?\.[0-9]+|(0|[1-9][0-9_]*)\.?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
    ),
    "bool": re.compile("true|True|TRUE|false|False|FALSE"),
    "null": re.compile("~|null|Null|NULL|"),
    "merge": re.compile("<<"),
    # Neither reading is everybody's.
    "octal": re.compile(r"[-+]?0[0-9_]+"),
}


@dataclass(frozen=True)
class Fault:
    """One fault of a file: its line, the place in the file, and what is wrong there."""

    line: int
    path: str
    text: str


class Map(dict[Any, Any]):
    """A mapping that knows the line where it begins, and the line of each of its values."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[Any, int] = {}


class _Loader(_Parser):
    """A safe loader that collects faults instead of stopping at the first."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 (the base class fills it)
    yaml_constructors: dict[Any, Any] = {}  # noqa: RUF012

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.faults: list[Fault] = []

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of a node.  A text that breaks what its tag promises is a YAMLError."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, LookupError, AttributeError):
            given = shown(node.value) if isinstance(node, yaml.ScalarNode) else "something else"
            kind = node.tag.removeprefix(_TAG)
            problem = f"{given} given; expected {kind} as the tag says"
            raise _fault(node, problem) from None


def _scalar(_: _Loader, node: yaml.ScalarNode) -> Any:
    """An integer, a number, truth or nothing, written as `_FORMS` says."""
    kind, text = node.tag.removeprefix(_TAG), node.value
    if not _FORMS[kind].fullmatch(text):
        raise ValueError(text)
    if kind == "octal":
        raise _fault(node, f"{text[:40]} given; expected a number without a leading zero")
    if kind == "merge":  # as a value
        return text
    if kind == "int":
        return int(text)
    if kind == "float":
        return float(text.replace(".inf", "inf").replace(".nan", "nan").lower())
    return None if kind == "null" else text.lower() == "true"


def _map(loader: _Loader, node: yaml.MappingNode) -> Map:
    """Build a mapping.  A key that stands twice is a fault, as is a key that is not a name."""
    mapping = Map(node.start_mark.line + 1)
    first: dict[str, int] = {}
    own: list[tuple[yaml.Node, yaml.Node]] = []
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            loader.faults.append(Fault(line, "key", "no name; expected a name"))
            return mapping
        if key.tag == _MERGE:
            for merged in reversed(_merged(loader, value)):  # the first counts most
                mapping.update(merged)
                mapping.lines.update(merged.lines)
            continue
        if key.value in first:
            text = f"{shown(key.value)} is given twice, first in line {first[key.value]}"
            loader.faults.append(Fault(line, key.value, text))
        first.setdefault(key.value, line)
        own.append((key, value))
    for key, value in own:
        name = loader.construct_object(key, deep=True)
        if not isinstance(name, str):
            text = f"{shown(name)} given; expected a name"
            loader.faults.append(Fault(key.start_mark.line + 1, str(key.value), text))
            continue
        mapping[name] = loader.construct_object(value, deep=True)
        mapping.lines[name] = value.start_mark.line + 1
    return mapping


def _merged(loader: _Loader, node: yaml.Node) -> list[Map]:
    """The mappings that ``<<`` names: one, or a list."""
    value = loader.construct_object(node, deep=True)
    maps: list[Any] = value if isinstance(value, list) else [value]
    if not all(isinstance(each, Map) for each in maps):
        raise _fault(node, "<< names something else; expected a mapping, or a list of them")
    return maps


for _kind, _form in _FORMS.items():
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(f"(?:{_form.pattern})$"), None)
    _Loader.add_constructor(_TAG + _kind, _scalar)
_Loader.add_constructor(f"{_TAG}str", SafeConstructor.construct_yaml_str)
_Loader.add_constructor(f"{_TAG}seq", SafeConstructor.construct_yaml_seq)
_Loader.add_constructor(f"{_TAG}map", _map)
_Loader.add_constructor(None, SafeConstructor.construct_undefined)


def load_yaml(text: str) -> tuple[object, list[Fault]]:
    """The value of a YAML text, whose mappings are `Map`s, and the faults of the text."""
    try:
        _check_size(text)
        loader = _Loader(text)
        value: object = loader.get_single_data()
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        problem = getattr(fault, "problem", None) or str(fault)
        return None, [Fault(mark.line + 1 if mark else 1, "file", f"no study: {problem}")]
    except (ValueError, OverflowError):  # an escape such as "\U00110000"
        return None, [Fault(1, "file", "no study: a character that does not exist")]
    return value, loader.faults


def _check_size(text: str) -> None:
    """Raise MarkedYAMLError for a text that is nested too deep, or too long, before it is built."""
    inside: list[int] = [0]  # how many values each open list or mapping has so far,
    most: list[int] = [1]  # and how many it may have
    count = 0
    for event in yaml.parse(text, Loader=_Parser):
        if isinstance(event, yaml.CollectionEndEvent):
            inside.pop()
            most.pop()
        elif isinstance(event, yaml.NodeEvent):
            inside[-1] += 1
            count += 1
            if isinstance(event, yaml.CollectionStartEvent):
                inside.append(0)
                most.append(LONGEST * (2 if isinstance(event, yaml.MappingStartEvent) else 1))
            if len(inside) > DEEPEST:
                raise _fault(event, "nested too deep; expected seeds, defaults and runs")
            if inside[-1] > most[-1] or count > VALUES:
                raise _fault(event, f"too many values; expected lists of at most {LONGEST}")


def _fault(place: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)

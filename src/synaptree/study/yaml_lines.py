"""YAML that knows its line numbers, so that every fault of a file can name its line."""

from dataclasses import dataclass
from typing import Any

import yaml

_MERGE = "tag:yaml.org,2002:merge"


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


class _Loader(yaml.SafeLoader):
    """A safe loader that collects faults instead of stopping at the first."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.faults: list[Fault] = []

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of a node.  A text that breaks what its tag promises is a YAMLError."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, LookupError, AttributeError) as fault:
            reason = str(fault).splitlines()[0][:80] if str(fault) else type(fault).__name__
            raise yaml.MarkedYAMLError(problem=reason, problem_mark=node.start_mark) from None


def _map(loader: _Loader, node: yaml.MappingNode) -> Map:
    """Build a mapping.  A key that stands twice is a fault, as is a key that is not a name."""
    first: dict[str, int] = {}
    for key, _ in list(node.value):
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            loader.faults.append(Fault(line, "key", "no name; expected a name"))
            return Map(line)
        if key.value in first and key.tag != _MERGE:
            text = f"{key.value!r} is given twice, first in line {first[key.value]}"
            loader.faults.append(Fault(line, str(key.value), text))
        first.setdefault(key.value, line)
    loader.flatten_mapping(node)
    mapping = Map(node.start_mark.line + 1)
    for key, value in node.value:
        name = loader.construct_object(key, deep=True)
        if not isinstance(name, str):
            text = f"{name!r} given; expected a name"
            loader.faults.append(Fault(key.start_mark.line + 1, str(name), text))
            continue
        mapping[name] = loader.construct_object(value, deep=True)
        mapping.lines[name] = value.start_mark.line + 1
    return mapping


_Loader.add_constructor("tag:yaml.org,2002:map", _map)


def load_yaml(text: str) -> tuple[object, list[Fault]]:
    """The value of a YAML text, whose mappings are `Map`s, and the faults of the text."""
    try:
        loader = _Loader(text)
        value: object = loader.get_single_data()
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        problem = getattr(fault, "problem", None) or str(fault)
        return None, [Fault(mark.line + 1 if mark else 1, "file", f"no YAML: {problem}")]
    except RecursionError:
        return None, [Fault(1, "file", "is nested too deep; expected seeds, defaults and runs")]
    except (ValueError, OverflowError):  # an escape such as "\U00110000"
        return None, [Fault(1, "file", "no YAML: a character that does not exist")]
    return value, loader.faults

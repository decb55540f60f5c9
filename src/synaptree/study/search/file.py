"""Search files: a search in one YAML file, with all its faults reported at once.

    seeds: 0-3
    settings: 12                      # that every rule tries on every kind
    widenings: 3                      # of these, held back for what lies beyond the ends of axes
    defaults: {v: 8, n: 8, s: 2}      # fields of every run
    kinds:                            # budget: inputs that a run sees, all views counted
      uniform: {L: 3, m: 8, P: 16384, budget: 1_536_000}
      deep: {L: 4, m: 4, P: 32768, budget: 768_000}
    spaces:
      direct: {lr: [0.001, 0.003, 0.01], parametrisation: [standard, mean_field]}
      layerwise: {lr: [0.001, 0.003, 0.01], batch: {choice: [128, 512]}}
    rules:
      - {rule: [backprop, dfa], space: direct}
      - {rule: clapp, views: "trace:7", space: layerwise, kinds: uniform}

docs/studies.md says what else may stand here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from synaptree.errors import SynaptreeError, checked_integer, shown, unknown
from synaptree.study.files import MOST_RUNS, refuse, text_of
from synaptree.study.grid import seeds_of
from synaptree.study.search.axes import rungs_of, space_of
from synaptree.study.search.contest import Contest, Rung, Search
from synaptree.study.search.entries import contests_of, kind_of
from synaptree.study.search.space import Space
from synaptree.study.yaml_lines import Fault, Map, load_yaml

KEYS = (
    *("seeds", "settings", "widenings", "rungs", "draw_seed"),
    *("defaults", "kinds", "spaces", "rules", "anchors"),
)
LAST_SEED = 19  # of those that a search may see: the others are for judging
MOST_SETTINGS = 1000


def read_search(path: Path) -> Search:
    """A search file.  Raises SynaptreeError with a line for each of its first 20 faults."""
    text = text_of(path)
    # As in study files, paths of rules' files begin in the folder of the file.
    search, faults = parse_search(text, path.parent if path.is_file() else Path())
    refuse(path, faults)
    return search


def parse_search(text: str, folder: Path = Path()) -> tuple[Search, list[Fault]]:
    """The search of a file's text, and its faults; the search is complete if there are none."""
    file, faults = load_yaml(text)
    if not isinstance(file, Map):
        faults = faults or [Fault(1, "file", f"expected the keys {', '.join(KEYS)}")]
        return Search([], [], 1, 0, [], text), faults
    for key in file:
        if key not in KEYS:
            faults.append(Fault(file.lines[key], key, str(unknown("key", key, KEYS))))
    seeds = _seeds(file, faults)
    settings = _number(file, "settings", 12, 1, MOST_SETTINGS, faults)
    widenings = _number(file, "widenings", settings // 4, 0, settings - 1, faults)
    draw_seed = _number(file, "draw_seed", 0, 0, None, faults)
    first = settings - widenings
    where = Fault(file.lines.get("rungs", file.line), "rungs", "")
    otherwise = [Rung(len(seeds), first)]
    made = file.get("rungs")
    rungs = _tried(lambda: rungs_of(made, len(seeds), first), otherwise, where, faults)
    least = 1 if faults else settings  # a number that is not known is no second fault
    spaces = _named(file, "spaces", faults, lambda name, value: _space(name, value, least))
    kinds = _named(file, "kinds", faults, kind_of)
    contests: list[Contest] = []
    if not faults:
        drawn = {name: tuple(s.drawn(first, widenings, draw_seed)) for name, s in spaces.items()}
        contests = contests_of(file, kinds, spaces, drawn, seeds[0], folder, faults)
    search = Search(contests, seeds, settings, widenings, rungs, text)
    for rung in rungs:
        _tried(lambda rung=rung: _check_share(search, rung), None, where, faults)
    count = search.runs * len(contests)
    if count > MOST_RUNS:
        problem = f"{count} runs; expected at most {MOST_RUNS} in a search"
        faults.append(Fault(file.line, "file", problem))
    return search, faults


def _check_share(search: Search, rung: Rung) -> None:
    """Raise SynaptreeError where a share of a budget is no whole number of batches."""
    for contest in search.contests:
        for point in contest.drawn[: rung.settings]:
            contest.spec(point, rung.share)


def _space(name: str, value: object, settings: int) -> Space:
    space = space_of(name, value)
    if space.size < settings:
        raise SynaptreeError(
            f"{space.size} settings, but every rule tries {settings}; expected at least as many: "
            "more values on an axis, or fewer settings"
        )
    return space


def _seeds(file: Map, faults: list[Fault]) -> list[dict[str, int]]:
    """The seeds, each once, which must be those that searches may see."""
    line = file.lines.get("seeds", file.line)
    if "seeds" not in file:
        faults.append(Fault(line, "seeds", "none given; expected as in 0-3"))
    seeds = list(seeds_of(file, "seeds", faults))
    largest = max(max(each.values()) for each in seeds)
    if largest > LAST_SEED:
        problem = f"{largest} given; expected 0 to {LAST_SEED}: no search may see the others"
        faults.append(Fault(line, "seeds", f"{problem}, on which rules are judged"))
    if any(each in seeds[:index] for index, each in enumerate(seeds)):
        faults.append(Fault(line, "seeds", "one is given twice; expected seeds that differ"))
    return seeds


def _number(
    file: Map, key: str, default: int, least: int, most: int | None, faults: list[Fault]
) -> int:
    fault = Fault(file.lines.get(key, file.line), key, "")
    value = file.get(key, default)
    return _tried(lambda: checked_integer("", value, least, most), default, fault, faults)


def _named(
    file: Map, key: str, faults: list[Fault], made: Callable[[str, Any], Any]
) -> dict[str, Any]:
    """What is made of each value of a mapping, by its name."""
    found = file.get(key)
    if not isinstance(found, Map) or not found:
        line = file.lines.get(key, file.line)
        text = f"{shown(found)} given; expected a mapping of at least one name"
        faults.append(Fault(line, key, text if key in file else "is missing"))
        return {}
    result: dict[str, Any] = {}
    for name, value in found.items():
        fault = Fault(found.lines[name], f"{key}.{name}", "")
        made_of_it = _tried(lambda n=name, v=value: made(n, v), None, fault, faults)
        if made_of_it is not None:
            result[name] = made_of_it
    return result


def _tried(make: Callable[[], Any], otherwise: Any, where: Fault, faults: list[Fault]) -> Any:
    """What is made, or what there is otherwise, with a fault at a place of the file."""
    try:
        return make()
    except SynaptreeError as fault:
        faults.append(Fault(where.line, where.path, str(fault).removeprefix(": ")))
        return otherwise

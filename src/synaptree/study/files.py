"""Study files: many runs in one YAML file, with all its faults reported at once.

    seeds: 0-9                       # or a list; grammar, data and network seed of a run alike
    defaults: {v: 8, n: 8, s: 2}     # fields of every run
    runs:
      - rule: [backprop, {name: dfa, scale: [0.3, 1]}]
        L: [3, 4]                    # a list is an axis of a grid
        m: 4
        P: [1x, 4x]                  # multiples of n·m**L, or numbers
      - {rule: clapp, views: ["sibling,same_class"], L: 3, m: 4, P: 4096}
      - {rule: my_rules.py:MyRule, L: 3, m: 4, P: 4096}    # beside the study file
    claims: [1a, "3"]                # which claims the runs are asked; by default all
    anchors: ...                     # a place for YAML anchors, otherwise ignored

The fields of a run are those of `RunSpec`; `views` is written as on the command line.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard, cast

from synaptree.errors import SynaptreeError, near_file, shown, unknown
from synaptree.safely import printable
from synaptree.study.grid import Entry, seeds_of
from synaptree.study.yaml_lines import LONGEST, Fault, Map, load_yaml
from synaptree.training.spec import RunSpec

KEYS = ("seeds", "defaults", "runs", "claims", "anchors")
MOST_RUNS = LONGEST  # of a study
LARGEST = 2**26  # bytes of a study file
PRINTED = 20  # faults


@dataclass(frozen=True)
class Study:
    """Runs, each once, and the text of the study file that asks for exactly these."""

    specs: list[RunSpec]
    text: str


def read_study(path: Path) -> list[RunSpec]:
    """The runs of a study file.  Raises SynaptreeError as `study_file` does."""
    return study_file(path).specs


def study_file(path: Path) -> Study:
    """A study file: its runs in the order of the file.  The file is read once; it may be a pipe.

    Raises SynaptreeError with a line for each of the first 20 faults: file, line, place in the
    file, what was given, what was expected and the nearest valid name.
    """
    text = text_of(path)
    # Relative paths of rules' files begin in the study file's folder; a pipe has none.
    specs, faults = parse_study(text, path.parent if path.is_file() else Path())
    refuse(path, faults)
    return Study(specs, text)


def refuse(path: Path, faults: list[Fault]) -> None:
    """Raise SynaptreeError where a file has faults: a line for each of the first 20."""
    if faults:
        ordered = sorted(set(faults), key=lambda f: (f.line, f.path, f.text))
        lines = [f"{path}:{f.line}: {f.path[:80]}: {f.text}" for f in ordered[:PRINTED]]
        if len(ordered) > PRINTED:
            lines.append(f"… and {len(ordered) - PRINTED} more")
        raise SynaptreeError("\n".join(map(printable, lines)))


def text_of(path: Path) -> str:
    """The text of a study file.  Raises SynaptreeError where it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise SynaptreeError(f"{path}: more than {LARGEST} bytes; expected a study file")
        return content.decode("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or "it is no UTF-8 text"
        missing = isinstance(fault, FileNotFoundError)
        hint = near_file(path, ".yaml", ".yml") if missing else ""
        raise SynaptreeError(f"{path}: cannot be read ({str(reason).lower()}){hint}") from None


def parse_study(text: str, folder: Path = Path()) -> tuple[list[RunSpec], list[Fault]]:
    """The runs of a study file's text, and its faults; the runs are complete if there are none.

    folder: where relative paths of rules' files begin.
    """
    study, faults = load_yaml(text)
    if not isinstance(study, Map):
        return [], faults or [Fault(1, "file", f"expected the keys {', '.join(KEYS)}")]
    for key in study:
        if key not in KEYS:
            faults.append(Fault(study.lines[key], key, str(unknown("key", key, KEYS))))
    defaults = study.get("defaults", Map(study.line))
    if not isinstance(defaults, Map):
        faults.append(Fault(study.lines["defaults"], "defaults", "expected fields of a run"))
        defaults = Map(study.line)
    if "claims" in study:
        faults += [Fault(study.lines["claims"], "claims", t) for t in _claims(study["claims"])]
    entries = _entries(study, defaults, folder, faults)
    count = sum(entry.count for entry in entries)
    if count > MOST_RUNS:
        text = f"{count} runs; expected at most {MOST_RUNS} in a study"
        return [], [*faults, Fault(study.lines["runs"], "runs", text)]
    specs: dict[str, RunSpec] = {}
    for entry in entries:
        for spec in entry.runs(faults):
            specs.setdefault(spec.run_id, spec)
    return list(specs.values()), faults


def claims_of(text: str) -> list[str] | None:
    """The claims that a study file's text names; None where it leaves them open."""
    study, _ = load_yaml(text)
    named = study.get("claims") if isinstance(study, Map) else None
    return list(map(str, named)) if _numbers(named) else None


def _claims(value: object) -> list[str]:
    """What is wrong with the claims that a study file names."""
    if not _numbers(value):
        return ["expected a list, as [1a, 2c]"]
    from synaptree.claims.second import CLAIMS  # which takes a second, and few files name claims

    known = [claim.number for claim in CLAIMS]
    return [str(unknown("", number, known)) for number in map(str, value) if number not in known]


def _numbers(value: object) -> TypeGuard[list[str | int]]:
    """Whether these can be the numbers of claims, as 1a and 3."""
    if not isinstance(value, list) or not value:
        return False
    given = cast(list[object], value)
    return all(isinstance(x, str | int) and not isinstance(x, bool) for x in given)


def _entries(study: Map, defaults: Map, folder: Path, faults: list[Fault]) -> list[Entry]:
    """The entries of a study, each with its own seeds or those of the study."""
    seeds = seeds_of(study, "seeds", faults)
    listed = study.get("runs")
    if not isinstance(listed, list) or not listed:
        line = study.lines.get("runs", study.line)
        faults.append(Fault(line, "runs", "expected a list of at least one entry"))
        return []
    entries: list[Entry] = []
    checked: dict[str, list[Any]] = {}
    for index, fields in enumerate(cast(list[object], listed)):
        path = f"runs[{index}]"
        if not isinstance(fields, Map):
            text = f"{shown(fields)} given; expected fields of a run"
            faults.append(Fault(study.lines["runs"], path, text))
            continue
        own = seeds_of(fields, f"{path}.seeds", faults) if "seeds" in fields else seeds
        entries.append(Entry(fields, defaults, own, path, folder, checked))
    return entries

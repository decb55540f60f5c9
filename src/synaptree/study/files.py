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
    anchors: ...                     # a place for YAML anchors, otherwise ignored

The fields of a run are those of `RunSpec`; `views` is written as on the command line.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from synaptree.errors import SynaptreeError, unknown
from synaptree.safely import printable
from synaptree.study.grid import runs_of_entry, seeds_of
from synaptree.study.yaml_lines import Fault, Map, load_yaml
from synaptree.training.spec import RunSpec

KEYS = ("seeds", "defaults", "runs", "anchors")


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

    Raises SynaptreeError with a line for each fault: file, line, place in the file, what was given,
    what was expected and the nearest valid name.
    """
    text = _text(path)
    # Relative paths of rules' files begin in the study file's folder; a pipe has none.
    specs, faults = parse_study(text, path.parent if path.is_file() else Path())
    if faults:
        ordered = sorted(set(faults), key=lambda f: (f.line, f.path, f.text))
        lines = (f"{path}:{f.line}: {f.path}: {f.text}" for f in ordered)
        raise SynaptreeError("\n".join(map(printable, lines)))
    return Study(specs, text)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or "it is no UTF-8 text"
        beside = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        near = get_close_matches(path.name, beside, n=1) if isinstance(fault, OSError) else []
        hint = f"; did you mean {str(path.parent / near[0])!r}?" if near else ""
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
    seeds = list(seeds_of(study, "seeds", faults))
    defaults = study.get("defaults", Map(study.line))
    entries = study.get("runs")
    if not isinstance(defaults, Map):
        faults.append(Fault(study.lines["defaults"], "defaults", "expected fields of a run"))
        defaults = Map(study.line)
    if not isinstance(entries, list) or not entries:
        line = study.lines.get("runs", study.line)
        return [], [*faults, Fault(line, "runs", "expected a list of at least one entry")]
    specs: dict[str, RunSpec] = {}
    for index, entry in enumerate(cast(list[object], entries)):
        path = f"runs[{index}]"
        if not isinstance(entry, Map):
            faults.append(Fault(study.lines["runs"], path, f"{entry!r} given; expected fields"))
            continue
        for spec in runs_of_entry(entry, defaults, seeds, path, folder, faults):
            specs.setdefault(spec.run_id, spec)
    return list(specs.values()), faults

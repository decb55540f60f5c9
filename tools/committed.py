"""Pack a folder of results for the package: what `synaptree judge` sets a rule beside.

python tools/committed.py [FOLDER] [SEARCH]    # by default results/laptop, the registered search

Writes src/synaptree/judgement/committed: the finished runs, the audits of their rules, and the
search file whose spaces a judged rule is searched in.  Test errors keep all their digits; of curves
and portraits there are six.  Where that is more than 2 MB, the angles with backprop are left out.
"""

import gzip
import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from synaptree.audit.kept import FILE as AUDITS
from synaptree.audit.kept import audits
from synaptree.claims.judge import rule_forms
from synaptree.results.frame import load
from synaptree.results.journal import rows
from synaptree.training.spec import SEEDS

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results" / "laptop"
SEARCH = ROOT / "studies" / "registration-2" / "search-uniform.yaml"
COMMITTED = ROOT / "src" / "synaptree" / "judgement" / "committed"
LARGEST = 2_000_000  # bytes in all
DIGITS = 6
ANGLES = ("alignment", "null")


def pack(folder: Path = RESULTS, search: Path = SEARCH, to: Path = COMMITTED) -> int:
    """Write the committed results; returns how many bytes they take."""
    shutil.rmtree(to, ignore_errors=True)
    (to / "journal").mkdir(parents=True)
    audits(folder, rule_forms(load(folder, curves=False)))
    shutil.copyfile(folder / AUDITS, to / AUDITS)
    shutil.copyfile(search, to / "search.yaml")
    done = sorted((row for row in rows(folder) if row["status"] == "done"), key=_place)
    journal = to / "journal" / "results.jsonl.gz"
    for left_out in ((), ANGLES):
        journal.write_bytes(_packed(_short(row, left_out) for row in done))
        size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
        if size <= LARGEST:
            return size
    raise SystemExit(f"{size} bytes; expected at most {LARGEST}: pack fewer runs")


def _place(row: dict[str, Any]) -> tuple[str, list[int]]:
    """Runs that are alike stand together, where gzip finds them alike."""
    settings = {name: value for name, value in row["spec"].items() if name not in SEEDS}
    return json.dumps(settings, sort_keys=True), [row["spec"].get(name, 0) for name in SEEDS]


def _short(row: dict[str, Any], left_out: Iterable[str]) -> dict[str, Any]:
    curve = {name: value for name, value in row["curve"].items() if name not in left_out}
    return row | {"curve": _rounded(curve), "portrait": _rounded(row.get("portrait"))}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


def _packed(short: Iterable[dict[str, Any]]) -> bytes:
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in short)
    return gzip.compress("".join(lines).encode(), 9, mtime=0)


if __name__ == "__main__":
    print(f"{pack(*map(Path, sys.argv[1:3]))} bytes in {COMMITTED.relative_to(ROOT)}")

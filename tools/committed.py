"""Pack a folder of results for the package: what `synaptree judge` sets a rule beside.

python tools/committed.py [FOLDER] [SEARCH]    # by default results/laptop, the registered search

Writes src/synaptree/judgement/committed: the finished runs, the audits of their rules, and the
search file whose spaces a judged rule is searched in.  Test errors keep all their digits; of curves
and portraits there are six.  Where that is more than 2 MB, the angles with backprop are left out.
"""

import shutil
import sys
from pathlib import Path

from packed import packed

from synaptree.audit.kept import FILE as AUDITS
from synaptree.audit.kept import audits
from synaptree.claims.judge import rule_forms
from synaptree.results.frame import load
from synaptree.results.journal import rows

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results" / "laptop"
SEARCH = ROOT / "studies" / "registration-2" / "search-uniform.yaml"
COMMITTED = ROOT / "src" / "synaptree" / "judgement" / "committed"
LARGEST = 2_000_000  # bytes in all
ANGLES = ("alignment", "null")


def pack(folder: Path = RESULTS, search: Path = SEARCH, to: Path = COMMITTED) -> int:
    """Write the committed results; returns how many bytes they take."""
    shutil.rmtree(to, ignore_errors=True)
    (to / "journal").mkdir(parents=True)
    audits(folder, rule_forms(load(folder, curves=False)))
    shutil.copyfile(folder / AUDITS, to / AUDITS)
    shutil.copyfile(search, to / "search.yaml")
    done = [row for row in rows(folder) if row["status"] == "done"]
    journal = to / "journal" / "results.jsonl.gz"
    for left_out in ((), ANGLES):
        journal.write_bytes(packed(done, left_out))
        size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
        if size <= LARGEST:
            return size
    raise SystemExit(f"{size} bytes; expected at most {LARGEST}: pack fewer runs")


if __name__ == "__main__":
    print(f"{pack(*map(Path, sys.argv[1:3]))} bytes in {COMMITTED.relative_to(ROOT)}")

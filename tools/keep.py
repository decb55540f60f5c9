"""Keep the results of studies in the repository: one packed journal, sorted, of finished runs, and
what machine made them.

python tools/keep.py NAME [STUDY]...    # from runs/NAME, the runs of studies/NAME.yaml or of these
                                        # (or of presets)
"""

import gzip
import json
import shutil
import sys
from pathlib import Path

from synaptree.results.journal import rows
from synaptree.study.files import read_study
from synaptree.study.preset import PRESETS
from synaptree.study.preset import preset as load_preset
from synaptree.training.spec import RunSpec

ROOT = Path(__file__).parent.parent


def keep(name: str, studies: list[str]) -> tuple[int, int]:
    """Write results/NAME/journal/NAME.jsonl.gz; how many runs it holds, and how many were asked."""
    specs = [s for study in studies for s in runs_of(study)]
    asked = {spec.run_id for spec in specs}
    found = {
        row["run_id"]: json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        for row in rows(ROOT / "runs" / name)
        if row["run_id"] in asked and row["status"] == "done"
    }
    folder = ROOT / "results" / name / "journal"
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{found[run]}\n" for run in sorted(found))
    (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    for session in sorted((ROOT / "runs" / name / "sessions").glob("*.json")):
        kept = ROOT / "results" / name / "sessions" / session.name
        kept.parent.mkdir(exist_ok=True)
        shutil.copyfile(session, kept)
    return len(found), len(asked)


def runs_of(study: str) -> list[RunSpec]:
    """The runs of studies/STUDY.yaml, or of a preset, as quick or quick-bfloat16."""
    preset, _, precision = study.partition("-")
    if preset in PRESETS:
        return load_preset(preset, precision or None)
    return read_study(ROOT / "studies" / f"{study}.yaml")


if __name__ == "__main__":
    name, *studies = sys.argv[1:]
    have, want = keep(name, studies or [name])
    print(f"{name}: {have} of {want} runs")

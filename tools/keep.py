"""Keep the results of a study or a search in the repository: its file, one packed journal of
the finished runs, and a record of each session that made them.

python tools/keep.py NAME [FILE]    # runs/NAME → results/NAME; FILE is the study file that asks for
                                    # the runs, by default runs/NAME/study.yaml
"""

import shutil
import sys
from pathlib import Path

from packed import packed

from synaptree.results.journal import rows
from synaptree.study.files import study_file
from synaptree.study.kept import keep as keep_study

ROOT = Path(__file__).parent.parent


def keep(name: str, file: Path | None = None, root: Path = ROOT) -> tuple[int, int]:
    """Write results/NAME; returns how many runs it holds, and how many the study file asks for."""
    made, kept = root / "runs" / name, root / "results" / name
    file = file or made / "study.yaml"
    study = study_file(file)
    asked = {spec.run_id for spec in study.specs}
    done = [row for row in rows(made) if row["run_id"] in asked and row["status"] == "done"]
    (kept / "journal").mkdir(parents=True, exist_ok=True)
    (kept / "journal" / f"{name}.jsonl.gz").write_bytes(packed(done))
    keep_study(kept, study)
    for other in ("search.yaml", "winners.yaml"):
        if (made / other).exists():
            shutil.copyfile(made / other, kept / other)
    for session in sorted((made / "sessions").glob("*.json")):
        (kept / "sessions").mkdir(exist_ok=True)
        shutil.copyfile(session, kept / "sessions" / session.name)
    return len(done), len(asked)


if __name__ == "__main__":
    name, *file = sys.argv[1:]
    have, want = keep(name, *map(Path, file))
    print(f"{name}: {have} of {want} runs")

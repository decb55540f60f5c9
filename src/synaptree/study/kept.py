"""What a driver keeps in the folder of its study: the study file, and the ids of its runs.

The ids answer "how many runs are left?" without reading the study file: it may name a rule's file,
and no file is ever executed because a folder of results names it.
"""

import re
from pathlib import Path

from synaptree.safely import write
from synaptree.study.files import Study

STUDY = "study.yaml"
IDS = "study.ids"
LARGEST = 2**25  # bytes of the ids that are read: of two million runs


def keep(folder: Path, study: Study) -> None:
    """Keep a study in its folder, word for word.  Call it under the folder's lock.

    Each file is written whole or not at all.  Raises SynaptreeError where that is not possible.
    """
    write(folder, STUDY, study.text)
    write(folder, IDS, "".join(f"{spec.run_id}\n" for spec in study.specs))


def asked(folder: Path) -> set[str] | None:
    """The ids of the runs that the folder's study asks for; None where that is not known."""
    path = folder / IDS
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            return None
        return set(re.findall(r"^[0-9a-f]{16}$", path.read_text("ascii", "replace"), re.MULTILINE))
    except OSError:
        return None

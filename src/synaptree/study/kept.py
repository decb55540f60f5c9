"""What a driver keeps in the folder of its study: the study files, and the ids of its runs.

The ids answer "how many runs are left?" without reading the study file: it may name a rule's file,
and no file is ever executed because a folder of results names it.
"""

import re
from itertools import count
from pathlib import Path

from synaptree.safely import write
from synaptree.study.files import Study, claims_of

STUDY = "study.yaml"
EARLIER = "study-{}.yaml"
IDS = "study.ids"
LARGEST = 2**25  # bytes that are read of a file: the ids of two million runs


def keep(folder: Path, study: Study) -> str:
    """Keep a study in its folder, word for word.  Call it under the folder's lock.

    A study that the folder was made by before is not lost: where it asks for runs that the new one
    does not, its file is kept as ``study-1.yaml``, ``study-2.yaml`` and so on.  Returns a sentence
    that says so, or an empty one.

    Each file is written whole or not at all.  Raises SynaptreeError where that is not possible.
    """
    before, ids = _text(folder / STUDY), asked(folder)
    new = {spec.run_id for spec in study.specs}
    said = ""
    if before not in (None, study.text) and (ids is None or not ids <= new):
        assert before is not None
        others = {path.name: _text(path) for path in sorted(folder.glob(EARLIER.format("*")))}
        name = next((name for name, text in others.items() if text == before), None)
        if name is None:
            free = (EARLIER.format(number) for number in count(1))
            name = next(name for name in free if not (folder / name).exists())
            write(folder, name, before)
        said = (
            f"{folder} holds runs of another study too, whose file is kept as {name}; another "
            "folder (--out) would keep them apart"
        )
    write(folder, STUDY, study.text)
    write(folder, IDS, "".join(f"{spec.run_id}\n" for spec in study.specs))
    return said


def _text(path: Path) -> str | None:
    """The text of a plain file that is not too large; None for any other."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            return None
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


def claims_asked(folder: Path) -> list[str] | None:
    """The claims that the folder's study names; None where it leaves them open, or is not there."""
    text = _text(folder / STUDY)
    return None if text is None else claims_of(text)


def asked(folder: Path) -> set[str] | None:
    """The ids of the runs that the folder's study asks for; None where that is not known."""
    text = _text(folder / IDS)
    if text is None:
        return None
    return set(re.findall(r"^[0-9a-f]{16}$", text, re.MULTILINE))

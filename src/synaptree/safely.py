"""A results folder may come from a stranger: write into it, and show what it says, without harm.

Nothing is written through a symbolic link, no temporary name can be guessed, and text from a folder
reaches terminals and spreadsheets without characters that these would obey.
"""

import os
import re
import secrets
import stat
import tempfile
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any

from synaptree.errors import SynaptreeError

# What synaptree itself keeps at the top of a results folder, and the folders it fills there.
OWN = (
    *("study.yaml", "study-*.yaml", "study.ids", "search.yaml", "winners.yaml"),
    *("results.*", "report.html", "audits.json", ".*.lock"),
)
SUBFOLDERS = ("journal", "sessions", "tensorboard", "networks", "checkpoints")
# Windows has neither: there nobody makes symbolic links without special rights.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)  # for a writer of a named pipe
_BINARY = getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY
BUFFER = 2**17  # bytes read at once: many rows
_TEXT_CALLED_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Control characters, marks that change the direction of text, separators of lines, invisible
# characters, and halves of surrogate pairs, which cannot be printed at all.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def printable(text: object) -> str:
    r"""Text in one line for a terminal; what a terminal might obey is escaped, as in ``\x1b``."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), str(text))


def plain_cell(value: Any) -> Any:
    """A value for a CSV file; text that a spreadsheet would take for a formula gets an apostrophe.

    Numbers stay as they are.
    """
    if isinstance(value, str) and value.startswith(_TEXT_CALLED_A_FORMULA):
        return f"'{value}"
    return value


def unwritable(folder: Path, fault: OSError) -> SynaptreeError:
    """The one-line error for a folder that results cannot be written to."""
    reason = (fault.strerror or str(fault)).lower()
    return SynaptreeError(
        f"out: {str(folder)!r} cannot be written ({reason}); expected a folder you may write to"
    )


def check_folder(folder: Path) -> None:
    """Raise SynaptreeError where one of synaptree's own files in a results folder is a link.

    A named pipe or a device is refused too, but in ``journal`` and ``sessions``, where it is left
    out when files are read.  The folder itself may be a link: the user named it.
    """
    for entry in _entries(folder):
        name = entry.name.casefold()  # some file systems take STUDY.YAML for study.yaml
        if name in SUBFOLDERS or any(fnmatch(name, own) for own in OWN):
            _refuse_links(entry)
    for name in ("journal", "sessions"):
        for entry in _entries(folder / name):
            if entry.is_symlink():  # what is no plain file is left out where the files are read
                _refuse_links(entry)


def _entries(folder: Path) -> Iterator[Path]:
    with suppress(OSError):  # a folder that is not there has no links; others say why elsewhere
        yield from folder.iterdir()


def _refuse_links(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # not there
    if stat.S_ISLNK(mode):
        raise SynaptreeError(
            f"results: {str(path)!r} is a symbolic link; expected a plain file or folder, since "
            "nothing in a results folder may lead out of it"
        )
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise SynaptreeError(f"results: {str(path)!r} is no plain file; expected one")


def check_writable(folder: Path) -> None:
    """Raise SynaptreeError, before any work is done, where results could not be written."""
    if folder.absolute() == Path(folder.absolute().anchor):
        raise SynaptreeError(f"out: {str(folder)!r} is everybody's; expected a folder for results")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as fault:
        raise unwritable(folder, fault) from None
    check_folder(folder)


def write(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file in a folder, whole or not at all, and return its path; text as UTF-8.

    name: may have subfolders, which are made.  Raises SynaptreeError where a link is in the way, or
    the folder cannot be written.
    """
    with replacing(folder, name) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return folder / name


@contextmanager
def replacing(folder: Path, name: str) -> Generator[IO[bytes]]:
    """A new file beside ``folder/name`` to write to, which takes its place at the end.

    Whatever goes wrong, the old file stays and the new one is removed.  Errors as for `write`.
    """
    try:
        path = _place(folder, name)
        partial = path.parent / f".{secrets.token_hex(12)}.part"
        handle = os.open(partial, _NEW, 0o666)
        try:
            with open(handle, "wb") as file:
                yield file
            os.replace(partial, path)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
    except OSError as fault:
        raise unwritable(folder, fault) from None


def new_file(folder: Path, name: str) -> int:
    """Open a file that does not exist yet, to append to.  Errors as for `write`."""
    try:
        return os.open(_place(folder, name), _NEW | os.O_APPEND, 0o644)
    except OSError as fault:
        raise unwritable(folder, fault) from None


def lock_file(folder: Path, name: str) -> int:
    """Open a file to lock, in a folder that exists; make it where there is none.

    Errors as for `write`.  The file is written in place, so it must be a plain file that has no
    second name elsewhere.
    """
    path = folder / name
    _refuse_links(path)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW | _NO_WAITING | _BINARY, 0o644)
    except OSError as fault:
        raise unwritable(folder, fault) from None
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
        os.close(handle)
        raise SynaptreeError(
            f"results: {str(path)!r} is no plain file of this folder alone; expected a lock that "
            "synaptree made; remove it if no study is running here"
        )
    return handle


def open_plain(path: Path) -> IO[bytes]:
    """Open a file of a results folder to read.

    Raises SynaptreeError where it cannot be read, or is a link, a folder, a named pipe or a device;
    nothing is waited for.
    """
    handle = None
    try:
        handle = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_WAITING | _BINARY)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is no plain file")
        return open(handle, "rb", BUFFER)
    except OSError as fault:
        if handle is not None:
            os.close(handle)
        reason = (fault.strerror or str(fault)).lower()
        raise SynaptreeError(f"{printable(path)}: cannot be read ({reason})") from None


def read_plain(path: Path, most: int) -> bytes:
    """The content of a file of a results folder.

    Raises SynaptreeError as `open_plain` does, and where the file has more than `most` bytes.
    """
    with open_plain(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise SynaptreeError(f"{printable(path)}: more than {most} bytes; no such file of ours is")
    return content


class LeftOut(UserWarning):
    """Something in a results folder is no part of the results, and was left out."""


def leave_out(faults: Sequence[str], most: int = 10) -> None:
    """Warn of what was left out, a warning each: the first ones, and how many more there are."""
    more = len(faults) - most
    count = [f"and {more} more are left out"] if more > 0 else []
    for text in [*(f"{fault} (left out)" for fault in faults[:most]), *count]:
        warnings.warn(LeftOut(printable(text)), stacklevel=3)


def _place(folder: Path, name: str) -> Path:
    """``folder/name``, below folders that are made where they are missing and are no links."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder
    *above, last = Path(name).parts
    for part in above:
        path /= part
        _refuse_links(path)
        path.mkdir(exist_ok=True)
    path /= last
    _refuse_links(path)
    return path

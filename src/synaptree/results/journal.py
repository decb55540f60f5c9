"""The journal: what was run, append-only. One JSON Lines file for each process that writes.

A row is written with one `write` and fsynced before anybody is told that its run is done, so no run
that was reported done is ever lost.  A torn last line (a crash, a full disk) is skipped on reading,
and the first result of a run wins.
"""

import errno
import gzip
import json
import os
import socket
import uuid
import zlib
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from synaptree.errors import SynaptreeError
from synaptree.results.row import Row, read_row
from synaptree.safely import check_folder, new_file, printable, unwritable

PATTERNS = ("*.jsonl", "*.jsonl.gz")  # as written, and packed with gzip to be kept
LONGEST = 2**24  # bytes; no row of ours comes near


class Journal:
    """Appends rows to a file of its own under ``folder/journal``.

    Raises SynaptreeError where the folder cannot be made or written.
    """

    def __init__(self, folder: Path) -> None:
        name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        self.path = folder / "journal" / name
        self._file = new_file(folder, f"journal/{name}")

    def append(self, *rows: Row) -> None:
        """Write rows, all of them or none, and wait until they are on the disk."""
        lines = [json.dumps(row, allow_nan=False, separators=(",", ":")) + "\n" for row in rows]
        text = "".join(lines).encode()
        before = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, text)
            if written != len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file)
        except OSError as fault:
            # A torn row must not swallow the next one.
            with suppress(OSError):
                os.ftruncate(self._file, before)
            raise unwritable(self.path.parent.parent, fault) from None

    def close(self) -> None:
        """Close the file, and remove it if it is empty."""
        os.close(self._file)
        if self.path.stat().st_size == 0:
            self.path.unlink()


def rows(folder: Path, curves: bool = True) -> Iterator[Row]:
    """One row for each run in a folder: the first that is done, else its last failure.

    Without `curves` rows have no learning curves and no portraits, and are read much faster.
    Torn lines are skipped: their runs were never reported done.  Raises SynaptreeError for a line
    that is JSON but no row, or too long to be one, and for a folder with links.
    """
    check_folder(folder)
    done: set[str] = set()
    failed: dict[str, Row] = {}
    for path in sorted(p for pattern in PATTERNS for p in (folder / "journal").glob(pattern)):
        for row in _read(path, curves):
            if row["run_id"] in done:
                continue
            if row["status"] == "done":
                done.add(row["run_id"])
                failed.pop(row["run_id"], None)
                yield row
            else:
                failed[row["run_id"]] = row
    yield from failed.values()


def _read(path: Path, curves: bool) -> Iterator[Row]:
    """The whole rows of a file."""
    name = printable(path)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number in count(1):
                line = file.readline(LONGEST)
                if len(line) == LONGEST:
                    raise SynaptreeError(f"{name}:{number}: more than {LONGEST} bytes; no row is")
                if not line.endswith(b"\n"):
                    return  # the end, or torn
                try:
                    row = read_row(line, curves)
                except SynaptreeError as fault:
                    raise SynaptreeError(f"{name}:{number}: {fault}") from None
                if row is not None:
                    yield row
    except (EOFError, zlib.error):
        return  # a packed file that is torn
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise SynaptreeError(f"{name}: cannot be read ({reason})") from None

"""The journal: what was run, append-only. One JSON Lines file for each process that writes.

A row is written with one `write` and fsynced before anybody is told that its run is done, so no run
that was reported done is ever lost.  A torn last line (a crash, a full disk) is skipped on reading,
any other line that is no row is named and left out, and the first result of a run wins.
"""

import errno
import gzip
import json
import os
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO, TypeVar, cast

from synaptree.errors import SynaptreeError
from synaptree.results.record import Reader, Run
from synaptree.results.row import Row, read_row
from synaptree.safely import (
    check_folder,
    leave_out,
    new_file,
    open_plain,
    printable,
    unwritable,
)

ENDINGS = (".jsonl", ".jsonl.gz")  # as written, and packed with gzip to be kept
LONGEST = 2**24  # bytes; no row of ours comes near
MOST_FAULTS = 1000  # lines of one file that are no rows; who wrote more does not mean rows

Kept = TypeVar("Kept")


class Journal:
    """Appends rows to a file of its own under ``folder/journal``.

    Raises SynaptreeError where the folder cannot be made or written.
    """

    def __init__(self, folder: Path) -> None:
        name = f"{uuid.uuid4().hex}.jsonl"  # one of its own on any machine, which it does not name
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

    Without `curves` rows have no learning curves and no portraits.
    A torn last line is skipped: its run was never reported done.  What else is no row is left out,
    and a warning names it: a damaged line, one of another program, a file that cannot be read.
    Raises SynaptreeError for a folder that cannot be listed, or in which links lead elsewhere.
    """
    return _each_once(
        folder, lambda line: read_row(line, curves), lambda row: (row["run_id"], row["status"])
    )


def runs(folder: Path, reader: Reader) -> Iterator[Run]:
    """The runs of `rows` as a reader's records, which are much faster."""
    return _each_once(folder, reader.read, lambda run: (run.record.run_id, run.record.status))


def _each_once(
    folder: Path, read: Callable[[bytes], Kept], named: Callable[[Kept], tuple[str, str]]
) -> Iterator[Kept]:
    check_folder(folder)
    done: set[str] = set()
    failed: dict[str, Kept] = {}
    faults: list[str] = []
    for path in _files(folder / "journal"):
        for row in _read(path, read, faults):
            run_id, status = named(row)
            if run_id in done:
                continue
            if status == "done":
                done.add(run_id)
                failed.pop(run_id, None)
                yield row
            else:
                failed[run_id] = row
    yield from failed.values()
    leave_out(faults)


def _files(journal: Path) -> list[Path]:
    try:
        names = os.listdir(journal)
    except FileNotFoundError:
        return []
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise SynaptreeError(
            f"results: {printable(journal)} cannot be listed ({reason}); expected a folder of rows"
        ) from None
    return [journal / name for name in sorted(names) if name.endswith(ENDINGS)]


def _read(path: Path, read: Callable[[bytes], Kept], faults: list[str]) -> Iterator[Kept]:
    """The rows of a file; adds what is none to the faults."""
    name, before = printable(path), len(faults)
    try:
        with open_plain(path) as plain, _unpacked(path, plain) as file:
            for number in count(1):
                line = file.readline(LONGEST)
                if len(line) == LONGEST:
                    raise SynaptreeError(f"{name}:{number}: more than {LONGEST} bytes; no row is")
                if not line.endswith(b"\n"):
                    return  # the end, or torn
                try:
                    yield read(line)
                except SynaptreeError as fault:
                    faults.append(f"{name}:{number}: {fault}")
                if len(faults) - before == MOST_FAULTS:
                    raise SynaptreeError(f"{name}: not read beyond {MOST_FAULTS} lines of no rows")
    except SynaptreeError as fault:
        faults.append(str(fault))
    except (EOFError, zlib.error, OSError) as fault:
        faults.append(f"{name}: cannot be read to its end ({fault})")


def _unpacked(path: Path, plain: IO[bytes]) -> IO[bytes]:
    return cast(IO[bytes], gzip.GzipFile(fileobj=plain)) if path.suffix == ".gz" else plain

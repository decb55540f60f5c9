"""One driver at a time works in a folder: two would run everything twice."""

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from synaptree.errors import SynaptreeError
from synaptree.safely import lock_file, printable, unwritable

try:
    import fcntl
except ImportError:  # not on Windows.  Journals are safe without: each process has its own
    fcntl = None


@contextmanager
def hold(folder: Path, part: int = 1, parts: int = 1, what: str = "study") -> Generator[None]:
    """Hold a folder while a study runs in it.  Drivers of different shares may hold it together.

    what: a search is held beside the studies that it makes, so it has a lock of its own.

    The system releases the lock when the process ends, however it ends.  Where the file system has
    no locks nothing is held: two drivers then waste time, and the first result of a run still wins.
    Raises SynaptreeError where another driver is at work, or the folder cannot be written.
    """
    names = [f"{part}-of-{parts}"] if parts > 1 else []
    held: list[int] = []
    try:
        # Drivers of shares hold the folder together, and each share is one driver's alone.
        for name in [what, *names]:
            held.append(_take(folder, name, shared=name == what and parts > 1))
        yield
    finally:
        for file in held:
            os.close(file)


def _take(folder: Path, name: str, shared: bool) -> int:
    file = lock_file(folder, f".{name}.lock")
    if fcntl is None:
        return file
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.read(file, 200).decode("utf-8", "replace").strip() or "another process"
        os.close(file)
        raise SynaptreeError(
            f"out: {str(folder)!r} is being written by {printable(who)}; wait until it has "
            "ended, split the study with --shard i/n, or take another folder"
        ) from None
    except OSError:
        return file  # no locks here
    me = f"process {os.getpid()} on {socket.gethostname()}\n".encode()
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, me, 0)
    except OSError as fault:
        os.close(file)
        raise unwritable(folder, fault) from None
    return file

"""Ctrl-C gives one line and exit code 130, whenever and however often it is pressed."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import FrameType

CODE = 130  # as of a program that Ctrl-C ended
PATIENCE = 10.0  # seconds for cleaning up; a further Ctrl-C changes nothing meanwhile
# multiprocessing's tracker outlives the process. It would warn of each semaphore that was removed
# but not yet reported when the interrupt came. Child processes inherit this filter.
TRACKER = "ignore::UserWarning:multiprocessing.resource_tracker"

KEEP = ("reproduce", "study", "needs", "judge")  # commands whose finished runs are on the disk

_pressed = threading.Event()
_kept: list[Callable[[], str]] = []  # at most one


def say_kept(phrase: Callable[[], str]) -> None:
    """Let the command that runs say for itself what is kept, if Ctrl-C ends it.

    phrase: it may be asked for at any moment, so it only looks at what is in memory.
    """
    _kept[:] = [phrase]


def line() -> str:
    """What is said after Ctrl-C."""
    if _kept:
        return f"stopped; {_kept[0]()}"
    keeps = sys.argv[1:2] in ([name] for name in KEEP)
    return "stopped; what was finished is kept" if keeps else "stopped"


@contextmanager
def one_line() -> Generator[None]:
    """Run a command that Ctrl-C ends.

    Code that cleans up after Ctrl-C may swallow the interrupt, or turn it into another error. So
    whatever happens after Ctrl-C counts as an interrupt.
    """
    _kept.clear()
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # the process was started to ignore Ctrl-C, as by nohup
        return
    signal.signal(signal.SIGINT, _stop)
    sys.warnoptions.append(TRACKER)
    try:
        yield
    finally:
        sys.warnoptions.remove(TRACKER)
        if _pressed.is_set():
            sys.exit(CODE)


def _stop(_number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _pressed.set()
    with suppress(OSError):
        for stream in (1, 2):
            if os.isatty(stream):
                os.write(stream, b"\x1b[?25h\n")  # progress bars hide the cursor
                break
        os.write(2, f"synaptree: {line()}\n".encode())
        silence = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(silence, stream)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            os._exit(CODE)  # half-imported libraries abort, and there is nothing to clean up yet
        frame = frame.f_back
    last = threading.Timer(PATIENCE, os._exit, (CODE,))
    last.daemon = True
    last.start()
    raise KeyboardInterrupt

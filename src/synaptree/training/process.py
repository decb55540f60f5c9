"""The set-up of a process that trains or that measures how long a step takes."""

import ctypes
from contextlib import suppress
from functools import cache

import torch


@cache
def prepare() -> None:
    """Set one thread, and keep memory between steps.  Once in a process."""
    torch.set_num_threads(1)
    # glibc returns the pages of large blocks to the system at every step, only to fault them in
    # again at the next. Dask makes its workers do so even more, which halves the speed of a step.
    # Other C libraries have no mallopt, and Windows (TypeError) no library to ask for it: whatever
    # this fails with, a process without it is merely slower.
    with suppress(Exception):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((-3, 2**25), (-1, 2**31 - 1), (-2, 2**26)):
            mallopt(parameter, value)  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD

"""How a process that trains is set up: alike in workers and where a step is measured."""

import ctypes
from contextlib import suppress
from functools import cache

import torch


@cache
def prepare() -> None:
    """Once a process: one thread, and memory that is kept between the steps."""
    torch.set_num_threads(1)
    # glibc gives the pages of large blocks back at every step, only to fault them in again at the
    # next. Dask's workers are told to do so all the more, which halves the speed of a step.
    with suppress(OSError, AttributeError):  # other C libraries have no mallopt
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((-3, 2**25), (-1, 2**31 - 1), (-2, 2**26)):
            mallopt(parameter, value)  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD

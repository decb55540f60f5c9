"""What is refused before any work is done, because it could only fail after it."""

import json
import multiprocessing
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from synaptree.errors import SynaptreeError
from synaptree.safely import check_writable
from synaptree.training.precision import Precision, check_device, check_precision
from synaptree.training.spec import RunSpec

COARSE = 1000  # test strings: with fewer an error is not known to a tenth of a per cent
UNGUARDED = (
    "SYNAPTREE_UNGUARDED"  # names a file in which a worker says that its script has no guard
)


def check_process(scheduler: str | None) -> None:
    """End a process that cannot have workers, because it is one itself.

    A worker imports the script that started it.  Where that import asks for a study again, it says
    so to the driver, and ends in silence: the driver tells the user.
    """
    me = multiprocessing.current_process()
    if getattr(me, "_inheriting", False):  # so Python marks a process that imports its script
        with suppress(KeyError, OSError):
            Path(os.environ[UNGUARDED]).write_text("unguarded")
        sys.exit(0)
    if me.daemon and scheduler is None:
        raise SynaptreeError(
            "workers: a daemonic process may not start any; expected a process with daemon=False"
        )


def check(folder: Path | None, device: str, precision: Precision = "float32") -> None:
    """Raise SynaptreeError for a folder that cannot be written, or a device that is not here or
    cannot work in a precision."""
    check_device(device)
    if folder is not None:
        check_writable(folder)
    check_precision(precision, device)


def few_tests(specs: Sequence[RunSpec]) -> str:
    """Where so few strings are left to test on that errors are coarse, a sentence that says so."""
    sizes: dict[tuple[int, ...], int] = {}
    left: list[tuple[int, RunSpec]] = []
    for spec in specs:
        if spec.data or spec.variant:  # strings may come again, and own data are known
            continue
        kind = (spec.v, spec.n, spec.m, spec.s, spec.L)
        if kind not in sizes:
            sizes[kind] = spec.grammar.size
        count = sizes[kind] - spec.P
        if count < min(spec.tests, COARSE):
            left.append((count, spec))
    if not left:
        return ""
    count, spec = min(left, key=lambda each: each[0])
    many = f" (so in {len(left)} of {len(specs)} runs)" if len(specs) > 1 else ""
    coarse = f"multiples of 1/{count}" if count > 1 else "0 or 1"
    return (
        f"tests: {spec.tests} strings asked, but only {count} {'is' if count == 1 else 'are'} left "
        f"beside P={spec.P} on v={spec.v} n={spec.n} m={spec.m} s={spec.s} L={spec.L}, so that "
        f"test errors are {coarse}{many}"
    )


def folder_named(folder: str | Path) -> Path:
    """The folder for results.  Raises SynaptreeError for an empty name, which is no folder's."""
    if not str(folder).strip():
        raise SynaptreeError("out: an empty name given; expected a folder, as runs/mine")
    return Path(folder)


def address_in(file: Path) -> str:
    """The scheduler's address in the file that ``dask scheduler --scheduler-file`` writes.

    Raises SynaptreeError where there is none."""
    try:
        address = json.loads(file.read_text("utf-8"))["address"]
        if not isinstance(address, str):
            raise TypeError("its address is no text")
        return address
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as fault:
        reason = str(getattr(fault, "strerror", None) or "it holds no address").lower()
        raise SynaptreeError(
            f"scheduler-file: {str(file)!r} cannot be read ({reason}); expected the file that "
            "`dask scheduler --scheduler-file` writes"
        ) from None


def check_study(folder: Path, device: str, specs: Sequence[RunSpec], scheduler: str | None) -> None:
    """`check` for a study, and that its rules can be sent to workers."""
    here = scheduler is None  # what the processors of a cluster can do, its workers say
    low = here and any(spec.precision == "bfloat16" for spec in specs)
    check(folder, device, "bfloat16" if low else "float32")
    for rule in {type(spec.rule) for spec in specs}:
        if rule.__module__ == "__main__" or "<locals>" in rule.__qualname__:
            name = rule.__name__
            raise SynaptreeError(
                f"rule: {name} is defined in a notebook, a script or a function, where workers "
                f"cannot find it; expected a file of its own, as my_rules.py:{name}"
            )

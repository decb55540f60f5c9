"""The Dask cluster that programs run on: one of this machine's own, or one that runs already."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import dask.config
from distributed import Client, LocalCluster
from distributed.comm.addressing import get_address_host_port

from synaptree.errors import SynaptreeError

SETTINGS: dict[str, Any] = {
    # Threads must be known before torch loads: two workers with torch's own number of threads are
    # four times slower than with one each.
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
    ),
    # A worker is handed one program at a time: none waits behind another's long one, nor is blamed
    # for the death of a worker that it had not begun on.
    "distributed.scheduler.worker-saturation": 1.0,
    # A program that has cost this many workers their lives is given up.
    "distributed.scheduler.allowed-failures": 3,
    # Rows are small; what a program holds cannot be moved to disk, so pausing would wait for ever.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.comm.timeouts.connect": "10s",
}
OWN: dict[str, Any] = {
    # Dask closes a worker for good that is not back 15 s after it died, but on a busy machine it
    # takes longer to start one; the driver would then wait for nobody.
    "distributed.deploy.lost-worker-timeout": "1h",
    "distributed.comm.timeouts.connect": "60s",
}


@contextmanager
def connect(scheduler: str | None, workers: int, say: Callable[[str], None]) -> Generator[Client]:
    """A client of the cluster at an address, or of `workers` processes that end with the block.

    The workers of this machine talk over TLS with a key of their own: other users of a shared
    machine cannot hand them work.  Raises SynaptreeError where nobody answers at the address.
    """
    with dask.config.set(SETTINGS), _quiet():
        if scheduler is None:
            with (
                dask.config.set(OWN),
                LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",
                    protocol="tls://",
                    security=True,
                    silence_logs=logging.CRITICAL,
                ) as own,
                Client(own, set_as_default=False) as client,
            ):
                yield client
            return
        try:
            get_address_host_port(scheduler, strict=True)
            client = Client(scheduler, timeout="10s", set_as_default=False)
        except (OSError, ValueError, TypeError) as fault:
            reason = str(fault).splitlines()[0].rstrip(".").lower()
            raise SynaptreeError(
                f"scheduler: {scheduler!r} cannot be reached ({reason}); expected the address of "
                "a running Dask scheduler, as tcp://host:8786"
            ) from None
        with client:
            if not client.nthreads():
                say(f"{scheduler} has no workers yet; runs begin when one joins")
            yield client


@contextmanager
def _quiet() -> Generator[None]:
    """Dask logs what it mends by itself, and what we report ourselves, in a sentence."""
    rooms = ("distributed", "tornado", "asyncio")
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in rooms]
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)

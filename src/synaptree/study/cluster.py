"""The Dask cluster that a study runs on: one of this machine's own, or one that runs already."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import dask.config
from distributed import Client, LocalCluster
from distributed.comm.addressing import get_address_host_port

from synaptree.errors import SynaptreeError

SETTINGS: dict[str, Any] = {
    # A worker must know its number of threads before torch loads.  Two workers with torch's own
    # number of threads are four times slower than with one each.
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
    ),
    # A worker gets one group at a time: a short one does not wait behind a long one, and none is
    # blamed for the death of a worker on which it had not begun.
    "distributed.scheduler.worker-saturation": 1.0,
    # A group that has killed more workers than this is given up.
    "distributed.scheduler.allowed-failures": 3,
    # Rows are small, and the tensors of a group cannot be moved to disk: a paused worker would wait
    # for ever.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.comm.timeouts.connect": "10s",
}
OWN: dict[str, Any] = {
    # Dask gives up a worker that is not back 15 s after it died.  A busy machine takes longer to
    # start one, and the driver would wait for a worker that never comes.
    "distributed.deploy.lost-worker-timeout": "1h",
    "distributed.comm.timeouts.connect": "60s",
}


@contextmanager
def connect(scheduler: str | None, workers: int, say: Callable[[str], None]) -> Generator[Client]:
    """A client of the cluster at an address, or of `workers` processes that end with the block.

    The workers of this machine talk over TLS with a key of their own, so that other users of a
    shared machine cannot hand them work.  say: gets a sentence for a person now and then.  Raises
    SynaptreeError where nobody answers at the address.
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
    """Keep Dask's log quiet: it tells of what it mends by itself, and of what we report."""
    packages = ("distributed", "tornado", "asyncio")
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in packages]
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)

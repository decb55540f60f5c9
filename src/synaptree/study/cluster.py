"""The Dask cluster that a study runs on: one of this machine's own, or one that runs already."""

import logging
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import dask.config
from distributed import Client, LocalCluster
from distributed.comm.addressing import get_address_host_port
from distributed.utils import LoopRunner

from synaptree.errors import SynaptreeError, WorkersError
from synaptree.study.check import UNGUARDED

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
    # A worker that was stopped for good is killed and replaced after this time, or twice of it.
    "distributed.scheduler.worker-ttl": "2 minutes",
}
SILENT = 30.0  # seconds without a sign of life, after which a worker is spoken of


@contextmanager
def connect(scheduler: str | None, workers: int, say: Callable[[str], None]) -> Generator[Client]:
    """A client of the cluster at an address, or of `workers` processes that end with the block.

    The workers of this machine talk over TLS with a key of their own, so that other users of a
    shared machine cannot hand them work.  say: gets a sentence for a person now and then.  Raises
    SynaptreeError where nobody answers at the address, and WorkersError where no worker can start.
    """
    with dask.config.set(SETTINGS), _quiet():
        if scheduler is None:
            with dask.config.set(OWN), _own(workers, say) as client:
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
def _own(workers: int, say: Callable[[str], None]) -> Generator[Client]:
    """A client of workers of this machine."""
    with ExitStack() as stack:
        stack.callback(_forget, set(os.environ))
        loop = LoopRunner(asynchronous=False)
        if os.name == "posix":
            resource_tracker.ensure_running()  # it would let interrupts through again
        with (
            _without_interrupts()
        ):  # in the loop's thread, and so in all processes that begin there
            loop.start()
        stack.callback(loop.stop)
        own, client = _start(workers, loop, say)
        ended = threading.Event()
        watch = threading.Thread(target=_watch, args=(own, ended, say), daemon=True)
        watch.start()
        try:
            yield client
        finally:
            with _without_interrupts():  # a second Ctrl-C waits until all is tidied up
                ended.set()
                watch.join()
                client.close()
                own.close()


def _forget(known: set[str]) -> None:
    """Remove from this process the environment that Dask makes for workers, and leaves behind."""
    for name in os.environ.keys() - known:
        del os.environ[name]


def _start(
    workers: int, loop: LoopRunner, say: Callable[[str], None]
) -> tuple[LocalCluster, Client]:
    """Start workers; where that fails, once more."""
    handle, mark = tempfile.mkstemp()
    os.close(handle)
    environment = SETTINGS["distributed.nanny.pre-spawn-environ"] | {UNGUARDED: mark}
    try:
        for again in (True, False):
            try:
                with dask.config.set({"distributed.nanny.pre-spawn-environ": environment}):
                    own = LocalCluster(
                        n_workers=workers,
                        threads_per_worker=1,
                        dashboard_address="127.0.0.1:0",
                        protocol="tls://",
                        security=True,
                        silence_logs=logging.CRITICAL,
                        loop=loop.loop,
                    )
                return own, Client(own, set_as_default=False)
            except Exception as fault:
                if Path(mark).stat().st_size:
                    raise SynaptreeError(
                        "workers: each imports this script, which starts the study again; expected "
                        'the call below `if __name__ == "__main__":`'
                    ) from None
                if not again:
                    raise cannot_start(fault) from None
                say("the workers could not be started; trying once more")
        raise AssertionError
    finally:
        Path(mark).unlink()


def cannot_start(fault: BaseException) -> WorkersError:
    """The error for workers that do not start."""
    while (first := fault.__cause__ or fault.__context__) is not None:
        fault = first
    reason = (str(fault).splitlines() or [""])[0][:80].rstrip(".")
    return WorkersError(
        f"workers: none could be started ({type(fault).__name__}: {reason}); expected enough "
        "memory, open files (ulimit -n) and shared memory for them; fewer --workers need less"
    )


def _watch(own: LocalCluster, ended: threading.Event, say: Callable[[str], None]) -> None:
    """Say which workers have not answered for a while, each once, until the study has ended."""
    silent: set[str] = set()
    scheduler: Any = own.scheduler
    while not ended.wait(1.0):
        seen = {worker.address: worker.last_seen for worker in list(scheduler.workers.values())}
        now = {address for address, when in seen.items() if time.time() - when > SILENT}
        for _ in now - silent:
            ttl = dask.config.get("distributed.scheduler.worker-ttl")
            say(f"a worker has not answered for {SILENT:.0f} s; it is replaced after {ttl} or more")
        silent = now


@contextmanager
def _without_interrupts() -> Generator[None]:
    """Hold Ctrl-C back from this thread, and for good from what is started in it.

    A terminal sends Ctrl-C to workers too; they end when the driver does.
    """
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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

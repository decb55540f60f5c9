"""Studies where fcntl and the like are missing, and with workers that start as on other systems."""

import os
import subprocess
import sys

import dask.config
import distributed  # noqa: F401 - its defaults are part of the configuration
import pytest

from synaptree import load
from synaptree.study import lock

STUDY = (
    "seeds: 0-1\nruns: [{rule: [backprop, dfa], v: 4, n: 4, m: 4, L: 2, P: 64, "
    "width: 4, batch: 8, steps: 2}]\n"
)
# Python runs this module first in every process: in the driver and in each worker.
WITHOUT = """
import builtins, os, signal

real = builtins.__import__

def without(name, globals=None, *rest, **named):
    # Packages that have their own ways on Windows may use these here.
    if name in ("fcntl", "resource", "termios", "pwd"):
        if str((globals or {}).get("__name__")).startswith("synaptree"):
            raise ImportError(name)
    return real(name, globals, *rest, **named)

builtins.__import__ = without
for name in ("O_NOFOLLOW", "O_NONBLOCK", "fchmod", "pwrite", "pread", "sched_getaffinity", "mkfifo",
             "getloadavg"):
    delattr(os, name)
for name in ("pthread_sigmask", "SIGHUP", "SIGALRM"):
    delattr(signal, name)
open(os.path.join(os.path.dirname(__file__), f"seen-{os.getpid()}"), "w").close()
"""


def study(folder, **environment):
    (folder / "study.yaml").write_text(STUDY)
    line = ["study", "run", "study.yaml", "--out", "out", "--workers", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "synaptree", *line], capture_output=True, text=True, cwd=folder,
        env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return load(folder / "out").sort_values("run_id").reset_index(drop=True)


def test_workers_start_afresh_as_they_do_on_other_systems():
    # Neither a copy of the driver's memory (fork) nor a server that is forked.
    assert dask.config.get("distributed.worker.multiprocessing-method") == "spawn"


@pytest.mark.filterwarnings("default")
def test_a_study_without_what_only_posix_has_gives_the_same_numbers(tmp_path):
    plain, bare, module = tmp_path / "plain", tmp_path / "bare", tmp_path / "module"
    for folder in (plain, bare, module):
        folder.mkdir()
    (module / "sitecustomize.py").write_text(WITHOUT)
    path = os.pathsep.join(filter(None, [str(module), os.environ.get("PYTHONPATH")]))
    frames = [study(plain), study(bare, PYTHONPATH=path)]
    assert len(list(module.glob("seen-*"))) >= 3  # the driver and two workers
    assert not (bare / "out" / ".study.lock").read_bytes()  # nobody could lock it
    assert (plain / "out" / ".study.lock").read_bytes()
    assert len(frames[0]) == 4
    for name in ("run_id", "status", "test_error", "train_error"):
        assert list(frames[0][name]) == list(frames[1][name])


def test_without_fcntl_a_folder_is_not_held(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "fcntl", None)
    with lock.hold(tmp_path), lock.hold(tmp_path):
        assert (tmp_path / ".study.lock").read_bytes() == b""


def test_with_fcntl_it_is(tmp_path):
    pytest.importorskip("fcntl")
    with lock.hold(tmp_path):
        assert (tmp_path / ".study.lock").read_text().startswith(f"process {os.getpid()} on ")

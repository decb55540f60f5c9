"""Kills, full disks, second drivers: with real processes, through the command line.

What was reported done is there afterwards, whatever died; a study that was disturbed ends with the
frame of one that was not.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import pytest

from synaptree import load
from synaptree.results.journal import rows

COMMAND = Path(sys.executable).with_name("synaptree")
DASK = Path(sys.executable).with_name("dask")

# Eight groups of half a second or so each: long enough to be hit, short enough to wait for.
STUDY = """
seeds: 0-1
runs:
  - rule: [backprop, dfa]
    v: 4
    n: 4
    m: 4
    L: 3
    P: 512
    width: 32
    batch: 32
    tests: 256
    steps: [600, 601, 602, 603]
"""
RUNS = 16


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("study") / "study.yaml"
    file.write_text(STUDY)
    return file


@pytest.fixture(scope="session")
def undisturbed(study, tmp_path_factory) -> pd.DataFrame:
    out = tmp_path_factory.mktemp("undisturbed")
    assert finish(begin(study, out)) == (0, "")
    return what_counts(out)


def what_counts(out: Path) -> pd.DataFrame:
    """The frame of a folder without what times, machines and a commit meanwhile leave in it."""
    return load(out).drop(columns=["wall_s", "code_version"])


def begin(
    study: Path, out: Path, *options: str, environment: dict[str, str] | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(COMMAND), "study", "run", str(study), "--out", str(out), "--workers", "2", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | (environment or {}),
        # A test runner in the background ignores Ctrl-C, and so would everything it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(driver: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = driver.communicate(timeout=120)
    return driver.returncode, errors


def until(condition, seconds: float = 60.0):
    """Wait for something to become true, and return it."""
    for _ in range(int(seconds / 0.05)):
        if found := condition():
            return found
        time.sleep(0.05)
    pytest.fail(f"not within {seconds} s")


def done(out: Path) -> set[str]:
    return {row["run_id"] for row in rows(out) if row["status"] == "done"}


def children(pid: int) -> list[int]:
    """All processes below one."""
    below: list[int] = []
    for each in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # a thread, or the process, that has just ended
            below += map(int, each.read_text().split())
    return below + [deeper for child in below for deeper in children(child)]


def workers(driver: subprocess.Popen[str]) -> list[int]:
    """Worker processes: those that multiprocessing spawned to run something."""
    return workers_below(driver.pid)


def workers_below(driver: int) -> list[int]:
    found = [pid for pid in children(driver) if b"spawn_main" in command_line(pid)]
    return [pid for pid in found if b"resource_tracker import" not in command_line(pid)]


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def once_each(out: Path) -> None:
    """No run is in the journal twice."""
    files = (out / "journal").glob("*.jsonl")
    lines = [line for file in files for line in file.read_text().splitlines()]
    ids = [match[1] for line in lines if (match := re.search(r'"run_id": ?"(\w+)"', line))]
    assert len(ids) == len(set(ids)) == len(lines)


def test_a_killed_worker_is_replaced_and_nothing_is_doubled(study, undisturbed, tmp_path):
    driver = begin(study, tmp_path)
    until(lambda: done(tmp_path))
    victim = workers(driver)[0]
    os.kill(victim, signal.SIGKILL)
    assert finish(driver) == (0, "")
    pd.testing.assert_frame_equal(what_counts(tmp_path), undisturbed)
    once_each(tmp_path)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_driver_goes_on_where_it_was(study, undisturbed, tmp_path, stop):
    driver = begin(study, tmp_path)
    before = until(lambda: done(tmp_path))
    below = children(driver.pid)
    assert below
    driver.send_signal(stop)
    code, said = finish(driver)
    assert code == (130 if stop == signal.SIGINT else -stop)
    if stop == signal.SIGINT:
        assert said == "synaptree: stopped; what was finished is kept\n"
    until(lambda: not any(command_line(pid) for pid in below), 20)  # no worker outlives it
    kept = done(tmp_path)
    assert before <= kept
    assert len(kept) < RUNS
    again = begin(study, tmp_path)
    said, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert f"{len(kept)} of {RUNS} runs are there already" in said
    pd.testing.assert_frame_equal(what_counts(tmp_path), undisturbed)
    once_each(tmp_path)


def to_all(driver: subprocess.Popen[str], stop: signal.Signals) -> None:
    """Send a signal as a terminal does: to the whole process group."""
    with suppress(ProcessLookupError):
        os.killpg(driver.pid, stop)


LINE = "synaptree: stopped; what was finished is kept\n"


@pytest.mark.parametrize("again", [None, 0.05, 0.7])
@pytest.mark.parametrize("moment", ["imports", "workers begin", "workers import", "runs"])
def test_ctrl_c_is_one_line_whenever_and_however_often(study, tmp_path, moment, again):
    driver = begin(study, tmp_path / "out")
    if moment == "imports":
        time.sleep(0.7)
    elif moment == "runs":
        until(lambda: (tmp_path / "out").exists() and done(tmp_path / "out"))
    else:
        until(lambda: workers(driver))
        time.sleep(0.05 if moment == "workers begin" else 0.6)
    before = done(tmp_path / "out") if moment == "runs" else set()
    to_all(driver, signal.SIGINT)
    if again is not None:
        time.sleep(again)
        to_all(driver, signal.SIGINT)
    assert finish(driver) == (130, LINE)
    if moment == "runs":
        assert before <= done(tmp_path / "out")


SEMAPHORE = """
import signal
from multiprocessing import resource_tracker
from synaptree.cli.interrupt import one_line

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it
with one_line():
    resource_tracker.register("/synaptree-is-not-there", "semaphore")
"""


def test_the_tracker_of_semaphores_does_not_speak_after_ctrl_c():
    """An interrupt between a semaphore's removal and the news of it leaves it registered."""
    # the tracker outlives the process, and holds its streams until it has spoken
    ended = subprocess.run([sys.executable, "-c", SEMAPHORE], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


STOPPED = """
import os, signal, sys
from pathlib import Path
from synaptree import make_spec, run_study
from synaptree.study import cluster

sys.path.insert(0, sys.argv[2])
from test_kills import workers_below

if __name__ == "__main__":
    cluster.SILENT = 3.0
    cluster.OWN["distributed.scheduler.worker-ttl"] = "5s"
    stopped = []

    def news(update):
        print(update.message, flush=True)
        if update.step and not stopped:
            stopped.extend(workers_below(os.getpid()))
            os.kill(stopped[0], signal.SIGSTOP)

    tiny = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "tests": 16}
    runs = [make_spec(rule="dfa", steps=steps, **tiny) for steps in (3000, 3001)]
    print(list(run_study(runs, sys.argv[1], workers=1, progress=news)["status"]))
"""


def test_a_worker_that_is_stopped_for_good_is_spoken_of_and_replaced(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(STOPPED)
    command = [sys.executable, script, tmp_path / "out", Path(__file__).parent]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr
    said = [line for line in ended.stdout.splitlines() if line]
    assert said == [
        "a worker has not answered for 3 s; it is replaced after 5s or more",
        "['done', 'done']",
    ]


# Workers that cannot start -----------------------------------------------------------------------


def kill_new_workers(driver: subprocess.Popen[str], most: int) -> set[int]:
    """Kill each new worker a moment after it began, until the driver has ended."""
    killed: set[int] = set()
    while driver.poll() is None:
        for pid in set(workers(driver)) - killed:
            if len(killed) < most:
                time.sleep(0.1)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        time.sleep(0.02)
    return killed


def test_a_worker_that_is_killed_as_it_starts_costs_one_more_try(study, undisturbed, tmp_path):
    driver = begin(study, tmp_path)
    assert len(kill_new_workers(driver, most=1)) == 1
    said, errors = driver.communicate()
    assert (driver.returncode, errors) == (0, "")
    assert said.startswith("the workers could not be started; trying once more\n")
    pd.testing.assert_frame_equal(what_counts(tmp_path), undisturbed)


CANNOT = "synaptree: workers: none could be started ("


def test_workers_that_never_start_are_one_sentence_with_a_code_of_its_own(study, tmp_path):
    driver = begin(study, tmp_path)
    assert len(kill_new_workers(driver, most=1000)) >= 2
    code, said = finish(driver)
    assert code == 3
    assert said.startswith(CANNOT)
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("files", [16, 32])
def test_too_few_open_files_are_one_sentence(study, tmp_path, files):
    limit = ["bash", "-c", f'ulimit -n {files}; exec "$@"', "bash", str(COMMAND)]
    command = [*limit, "study", "run", study, "--out", tmp_path, "--workers", "2"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 3
    assert ended.stderr.startswith(CANNOT)
    assert "Too many open files" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_broken_configuration_of_dask_is_one_sentence(study, tmp_path):
    (tmp_path / "broken.yaml").write_text("a: [")
    driver = begin(study, tmp_path / "out", environment={"DASK_CONFIG": str(tmp_path)})
    code, said = finish(driver)
    assert code == 3
    assert said.startswith("synaptree: workers: Dask does not start (ValueError: ")
    assert "broken.yaml" in said
    assert len(said.splitlines()) == 1


# Rules that end their worker: in a file of their own, as workers must be able to find them.
KILLERS = """
import os
from pathlib import Path
from typing import Literal

from synaptree.rules.backprop import Backprop


class Killer(Backprop):
    name: Literal["killer"] = "killer"

    def teach(self, net, state, batch, generators):
        os._exit(1)


class Once(Backprop):
    name: Literal["once"] = "once"
    marker: str

    def teach(self, net, state, batch, generators):
        if not os.path.exists(self.marker):
            Path(self.marker).touch()
            os._exit(1)
        return super().teach(net, state, batch, generators)
"""
TINY = """
seeds: {seeds}
defaults: {{v: 4, n: 4, m: 4, L: 2, P: 64, width: 8, batch: 16, steps: 4, tests: 16}}
runs: [{runs}]
"""


def killers(folder: Path, runs: str, seeds: str = "0") -> Path:
    (folder / "killers.py").write_text(KILLERS)
    file = folder / "study.yaml"
    file.write_text(TINY.format(runs=runs, seeds=seeds))
    return file


def test_a_group_that_kills_its_workers_fails_and_the_others_are_done(tmp_path):
    study = killers(tmp_path, "{rule: 'killers.py:Killer', seeds: 0}, {rule: backprop}", "0-1")
    out = tmp_path / "out"
    code, said = finish(begin(study, out))
    assert code == 1
    assert said.startswith("synaptree: 1 run failed;")
    assert said.endswith("`--retry` runs them again\n")
    frame = load(out)
    assert sorted(frame["status"]) == ["done", "done", "failed"]
    (failed,) = frame[frame["status"] == "failed"]["error"]
    assert "worker died again and again" in failed


TOGETHER = """
import sys
from synaptree.study import plan
from synaptree.study.run import run_study

if __name__ == "__main__":
    plan.LEAST_TASKS = 1
    frame = run_study(sys.argv[1], sys.argv[2], workers=1)
    print(sorted(zip(frame["label"], frame["status"])))
"""


def test_of_groups_handed_out_together_only_the_killer_fails(tmp_path):
    study = killers(tmp_path, "{rule: 'killers.py:Killer'}, {rule: backprop}, {rule: dfa}")
    script = tmp_path / "script.py"
    script.write_text(TOGETHER)
    ended = subprocess.run(
        [sys.executable, script, study, tmp_path / "out"],
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert ended.stdout == "[('backprop', 'done'), ('dfa', 'done'), ('killer', 'failed')]\n"
    once_each(tmp_path / "out")


def test_a_worker_that_is_long_in_coming_back_is_waited_for(tmp_path):
    # As on a busy machine: once a worker has died, Python takes 17 s to start.
    (tmp_path / "died").mkdir()
    (tmp_path / "sitecustomize.py").write_text(
        f"import os, time\nif os.listdir({str(tmp_path / 'died')!r}): time.sleep(17)\n"
    )
    marker = tmp_path / "died" / "once"
    study = killers(tmp_path, f"{{rule: {{name: 'killers.py:Once', marker: {marker}}}}}")
    paths = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    out = tmp_path / "out"
    assert finish(begin(study, out, environment={"PYTHONPATH": paths})) == (0, "")
    assert load(out)["status"].tolist() == ["done"]


def test_a_second_driver_is_told_of_the_first_and_shards_work_together(study, tmp_path):
    first = begin(study, tmp_path)
    until(lambda: (tmp_path / ".study.lock").exists() and (tmp_path / ".study.lock").read_text())
    code, said = finish(begin(study, tmp_path))
    assert code == 2
    assert f"is being written by process {first.pid} on" in said
    assert len(said.splitlines()) == 1
    # Nor has the one that was refused changed the study of the first.
    other = tmp_path / "other.yaml"
    other.write_text(STUDY.replace("600", "700"))
    assert finish(begin(other, tmp_path))[0] == 2
    assert (tmp_path / "study.yaml").read_text() == STUDY
    assert finish(first) == (0, "")
    shares = [begin(study, tmp_path / "shared", "--shard", f"{i}/2") for i in (1, 2)]
    for share in shares:
        assert finish(share) == (0, "")
    assert len(done(tmp_path / "shared")) == RUNS
    once_each(tmp_path / "shared")


# Full and read-only disks ------------------------------------------------------------------------


@contextmanager
def disk(folder: Path, *options: str) -> Iterator[Path]:
    """A small disk in memory; needs the right to mount."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("may not mount a tmpfs here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_the_study_and_loses_nothing(study, undisturbed, tmp_path):
    with disk(tmp_path / "small", "size=28k") as small:
        code, said = finish(begin(study, small))
        assert code == 2
        assert "cannot be written (no space left on device)" in said
        assert len(said.splitlines()) == 1
        kept = done(small)
        assert 0 < len(kept) < RUNS
        subprocess.run(["mount", "-o", "remount,size=10m", str(small)], check=True)
        assert finish(begin(study, small)) == (0, "")
        assert kept <= done(small)
        pd.testing.assert_frame_equal(what_counts(small), undisturbed)


def test_a_read_only_folder_is_refused_before_any_work(study, tmp_path):
    with disk(tmp_path / "small", "ro") as small:
        began = time.monotonic()
        code, said = finish(begin(study, small))
        assert code == 2
        assert "read-only" in said
        assert "expected a folder you may write to" in said
        assert len(said.splitlines()) == 1
        assert time.monotonic() - began < 30


# A cluster that runs already ---------------------------------------------------------------------


@pytest.fixture
def cluster():
    """The address of a scheduler with two workers, and its process."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(DASK), *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(process)
        return process

    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    assert scheduler.stderr is not None
    found = (re.search(r"Scheduler at:\s+(tcp://\S+)", line) for line in scheduler.stderr)
    address = next(match[1] for match in found if match)
    for _ in range(2):
        start("worker", address, "--nthreads", "1", "--no-dashboard")
    yield address, scheduler
    for process in started:
        process.terminate()
    for process in started:
        process.communicate(timeout=30)


def test_an_external_cluster_gives_the_same_bits(study, undisturbed, tmp_path, cluster):
    address, _ = cluster
    assert finish(begin(study, tmp_path, "--scheduler", address)) == (0, "")
    pd.testing.assert_frame_equal(what_counts(tmp_path), undisturbed)
    once_each(tmp_path)


def test_a_scheduler_is_found_by_its_file(tmp_path, cluster):
    address, _ = cluster
    file = tmp_path / "scheduler.json"
    study = tmp_path / "study.yaml"
    study.write_text(TINY.format(seeds=0, runs="{rule: backprop}"))
    words = ["--scheduler-file", str(file)]
    code, said = finish(begin(study, tmp_path / "out", *words))
    assert code == 2
    assert "cannot be read (no such file or directory); expected the file that" in said
    file.write_text("{}")
    assert "it holds no address" in finish(begin(study, tmp_path / "out", *words))[1]
    file.write_text(f'{{"type": "Scheduler", "address": "{address}"}}')
    assert finish(begin(study, tmp_path / "out", *words)) == (0, "")
    assert len(done(tmp_path / "out")) == 1
    code, said = finish(begin(study, tmp_path / "out", *words, "--scheduler", address))
    assert (code, said) == (
        2, "synaptree: scheduler-file: given beside --scheduler; expected one of them\n"
    )  # fmt: skip


def test_a_lost_scheduler_is_one_sentence_and_the_study_goes_on_elsewhere(
    study, undisturbed, tmp_path, cluster
):
    address, scheduler = cluster
    driver = begin(study, tmp_path, "--scheduler", address)
    before = until(lambda: done(tmp_path))
    scheduler.kill()
    code, said = finish(driver)
    assert code == 2
    assert said.startswith(f"synaptree: scheduler: the connection to '{address}' was lost")
    assert len(said.splitlines()) == 1
    assert before <= done(tmp_path)
    assert finish(begin(study, tmp_path)) == (0, "")
    pd.testing.assert_frame_equal(what_counts(tmp_path), undisturbed)

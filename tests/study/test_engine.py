"""The engine: what is missing is run, once; what fails is recorded; nothing else is touched."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synaptree import SynaptreeError, load, make_spec, train
from synaptree.study.engine import ONE_THREAD, Update, done_in, plan, run, seconds_left, shard
from synaptree.study.journal import rows

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "steps": 4, "tests": 16}


def specs(rule="backprop", replicas=2, **changed):
    return make_spec(rule=rule, **TINY | changed).replicate(replicas)


def test_replicas_share_a_program_and_long_programs_go_first():
    short, long = specs(), specs(steps=40)
    programs = plan([*short, *long], set())
    assert programs == [long, short]


def test_what_is_done_is_not_planned():
    a, b = specs()
    assert plan([a, b], {a.run_id}) == [[b]]
    assert plan([a, b], {a.run_id, b.run_id}) == []


def test_a_study_runs_and_goes_on_with_what_is_missing(tmp_path):
    wanted = [*specs(), *specs("dfa"), *specs("readout_only")]
    news: list[Update] = []
    assert run(plan(wanted, set())[:2], tmp_path, workers=2, tell=news.append) == 0
    first = {row["run_id"]: row for row in rows(tmp_path)}
    assert len(first) == 4
    assert {update.failed for update in news if update.progress is None} == {0}
    left = plan(wanted, done_in(tmp_path))
    assert sum(map(len, left)) == 2
    run(left, tmp_path, workers=1)
    assert done_in(tmp_path) == {spec.run_id for spec in wanted}
    again = {row["run_id"]: row for row in rows(tmp_path)}
    assert {name: again[name] for name in first} == first
    # The engine changes nothing: the same bits as a run by hand.
    frame = load(tmp_path).set_index("run_id")
    for spec in wanted:
        assert frame.loc[spec.run_id, "test_error"] == train(spec).test_error


def test_a_failing_program_is_recorded_and_the_others_go_on(tmp_path):
    # 20 strings of 4 classes: some class has fewer than the 8 inputs that a trace compares.
    broken = specs("clapp", views=("trace:7",), P=20)
    assert run([broken, specs()], tmp_path, workers=1) == 2
    frame = load(tmp_path)
    assert sorted(frame["status"]) == ["done", "done", "failed", "failed"]
    errors = frame[frame["status"] == "failed"]["error"]
    assert errors.str.contains("expected a larger P or a smaller K").all()
    assert len(done_in(tmp_path)) == 2


def test_the_threads_of_the_driver_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    run([specs()], tmp_path, workers=1)
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ
    assert set(ONE_THREAD.values()) == {"1"}


DRIVER = """
import sys
from pathlib import Path
from synaptree import make_spec
from synaptree.study.engine import plan, run
if __name__ == "__main__":
    specs = [s for steps in (2, 10**7)
             for s in make_spec(rule="backprop", **{tiny!r} | {{"steps": steps}}).replicate(1)]
    programs = plan(specs, set())[::-1]
    run(programs, Path(sys.argv[1]), workers=2,
        tell=lambda u: print("news", u.program, u.failed, flush=True))
"""


def begin(folder: Path) -> subprocess.Popen[str]:
    """A driver in a process of its own, with one short and one endless run; the first is done."""
    script = folder / "driver.py"
    script.write_text(DRIVER.format(tiny=TINY))
    driver = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    began, seen = False, False
    assert driver.stdout is not None
    while not (began and seen):
        words = driver.stdout.readline().split()
        assert words, driver.stderr.read() if driver.stderr else ""
        seen = seen or words == ["news", "0", "0"]
        began = began or words[1] == "1"
    return driver


def workers_of(driver: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{driver.pid}/task").glob("*/children")  # threads may have started them
    return [int(pid) for each in children for pid in each.read_text().split()]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_was_done_is_kept_and_no_worker_outlives_a_stopped_driver(tmp_path, stop):
    driver = begin(tmp_path)
    children = workers_of(driver)
    assert children
    driver.send_signal(stop)
    driver.communicate(timeout=30)
    assert len(done_in(tmp_path)) == 1
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in children):
            return
        time.sleep(0.1)
    pytest.fail("a worker outlived its driver")


def test_a_killed_worker_is_a_clear_error(tmp_path):
    driver = begin(tmp_path)
    for pid in workers_of(driver):
        os.kill(pid, signal.SIGKILL)
    _, errors = driver.communicate(timeout=30)
    assert "a worker process was killed" in errors
    assert len(done_in(tmp_path)) == 1


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SynaptreeError, match="cannot be written"):
        run([specs()], file / "below", workers=1)


def test_shards_are_disjoint_and_complete():
    programs = plan([*specs(), *specs("dfa"), *specs("readout_only"), *specs(steps=9)], set())
    shares = [shard(programs, part, 3) for part in (1, 2, 3)]
    found = [s.run_id for share in shares for program in share for s in program]
    assert sorted(found) == sorted(s.run_id for program in programs for s in program)


def test_an_estimate_grows_with_the_steps():
    one, ten = (seconds_left([specs(steps=n)]) for n in (1000, 100_000))
    assert 0 < one < ten

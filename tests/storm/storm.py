"""The storm: drivers and workers killed at random moments, on a disk that fills up, to the end.

Run it by `make storm`; it is not part of the tests.  STORM_SECONDS (default 180) says how long it
rages, STORM_SEED which one it is.  No run may be lost, none doubled, and the results must be those
of a study that nothing disturbed.
"""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd

from e2e.test_kills import RUNS, STUDY, begin, disk, done, finish, once_each, what_counts, workers

SECONDS = float(os.environ.get("STORM_SECONDS", 180))
SEED = int(os.environ.get("STORM_SEED", time.time()))


def disturb(driver: subprocess.Popen[str], chance: random.Random, out: Path) -> str:
    """Let a driver work for a while, then kill it or a worker; return what was done."""
    until = time.monotonic() + chance.uniform(0.0, 8.0)
    while driver.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    before = done(out)
    if driver.poll() is not None:
        what = "nothing"
    elif chance.random() < 0.5 and (below := workers(driver)):
        what = "worker"
        for pid in chance.sample(below, chance.randint(1, len(below))):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                what = "nothing"
    else:
        what = "driver"
        driver.kill() if chance.random() < 0.5 else os.killpg(driver.pid, signal.SIGKILL)
    if what == "driver" or chance.random() < 0.3:
        driver.kill()
        driver.communicate(timeout=60)
    assert before <= done(out), "a run that was done is lost"
    return what


def storm(study: Path, out: Path, undisturbed: pd.DataFrame, chance: random.Random) -> list[str]:
    """One study to its end; returns what was done to it."""
    events: list[str] = []
    driver = begin(study, out)
    while len(events) < 6:
        events.append(disturb(driver, chance, out))
        if driver.poll() is not None:
            if len(done(out)) == RUNS:
                break
            driver = begin(study, out)
    if driver.poll() is None:
        finish(driver)
    # A worker that was killed four times with one group leaves failed runs, as the docs say.
    code, errors = finish(begin(study, out, "--retry"))
    assert (code, errors) == (0, "")
    assert len(done(out)) == RUNS
    pd.testing.assert_frame_equal(what_counts(out), undisturbed)
    once_each(out)
    return events


def test_storm(tmp_path):
    study = tmp_path / "study.yaml"
    study.write_text(STUDY)
    assert finish(begin(study, tmp_path / "undisturbed")) == (0, "")
    undisturbed = what_counts(tmp_path / "undisturbed")
    chance = random.Random(SEED)
    events: list[str] = []
    studies = 0
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        events += storm(study, tmp_path / f"storm{studies}", undisturbed, chance)
        studies += 1
    with disk(tmp_path / "small", "size=24k") as small:
        full = 0
        for size in (28, 32, 40, 48, 10_000):
            code, errors = finish(begin(study, small))
            full += code == 2
            assert code in (0, 2), errors
            assert len(errors.splitlines()) == (code == 2)
            before = done(small)
            subprocess.run(["mount", "-o", f"remount,size={size}k", str(small)], check=True)
        assert finish(begin(study, small)) == (0, "")
        assert before <= done(small)
        pd.testing.assert_frame_equal(what_counts(small), undisturbed)
        once_each(small)
    print(
        f"\nseed {SEED}: {studies} studies, {events.count('driver')} drivers and "
        f"{events.count('worker')} times workers killed, {full} times a full disk; "
        f"{time.monotonic() - began:.0f} s; no run lost, none doubled"
    )

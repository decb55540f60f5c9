"""The engine: what is missing is run, once; what fails is recorded; nothing else is touched."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from synaptree import SynaptreeError, load, make_spec, run_study, train, train_replicas
from synaptree.results.journal import rows
from synaptree.study.engine import run
from synaptree.study.plan import done_in, left, plan
from synaptree.study.update import Update

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "steps": 4, "tests": 16}


def specs(rule="backprop", replicas=2, **changed):
    return make_spec(rule=rule, **TINY | changed).replicate(replicas)


def test_a_study_runs_and_goes_on_with_what_is_missing(tmp_path):
    wanted = [*specs(), *specs("dfa"), *specs("readout_only")]
    news: list[Update] = []
    assert run(plan(wanted)[:2], tmp_path, workers=2, progress=news.append) == 0
    first = {row["run_id"]: row for row in rows(tmp_path)}
    assert len(first) == 4
    assert [update.failed for update in news if update.failed is not None] == [0, 0]
    missing = left(plan(wanted), done_in(tmp_path))
    assert sum(map(len, missing)) == 2
    run(missing, tmp_path, workers=1)
    assert done_in(tmp_path) == {spec.run_id for spec in wanted}
    again = {row["run_id"]: row for row in rows(tmp_path)}
    assert {name: again[name] for name in first} == first
    # The engine changes nothing: the same bits as replicas by hand.
    frame = load(tmp_path).set_index("run_id")
    for group in plan(wanted):
        for spec, result in zip(group, train_replicas(group), strict=True):
            assert frame.loc[spec.run_id, "curve_train_loss"] == [
                float(f"{loss:.6g}") for loss in result.curve.train_loss
            ]
            assert frame.loc[spec.run_id, "rank"] == result.portrait.rank


def test_a_failing_group_is_recorded_and_the_others_go_on(tmp_path):
    # 20 strings of 4 classes: some class has fewer than the 8 inputs that a trace compares.
    broken = specs("clapp", views=("trace:7",), P=20)
    assert run([broken, specs()], tmp_path, workers=1) == 2
    frame = load(tmp_path)
    assert sorted(frame["status"]) == ["done", "done", "failed", "failed"]
    errors = frame[frame["status"] == "failed"]["error"]
    assert errors.str.contains("expected a larger P or a smaller K").all()
    assert len(done_in(tmp_path)) == 2


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SynaptreeError, match="cannot be written"):
        run([specs()], file / "below", workers=1)


def test_the_driver_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    run([specs()], tmp_path, workers=1)
    assert dict(os.environ) == before


def test_no_more_than_a_window_of_groups_is_handed_out_and_all_are_run(tmp_path, monkeypatch):
    monkeypatch.setattr("synaptree.study.engine.WINDOW", 2)
    wanted = [spec for steps in range(1, 8) for spec in specs(steps=steps, replicas=1)]
    assert run(plan(wanted), tmp_path, workers=2) == 0
    assert done_in(tmp_path) == {spec.run_id for spec in wanted}


def test_tiny_groups_that_are_handed_out_together_are_reported_each(tmp_path, monkeypatch):
    monkeypatch.setattr("synaptree.study.plan.LEAST_TASKS", 2)
    groups = plan([spec for steps in range(1, 8) for spec in specs(steps=steps)])
    groups.insert(1, specs("clapp", views=("trace:7",), P=20))  # fails
    news: list[Update] = []
    assert run(groups, tmp_path, workers=2, progress=news.append) == 2
    assert len(list((tmp_path / "journal").iterdir())) == 1
    ended = [update for update in news if update.failed is not None]
    assert sorted(update.group for update in ended) == list(range(8))
    assert [update.group for update in ended if update.failed] == [1]
    assert [update.group for update in ended if update.seconds is None] == [1]
    assert done_in(tmp_path) == {spec.run_id for i in range(8) if i != 1 for spec in groups[i]}


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("somewhere", "invalid url scheme"),
        ("pigeon://host:1", "known schemes"),
        ("tcp://host", "port"),
    ],
)
def test_a_wrong_address_is_one_sentence(tmp_path, address, says):
    with pytest.raises(SynaptreeError, match="expected the address of a running") as caught:
        run([specs()], tmp_path, workers=1, scheduler=address)
    assert says in str(caught.value).lower()
    assert len(str(caught.value).splitlines()) == 1


def test_an_error_of_the_callback_ends_the_study_and_keeps_what_is_finished(tmp_path):
    def broken(update: Update) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        run([specs(), specs("dfa")], tmp_path, workers=1, progress=broken)
    assert len(done_in(tmp_path)) in (2, 4)


# What a run's companions change ------------------------------------------------------------------

LONG = {"width": 32, "batch": 32, "P": 200, "m": 4, "L": 4, "steps": 60}


def without_times(folder):
    return load(folder).drop(columns="wall_s")


def test_a_run_that_is_missing_trains_in_the_company_that_the_study_fixes(tmp_path):
    wanted = specs(replicas=4, **LONG)
    whole = run_study(wanted, tmp_path / "whole", workers=1)
    assert set(whole["replicas"]) == {4}
    (journal,) = (tmp_path / "whole" / "journal").iterdir()
    lines = journal.read_text().splitlines(keepends=True)
    assert wanted[0].run_id in lines[0]
    part = tmp_path / "part"
    (part / "journal").mkdir(parents=True)
    (part / "journal" / "before.jsonl").write_text("".join(lines[1:]))
    news: list[Update] = []
    run_study(wanted, part, workers=1, progress=news.append)
    assert news[0].message.startswith("3 of 4 runs are there already")
    pd.testing.assert_frame_equal(without_times(part), without_times(tmp_path / "whole"))
    ids = [
        json.loads(line)["run_id"]
        for p in (part / "journal").iterdir()
        for line in p.read_text().splitlines()
    ]
    assert len(ids) == len(set(ids)) == 4
    # It matters: alone the numbers are others.
    alone, among = train(wanted[0]), train_replicas(wanted)[0]
    assert alone.curve.train_loss != among.curve.train_loss


@pytest.mark.parametrize("rule", ["backprop", "dfa", "node_perturbation", "clapp"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_companions_change_rounding_alone(rule, precision):
    views = {"views": ("same_class",)} if rule == "clapp" else {}
    wanted = specs(rule, 3, precision=precision, **LONG, **views)
    together, again = (train_replicas(wanted, portrait=False) for _ in range(2))
    assert [r.curve for r in together] == [r.curve for r in again]  # bit for bit
    if precision == "float64":
        for spec, result in zip(wanted, together, strict=True):
            alone = train(spec, portrait=False).curve
            assert alone.test_error == result.curve.test_error
            assert alone.train_loss == pytest.approx(result.curve.train_loss, rel=1e-9)


# Where no worker can start -----------------------------------------------------------------------

SCRIPT = """
import multiprocessing, sys
from synaptree import make_spec, run_study
from synaptree.study.engine import run
specs = make_spec(rule="dfa", v=4, n=4, m=4, L=2, P=64, width=8, batch=16, steps=4).replicate(2)
def ask():
    {call}
{rest}
"""
DAEMONIC = """
if __name__ == "__main__":
    process = multiprocessing.Process(target=ask, daemon=True)
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""


@pytest.mark.parametrize(
    "call", ["run_study(specs, sys.argv[1], workers=2)", "run([specs], sys.argv[1], workers=2)"]
)
@pytest.mark.parametrize(
    ("rest", "says"),
    [("ask()", 'expected the call below `if __name__ == "__main__":`'),
     (DAEMONIC, "expected a process with daemon=False")],
)  # fmt: skip
def test_a_script_that_cannot_have_workers_is_told_so_once(tmp_path, call, rest, says):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(call=call.replace("sys.argv[1]", "tmp"), rest=rest).replace(
        "specs =", f"import pathlib; tmp = pathlib.Path({str(tmp_path / 'out')!r})\nspecs =", 1
    ))  # fmt: skip
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("Traceback") == 1
    assert ended.stderr.splitlines()[-1].startswith("synaptree.errors.SynaptreeError: workers: ")
    assert ended.stderr.splitlines()[-1].endswith(says)
    assert not list(tmp_path.rglob("*.jsonl"))

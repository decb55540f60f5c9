"""The engine: what is missing is run, once; what fails is recorded; nothing else is touched."""

import os

import pytest

from synaptree import SynaptreeError, load, make_spec, train
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
    # The engine changes nothing: the same bits as a run by hand.
    frame = load(tmp_path).set_index("run_id")
    for spec in wanted:
        assert frame.loc[spec.run_id, "test_error"] == train(spec).test_error


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
    run([specs()], tmp_path, workers=1)
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_no_more_than_a_window_of_groups_is_handed_out_and_all_are_run(tmp_path, monkeypatch):
    monkeypatch.setattr("synaptree.study.engine.WINDOW", 2)
    wanted = [spec for steps in range(1, 8) for spec in specs(steps=steps, replicas=1)]
    assert run(plan(wanted), tmp_path, workers=2) == 0
    assert done_in(tmp_path) == {spec.run_id for spec in wanted}


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

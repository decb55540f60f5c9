"""What made the results is kept beside them, and says nothing of whose machine it was."""

import json
import socket

import pytest

from synaptree import SynaptreeError, make_spec
from synaptree.results.sessions import Session, machine, sessions
from synaptree.safely import LeftOut
from synaptree.study.engine import run

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "steps": 4, "tests": 16}


def test_each_driver_leaves_one_that_counts_its_runs(tmp_path):
    for rule in ("backprop", "dfa"):
        run([make_spec(rule=rule, **TINY).replicate(2)], tmp_path, workers=1)
    found = sessions(tmp_path)
    assert [each["runs"] for each in found] == [2, 2]
    assert all(each["workers"] == 1 and each["wall_s"] > 0 for each in found)
    assert all(each["torch"] and each["code_version"] for each in found)
    assert found[0]["started"] <= found[1]["started"]
    text = json.dumps(found)
    assert socket.gethostname() not in text
    assert str(tmp_path) not in text


def test_a_driver_that_did_nothing_leaves_nothing(tmp_path):
    Session(tmp_path, 2, "cpu")
    assert list(tmp_path.iterdir()) == []
    assert sessions(tmp_path) == []


def test_what_is_broken_is_left_out(tmp_path):
    session = Session(tmp_path, 2, "cpu")
    session.finished(3)
    session.finished(4)
    for name, text in (("a", "{"), ("b", "[1]"), ("c", '{"started": 5}'), ("d", "\x00")):
        (tmp_path / "sessions" / f"{name}.json").write_text(text)
    (tmp_path / "sessions" / "e.json").mkdir()
    with pytest.warns(LeftOut) as said:
        (one,) = sessions(tmp_path)
    assert len(said) == 5
    assert one["runs"] == 7
    assert not list(tmp_path.rglob("*.part"))


SESSION = {"started": "2026-01-01T00:00:00+00:00", "command": "x", "runs": 1, "wall_s": 2.5}
ODD = {
    "command": ["a"], "wall_s": 10**400, "runs": None, "workers": "two", "started": 3,
    "torch": {"a": 1}, "new": "x" * 10**6,
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_a_session_is_as_one_is_written_or_left_out(tmp_path, name):
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / "a.json").write_text(json.dumps(SESSION | {"new": 1.5}))
    assert len(sessions(tmp_path)) == 1
    (tmp_path / "sessions" / "b.json").write_text(json.dumps(SESSION | {name: ODD[name]}))
    (tmp_path / "sessions" / "c.json").write_text('{"started": ' + "[" * 9999 + "]" * 9999 + "}")
    with pytest.warns(LeftOut) as said:
        assert len(sessions(tmp_path)) == 1
    assert len(said) == 2


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "sessions").write_text("")
    with pytest.raises(SynaptreeError, match="cannot be written"):
        Session(tmp_path, 1, "cpu").finished(1)


def test_the_machine_is_described():
    about = machine("cpu")
    assert about["cores"] >= 1
    assert about["processor"]
    assert "gpu" not in about

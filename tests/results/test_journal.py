"""The journal: nothing that was reported done is lost, and nothing torn is believed."""

import gzip
import json
import math
import os
import re
import stat
import time

import pandas as pd
import pytest

from synaptree import SynaptreeError, load, make_spec, train
from synaptree.results.journal import Journal, rows
from synaptree.results.row import failed_row, row_of
from synaptree.safely import LeftOut, check_writable

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "steps": 4, "tests": 16}


@pytest.fixture(scope="module")
def result():
    return train(make_spec(rule="backprop", **TINY))


def test_a_row_survives_the_file(tmp_path, result):
    row = row_of(result)
    journal = Journal(tmp_path)
    journal.append(row)
    assert list(rows(tmp_path)) == [json.loads(json.dumps(row))]


def test_nan_is_written_as_null(tmp_path):
    # m = 1: there are no synonyms to exchange, so there is no sensitivity.
    result = train(make_spec(rule="backprop", **TINY | {"m": 1, "P": 2, "batch": 2}))
    assert math.isnan(result.portrait.sensitivity[0][0])
    Journal(tmp_path).append(row_of(result))
    assert load(tmp_path)["sensitivity"][0] == [[None, None], [None, None]]


def test_a_journal_has_a_name_of_its_own_which_tells_of_no_machine_and_no_process(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("os.getpid", lambda: 4711)  # as on two machines
    monkeypatch.setattr("socket.gethostname", lambda: "mine")
    names = {Journal(tmp_path).path.name for _ in range(20)}
    assert len(names) == len(list((tmp_path / "journal").iterdir())) == 20
    assert all(re.fullmatch(r"[0-9a-f]{32}\.jsonl", name) for name in names)


@pytest.mark.parametrize("name", ["vm-22005-0a1b2c3d.jsonl", "0a1b2c3d" * 4 + ".jsonl"])
def test_journals_are_read_whatever_they_are_called(tmp_path, result, name):
    journal = Journal(tmp_path)
    journal.append(row_of(result))
    journal.path.rename(journal.path.with_name(name))
    assert [row["run_id"] for row in rows(tmp_path)] == [result.spec.run_id]


@pytest.mark.parametrize("cut", [1, 50, 400])
def test_a_torn_tail_is_skipped_and_the_rest_is_kept(tmp_path, result, cut):
    journal = Journal(tmp_path)
    journal.append(row_of(result))
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + whole[:-cut])
    assert [row["run_id"] for row in rows(tmp_path)] == [result.spec.run_id]
    journal.path.write_bytes(whole[:-cut])
    assert list(rows(tmp_path)) == []


def test_lines_that_are_no_json_are_left_out_and_named(tmp_path, result):
    journal = Journal(tmp_path)
    os.write(journal._file, b'not json\n\xff\xfe\n{"run_id": \n\n')
    journal.append(row_of(result))
    with pytest.warns(LeftOut) as said:
        assert len(list(rows(tmp_path))) == 1
    assert [str(each.message).split(": ")[0] for each in said] == [
        f"{journal.path}:{line}" for line in (1, 2, 3, 4)
    ]


def test_a_flipped_byte_is_said(tmp_path, result):
    journal = Journal(tmp_path)
    journal.append(row_of(result), row_of(result) | {"run_id": "0" * 16})
    text = bytearray(journal.path.read_bytes())
    text[text.index(b'"curve"') + 7] ^= 1
    journal.path.write_bytes(text)
    with pytest.warns(LeftOut, match=":1: line: invalid json"):
        assert load(tmp_path)["run_id"].tolist() == ["0" * 16]


def test_a_journal_that_cannot_be_listed_is_not_an_empty_one(tmp_path, result, monkeypatch):
    Journal(tmp_path).append(row_of(result))

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("synaptree.results.journal.os.listdir", refuse)
    with pytest.raises(SynaptreeError, match=r"journal cannot be listed \(permission denied\)"):
        load(tmp_path)


def test_odd_files_are_named_and_the_rest_is_read(tmp_path, result):
    journal = Journal(tmp_path)
    journal.append(row_of(result))
    folder = tmp_path / "journal"
    (folder / "folder.jsonl").mkdir()
    (folder / "newlines.jsonl").write_bytes(b"\n" * 10**7)
    (folder / "packed.jsonl.gz").write_bytes(gzip.compress(b"\n" * 3 * 10**7))
    (folder / "line.jsonl.gz").write_bytes(gzip.compress(b" " * 3 * 10**7))
    os.mkfifo(folder / "pipe.jsonl")
    began = time.monotonic()
    with pytest.warns(LeftOut) as said:
        assert len(load(tmp_path)) == 1
    assert time.monotonic() - began < 2
    assert len(said) == 11
    for name in ("folder.jsonl", "line.jsonl.gz"):
        assert any(f"{folder / name}:" in str(each.message) for each in said)
    (folder / "newlines.jsonl").unlink()
    (folder / "packed.jsonl.gz").unlink()
    with pytest.warns(LeftOut) as said:
        load(tmp_path)
    assert len(said) == 3
    assert "pipe.jsonl: cannot be read (it is no plain file)" in str(said[2].message)


HOSTILE = [
    (b"[1]", "line"),
    (b'"x"', "line"),
    (b"{}", "run_id"),
    (b'{"run_id": 3}', "run_id"),
    (b'{"run_id": "../../etc/passwd"}', "run_id"),
    ({"test_error": "0.1"}, "test_error"),
    ({"status": "fine"}, "status"),
    ({"spec": {}}, "spec"),
    ({"curve": {"step": "abc"}}, "curve"),
    ({"portrait": [1]}, "portrait"),
    ({"label": ["x"]}, "label"),
    (b"[" * 100_000 + b"]" * 100_000, "json"),
]


@pytest.mark.parametrize(("line", "says"), HOSTILE, ids=[says for _, says in HOSTILE])
def test_a_line_that_we_did_not_write_is_named_and_left_out(tmp_path, result, line, says):
    journal = Journal(tmp_path)
    journal.append(row_of(result))
    if isinstance(line, dict):
        line = json.dumps(row_of(result) | {"run_id": "0" * 16} | line).encode()
    os.write(journal._file, line + b"\n")
    with pytest.warns(LeftOut) as said:
        assert load(tmp_path)["run_id"].tolist() == [result.spec.run_id]
    (sentence,) = (str(each.message) for each in said)
    assert "\n" not in sentence
    assert f"{journal.path}:2: " in sentence
    assert says in sentence


def test_a_line_without_end_ends_its_file(tmp_path, monkeypatch, result):
    journal = Journal(tmp_path)
    journal.append(row_of(result))
    monkeypatch.setattr("synaptree.results.journal.LONGEST", 100)
    with (
        pytest.warns(LeftOut, match="more than 100 bytes"),
        pytest.raises(SynaptreeError, match="holds none"),
    ):
        load(tmp_path)


def test_the_first_result_of_a_run_wins(tmp_path, result):
    journal = Journal(tmp_path)
    journal.append(row_of(result))
    journal.append(row_of(result) | {"test_error": 0.125})
    assert [row["test_error"] for row in rows(tmp_path)] == [result.test_error]


def test_a_success_replaces_a_failure_whatever_their_order(tmp_path, result):
    failure = failed_row(result.spec, "ValueError: planted")
    for folder, order in (("a", (failure, row_of(result))), ("b", (row_of(result), failure))):
        journal = Journal(tmp_path / folder)
        for row in order:
            journal.append(row)
        assert [row["status"] for row in rows(tmp_path / folder)] == ["done"]


def test_a_failure_is_a_row_of_the_frame(tmp_path, result):
    Journal(tmp_path).append(failed_row(result.spec, "ValueError: planted"))
    frame = load(tmp_path)
    assert frame["status"].tolist() == ["failed"]
    assert frame["error"].tolist() == ["ValueError: planted"]
    assert frame["test_error"].isna().all()


def test_the_frame_has_the_columns_of_the_design(tmp_path, result):
    Journal(tmp_path).append(row_of(result))
    columns = "run_id rule views v n m s L P seed steps test_error train_error status error wall_s"
    frame = load(tmp_path)
    assert set(columns.split()) <= set(frame.columns)
    assert frame["steps"][0] == 4
    assert frame["curve_step"][0] == [1, 2, 3, 4]
    assert frame["probe"][0] == result.portrait.probe


def test_every_writer_has_a_file_of_its_own(tmp_path, result):
    a, b = Journal(tmp_path), Journal(tmp_path)
    assert a.path != b.path
    a.append(row_of(result))
    a.close()
    b.close()
    assert [path.name for path in (tmp_path / "journal").iterdir()] == [a.path.name]


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(SynaptreeError, match="holds none"):
        load(tmp_path)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for refuse in (check_writable, Journal):
        with pytest.raises(SynaptreeError, match="cannot be written"):
            refuse(file / "below")


def test_a_full_disk_is_an_error_and_the_torn_row_is_not_believed(result, monkeypatch, tmp_path):
    journal = Journal(tmp_path)
    journal.append(row_of(result))
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, line: write(fd, line[:20]))
    with pytest.raises(SynaptreeError, match="cannot be written"):
        journal.append(row_of(result) | {"run_id": "2" * 16})
    monkeypatch.undo()
    assert [row["run_id"] for row in rows(tmp_path)] == [result.spec.run_id]
    # Space again: the torn row has not swallowed the next one.
    journal.append(row_of(result) | {"run_id": "1" * 16})
    assert [row["run_id"] for row in rows(tmp_path)] == [result.spec.run_id, "1" * 16]


def test_journals_are_readable_by_others(tmp_path):
    assert stat.S_IMODE(Journal(tmp_path).path.stat().st_mode) & 0o400


def test_a_packed_journal_is_read_as_the_open_one(tmp_path, result):
    journal = Journal(tmp_path)
    for i in range(50):
        journal.append(row_of(result) | {"run_id": f"{i:016x}"})
    journal.close()
    expected = load(tmp_path)
    packed = journal.path.with_name("kept.jsonl.gz")
    whole = gzip.compress(journal.path.read_bytes(), mtime=0)
    journal.path.unlink()
    packed.write_bytes(whole)
    pd.testing.assert_frame_equal(load(tmp_path), expected)
    packed.write_bytes(whole[:-200])  # torn: what was whole before is read
    with pytest.warns(LeftOut, match="kept.jsonl.gz: cannot be read to its end"):
        assert 0 < len(load(tmp_path)) <= 50
    packed.write_bytes(b"no gzip at all")
    with (
        pytest.warns(LeftOut, match="cannot be read"),
        pytest.raises(SynaptreeError, match="holds none"),
    ):
        load(tmp_path)


@pytest.mark.parametrize("old", ["0", "9"])
def test_a_setting_that_old_rows_lack_was_at_its_default(tmp_path, result, old):
    journal = Journal(tmp_path)
    row = json.loads(json.dumps(row_of(result)))
    journal.append(row)
    del row["spec"]["schedule"], row["spec"]["weight_decay"]
    journal.append(row | {"run_id": old * 16})
    frame = load(tmp_path)
    assert list(frame["schedule"]) == ["together"] * 2
    assert list(frame["weight_decay"]) == [0.0] * 2


def test_curves_can_be_left_out(tmp_path, result):
    journal = Journal(tmp_path)
    journal.append(row_of(result))
    whole, short = load(tmp_path), load(tmp_path, curves=False)
    left_out = set(whole) - set(short)
    assert {"curve_step", "curve_test_error", "probe", "rank"} <= left_out
    assert "test_error" in short
    pd.testing.assert_frame_equal(whole[list(short)], short)

"""Records: the fast way through a journal accepts what `read_row` accepts, with the same values."""

import json
from collections import Counter
from functools import partial
from pathlib import Path

import msgspec
import pytest

from hostile_rows import hostile
from synaptree import SynaptreeError, load, make_spec, train
from synaptree.results import record as records
from synaptree.results.journal import Journal, rows, runs
from synaptree.results.record import Reader
from synaptree.results.row import failed_row, read_row, row_of
from synaptree.safely import LeftOut
from synaptree.training.spec import SEEDS

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 4, "batch": 8, "steps": 4, "tests": 16}
KEPT = sorted(path for path in (Path(__file__).parents[2] / "results").iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def row():
    return row_of(train(make_spec(rule="vicreg", views="same_class", **TINY)))


def line_of(row):
    return json.dumps(row, separators=(",", ":")).encode()


def plain(value):
    """A record, and the records in it, as dictionaries."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return value


def judged(line, curves):
    """What `read_row` makes of a line: what is missing is None, as in a table."""
    row = read_row(line, curves)
    spec = row["spec"]
    shared = {name: value for name, value in spec.items() if name not in SEEDS}
    return row, shared, tuple(spec.get(name, 0) for name in SEEDS)


def assert_same(reader, run, line):
    row, shared, seeds = judged(line, reader.curves)
    assert (repr(reader.settings[run.settings]), run.seeds) == (repr(shared), seeds)
    said = plain(run.record)
    del said["spec"]
    for name, value in said.items():
        expected = row.get(name)
        if isinstance(value, dict):
            expected = {key: (expected or {}).get(key) for key in value}
        assert repr(value) == repr(expected), name  # 1 and 1.0 are not the same


def refusal(read, line):
    """What is said of a line that is refused; None where it is read."""
    try:
        read(line)
    except SynaptreeError as fault:
        return str(fault)
    return None


def is_fast(reader, line):
    """Whether a line is read without `read_row`."""
    try:
        reader._as_written(line)
    except (records._Odd, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


@pytest.mark.parametrize("curves", [True, False])
def test_what_the_fast_way_accepts_is_what_read_row_accepts(row, curves):
    reader = Reader(curves)
    ways = Counter()
    for what, line in hostile(json.loads(line_of(row))):
        if not curves and what.startswith(("curve", "portrait", "('curve", "('portrait")):
            continue  # they are not read at all
        refused = refusal(partial(read_row, curves=curves), line)
        fast = is_fast(reader, line)
        ways["refused" if refused else "fast" if fast else "slow"] += 1
        assert not (fast and refused), what
        assert refusal(reader.read, line) == refused, what
        if not refused:
            assert_same(reader, reader.read(line), line)
    assert min(ways.values()) > 30


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_kept_journals_take_the_fast_way_and_say_the_same(folder, monkeypatch):
    expected = list(rows(folder))
    monkeypatch.setattr(records, "read_row", None)
    reader = Reader()
    found = list(runs(folder, reader))
    assert len(found) == len(expected) > 0
    for run, row in zip(found[::20], expected[::20], strict=True):
        assert_same(reader, run, line_of(row))
    assert len(reader.settings) <= len(found)


def test_rows_as_they_are_written_take_the_fast_way(tmp_path, row, monkeypatch):
    monkeypatch.setattr(records, "read_row", None)
    journal = Journal(tmp_path)
    journal.append(row, failed_row(make_spec(rule="dfa", **TINY), "a reason"))
    journal.append(row | {"run_id": "0" * 16, "portrait": None, "collapsed": None})
    assert load(tmp_path)["status"].tolist() == ["failed", "done", "done"]


ODD = {
    "spaces": lambda line: line.replace(b",", b", ").replace(b'":', b'": '),
    "seeds first": lambda line: line.replace(
        b'"rule":{', b'"network_seed":4,"rule":{', 1).replace(b',"network_seed":0}', b"}"),
    "seeds in the rule": lambda line: line.replace(
        b'"rule":{', b'"rule":{"a":{"grammar_seed":1,"data_seed":2,"network_seed":3},', 1),
    "seeds of a name": lambda line: line.replace(
        b',"grammar_seed":0', b',"grammar_seed":0,"a\\"grammar_seed":7'),
    "seeds twice": lambda line: line.replace(b'"rule":{', b'"grammar_seed":9,"rule":{', 1),
    "no seeds": lambda line: line.replace(
        b',"grammar_seed":0,"data_seed":0,"network_seed":0', b""),
    "a long seed": lambda line: line.replace(b'"network_seed":0', b'"network_seed":' + b"9" * 15),
    "a huge seed": lambda line: line.replace(b'"network_seed":0', b'"network_seed":' + b"9" * 30),
    "a whole number as a float": lambda line: line.replace(
        b'"steps":4,"stopped"', b'"steps":4.0,"stopped"'),
    "a whole learning rate": lambda line: line.replace(b'"lr":0.001', b'"lr":1'),
    "no ASCII": lambda line: line.replace(b'"label":"', '"label":"é→'.encode()),
    "no UTF-8": lambda line: line.replace(b'"probe"', b'"pr\xffbe"'),
    "half a character": lambda line: line.replace(b'"label":"', b'"label":"\\ud800'),
    "the same key twice": lambda line: line.replace(b'"label":', b'"label":"first","label":'),
    "a later setting": lambda line: line.replace(
        b'"rule":{', b'"later":[1,{"a":null}],"rule":{', 1),
    "settings of its own": lambda line: b'{"settings":3,"seeds":[7],' + line[1:],
    "a rule from a file": lambda line: line.replace(
        b'"label":', b'"source":{"file":"f.py","sha256":"ab","family":"own","more":1},"label":'),
    "a rule without its family": lambda line: line.replace(
        b'"label":', b'"source":{"file":"f.py","sha256":"ab","family":"none"},"label":'),
}  # fmt: skip


@pytest.mark.parametrize("curves", [True, False])
@pytest.mark.parametrize("odd", ODD)
def test_odd_lines_are_read_as_read_row_reads_them(row, odd, curves):
    line = ODD[odd](line_of(row))
    assert line != line_of(row)
    reader = Reader(curves)
    reader.read(line_of(row))  # the settings are known
    refused = refusal(partial(read_row, curves=curves), line)
    assert refusal(reader.read, line) == refused
    if not refused:
        assert_same(reader, reader.read(line), line)


def test_what_only_a_superseded_row_said_is_no_column(tmp_path, row):
    """Its settings were read, and are nobody's."""
    failed = failed_row(make_spec(rule="dfa", **TINY), "a reason") | {"run_id": row["run_id"]}
    failed["spec"] = {"later": "text", **failed["spec"]}
    Journal(tmp_path).append(failed, row)
    frame = load(tmp_path)
    assert frame["rule"].tolist() == ["vicreg"]
    assert "later" not in frame


def test_a_fault_is_named_by_its_line_among_fast_ones(tmp_path, row):
    journal = Journal(tmp_path)
    journal.append(row, row | {"run_id": "1" * 16, "test_error": 2.0}, row | {"run_id": "2" * 16})
    with pytest.warns(LeftOut, match=r":2: test_error: input should be less than or equal to 1"):
        assert len(load(tmp_path)) == 2


def test_settings_that_are_known_are_those_that_would_be_read(row, monkeypatch):
    spec = make_spec(rule="vicreg", views="same_class", lr=1e-5, **TINY)
    line = line_of(failed_row(spec, "a reason"))
    reader = Reader()
    expected = sorted(reader.settings[reader.read(line).settings].items())
    monkeypatch.setattr(records, "read_row", None)
    monkeypatch.setattr(records, "read_spec", None)
    known = Reader().know([spec, spec.model_copy(update={"data_seed": 3})])
    assert len(known.settings) == 1
    found = sorted(known.settings[known.read(line).settings].items())
    assert repr(found) == repr(expected)

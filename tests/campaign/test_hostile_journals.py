"""Rows that nobody wrote: each field of a row is replaced by what it should not be.

Every command that reads results says what it left out, or goes on.
"""

import copy
import json
import warnings

import pytest

from hostile_rows import hostile, replaced
from synaptree import SynaptreeError, load, make_spec, train
from synaptree.claims.judge import verdicts_of
from synaptree.cli.studies import study_status
from synaptree.reproduction import conclude
from synaptree.results.export import export
from synaptree.results.row import failed_row, read_row, row_of
from synaptree.safely import LeftOut

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 4, "batch": 8, "steps": 4, "tests": 16}


@pytest.fixture(scope="module")
def good():
    view = {"rule": "vicreg", "views": "same_class"}
    return [json.loads(json.dumps(row_of(train(make_spec(**TINY, **rule)))))
            for rule in ({"rule": "backprop"}, {"rule": "dfa"}, view)]  # fmt: skip


def accepted(line):
    """The row in a line, or None if it is refused in one line that says where."""
    try:
        return read_row(line)
    except SynaptreeError as fault:
        said = str(fault)
    assert "\n" not in said
    assert len(said) < 1000
    return None


def use(folder, report=False):
    """Everything that reads a folder of results; what it says in its warnings."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("ignore", UserWarning)  # matplotlib's of labels that are too long
        warnings.simplefilter("always", LeftOut)
        frame = load(folder)
        verdicts_of(frame, {})
        if report:
            conclude(folder)
            study_status(folder)
            for to in ("csv", "parquet"):
                export(folder, to)
    return frame, [str(each.message) for each in said]


def put(folder, *lines):
    (folder / "journal").mkdir(exist_ok=True)
    (folder / "journal" / "a.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


def test_every_field_with_every_wrong_value_is_refused_or_read(tmp_path, good, capsys):
    whole, refused, kept = json.dumps(good[0]).encode(), [], []
    for what, line in hostile(good[2]):
        row = accepted(line)
        if row and what.startswith("spec.rule"):
            continue  # a rule of its own, and audited as such: see below
        if row is None:
            refused.append(line)
            continue
        # Each by itself, as if all rows of a folder were so.
        put(tmp_path, line)
        try:
            assert len(load(tmp_path)) == 1
            if not what.startswith("spec"):  # no reader looks at one setting alone
                use(tmp_path)
        except Exception as fault:
            raise AssertionError(what) from fault
        kept.append(json.dumps(row | {"run_id": f"{len(kept):016x}"}).encode())
    assert len(refused) > 3 * len(kept) > 300
    # And all together, with one whole row, in every command and in a report.
    (tmp_path / "journal" / "b.jsonl").write_bytes(b"\n".join([*refused, b""]))
    put(tmp_path, whole, *kept)
    frame, said = use(tmp_path, report=True)
    assert good[0]["run_id"] in set(frame["run_id"])
    assert "b.jsonl:1: " in said[0]
    more = {each for each in said if each.startswith("and ")}
    assert len(set(said) - more) == 10
    assert more


def test_a_rule_whose_option_is_at_the_edge_of_numbers_is_left_out(tmp_path, good, capsys):
    rule = good[2]["spec"]["rule"] | {"variance": 1e308}
    put(tmp_path, json.dumps(replaced(good[2], ("spec", "rule"), rule)).encode())
    with pytest.raises((LeftOut, SynaptreeError), match=r"variance: 1e\+308 given"):
        conclude(tmp_path)


def test_failed_rows_too(tmp_path, good, capsys):
    row = failed_row(make_spec(rule="dfa", **TINY | {"P": 20}), "planted")
    kept = [json.dumps(each).encode() for _, line in hostile(row) if (each := accepted(line))]
    assert kept
    put(tmp_path, json.dumps(good[0]).encode(), *kept)
    use(tmp_path, report=True)


@pytest.mark.parametrize("kept", [[], ["diverged"], ["curve"], ["portrait"]])
def test_what_older_rows_lack_they_all_may_lack(tmp_path, good, kept, capsys):
    rows = copy.deepcopy(good)
    for row in rows:
        for name in ("diverged", "switches", "collapsed"):
            if name not in kept:
                del row[name]
        if "curve" not in kept:
            del row["curve"]["alignment"], row["curve"]["null"]
        if "portrait" not in kept:
            row["portrait"] = None
    put(tmp_path, *(json.dumps(row).encode() for row in rows))
    frame, said = use(tmp_path, report=True)
    assert (len(frame), said) == (3, [])


def test_rows_of_a_later_version_keep_what_is_new_and_stay_readable(tmp_path, good, capsys):
    rows = copy.deepcopy(good)
    for row, new in zip(rows, (1, "text", [1, {"a": None}]), strict=True):
        row["new"] = new
        row["portrait"]["new"] = new
        row["spec"] |= {"new": new, "newer": {"deep": new}, "\x1b[2J": new}
    put(tmp_path, *(json.dumps(row).encode() for row in rows))
    frame, said = use(tmp_path, report=True)
    assert said == []
    assert {"new", "newer"} <= set(frame)
    rows[0]["spec"]["schedule"] = "later"
    put(tmp_path, *(json.dumps(row).encode() for row in rows))
    frame, said = use(tmp_path)
    assert len(frame) == 2
    assert "a.jsonl:1: spec: schedule" in said[0]

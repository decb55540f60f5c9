"""The schema of a row: read off the classes, so that what is added there is a column everywhere."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from synaptree import load, make_spec, train
from synaptree.results.columns import (
    DERIVED,
    GRAMMAR,
    MEASUREMENTS,
    RECORD,
    RULE,
    SEEDS,
    SETTINGS,
    asked,
    by_kind,
    failed,
    finished,
    kind_name,
    state,
    states,
)
from synaptree.results.journal import Journal, rows
from synaptree.results.row import failed_row, read_row, row_of
from synaptree.sources.dataset import Dataset
from synaptree.training.spec import RunSpec

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "steps": 4, "tests": 16}
KEPT = sorted(path for path in (Path(__file__).parents[2] / "results").iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def result():
    return train(make_spec(rule="backprop", **TINY))


def test_every_column_of_the_frame_has_one_meaning(tmp_path, result):
    Journal(tmp_path).append(row_of(result))
    groups = (RULE, DERIVED, GRAMMAR, ("P",), SEEDS, SETTINGS, MEASUREMENTS, RECORD)
    every = [name for group in groups for name in group]
    assert len(every) == len(set(every))
    assert set(every) == set(load(tmp_path))
    assert {"evaluations", "tests", "steps_asked", "views"} <= set(SETTINGS)
    assert len([*GRAMMAR, "P", *SEEDS, *SETTINGS]) == len(RunSpec.model_fields) - 1
    assert SEEDS == ("seed", "data_seed", "network_seed")
    assert set(asked(load(tmp_path))) == {*RULE, *GRAMMAR, "P", *SETTINGS}


# A measurement is added in the classes that hold measurements, and nowhere else; so this is done
# before anything is imported that reads them.
ADDED = """
import sys
from dataclasses import dataclass, field, fields
from pathlib import Path
from synaptree.measures import portrait

@dataclass(frozen=True)
class Portrait(portrait.Portrait):
    sparsity: list[float] = field(default_factory=lambda: [0.25, float("nan")])

portrait.Portrait = Portrait
from synaptree.training import result as measured

@dataclass(frozen=True)
class Result(measured.Result):
    energy: float = 1.5
    hottest: int | None = 2

measured.Result = Result

from synaptree import load, make_spec, train
from synaptree.errors import SynaptreeError
from synaptree.results.columns import MEASUREMENTS, SETTINGS, asked
from synaptree.results.journal import Journal
from synaptree.results.row import read_row, row_of

folder = Path(sys.argv[1])
assert {"sparsity", "energy", "hottest"} <= set(MEASUREMENTS)
assert not {"sparsity", "energy", "hottest"} & set(SETTINGS)
spec = make_spec(rule="backprop", v=4, n=4, m=4, L=2, P=64, width=8, batch=16, steps=4, tests=16)
result = train(spec)
Journal(folder).append(row_of(result))
frame = load(folder)
assert frame["energy"].tolist() == [1.5]
assert frame["hottest"].tolist() == [2]
assert frame["sparsity"].tolist() == [[0.25, None]]
assert not {"sparsity", "energy", "hottest"} & set(asked(frame))
assert "sparsity" not in load(folder, curves=False)
try:
    line = next((folder / "journal").iterdir()).read_bytes()
    read_row(line.replace(b'"energy":1.5', b'"energy":"x"'))
except SynaptreeError as fault:
    assert str(fault).startswith("energy: "), fault
else:
    raise AssertionError("a measurement of another type was read")
"""


def test_a_new_measurement_needs_a_line_where_it_is_measured_and_none_here(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ADDED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_older_rows_lack_a_measurement_and_load(tmp_path, result):
    row = json.loads(json.dumps(row_of(result)))
    del row["collapsed"], row["diverged"], row["curve"]["null"]
    Journal(tmp_path).append(row)
    frame = load(tmp_path)
    assert frame["collapsed"].isna().all()
    assert frame["diverged"].isna().all()
    assert frame["curve_null"].isna().all()


def test_finished_and_failed_runs_are_told_apart(tmp_path, result):
    journal = Journal(tmp_path)
    other = make_spec(rule="dfa", **TINY | {"L": 3, "P": 128})
    journal.append(row_of(result), failed_row(other, "planted"))
    frame = load(tmp_path)
    assert finished(frame)["rule"].tolist() == ["backprop"]
    assert failed(frame)["rule"].tolist() == ["dfa"]
    assert [name for name, _ in by_kind(frame)] == ["v=4 n=4 m=4 s=2 L=2 P=64"]


def test_kinds_are_listed_shallow_first_and_named_in_one_way():
    kind = {"v": 8, "n": 7, "m": 4, "s": 2, "L": 3}
    assert kind_name(kind) == "v=8 n=7 m=4 s=2 L=3"
    assert kind_name(kind, leave_out="m") == "v=8 n=7 s=2 L=3"
    assert kind_name(kind | {"variant": "zipf=1", "data": ""}) == "v=8 n=7 m=4 s=2 L=3 zipf=1"
    assert kind_name(kind | {"variant": np.nan, "data": np.nan}) == "v=8 n=7 m=4 s=2 L=3"
    frame = pd.DataFrame([kind | {"P": P, "status": "done", "L": L} for L, P in ((4, 1), (2, 9))])
    assert [name.split(" L=")[1] for name, _ in by_kind(frame)] == ["2 P=9", "4 P=1"]


def test_data_have_their_name_and_no_rules_in_a_row_and_in_a_run():
    data = Dataset.tokens(np.arange(64).reshape(16, 4) % 3, np.arange(16) % 2, name="mine")
    name = f"v=3 n=2 s=2 L=2 {data}"
    spec = make_spec(rule="dfa", data=data, batch=4)
    assert kind_name(dict(spec)) == name
    assert kind_name(spec.model_dump(mode="json")) == name
    noisy = make_spec(rule="dfa", **TINY | {"variant": "noise=0.1"})
    assert kind_name(dict(noisy)) == "v=4 n=4 m=4 s=2 L=2 noise=0.1"


@pytest.mark.parametrize("folder", KEPT, ids=[path.name for path in KEPT])
def test_committed_rows_have_the_ids_of_the_runs_that_they_describe(folder):
    every = list(rows(folder))
    sample = every[:: max(1, len(every) // 40)]
    assert sample
    for row in sample:
        assert make_spec(**row["spec"]).run_id == row["run_id"]


@dataclass(frozen=True)
class Source:
    """As the rules' registry has it."""

    file: str = "my_rules.py"
    sha256: str = "0123456789abcdef"


def test_a_rule_from_a_file_is_named_with_its_file(result):
    class FromFile(type(result.spec.rule)):
        @property
        def source(self):
            return Source()

    spec = result.spec.model_copy(update={"rule": FromFile()})
    for row in (failed_row(spec, "planted"), row_of(type(result)(**vars(result) | {"spec": spec}))):
        assert row["source"] == {
            "file": "my_rules.py", "sha256": "0123456789abcdef", "family": "reference",
            "subfamily": "reference", "labels": True, "top_context": False, "passes": 2,
        }  # fmt: skip
        assert read_row(json.dumps(row).encode()) is not None
    assert "source" not in row_of(result)


@pytest.mark.parametrize(("said", "kept"), [(3, 3), (2.5, 2.5), (-1, None), ("two", None),
                                             (float("nan"), None), (10**400, None)])  # fmt: skip
def test_a_row_says_how_many_passes_a_rule_from_a_file_makes(tmp_path, result, said, kept):
    class FromFile(type(result.spec.rule)):
        source: ClassVar = Source()
        passes: ClassVar = said

    spec = result.spec.model_copy(update={"rule": FromFile()})
    journal = Journal(tmp_path)
    row = failed_row(spec, "planted")
    assert row["source"]["passes"] == kept
    journal.append(row, failed_row(result.spec, "planted") | {"run_id": "0" * 16})
    older = json.loads(json.dumps(row | {"run_id": "1" * 16, "label": "older"}))
    del older["source"]["passes"]
    older["source"]["sha256"] = "f" * 16
    journal.append(older)
    found = load(tmp_path).set_index("run_id")["passes"]
    assert found[row["run_id"]] == kept or (kept is None and np.isnan(found[row["run_id"]]))
    assert found["0" * 16] == 2  # the package's own backprop
    assert np.isnan(found["1" * 16])


def test_results_of_a_rule_whose_file_is_gone_load_and_run_nothing(tmp_path, result):
    folder = tmp_path / "results"
    (tmp_path / "my_rules.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    row = json.loads(json.dumps(row_of(result)))
    rule = {"name": str(tmp_path / "my_rules.py"), "source": "0123456789abcdef", "gain": 2.0}
    source = {"file": "../my_rules.py", "sha256": "0123456789abcdef", "family": "layerwise"}
    row |= {"spec": row["spec"] | {"rule": rule}, "label": "my_rule (gain=2)", "source": source}
    journal = Journal(folder)
    journal.append(row, row_of(result) | {"run_id": "0" * 16})
    unknown = row | {"run_id": "1" * 16, "label": "gone"}
    del unknown["source"]
    journal.append(unknown)
    frame = load(folder).set_index("label")
    assert frame.loc["my_rule (gain=2)", "family"] == "layerwise"
    assert frame.loc["my_rule (gain=2)", "source"] == "0123456789abcdef"
    assert frame.loc["my_rule (gain=2)", "rule_options"] == '{"gain": 2.0}'
    assert frame.loc["backprop", "family"] == frame.loc["backprop", "subfamily"] == "reference"
    assert frame.loc["my_rule (gain=2)", "subfamily"] == ""
    assert frame.loc["backprop", "source"] is None
    assert frame.loc["gone", "family"] == "own"
    assert not (tmp_path / "ran").exists()


def test_a_groups_state_is_one_sentence_for_all_who_show_its_numbers():
    runs = pd.DataFrame(
        {
            "status": ["done", "done", "failed", "done"],
            "diverged": [True, False, None, False],
            "stopped": [False, True, None, False],
            "collapsed": [[], [1, 2], None, None],
        }
    )
    assert states(runs) == (
        "diverged in 1 of 4 runs, failed in 1 of 4 runs, collapsed in 1 of 4 runs, "
        "stopped in 1 of 4 runs"
    )
    assert states(runs[3:]) == states(runs[:0]) == states(runs[["status"]][:1]) == ""
    assert [states(runs[i : i + 1]) for i in range(3)] == [
        "diverged", "collapsed, stopped", "failed",
    ]  # fmt: skip
    assert [state(run) for run in runs.to_dict("records")] == [
        "diverged", "stopped, collapsed in layer 1, 2", "failed", "done",
    ]  # fmt: skip

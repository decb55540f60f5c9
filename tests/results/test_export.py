"""Exports: other programs read back what `load` gives."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from synaptree import SynaptreeError, load, make_spec, train
from synaptree.results.export import export
from synaptree.results.journal import Journal
from synaptree.results.row import failed_row, row_of

TINY = {"v": 4, "n": 4, "m": 1, "L": 2, "P": 3, "width": 8, "batch": 2, "steps": 8, "tests": 1}


@pytest.fixture
def folder(tmp_path):
    journal = Journal(tmp_path)
    for rule in ("backprop", "dfa"):
        row = row_of(train(make_spec(rule=rule, **TINY)))
        journal.append(row | {"label": "../../<b>" + rule})
    journal.append(failed_row(make_spec(rule="dfa", **TINY | {"lr": 0.5}), "planted"))
    journal.close()
    return tmp_path


def same(found, expected) -> bool:
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    missing = expected is None or expected is pd.NA or expected != expected
    return found == expected or (missing and (found is None or math.isnan(found)))


def test_csv_holds_everything(folder):
    path = export(folder, "csv")
    assert path == folder / "results.csv"
    found, frame = pd.read_csv(path), load(folder)
    assert list(found) == list(frame)
    for name in ("curve_test_error", "probe", "sensitivity"):
        for text, value in zip(found[name], frame[name], strict=True):
            assert text != text if value is None else same(json.loads(text), value)
    assert found["test_error"].tolist()[:2] == frame["test_error"].tolist()[:2]


def test_parquet_holds_everything(folder):
    path = export(folder, "parquet", folder / "table.parquet")
    found, frame = pd.read_parquet(path), load(folder)
    assert list(found) == list(frame)
    for name in frame:
        for a, b in zip(found[name].tolist(), frame[name].tolist(), strict=True):
            plain = (
                [x.tolist() if hasattr(x, "tolist") else x for x in a] if isinstance(b, list) else a
            )
            assert same(plain, b), name


def test_tensorboard_holds_the_curves_of_finished_runs(folder):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    path = export(folder, "tensorboard")
    path = export(folder, "tensorboard")  # again: written anew, not twice
    frame = load(folder).query("status == 'done'")
    assert {p.name for p in path.iterdir()} == set(frame["run_id"])
    for row in frame.itertuples():
        events = accumulator.EventAccumulator(str(path / row.run_id)).Reload()
        for name in ("test_error", "train_loss", "train_error"):
            scalars = events.Scalars(name)
            assert [s.step for s in scalars] == row.curve_step
            expected = getattr(row, f"curve_{name}")
            assert [s.value for s in scalars] == pytest.approx(expected, rel=1e-6)
        assert events.Scalars("final_test_error")[0].value == pytest.approx(row.test_error)
    assert not (folder.parent / "<b>dfa").exists()


def test_what_cannot_be_written_is_one_sentence(folder, monkeypatch):
    with pytest.raises(SynaptreeError, match="did you mean 'csv'"):
        export(folder, "cvs")
    (folder / "file").write_text("")
    for to in ("csv", "parquet", "tensorboard"):
        with pytest.raises(SynaptreeError, match="cannot be written"):
            export(folder, to, folder / "file" / "below")
    for to, package in (("parquet", "pyarrow"), ("tensorboard", "torch.utils.tensorboard.writer")):
        with monkeypatch.context() as gone:
            gone.setitem(__import__("sys").modules, package, None)
            with pytest.raises(SynaptreeError, match=f"{to} needs"):
                export(folder, to)


def test_an_export_fills_no_folder_that_is_not_its_own(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for path in ("/", "."):
        with pytest.raises(SynaptreeError, match=r"would be filled|cannot be written"):
            export(folder, "tensorboard", Path(path))
        with pytest.raises(SynaptreeError, match="is a folder"):
            export(folder, "csv", Path(path))
    for to in ("csv", "tensorboard"):
        with pytest.raises(SynaptreeError, match=r"cannot be written .file name too long"):
            export(folder, to, folder / ("x" * 5000))

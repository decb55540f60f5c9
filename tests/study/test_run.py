"""The main job from Python: what it returns, what it keeps, and what it refuses."""

from contextlib import closing

import pandas as pd
import pytest

from synaptree import (
    SynaptreeError,
    Update,
    load,
    make_spec,
    reproduce,
    run_study,
    train,
    train_replicas,
)
from synaptree.cli.studies import _print_status, study_status
from synaptree.results.journal import Journal
from synaptree.results.row import failed_row, row_of
from synaptree.study.estimate import START
from synaptree.study.files import Study, parse_study, read_study
from synaptree.study.kept import asked, keep
from synaptree.study.lock import hold
from synaptree.study.preset import PRESETS, preset, preset_study
from synaptree.study.run import estimate
from synaptree.study.write import study_text

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "steps": 4, "tests": 16}
STUDY = """
# a comment, which is kept
seeds: [0, 1]
defaults: {v: 4, n: 4, m: 4, s: 2, L: 2, P: 64, width: 8, batch: 16, steps: 4, tests: 16}
runs: [{rule: backprop}, {rule: clapp, views: "trace:7", P: 20}]
"""


def specs(rule="backprop", replicas=2, **changed):
    return make_spec(rule=rule, **TINY | changed).replicate(replicas)


def test_a_file_is_run_and_its_frame_returned_with_failures(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(STUDY)
    news: list[Update] = []
    frame = run_study(file, tmp_path / "out", workers=1, progress=news.append)
    # The trace of 8 inputs does not fit 20 strings of 4 classes: those runs fail.
    assert frame["status"].tolist() == ["failed"] * 2 + ["done"] * 2
    assert frame["error"].str.contains("expected a larger P or a smaller K").sum() == 2
    assert (tmp_path / "out" / "study.yaml").read_text() == STUDY
    assert asked(tmp_path / "out") == set(frame["run_id"]) == {s.run_id for s in read_study(file)}
    plan = news[0].groups
    assert all(update.groups is plan for update in news)
    assert {update.group for update in news} == {None, 0, 1}
    assert sorted(u.failed for u in news if u.failed is not None) == [0, 2]


def test_runs_from_python_are_kept_as_a_study_file(tmp_path):
    wanted = [*specs(), *specs("dfa")]
    frame = run_study([*wanted, *wanted], tmp_path, workers=1)
    assert sorted(frame["run_id"]) == sorted({s.run_id for s in wanted})
    again = read_study(tmp_path / "study.yaml")
    assert {s.run_id for s in again} == {s.run_id for s in wanted}


def test_the_frame_is_of_the_study_and_not_of_all_that_is_in_the_folder(tmp_path):
    run_study(specs(), tmp_path, workers=1)
    frame = run_study(specs("dfa"), tmp_path, workers=1)
    assert set(frame["rule"]) == {"dfa"}
    assert len(load(tmp_path)) == 4


def test_no_declaration_is_lost(tmp_path):
    """Another study in the folder is kept beside the new one, once; one that grew is replaced."""
    a, b = (study_of(specs(rule)) for rule in ("backprop", "dfa"))
    assert keep(tmp_path, a) == keep(tmp_path, a) == ""
    more = study_of(specs(replicas=3))
    assert keep(tmp_path, more) == ""
    for _ in range(2):
        assert "is kept as study-1.yaml; another" in keep(tmp_path, b)
        assert (tmp_path / "study-1.yaml").read_text() == more.text
        assert (tmp_path / "study.yaml").read_text() == b.text
        assert asked(tmp_path) == {spec.run_id for spec in b.specs}
        assert "is kept as study-2.yaml; another" in keep(tmp_path, more)
    assert sorted(path.name for path in tmp_path.glob("study-*")) == [
        "study-1.yaml",
        "study-2.yaml",
    ]
    news: list[Update] = []
    run_study(specs("dfa", steps=2), tmp_path, workers=1, progress=news.append)
    assert "kept as study-1.yaml" in news[0].message


def test_a_folder_of_an_older_version_has_no_ids(tmp_path):
    keep(tmp_path, study_of(specs()))
    (tmp_path / "study.ids").unlink()
    assert "study-1.yaml" in keep(tmp_path, study_of(specs("dfa")))


def test_counts_are_of_the_last_study_and_name_the_runs_of_others(tmp_path, capsys):
    first, second = specs(), specs("dfa")
    with closing(Journal(tmp_path)) as journal:
        journal.append(*map(row_of, train_replicas(first)), failed_row(second[0], "planted"))
    for runs in (first, second):
        keep(tmp_path, study_of(runs))
    of_both = f"{tmp_path}: 0 runs done, 1 failed, 1 left; 2 runs of other studies too"
    study_status(tmp_path)
    said = capsys.readouterr().out
    assert said.splitlines()[0] == of_both
    assert "backprop" in said
    _print_status(tmp_path, pd.DataFrame())  # as after a run
    said = capsys.readouterr().out
    assert said.splitlines()[0] == of_both
    assert "backprop" not in said
    keep(tmp_path, study_of([*first, *second]))
    study_status(tmp_path)
    assert capsys.readouterr().out.startswith(f"{tmp_path}: 2 runs done, 1 failed, 1 left\n")


def study_of(runs):
    return Study(list(runs), study_text(runs))


def test_failed_runs_are_run_again_only_when_asked(tmp_path):
    broken = specs("clapp", views=("trace:7",), P=20)
    run_study(broken, tmp_path, workers=1)
    messages: list[Update] = []
    run_study(broken, tmp_path, workers=1, progress=messages.append)
    assert len(messages) == 1
    assert "2 of 2 runs are there already" in messages[0].message
    run_study(broken, tmp_path, workers=1, retry=True, progress=messages.append)
    assert len(messages) > 2


def test_shares_are_complete_and_an_empty_one_is_no_error(tmp_path):
    wanted = [*specs(), *specs("dfa")]
    frames = [run_study(wanted, tmp_path, workers=1, shard=(i, 3)) for i in (1, 2, 3)]
    assert [len(frame) for frame in frames] == [2, 2, 0]
    assert {"run_id", "status", "test_error"} <= set(frames[2].columns)


def test_a_driver_that_is_refused_changes_nothing(tmp_path):
    run_study(specs(), tmp_path, workers=1)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    with hold(tmp_path), pytest.raises(SynaptreeError, match="is being written by"):
        run_study(specs("dfa"), tmp_path, workers=1)
    kept = {path: path.read_bytes() for path in files if path.name != ".study.lock"}
    assert kept == {path: text for path, text in files.items() if path.name != ".study.lock"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"shard": (0, 3)}, "i from 1 to n"),
        ({"shard": (4, 3)}, "i from 1 to n"),
        *(({"device": d}, "expected cpu") for d in ("tpu", "gpu", "cuda:0", "mps", "meta", "")),
        ({"folder": ""}, "expected a folder"),
        ({"study": []}, "expected at least one"),
        ({"study": "nowhere.yaml"}, "cannot be read"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(tmp_path, arguments, says):
    with pytest.raises(SynaptreeError, match=says):
        run_study(**{"study": specs(), "folder": tmp_path / "out"} | arguments)
    assert list(tmp_path.rglob("*.*")) == []


@pytest.mark.parametrize("device", ["tpu", "gpu", "cuda:0", "mps", "meta", "", "cuda", 0, None])
def test_every_way_to_train_checks_the_device_alike(tmp_path, device, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    ways = [
        lambda: run_study(specs(), tmp_path / "out", device=device),
        lambda: estimate(specs(), tmp_path / "out", device=device),
        lambda: reproduce("quick", tmp_path / "out", device=device),
        lambda: train(specs()[0], device=device),
    ]
    sentences = set()
    for way in ways:
        with pytest.raises(SynaptreeError, match=r"^device: .* given") as caught:
            way()
        sentences.add(str(caught.value))
    assert len(sentences) == 1
    assert not (tmp_path / "out").exists()


def test_an_estimate_counts_what_is_left_and_writes_nothing(tmp_path):
    wanted = [*specs(), *specs("dfa")]
    run_study(specs(), tmp_path, workers=1)
    left = estimate(wanted, tmp_path, workers=2)
    assert (left.runs, left.share, left.left, left.replicas, left.workers) == (4, 4, 2, 2, 2)
    assert left.seconds > START  # workers must start, and portraits be drawn
    assert left.bytes > 0
    assert estimate(wanted, tmp_path / "none", workers=1, shard=(3, 3)).share == 0
    assert not (tmp_path / "none").exists()


SETTINGS = [
    {"rule": "dfa"},
    {"rule": {"name": "dfa", "scale": 1e-5}},
    {"rule": {"name": "masking", "masks": "true"}},
    {"rule": {"name": "masking", "masks": "none"}},
    {"rule": "clapp", "views": ("sibling", "same_class")},
    {"rule": "dfa", "optimizer": "sgd"},
    {"rule": "dfa", "optimizer": "sgd", "lr": 1e-3},  # the default of the other optimiser
    {"rule": "dfa", "lr": 1e-7, "weight_decay": 1e-12, "stop_loss": 1e300},
]


def test_a_study_file_from_runs_asks_for_exactly_these():
    wanted = [s for settings in SETTINGS for s in make_spec(**TINY | settings).replicate(3)]
    wanted += [wanted[0].model_copy(update={"data_seed": 7}), wanted[0].replicate(9)[8]]
    again, faults = parse_study(study_text(wanted))
    assert faults == []
    assert {s.run_id for s in again} == {s.run_id for s in wanted}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_in_another_precision_has_a_study_file_of_its_own(name):
    study = preset_study(name, "bfloat16")
    again, faults = parse_study(study.text)
    assert faults == []
    assert {s.run_id for s in again} == {s.run_id for s in study.specs}
    assert {s.run_id for s in study.specs} == {s.run_id for s in preset(name, "bfloat16")}
    assert {s.precision for s in study.specs if not s.rule.needs_digits} == {"bfloat16"}


def test_a_folder_that_links_its_ids_elsewhere_has_none(tmp_path):
    (tmp_path / "elsewhere").write_text("0123456789abcdef\n")
    (tmp_path / "study.ids").symlink_to(tmp_path / "elsewhere")
    assert asked(tmp_path) is None
    (tmp_path / "study.ids").unlink()
    assert asked(tmp_path) is None
    (tmp_path / "study.ids").write_text("0123456789abcdef\nnonsense\n\x00\n")
    assert asked(tmp_path) == {"0123456789abcdef"}


def test_what_the_folder_links_to_is_not_overwritten(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    for name in ("study.yaml", "study.ids"):
        (out / name).symlink_to(precious)
        with pytest.raises(SynaptreeError, match=f"{name}' is a symbolic link"):
            run_study(specs(), out, workers=1)
        (out / name).unlink()
        assert precious.read_text() == "mine"

"""Runs without a portrait: what is measured is as with one, and the rest says "not measured"."""

import json

import pytest
from typer.testing import CliRunner

from synaptree import load, make_spec, run_study
from synaptree.cli import app
from synaptree.reproduction import conclude, reproduce
from synaptree.study.estimate import seconds_left

PORTRAIT = ("probe", "sensitivity", "rank", "dead", "spread", "collapsed")
TINY = ["--m", "2", "--P", "32", "--batch", "16", "--steps", "4", "--width", "8"]
SPECS = [
    spec
    for rule in ("backprop", "dfa", "readout_only")
    for spec in make_spec(
        rule=rule, v=4, n=4, m=2, L=2, P=20, batch=4, steps=4, tests=8, width=8
    ).replicate(2)
]

WHY = "not measured: no finished run of a layerwise rule"


def test_a_study_without_portraits_is_judged_and_reported(tmp_path):
    frame = run_study(SPECS, tmp_path / "without", workers=1, portrait=False)
    assert (frame["status"] == "done").all()
    assert frame[[*PORTRAIT]].isna().all().all()
    whole = run_study(SPECS, tmp_path / "with", workers=1)
    assert whole["rank"].notna().all()
    assert whole["test_error"].tolist() == frame["test_error"].tolist()
    assert whole["run_id"].tolist() == frame["run_id"].tolist()
    found = conclude(tmp_path / "without")
    hierarchy = next(o for o in found.outcomes if "hidden hierarchy" in o.claim)
    assert (hierarchy.verdict, hierarchy.effects) == ("undecided", (WHY,))
    assert found.report.exists()
    assert load(tmp_path / "without")["probe"].isna().all()


@pytest.mark.parametrize("as_json", [False, True])
def test_train_leaves_the_probes_out(as_json):
    given = ["train", "--rule", "dfa", *TINY, "--no-portrait", *(["--json"] if as_json else [])]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.output
    if as_json:
        row = json.loads(done.stdout)
        assert row["probe"] == [[None] * 3]
        assert row["probe_matrix"] == [[[None] * 3] * 3]
        assert row["collapsed"] == [None]
    else:
        assert done.stdout.count("–") >= 3


@pytest.mark.parametrize(
    "given", [["study", "run", "file.yaml", "--out", "out"], ["reproduce", "--out", "out"]]
)
def test_the_flag_reaches_the_study(given, monkeypatch):
    asked = {}

    def run(*_, **options):
        asked.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr("synaptree.study.run.run_study", run)
    monkeypatch.setattr("synaptree.reproduction.run_study", run)
    for flag, portrait in ((["--no-portrait"], False), ([], True)):
        CliRunner().invoke(app, [*given, *flag])
        assert asked["portrait"] is portrait


def test_reproduce_takes_it_too(monkeypatch, tmp_path):
    asked = {}

    def run(*_, **options):
        asked.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr("synaptree.reproduction.run_study", run)
    with pytest.raises(KeyboardInterrupt):
        reproduce("quick", tmp_path, portrait=False)
    assert asked["portrait"] is False


def test_the_time_left_counts_no_portrait(monkeypatch):
    monkeypatch.setattr("synaptree.study.estimate.steps_of_portrait", lambda *_: 10**6)
    assert seconds_left([SPECS[:2]], portrait=False) < seconds_left([SPECS[:2]]) / 2

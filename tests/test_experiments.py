"""Experiments and their results: what each folder asks for, and what it holds."""

import re
import shutil
import sys
from itertools import chain
from pathlib import Path

import keep
import numpy as np
import pytest

from synaptree import cli
from synaptree.data_needs.sought import sought_in
from synaptree.errors import SynaptreeError
from synaptree.results.journal import Journal, rows
from synaptree.results.row import failed_row, row_of
from synaptree.study.files import read_study
from synaptree.study.preset import preset
from synaptree.study.search.file import read_search
from synaptree.training.loop import train_replicas

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "synaptree"
RESULTS = sorted(path for path in (ROOT / "results").iterdir() if path.is_dir())
LATER = ("depth", "settling", "variants")  # experiments after the second registration
EXPERIMENTS = sorted(path.parent for path in (ROOT / "studies").glob("*/README.md"))


def asked_in(file):
    return {spec.run_id for spec in read_study(file)}


def is_search(path):
    """Whether a file is one of `study search`. Older searches are studies."""
    return "\nspaces:" in path.read_text("utf-8")


@pytest.mark.parametrize("folder", RESULTS, ids=lambda path: path.name)
def test_a_results_folder_holds_the_study_file_that_made_it(folder):
    done = {row["run_id"] for row in rows(folder) if row["status"] == "done"}
    assert asked_in(folder / "study.yaml") == done


@pytest.mark.parametrize("folder", RESULTS, ids=lambda path: path.name)
def test_the_same_command_run_again_finds_nothing_left_to_run(
    folder, tmp_path, monkeypatch, capsys
):
    def train(*_args, **_options):
        raise AssertionError("a run was trained")

    monkeypatch.setattr("synaptree.study.engine.run", train)
    copy = tmp_path / "copy"
    shutil.copytree(folder / "journal", copy / "journal")
    command = ["study", "run", str(folder / "study.yaml"), "--out", str(copy)]
    monkeypatch.setattr(sys, "argv", ["synaptree", *command])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    if "bfloat16 given, but this cpu" in said.err:
        pytest.skip("this processor makes no products of bfloat16")
    assert not ended.value.code, said.err
    count = len(asked_in(folder / "study.yaml"))
    assert f"{count} of {count} runs are there already" in said.out + said.err
    assert "0 failed, 0 left" in said.out
    assert (copy / "study.yaml").read_bytes() == (folder / "study.yaml").read_bytes()


@pytest.mark.parametrize("folder", EXPERIMENTS, ids=lambda path: path.name)
def test_an_experiment_has_its_question_its_runs_and_their_results(folder):
    files = sorted(folder.glob("*.yaml"))
    judged_by_a_preset = any(map(is_search, files))
    assert judged_by_a_preset or any(path.stem.startswith("run") for path in files)
    assert {path.stem.split("-")[0] for path in files} <= {"run", "search", "rehearsal"}
    text = (folder / "README.md").read_text("utf-8")
    for head in ("## Question", "## What was run", "## Answer"):
        assert head in text
    for path in files:
        do = "search" if is_search(path) else "needs" if "run-needs" in path.stem else "run"
        command = f"synaptree study {do} studies/{folder.name}/{path.name} --out runs/"
        assert f"#   {command}" in path.read_text("utf-8")
        (name,) = re.findall(re.escape(command) + r"(\S+)", text)
        kept = ROOT / "results" / name
        if is_search(path):  # its runs follow from what came before; it may not be done yet
            assert kept.exists() == (f"(../../results/{name})" in text)
            continue
        linked = f"(../../results/{name})" in text
        if not linked and re.search("## Answer(: none yet| so far)", text):  # not run yet
            assert not kept.exists()
            assert read_study(path)
            continue
        assert linked
        asked = asked_in(kept / "study.yaml")
        if do == "needs":  # which of its runs were needed follows from the runs
            every = chain.from_iterable(each.runs.values() for each in sought_in(path))
            assert asked <= {run.run_id for runs in every for run in runs}
        else:
            assert asked == asked_in(path)


def test_rules_that_are_compared_tried_as_many_settings():
    for path in filter(is_search, (ROOT / "studies").rglob("search*.yaml")):
        asked = read_search(path)
        assert {len(contest.drawn) for contest in asked.contests} == {asked.settings}
        kinds = {contest.kind: contest.budget for contest in asked.contests}
        assert all(contest.budget == kinds[contest.kind] for contest in asked.contests)
        assert all(seed <= 3 for each in asked.seeds for seed in each.values())


def test_every_results_folder_belongs_to_an_experiment_or_a_preset():
    readmes = "".join((path / "README.md").read_text("utf-8") for path in EXPERIMENTS)
    first = {"laptop-1", "quick-1", "quick-1-bfloat16"}  # presets of the first registration
    for folder in RESULTS:
        assert folder.name in {"laptop", *first} or f"(../../results/{folder.name})" in readmes
    asked = {spec.run_id for spec in preset("laptop")}
    assert asked == asked_in(ROOT / "results" / "laptop" / "study.yaml")


def test_searches_and_rehearsals_share_no_grammar_with_the_runs_that_are_judged():
    for folder in EXPERIMENTS:
        for path in folder.glob("*.yaml"):
            if is_search(path):  # the program itself refuses seeds above 19
                continue
            seeds = {spec.grammar_seed for spec in read_study(path)}
            chosen = path.stem.startswith(("search", "rehearsal"))
            searched = chosen or folder.name == "backprop-reference"
            judged = {*range(200, 220)} if folder.name in LATER else {*range(100, 110)}
            assert seeds <= (set(range(10)) if searched else judged), path


def test_paths_that_files_name_are_there():
    texts = [path for path in (ROOT / "studies").rglob("*.*") if path.suffix != ".npz"]
    texts += [*(ROOT / "docs").rglob("*.md")]
    texts += [*(ROOT / "src").rglob("*.yaml"), *(ROOT / "tools").glob("*.py"), ROOT / "README.md"]
    texts += [*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "results").glob("*/study.yaml")]
    for path in texts:
        text = path.read_text("utf-8")
        for name in re.findall(r"(?<![\w/.])(?:studies|results)/[\w./*-]+", text):
            if not re.search("NAME|FOLDER", name):
                named = name.rstrip("./")
                assert any(any(root.glob(named)) for root in (ROOT, PACKAGE)), f"{path}: {name}"


def test_kept_results_are_the_finished_runs_that_were_asked_for(tmp_path):
    made = tmp_path / "runs" / "mine"
    made.mkdir(parents=True)
    study = made / "study.yaml"
    fields = "rule: readout_only, v: 4, n: 4, m: 2, L: 2, P: 8, width: 8, batch: 4, steps: 1"
    study.write_text(f"seeds: 0-2\nruns: [{{{fields}}}]\n")
    specs = read_study(study)
    other = specs[0].model_copy(update={"steps": 2})
    journal = Journal(made)
    for spec in (specs[1], specs[0], other):
        for result in train_replicas([spec]):
            journal.append(row_of(result))
    journal.append(failed_row(specs[2], "ValueError: planted"))
    (made / "sessions").mkdir()
    (made / "sessions" / "a.json").write_text("{}")

    assert keep.keep("mine", root=tmp_path) == (2, 3)
    kept = tmp_path / "results" / "mine"
    packed_rows = list(rows(kept))
    assert [row["run_id"] for row in packed_rows] == [spec.run_id for spec in specs[:2]]
    made_of = {row["run_id"]: row for row in rows(made)}
    for row in packed_rows:
        whole = made_of[row["run_id"]]
        assert {name for name in whole if row[name] != whole[name]} <= {"curve", "portrait"}
        for name, values in whole["curve"].items():
            rough, exact = np.array(row["curve"][name], float), np.array(values, float)
            np.testing.assert_allclose(rough, exact, rtol=1e-5, err_msg=name)
    assert (kept / "study.yaml").read_text() == study.read_text()
    assert (kept / "sessions" / "a.json").exists()
    packed = (kept / "journal" / "mine.jsonl.gz").read_bytes()
    keep.keep("mine", kept / "study.yaml", root=tmp_path)
    assert (kept / "journal" / "mine.jsonl.gz").read_bytes() == packed
    with pytest.raises(SynaptreeError, match="cannot be read"):
        keep.keep("mine", tmp_path / "none.yaml", root=tmp_path)

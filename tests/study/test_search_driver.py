"""A search from its file to its winners: interrupted anywhere, it decides as if it had not been."""

import copy
import inspect
import json
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planted
from synaptree import SynaptreeError, Winner, cli, load, search
from synaptree.results.journal import Journal, rows
from synaptree.results.row import failed_row, row_of
from synaptree.rules import DFA
from synaptree.study.files import read_study
from synaptree.study.kept import asked
from synaptree.study.lock import hold
from synaptree.study.search import search as driver
from synaptree.study.search.search import estimate_search
from synaptree.study.yaml_lines import load_yaml
from synaptree.training.loop import train_replicas

# One kind, so that all rows have as many layers as the one that they are made from.
FILE = planted.FILE.replace(", deep: {{L: 3, m: 2, P: 64, budget: 960}}", "")
TEXT = FILE.format(settings=6, widenings=2)


@cache
def trained():
    """The row of a real run, as JSON."""
    spec = planted.searched(FILE).contests[0].base.model_copy(update={"steps": 4})
    return json.dumps(row_of(train_replicas([spec])[0]))


class Study:
    """Stands for `run_study`: keeps rows whose errors are planted, until it is interrupted.

    fails: whether a run ends in an error; it does not when it is run again.
    """

    def __init__(self, error, fails=lambda spec: False):
        self.error, self.fails = error, fails
        self.left = sys.maxsize  # how many more runs there are before it is interrupted
        self.ran, self.again = [], 0

    def __call__(self, specs, folder, *, retry, **others):
        done = {r["run_id"]: r["status"] for r in rows(folder)}
        for spec in specs:
            status = done.get(spec.run_id)
            if status == "done" or (status == "failed" and not retry):
                continue
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            self.ran.append(spec.run_id)
            self.again += status == "failed"
            journal = Journal(folder)
            journal.append(self.row(spec, status != "failed"))
            journal.close()

    def row(self, spec, first):
        if first and self.fails(spec):
            return failed_row(spec, "planted")
        row = copy.deepcopy(json.loads(trained()))
        same = {
            "run_id": spec.run_id,
            "label": spec.rule.label,
            "spec": spec.model_dump(mode="json"),
        }
        return row | same | {"test_error": self.error(spec)}


def scrambled(spec):
    """An error that depends on everything, in an order that nobody planned."""
    return int(spec.run_id[:8], 16) / 2**32 * planted.CHANCE


def file_in(folder):
    path = folder / "search.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        study = Study(scrambled)
        patch.setattr(driver, "run_study", study)
        winners = search(file_in(folder), folder / "out")
    return winners, study.ran, (folder / "out" / "winners.yaml").read_text()


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, 12), max_size=5))
def test_however_often_it_is_interrupted_it_decides_alike(undisturbed, tmp_path_factory, cuts):
    folder = tmp_path_factory.mktemp("cut")
    study = Study(scrambled)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "run_study", study)
        for cut in cuts:
            study.left = cut
            try:
                search(file_in(folder), folder / "out")
            except KeyboardInterrupt:
                assert not (folder / "out" / "winners.yaml").exists()
        study.left = sys.maxsize
        winners = search(file_in(folder), folder / "out")
    assert (winners, study.ran) == undisturbed[:2]
    assert (folder / "out" / "winners.yaml").read_text() == undisturbed[2]


def test_it_can_be_interrupted_before_every_single_run(undisturbed, tmp_path, monkeypatch):
    study = Study(scrambled)
    study.left = 0
    monkeypatch.setattr(driver, "run_study", study)
    for _ in undisturbed[1]:
        with pytest.raises(KeyboardInterrupt):
            search(file_in(tmp_path), tmp_path / "out")
        study.left = 1
    assert search(file_in(tmp_path), tmp_path / "out") == undisturbed[0]
    assert study.ran == undisturbed[1]


def test_failed_runs_count_as_guessing_until_they_are_run_again(tmp_path, monkeypatch):
    study = Study(lambda s: planted.distance(s, 0.003), fails=lambda s: s.lr == 0.003)
    monkeypatch.setattr(driver, "run_study", study)
    winners = search(file_in(tmp_path), tmp_path / "out")
    assert all(w.contest.space.setting(w.point)["lr"] != 0.003 for w in winners)
    assert all(w.failed for w in winners)
    again = search(file_in(tmp_path), tmp_path / "out")
    assert (again, study.again) == (winners, 0)
    winners = search(file_in(tmp_path), tmp_path / "out", retry=True)
    assert all(w.contest.space.setting(w.point)["lr"] == 0.003 for w in winners)
    assert {w.settings for w in winners} == {6}
    assert study.again > 0


def test_results_of_others_in_the_folder_change_nothing(undisturbed, tmp_path, monkeypatch):
    study = Study(scrambled)
    monkeypatch.setattr(driver, "run_study", study)
    base = undisturbed[0][0].contest.base
    study([base.model_copy(update={"lr": lr}) for lr in (0.2, 0.3)], tmp_path / "out", retry=False)
    assert search(file_in(tmp_path), tmp_path / "out") == undisturbed[0]


def test_a_search_that_is_given_more_settings_goes_on_from_what_it_has(tmp_path, monkeypatch):
    study = Study(lambda s: planted.distance(s, 0.03))
    monkeypatch.setattr(driver, "run_study", study)
    out, before = tmp_path / "out", searched_with(tmp_path, 5, 1)
    assert {w.verdict for w in before} == {"at an edge after 1 widening (lr 0.111 was not tried)"}
    ran = len(study.ran)
    study.left = 3
    with pytest.raises(KeyboardInterrupt):
        searched_with(tmp_path, 6, 2)
    assert not (out / "winners.yaml").exists()  # that of the smaller search would mislead
    study.left = sys.maxsize
    after = searched_with(tmp_path, 6, 2)
    assert {w.verdict for w in after} == {"not at an edge after 2 widenings"}
    assert len(study.ran) == ran + 2 * 4


def searched_with(folder, count, widenings):
    file = folder / "search.yaml"
    file.write_text(FILE.format(settings=count, widenings=widenings))
    return search(file, folder / "out")


def test_one_search_at_a_time_works_in_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "run_study", Study(scrambled))
    (tmp_path / "out").mkdir()
    with (
        hold(tmp_path / "out", what="search"),
        pytest.raises(SynaptreeError, match="is being written by"),
    ):
        search(file_in(tmp_path), tmp_path / "out")
    assert len(search(file_in(tmp_path), tmp_path / "out")) == 2


def test_winners_are_a_study_file_with_what_is_known_of_each(undisturbed):
    winners, _, text = undisturbed
    value, faults = load_yaml(text)
    assert faults == []
    known = value["anchors"]["winners"]
    assert [each["run_ids"] for each in known] == [[s.run_id for s in w.specs] for w in winners]
    for each, winner in zip(known, winners, strict=True):
        assert each["errors"] == pytest.approx([scrambled(s) for s in winner.specs], abs=1e-6)
        assert each["error"] == pytest.approx(sum(each["errors"]) / 4, abs=1e-6)
        assert (each["settings"], each["runs"], each["budget"]) == (6, winner.runs, 9600)
        assert each["setting"] == winner.contest.space.setting(winner.point)
    assert text.count("best of 6 settings") == 2


TINY = """
seeds: 0-1
settings: 3
widenings: 1
defaults: {v: 4, n: 4, m: 3, L: 2, P: 36, width: 8, tests: 16}
kinds: {tiny: {budget: 64}, longer: {budget: 128}}
spaces: {all: {lr: [0.001, 0.01, 0.1], batch: 16}}
rules:
  - {rule: backprop}
  - {rule: clapp, views: "trace:3", kinds: tiny}
"""


def call(capsys, *words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["synaptree", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_a_search_is_planned_run_resumed_and_its_winners_run(tmp_path, capsys):
    file, out = tmp_path / "tiny.yaml", tmp_path / "out"
    file.write_text(TINY)
    command = ("study", "search", file, "--out", out, "--workers", 1)
    code, said, _ = call(capsys, *command, "--dry-run")
    assert (code, out.exists()) == (0, False)
    assert "each tries 3 settings in 6 runs: 2 on 1 seed, then 2 on 2 seeds, then 1 chal" in said
    assert "18 runs, 18 are left; about " in said

    code, said, complaint = call(capsys, *command)
    frame = load(out)
    assert (code, len(frame), set(frame["status"])) == (0, 18, {"done"}), complaint
    assert "round 1 of 3: 2 settings of each rule on 1 seed, 6 runs" in said
    assert "round 3 of 3: challenger 1 of 1 for the best of each rule, 6 runs" in said
    assert "tiny (v=4 n=4 m=3 s=2 L=2 P=36), 64 inputs a run" in said
    assert asked(out) == set(frame["run_id"])
    assert (out / "search.yaml").read_text() == TINY

    again, said_again, _ = call(capsys, *command)
    assert (again, len(load(out))) == (0, 18)
    assert "round" not in said_again
    assert said_again.split("tiny (")[1] == said.split("tiny (")[1]
    assert (estimate_search(file, out).left, estimate_search(file, out).seconds) == (0, 0)

    wanted = read_study(out / "winners.yaml")
    assert len(wanted) == 3 * 2
    assert {spec.run_id for spec in wanted} <= set(frame["run_id"])
    winners = search(file, out)
    assert all(isinstance(winner, Winner) for winner in winners)
    errors = frame.set_index("run_id")
    for winner in winners:
        for spec, error in zip(winner.specs, winner.errors, strict=True):
            assert error == errors.loc[spec.run_id, "test_error"]


def test_the_winners_of_an_own_rule_are_used_beside_its_file(tmp_path, capsys):
    source = Path(inspect.getfile(DFA)).read_text("utf-8")
    (tmp_path / "mine.py").write_text(source, "utf-8")
    file, out = tmp_path / "tiny.yaml", tmp_path / "out"
    file.write_text(TINY.split("rules:")[0] + "rules:\n  - {rule: mine.py:DFA, kinds: tiny}\n")
    code, said, _ = call(capsys, "study", "search", file, "--out", out, "--workers", 1)
    assert code == 0
    assert "; to use it, copy it beside mine.py" in " ".join(said.split())
    text = (out / "winners.yaml").read_text("utf-8")
    assert "# Use a copy that lies beside 'mine.py'.\n" in text
    (tmp_path / "copy.yaml").write_text(text, "utf-8")
    assert {s.run_id for s in read_study(tmp_path / "copy.yaml")} <= set(load(out)["run_id"])


def test_runs_that_fail_end_the_command_with_code_1(tmp_path, capsys):
    file, out = tmp_path / "tiny.yaml", tmp_path / "out"
    # Not every class has the 8 inputs that are compared.
    file.write_text(TINY.replace("trace:3", "trace:7").replace("{rule: backprop}", "{rule: clapp, "
        "views: same_class, kinds: tiny}"))  # fmt: skip
    code, said, complaint = call(capsys, "study", "search", file, "--out", out, "--workers", 1)
    assert code == 1
    assert "6 (6 failed)" in said
    assert "6 runs failed, counted as guessing; `synaptree study status" in complaint


def test_a_mistake_is_one_line(tmp_path, capsys):
    file = tmp_path / "a.yaml"
    file.write_text(TINY.replace("seeds: 0-1", "seeds: 0-20"))
    code, _, err = call(capsys, "study", "search", file, "--out", tmp_path / "out")
    assert code == 2
    assert err.count("\n") == 1
    assert "a.yaml:2: seeds: 20 given; expected 0 to 19: no search may see the others" in err
    assert not (tmp_path / "out").exists()

"""`needs` from its runs to P*: interrupted anywhere, it decides as if it had not been."""

import copy
import json
import re
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from synaptree import DataNeeds, SynaptreeError, cli, load, make_spec, needs, needs_of
from synaptree.analysis.paired import Needs
from synaptree.data_needs.find import estimate_needs
from synaptree.data_needs.sought import sought_in, sought_of
from synaptree.results.journal import Journal, rows
from synaptree.results.row import failed_row, row_of
from synaptree.study.files import read_study
from synaptree.study.lock import hold
from synaptree.training.loop import train_replicas

CHANCE = 0.75
TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "width": 4, "batch": 8, "steps": 4, "tests": 16}
FILE = """
seeds: 0-4
defaults: {v: 4, n: 4, m: 4, L: 2, width: 4, batch: 8, steps: 4, tests: 16}
runs:
  - {rule: [backprop, dfa], P: [16, 181]}
"""


def spec(**settings):
    return make_spec(**{"rule": "backprop", "P": 64} | TINY | settings)


@cache
def trained():
    """The row of a real run, as JSON."""
    return json.dumps(row_of(train_replicas([spec()], portrait=False)[0]))


def falling(where):
    """Errors that fall about a P that is a little different on each grammar."""

    def error(run):
        own = where * 1.1 ** (run.grammar_seed - 2)
        return CHANCE / (1 + (run.P / own) ** 6)

    return error


class Study:
    """Stands for `run_study`: keeps rows whose errors are planted, until it is interrupted."""

    def __init__(self, error, fails=lambda run: False):
        self.error, self.fails = error, fails
        self.left = sys.maxsize
        self.ran, self.rounds = [], []

    def __call__(self, specs, folder, *, retry=False, progress=None, **others):
        assert others["portrait"] is False
        self.rounds.append(specs)
        done = {row["run_id"]: row["status"] for row in rows(folder)}
        for run in specs:
            status = done.get(run.run_id)
            if status == "done" or (status == "failed" and not retry):
                continue
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            self.ran.append(run)
            journal = Journal(folder)
            journal.append(self.row(run, first=status is None))
            journal.close()

    def row(self, run, first):
        if first and self.fails(run):
            return failed_row(run, "planted")
        row = copy.deepcopy(json.loads(trained()))
        said = {"run_id": run.run_id, "label": run.rule.label, "spec": run.model_dump(mode="json")}
        return row | said | {"test_error": self.error(run), "steps": run.steps}


@pytest.fixture
def play(monkeypatch):
    def play(*planted):
        study = Study(*planted)
        monkeypatch.setattr("synaptree.study.run.run_study", study)
        return study

    return play


def facts(found):
    return found.value, found.low, found.high, found.runs, found.steps, found.known.counts


def test_p_star_is_that_of_the_errors_that_ran(play, tmp_path):
    study = play(falling(64))
    found = needs(spec(), tmp_path, seeds=range(5), P=(16, 181))
    assert isinstance(found, DataNeeds)
    sizes = found.known.sizes
    assert sizes == (16, 23, 32, 45, 64, 91, 128, 181)
    at = [place for place, count in enumerate(found.known.counts) if count == 5]
    errors = [[falling(64)(run) for run in spec(P=sizes[p]).replicate(5)] for p in at]
    grid = Needs.of([sizes[p] for p in at], np.array(errors).T, 0.1 * CHANCE)
    assert found.value == pytest.approx(grid.value)
    assert found.low < found.value < found.high
    assert (found.runs, found.steps) == (len(study.ran), 4 * len(study.ran))
    assert (found.grid, found.failed, found.seeds) == (40, 0, (0, 1, 2, 3, 4))
    assert found.why.startswith("not solved at P=")
    assert len(load(tmp_path)) == found.runs


def test_nothing_is_run_again_and_another_p_range_takes_what_is_there(play, tmp_path):
    study = play(falling(64))
    first = needs(spec(), tmp_path, seeds=range(5), P=(16, 181))
    count = len(study.ran)
    again = needs(spec(P=32, data_seed=7), tmp_path, seeds=range(5), P=(16, 181))
    assert facts(again) == facts(first)
    assert len(study.ran) == count
    smaller = needs(spec(), tmp_path, seeds=range(5), P=(16, 128))
    assert smaller.value == pytest.approx(first.value)
    assert len(study.ran) <= count + 2  # the new largest size


@pytest.mark.parametrize("after", [0, 1, 3, 8, 14])
def test_interrupted_anywhere_it_ends_alike(play, tmp_path, after):
    study = play(falling(50))
    whole = needs(spec(), tmp_path / "whole", seeds=range(5), P=(16, 181))
    asked = {run.run_id for run in study.ran}
    study = play(falling(50))
    study.left = after
    if after < len(asked):
        with pytest.raises(KeyboardInterrupt):
            needs(spec(), tmp_path / "parts", seeds=range(5), P=(16, 181))
    study.left = sys.maxsize
    found = needs(spec(), tmp_path / "parts", seeds=range(5), P=(16, 181))
    assert facts(found) == facts(whole)
    assert {run.run_id for run in study.ran} == asked
    assert len(study.ran) == len(asked)


def test_rules_of_a_study_share_rounds_and_are_compared_on_the_same_grammars(play, tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(FILE)
    study = play(lambda run: falling(40 if run.rule.name == "backprop" else 80)(run))
    found = needs_of(file, tmp_path / "out")
    assert [each.spec.rule.name for each in found] == ["backprop", "dfa"]
    over = found[1].over(found[0])
    assert over.low < over.value < over.high
    assert over.value == pytest.approx(2, rel=0.05)
    assert {run.rule.name for run in study.rounds[0]} == {"backprop", "dfa"}
    kept = read_study(tmp_path / "out" / "study.yaml")
    assert {run.run_id for run in kept} == {run.run_id for run in study.ran}
    alone = needs(found[0].spec, tmp_path / "out", seeds=range(3), P=(16, 181))
    with pytest.raises(SynaptreeError, match=r"grammars \[0, 1, 2\] given; expected the same"):
        found[1].over(alone)


def test_a_run_that_failed_counts_as_guessing_and_is_run_again_on_request(play, tmp_path):
    study = play(falling(64), lambda run: run.P == 91 and run.grammar_seed == 3)
    found = needs(spec(), tmp_path, seeds=range(5), P=(16, 181))
    assert found.failed == 1
    before = len(study.ran)
    assert needs(spec(), tmp_path, seeds=range(5), P=(16, 181)).failed == 1
    assert len(study.ran) == before
    mended = needs(spec(), tmp_path, seeds=range(5), P=(16, 181), retry=True)
    assert mended.failed == 0
    assert mended.value < found.value


def test_sizes_that_the_settings_do_not_allow_are_left_out():
    (sought,) = [sought_of(spec(batch=40), [0], (16, 4096))]
    assert list(sought.runs) == [45, 64, 91, 128, 181]  # P_max is 256
    with pytest.raises(SynaptreeError, match="batch: 40 given, but P is 16"):
        sought_of(spec(batch=40), [0], (16, 32))
    with pytest.raises(SynaptreeError, match="seeds: none given"):
        sought_of(spec(), [], (16, 32))
    with pytest.raises(SynaptreeError, match=r"P: 32\.\.16 given"):
        sought_of(spec(), [0], (32, 16))
    with pytest.raises(SynaptreeError, match=r"P: 32\.\.32 given; expected two sizes"):
        sought_of(spec(), [0], (32, 32))
    with pytest.raises(SynaptreeError, match=r"P: 64 alone given for backprop; expected two"):
        sought_in([spec(P=64, grammar_seed=seed) for seed in (0, 1)])
    with pytest.raises(SynaptreeError, match="several runs of one grammar"):
        sought_in([spec(network_seed=0), spec(network_seed=1)])
    with pytest.raises(SynaptreeError, match="no runs given"):
        sought_in([])


def test_an_estimate_counts_runs_and_writes_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr("synaptree.study.run.seconds_left", lambda *_, **__: 1.0)
    sought = [sought_of(spec(), range(5), (16, 181))]
    found = estimate_needs(sought, tmp_path / "out")
    assert 10 < found.runs < 20
    assert found.left == found.runs
    assert not (tmp_path / "out").exists()


def test_one_driver_at_a_time(play, tmp_path):
    play(falling(64))
    with (
        hold(tmp_path, what="needs"),
        pytest.raises(SynaptreeError, match="is being written"),
    ):
        needs(spec(), tmp_path, seeds=range(5), P=(16, 181))


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(FILE)

    def call(*line):
        monkeypatch.setattr(sys, "argv", ["synaptree", *line])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return call


WORDS = "--v 4 --n 4 --m 4 --L 2 --width 4 --batch 8 --steps 4 --seeds 0-4 --P 16..181 --out out"
LINE = ("needs", "--rule", "backprop", *WORDS.split())


def test_one_rule_is_one_line(play, call):
    play(falling(64))
    code, out, _ = call(*LINE)
    last, few = out.splitlines()[-2:]
    assert code == 0
    assert few.startswith("tests: 8192 strings asked, but only 75 are left beside P=181")
    assert last.startswith("backprop · v=4 n=4 m=4 s=2 L=2: P* 9")
    assert "runs of 40 on a grid" in last
    play(lambda run: CHANCE)
    assert "P* > 181, not solved at P=181 (75.0% on 3);" in call(*LINE, "--out", "other")[1]


def test_few_strings_to_test_on_are_told(play, call):
    play(falling(64))
    enough = needs(spec(tests=16), "enough", seeds=range(5), P=(16, 181))  # 75 of 256 are left
    assert enough.few_tests == ""
    line = [*LINE[:-4], "--P", "16..255", "--out", "few"]
    code, out, _ = call(*line)
    said = out.splitlines()[-1]
    assert code == 0
    assert said.startswith("tests: 8192 strings asked, but only 1 is left beside P=255 on v=4 ")
    assert "so that test errors are 0 or 1 (so in " in said
    (told,) = json.loads(call(*line, "--json")[1])
    assert told["few_tests"] == said


def test_a_dry_run_says_how_many_runs_of_a_grid(call, monkeypatch):
    monkeypatch.setattr("synaptree.study.run.seconds_left", lambda *_, **__: 1.0)
    code, out, _ = call(*LINE, "--dry-run")
    first, second = out.splitlines()
    assert code == 0
    assert "a grid would have 40 runs" in first
    assert 10 < int(second.split()[0]) < 20
    assert not Path("out").exists()


def test_json_has_null_for_what_is_infinite(play, call):
    play(lambda run: CHANCE)
    code, out, _ = call(*LINE, "--json")
    (said,) = json.loads(out)
    assert (code, said["P_star"], said["high"], said["above"]) == (0, None, None, 181)
    assert said["settings"]["rule"] == "backprop"
    assert said["sizes"][-1] == 181
    assert len(said["sizes"]) == len(said["grammars"]) == len(said["errors"])


def test_several_rules_are_a_table_and_failures_an_exit_code(play, call):
    play(falling(64), lambda run: run.P == 91 and run.grammar_seed == 3)
    code, out, err = call("study", "needs", "study.yaml", "--out", "out")
    assert code == 1
    assert "runs failed, counted as guessing" in err
    assert "over backprop" in out
    assert [row.split("│")[1].strip() for row in out.splitlines() if row.startswith("│")] == [
        "backprop",
        "dfa",
    ]
    _, out, _ = call("study", "needs", "study.yaml", "--out", "out", "--json")
    assert json.loads(out)[1]["over_first"]["value"] == 1.0


def test_each_is_compared_with_the_first_rule_of_its_own_kind(play, call):
    kinds = [", P: [16, 181]}", ", v: 5, n: 5, P: [16, 181]}"]
    rows = [f"  - {{rule: {rule}{kind}" for kind in kinds for rule in ("backprop", "dfa")]
    Path("kinds.yaml").write_text("\n".join([*FILE.splitlines()[:4], *rows]))
    easy, hard = falling(40), falling(90)
    play(lambda run: (hard if run.v == 4 else easy)(run) * (0.8 if run.rule.name == "dfa" else 1))
    code, out, _ = call("study", "needs", "kinds.yaml", "--out", "kinds")
    assert code == 0
    assert "over the first of its kind" in " ".join(re.sub("[│┃]", " ", out).split())
    _, out, _ = call("study", "needs", "kinds.yaml", "--out", "kinds", "--json")
    found = json.loads(out)
    over = [one["over_first"]["value"] for one in found]
    P = [one["P_star"] for one in found]
    assert over == pytest.approx([1, P[1] / P[0], 1, P[3] / P[2]])
    assert over[1] < 1
    assert over[3] < 1
    assert P[2] < 0.6 * P[0]


def test_real_runs_are_found_and_go_on(tmp_path):
    """Real training in a worker process: a second call trains nothing."""
    run, said = spec(m=3, width=16, steps=200, lr=0.01), []
    found = needs(run, tmp_path, seeds=[0, 1], P=(64, 128), workers=1, progress=said.append)
    assert found.runs == len(load(tmp_path)) >= 2
    assert len([update for update in said if update.message.startswith("round")]) > 1
    # The rounds of one bisection are one study.
    assert not list(tmp_path.glob("study-*.yaml"))
    before = len(said)
    again = needs(run, tmp_path, seeds=[0, 1], P=(64, 128), progress=said.append)
    assert facts(again) == facts(found)
    assert len(said) == before > 0

"""A rule from a file outside the package, wherever the command line takes a rule."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from synaptree import SynaptreeError, load, make_spec, rules, run_study
from synaptree.study.files import study_file

BIN = Path(sys.executable).parent / "synaptree"
GRAMMAR = "--v 4 --n 4 --m 4 --L 2 --P 64 --width 8 --batch 16 --steps 20"

# Loading the file leaves a trace: an empty file beside it.
RULE = '''
"""Direct feedback of the error's sign, times a gain."""

from pathlib import Path
from typing import ClassVar, Literal

from synaptree.rules import Facts, Rule, Teaching

if Path(TRACE).parent.is_dir():
    Path(TRACE).touch()


class SignDFA(Rule):
    """T_l = gain · B_l sign(e), with the same B_l for all layers and replicas."""

    name: Literal["sign_dfa"] = "sign_dfa"
    gain: float = 1.0
    facts: ClassVar[Facts] = Facts(
        title="Direct feedback of the error's sign",
        family="direct feedback",
        citation="mine, 2026",
        equation="T_l = gain · B_l sign(e)",
        differences="none",
        labels=True,
        weight_transport=False,
        error_network=False,
        downstream_masks=False,
        other_samples=False,
    )

    def teach(self, net, state, batch, generators):
        e = batch.error.sign() / batch.error.shape[1]
        B = [[(-1) ** (h * c // 3) for h in range(net.width)] for c in range(net.n)]
        told = self.gain * e @ e.new_tensor(B)
        return Teaching(
            [told.unsqueeze(2).expand(-1, -1, net.positions(l), -1) for l in range(1, net.L + 1)]
        )
'''
STUDY = """
seeds: [0, 1]
defaults: {v: 4, n: 4, m: 4, L: 2, P: 64, width: 8, batch: 16, steps: 4, tests: 16}
runs:
  - rule: [dfa, my_rules.py:SignDFA, {name: my_rules.py, gain: [2, 3]}]
"""


@pytest.fixture
def home(tmp_path):
    """A folder with a study and the file of its rule, which is not the working folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    trace = str(tmp_path / "trace" / "loaded")
    (folder / "my_rules.py").write_text(RULE.replace("TRACE", repr(trace)))
    (folder / "study.yaml").write_text(STUDY)
    return folder


def call(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(f"{BIN} {line}", shell=True, capture_output=True, text=True, cwd=cwd)


def test_train_rules_and_audit_take_a_file(home):
    done = call(f"train --rule my_rules.py:SignDFA --option gain=2 {GRAMMAR} --json", home)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    found = json.loads(done.stdout)
    assert (found["rule"], found["rule_options"]["gain"]) == ("sign_dfa", 2.0)
    page = call("rules my_rules.py", home).stdout
    assert "T_l = gain · B_l sign(e)" in page
    assert "options      gain = 1.0" in page
    assert "Direct feedback of the error's sign, times a gain." in page
    done = call("audit my_rules.py --json", home)
    (found,) = json.loads(done.stdout)
    assert found["contradicted"] == []
    assert found["declared"]["labels"] is True


@pytest.mark.parametrize(
    ("reference", "says"),
    [("nowhere.py:SignDFA", "nowhere.py"), ("my_rules.py:SignDFB", "SignDFA"), ("sign_dfa", "dfa")],
)
def test_a_wrong_reference_is_one_line(home, reference, says):
    done = call(f"train --rule {reference} {GRAMMAR}", home)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_study_with_two_workers_goes_on_and_is_reported(home, tmp_path):
    run = "study run home/study.yaml --out out --workers 2"
    done = call(run, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    frame = load(tmp_path / "out")
    assert sorted(frame["label"].unique()) == [
        "dfa",
        "sign_dfa",
        "sign_dfa (gain=2.0)",
        "sign_dfa (gain=3.0)",
    ]
    assert set(frame["status"]) == {"done"}
    done = call(run, tmp_path)
    assert "8 of 8 runs are there already in out, nothing left to run" in done.stdout
    done = call("report out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "sign_dfa (gain=2.0)" in (tmp_path / "out" / "report.html").read_text()


def test_shares_of_a_job_array_take_a_file(home, tmp_path):
    for part in (1, 2):
        line = f"study run home/study.yaml --out out --workers 1 --shard {part}/2"
        assert call(line, tmp_path).returncode == 0
    assert len(load(tmp_path / "out")) == 8


def test_workers_need_not_have_the_file(home, tmp_path):
    study = study_file(home / "study.yaml")
    (home / "my_rules.py").unlink()
    frame = run_study(study, tmp_path / "out", workers=2)
    assert len(frame) == 8
    assert set(frame["status"]) == {"done"}


def test_nothing_is_executed_because_a_folder_of_results_names_it(home, tmp_path):
    run_study(home / "study.yaml", tmp_path / "out", workers=1)
    # The study file and the rule's file of a stranger, who hopes that they are loaded.
    for folder in (tmp_path, tmp_path / "out"):
        (folder / "my_rules.py").write_text((home / "my_rules.py").read_text() + "\n# changed\n")
    trace = tmp_path / "trace" / "loaded"
    trace.parent.mkdir()
    done = call("study status out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "8 runs done, 0 failed, 0 left" in done.stdout
    assert call("report out", tmp_path).returncode == 0
    assert call("study export out --to csv", tmp_path).returncode == 0
    assert not trace.exists()
    # The trace is one that loading does leave.
    assert call("rules my_rules.py", tmp_path).returncode == 0
    assert trace.exists()


def test_a_rule_of_a_script_or_notebook_is_refused_in_one_sentence(tmp_path):
    class Mine(rules.Backprop):
        pass

    spec = make_spec(rule=Mine(), v=4, n=4, m=4, L=2, P=64, batch=16)
    with pytest.raises(SynaptreeError, match=r"Mine is defined in .*, as my_rules.py:Mine"):
        run_study([spec], tmp_path / "out")
    assert not (tmp_path / "out" / "journal").exists()

"""What a user can get wrong with `synaptree judge` costs one line and exit code 2."""

import re
import sys

import pytest
from judged_rules import CHEAT, beside_in, cheat_in, copy_of

from synaptree import cli

END = "/ z.shape[1])"
FAULTS = {
    "another shape": (
        END,
        f"{END}\n        signals = [T[0] for T in signals]",
        "signals: layer 1 has shape",
    ),
    "no such family": ('"layerwise"', '"layered"', "family: 'layered' is unknown"),
    "does not run": ("import torch", "import torch\nraise ValueError('no')", "does not run"),
}


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*line):
        monkeypatch.setattr(sys, "argv", ["synaptree", "judge", *line, "--out", "out"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        _, err = capsys.readouterr()
        assert ended.value.code == 2
        assert len(err.splitlines()) == 1
        assert not (tmp_path / "out").exists()
        return err

    return call


def test_no_such_file(call):
    assert "'none.py'" in call("none.py") or "none.py" in call("none.py")


def test_no_such_class(call, tmp_path):
    cheat_in(tmp_path)
    assert "did you mean 'Peek'?" in call("honest.py:Peak")


def test_no_such_option(call, tmp_path):
    cheat_in(tmp_path)
    assert "did you mean 'gain'?" in call("honest.py:Peek(gian=5)")
    assert "expected NAME=VALUE" in call("honest.py:Peek(5)")


@pytest.mark.parametrize("name", FAULTS)
def test_a_rule_that_does_not_keep_to_the_contract(call, tmp_path, name):
    old, new, said = FAULTS[name]
    assert old in CHEAT
    (tmp_path / "faulty.py").write_text(CHEAT.replace(old, new))
    assert said in call("faulty.py")


def test_a_rule_of_the_package(call):
    assert "dfa is the package's own, and in the results already" in call("dfa")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "P=3"], "P given; expected a setting other than"),
        (["--set", "lrate=3"], "'lrate' is unknown"),
        (["--set", "lr"], "expected NAME=VALUE, as lr=0.01"),
        (["--set", "lr=fast"], "'fast'"),
    ],
)
def test_settings(call, words, said):
    assert said in call("none.py", *words)


def test_results_that_are_none(call, tmp_path):
    copy_of("dfa", tmp_path, "mine")
    (tmp_path / "empty").mkdir()
    assert "'empty' holds no results" in call("mine.py", "--beside", "empty")


def test_results_without_a_rule_of_its_kind(call, tmp_path):
    cheat_in(tmp_path)
    beside_in(tmp_path / "beside", ("backprop", "dfa"), seeds=2)
    err = call("honest.py", "--beside", "beside")
    assert "no rule with two views was run on L=2 m=2 P=24" in err


def test_a_folder_beside_itself(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    copy_of("dfa", tmp_path, "mine")
    beside_in(tmp_path / "out", ("backprop", "dfa"), seeds=1)
    line = ["synaptree", "judge", "mine.py", "--out", "out", "--beside", "out"]
    monkeypatch.setattr(sys, "argv", line)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "given, and beside too" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rule", "left_out", "said"),
    [
        ("dfa", ["subfamily"], "'fixed direct feedback' or 'learned direct feedback' or "
         "'perturbation' or 'vector units'"),
        ("symmetric_direct", ["subfamily"], "'fixed direct feedback' or 'learned direct feedback' "
         "or 'perturbation' or 'vector units' or 'control'"),
        ("dfa", [], None),
    ],
)  # fmt: skip
def test_a_rule_without_a_subfamily_is_told_before_anything_is_trained(
    capsys, monkeypatch, tmp_path, rule, left_out, said
):
    monkeypatch.chdir(tmp_path)
    beside_in(tmp_path / "beside", ("backprop", "readout_only", "dfa"), seeds=1)
    copy_of(rule, tmp_path, "mine")
    text = (tmp_path / "mine.py").read_text()
    for name in left_out:
        text = re.sub(rf"\n *{name}=.*", "", text)
    (tmp_path / "mine.py").write_text(text)
    line = ["judge", "mine.py", "--quick", "--beside", "beside", "--dry-run"]
    monkeypatch.setattr(sys, "argv", ["synaptree", *line])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    assert (ended.value.code, err) == (0, "")
    assert " workers, as fast as this machine is now" in out.splitlines()[1]
    few, *warnings = out.splitlines()[2:]
    assert few == (
        "1 grammar a kind decides no claim, since even 1 of 1 solved has the 95% interval 3%–100%, "
        "which is not above one half"
    )
    assert warnings == ([] if said is None else [
        "mine.py: the facts name no subfamily, so that no claim of the study will be asked of this "
        f"rule; expected subfamily={said}"
    ])  # fmt: skip

"""Every flag of every command with what people mistype: one line and exit code 2, or it runs."""

import sys
from pathlib import Path

import pytest
import typer.main

from synaptree import cli
from synaptree.cli import words

TINY = ["--v", "4", "--n", "4", "--m", "4", "--L", "2", "--P", "64", "--width", "4"]
SHORT = ["--batch", "8", "--steps", "2"]
STUDY = "runs: [{rule: backprop, v: 4, n: 4, m: 4, L: 2, P: 64, width: 4, batch: 8, steps: 2}]\n"
SEARCH = """
settings: 2
widenings: 0
seeds: 0
defaults: {v: 4, n: 4, s: 2, width: 4, tests: 8}
kinds: {one: {L: 2, m: 4, P: 64, budget: 64}}
spaces: {all: {lr: {choice: [0.01, 0.1]}, batch: {choice: [8]}}}
rules: [{rule: backprop}]
"""
# Each command with words that make it quick.
COMMANDS = {
    "train": ["train", "--rule", "backprop", *TINY, *SHORT],
    "reproduce": ["reproduce", "--dry-run"],
    "report": ["report"],
    "rules": ["rules"],
    "audit": ["audit", "backprop"],
    "check": ["check", "readout_only"],
    "judge": ["judge", "none.py", "--out", "out", "--dry-run"],
    "signal": ["signal", "--rule", "dfa", *TINY, "--strings", "32"],
    "needs": [
        "needs",
        "--rule",
        "backprop",
        *TINY,
        *SHORT,
        "--P",
        "32..64",
        "--out",
        "out",
        "--seeds",
        "0-1",
        "--dry-run",
    ],
    "bench": ["bench", "--seconds", "nan"],  # which never begins
    "study run": ["study", "run", "study.yaml", "--out", "out", "--dry-run"],
    "study search": ["study", "search", "search.yaml", "--out", "out", "--dry-run"],
    "study needs": ["study", "needs", "study.yaml", "--out", "out", "--dry-run"],
    "study status": ["study", "status"],
    "study export": ["study", "export"],
    "grammar show": ["grammar", "show"],
    "grammar info": ["grammar", "info", "--v", "4", "--n", "4", "--m", "4", "--L", "2"],
}
BAD = ["", " ", "0-3", "1_0", "-1", "inf", "nan", "1e999", "999999999999999999999", "x" * 1_000_000,
       "\x1b[2J", "/", ".", "a/" * 3000, "√2"]  # fmt: skip


def commands(group, names=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*names, name))
        else:
            yield " ".join((*names, name)), command


FLAGS = [
    (name, param.opts[0] if param.opts[0].startswith("-") else "")
    for name, command in commands(typer.main.get_command(cli.app))
    for param in command.params
    if not getattr(param, "is_flag", False) and param.name != "help"
]


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(STUDY)
    Path("search.yaml").write_text(SEARCH)
    for module in ("run", "search.search"):
        monkeypatch.setattr(f"synaptree.study.{module}.seconds_left", lambda *_, **__: 1.0)

    def call(*line):
        monkeypatch.setattr(sys, "argv", ["synaptree", *line])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return call


def test_every_command_is_here():
    assert {name for name, _ in FLAGS} == set(COMMANDS)
    assert len(FLAGS) > 60


@pytest.mark.parametrize(("name", "flag"), FLAGS, ids=[" ".join(each) for each in FLAGS])
def test_a_flag_with_a_wrong_value_is_one_line_or_runs(call, tmp_path, name, flag):
    for bad in BAD:
        line = [*COMMANDS[name], *([flag, bad] if flag else [bad])]
        code, _, err = call(*line)
        what = [word[:40] for word in line]
        assert code in (0, 2), (what, err[-300:])
        assert len(err.splitlines()) == (1 if code else 0), (what, err[-300:])
        assert "Traceback" not in err
        assert len(err) < 1500, (what, err[:300])
        assert "\x1b" not in err
    made = {path.name for path in tmp_path.iterdir()}
    assert made <= {
        "study.yaml",
        "search.yaml",
        "out",
        "journal",
        "networks",
        *(bad for bad in BAD if len(bad) < 40),
    }


NUMBERS = [(name, flag) for name, flag in FLAGS if flag in
           ("--v", "--n", "--m", "--s", "--L", "--P", "--seed", "--replicas", "--width", "--steps",
            "--batch", "--readout-steps", "--workers", "--string", "--lr", "--weight-decay",
            "--evaluations", "--tests", "--momentum", "--grammar-seed", "--data-seed",
            "--network-seed", "--stop-loss", "--validation", "--seconds")]  # fmt: skip


@pytest.mark.parametrize(("name", "flag"), NUMBERS, ids=[" ".join(each) for each in NUMBERS])
@pytest.mark.parametrize("bad", ["0-3", "1_0", "inf", "nan", "", "1e999"])
def test_what_is_no_number_is_never_read_as_one(call, name, flag, bad):
    code, out, err = call(*COMMANDS[name], flag, bad)
    assert (code, out) == (2, "")
    assert flag in err
    assert "expected" in err


@pytest.mark.parametrize("good", ["3", " 3 ", "3.0", "3e0", "+3"])
def test_what_people_write_for_a_whole_number_is_one(good):
    assert words.whole(good) == 3
    assert words.whole("1e3") == 1000


def test_seeds_in_a_range_are_refused_and_not_a_negative_seed(call):
    code, _, err = call(*COMMANDS["train"], "--seed", "0-3")
    assert code == 2
    assert "'0-3' given; expected one whole number, as 3" in err

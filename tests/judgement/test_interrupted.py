"""What `synaptree judge` says after Ctrl-C: how many runs are done, and how to go on."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from synaptree import cli, make_spec
from synaptree.judgement import judge as judging
from synaptree.study.update import Update

GROUPS = [make_spec(rule="dfa", v=4, n=4, m=2, L=2, P=16, batch=8).replicate(k) for k in (4, 3, 2)]


def stopped(monkeypatch, capsys, left, *news):
    """The exit code and the line, after Ctrl-C came behind some updates.  left: of the runs."""
    plan = SimpleNamespace(
        rules=[],
        searches=False,
        warnings=[],
        seconds=lambda options: (left, 1.0),
        workers=lambda options: 1,
    )

    def carry_out(plan, options):
        for each in news:
            options["progress"](each)
        raise KeyboardInterrupt

    monkeypatch.setattr(judging, "plan_of", lambda *given, **more: plan)
    monkeypatch.setattr(judging, "carry_out", carry_out)
    monkeypatch.setattr(sys, "argv", ["synaptree", "judge", "mine.py", "--quick"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code, capsys.readouterr().err


def line(runs):
    return 130, f"synaptree: stopped; {runs} are done and kept; the same command goes on\n"


def test_it_counts_the_runs_of_groups_that_have_ended(monkeypatch, capsys):
    news = [
        Update(GROUPS, message="going on"),
        Update(GROUPS, 0, step=10, test_error=0.5),
        Update(GROUPS, 1, step=20, failed=0),  # three runs
        Update(GROUPS, 2, step=20, failed=1),  # two, of which one failed
        Update(GROUPS, 0, step=20, test_error=0.4),
    ]
    assert stopped(monkeypatch, capsys, 9, *news) == line("5 of the 9 runs that were left")
    assert stopped(monkeypatch, capsys, 9) == line("0 of the 9 runs that were left")


def test_runs_of_several_rounds_add_up(monkeypatch, capsys):
    rounds = [Update(GROUPS[:1], 0, step=20, failed=0), Update(GROUPS[1:], 0, step=20, failed=0)]
    assert stopped(monkeypatch, capsys, 30, *rounds) == line("7 of the 30 runs that were left")


def test_companions_of_a_missing_run_are_not_counted(monkeypatch, capsys):
    ended = Update(GROUPS[:1], 0, step=20, failed=0)
    assert stopped(monkeypatch, capsys, 1, ended) == line("1 of the 1 runs that were left")


def test_where_only_the_page_was_left(monkeypatch, capsys):
    assert stopped(monkeypatch, capsys, 0) == line("all runs")


SIGNAL = """
import os, signal
from synaptree.cli import interrupt

signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore it
done = 0
interrupt.say_kept(lambda: "a phrase of a command before")
with interrupt.one_line():
    interrupt.say_kept(lambda: f"{done} are kept")
    done = 3
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        print("not shown")
"""


def test_a_signal_gives_the_phrase_of_its_moment_and_no_more():
    ended = subprocess.run([sys.executable, "-c", SIGNAL], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr == "synaptree: stopped; 3 are kept\n"


@pytest.mark.parametrize("command", ["reproduce", "study", "needs", "judge", "audit"])
def test_without_a_phrase_the_line_says_whether_something_is_kept(command):
    code = SIGNAL.replace("    interrupt.say_kept", "    (lambda phrase: None)")
    asked = [sys.executable, "-c", code, command]
    ended = subprocess.run(asked, capture_output=True, text=True)
    kept = "" if command == "audit" else "; what was finished is kept"
    assert (ended.returncode, ended.stderr) == (130, f"synaptree: stopped{kept}\n")

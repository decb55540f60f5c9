"""Live progress: bars in a terminal, plain lines elsewhere."""

import io

import numpy as np
import pytest
from rich.console import Console

from synaptree import make_spec
from synaptree.sources.dataset import Dataset
from synaptree.study.estimate import steps_beside
from synaptree.study.progress import Live
from synaptree.study.update import Update
from synaptree.training.live import title

SPECS = make_spec(rule="dfa", v=4, n=4, m=4, L=2, P=64, batch=16, steps=4000).replicate(3)


def at(step, test_error=None, failed=None) -> Update:
    return Update([SPECS], 0, step, test_error, failed)


def shown(terminal: bool, monkeypatch, updates) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120)
    clock = [0.0]
    monkeypatch.setattr("synaptree.study.progress.time.monotonic", lambda: clock[0])
    with Live(console) as live:
        live(Update([SPECS], message="1 of 4 runs are there already"))
        for when, update in updates:
            clock[0] = when
            live(update)
    return out.getvalue()


UPDATES = [(0.0, at(1)), (6.0, at(800, 0.5)), (7.0, at(880, 0.5)), (30.0, at(4000, 0.25))]


def test_plain_lines_say_steps_best_error_and_time_left(monkeypatch):
    # The portrait is being made, and is timed by the 80 steps that took a second.
    left = 7 + (4000 + steps_beside(SPECS[0], 3) - 880) / 880 * 7 - 30
    lines = shown(False, monkeypatch, [*UPDATES, (31.0, at(4000, failed=0))]).splitlines()
    assert lines == [
        "1 of 4 runs are there already",
        "dfa · L=2 m=4: 800 of 4000 steps, best error 0.500",
        "dfa · L=2 m=4: 4000 of 4000 steps, best error 0.250",
        f"all runs: 0 done, 3 left, about {left:.0f} s left",
        "dfa · L=2 m=4: 3 of 3 runs done, best error 0.250 (31 s)",
    ]


def test_time_left_counts_the_portraits_and_no_start(monkeypatch):
    """Workers come after 100 s; 800 steps took 30 s; 3200 are left, and what comes after them."""
    text = shown(False, monkeypatch, [(100.0, at(0)), (130.0, at(800, 0.5))])
    left = 30 * (4000 + steps_beside(SPECS[0], 3) - 800) / 800
    assert left > 130
    assert f"0 done, 3 left, about {left / 60:.0f} min left" in text


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize(("step", "measured"), [(1, False), (9, False), (10, True), (400, True)])
def test_nothing_is_said_of_the_time_left_before_some_steps_were_measured(
    monkeypatch, terminal, step, measured
):
    text = shown(terminal, monkeypatch, [(0.0, at(0)), (30.0, at(step))])
    assert ("measuring the time left" in text) is not measured
    assert ("about" in text) is measured


def test_plain_lines_name_failures(monkeypatch):
    assert "0 of 3 runs done, 3 failed" in shown(False, monkeypatch, [(1.0, at(4000, failed=3))])


def test_a_terminal_gets_a_bar(monkeypatch):
    text = shown(True, monkeypatch, UPDATES)
    assert "1 of 4 runs are there already" in text
    assert "0/3 runs" in text
    assert "best error 0.250" in text
    assert "all runs" in text
    assert "0 done, 3 left" in text
    assert "\x1b[" in text


def test_of_many_lines_only_those_at_work_are_shown(monkeypatch):
    out = io.StringIO()
    kind = {"v": 64, "n": 64, "L": 2, "P": 64, "batch": 16, "steps": 50}
    groups = [[make_spec(rule="dfa", m=m, **kind)] for m in (4, *range(2, 42))]
    with Live(Console(file=out, force_terminal=True, width=100, height=30)) as live:
        live(Update(groups, 7, 3, 0.5))
        live(Update(groups, 8, 50, failed=1))
        visible = [task.description for task in live.bars.tasks if task.visible]
    assert visible == ["dfa · L=2 m=8", "all runs"]
    assert "1 failed" in live.counts


def test_a_line_is_called_by_the_rule_and_its_grammar_variant_or_data(tmp_path):
    kind = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "batch": 16}
    rng = np.random.default_rng(0)
    file = Dataset.tokens(rng.integers(0, 4, (40, 8)), np.arange(40) % 3).save(tmp_path / "mine")
    assert title(make_spec(rule="dfa(scale=2)", **kind)) == "dfa (scale=2.0) · L=2 m=4"
    assert title(make_spec(rule="dfa", variant="zipf=1", **kind)) == "dfa · zipf=1 L=2 m=4"
    assert title(make_spec(rule="dfa", data=file, batch=4)) == "dfa · mine.npz"

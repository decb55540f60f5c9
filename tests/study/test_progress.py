"""Live progress: bars in a terminal, plain lines elsewhere."""

import io

from rich.console import Console

from synaptree import make_spec
from synaptree.study.progress import Live, Update
from synaptree.training.loop import Progress

SPECS = make_spec(rule="dfa", v=4, n=4, m=4, L=2, P=64, batch=16, steps=50).replicate(3)


def shown(terminal: bool, monkeypatch, updates) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100)
    clock = [0.0]
    monkeypatch.setattr("synaptree.study.progress.time.monotonic", lambda: clock[0])
    with Live([SPECS], console) as live:
        for at, update in updates:
            clock[0] = at
            live(update)
    return out.getvalue()


UPDATES = [
    (0.0, Update(0, Progress(1, 50, None))),
    (6.0, Update(0, Progress(10, 50, 0.5))),
    (7.0, Update(0, Progress(11, 50, 0.5))),
    (30.0, Update(0, Progress(50, 50, 0.25))),
]


def test_plain_lines_say_steps_best_error_and_time_left(monkeypatch):
    lines = shown(False, monkeypatch, [*UPDATES, (31.0, Update(0, failed=0))]).splitlines()
    assert lines == [
        "dfa · L=2 m=4: 10 of 50 steps, best error 0.500",
        "dfa · L=2 m=4: 50 of 50 steps, best error 0.250",
        "all runs: 0 done, 3 left, about 0 s",
        "dfa · L=2 m=4: 3 of 3 runs done, best error 0.250 (31 s)",
    ]


def test_time_left_goes_by_cost(monkeypatch):
    made = [(30.0, Update(0, Progress(10, 50, 0.5)))]
    assert "0 done, 3 left, about 2 min" in shown(False, monkeypatch, made)


def test_plain_lines_name_failures(monkeypatch):
    assert "0 of 3 runs done, 3 failed" in shown(False, monkeypatch, [(1.0, Update(0, failed=3))])


def test_a_terminal_gets_a_bar(monkeypatch):
    text = shown(True, monkeypatch, UPDATES)
    assert "0/3 runs" in text
    assert "best error 0.250" in text
    assert "all runs" in text
    assert "0 done, 3 left" in text
    assert "\x1b[" in text


def test_of_many_lines_only_those_at_work_are_shown(monkeypatch):
    out = io.StringIO()
    programs = [make_spec(rule="dfa", v=4, n=4, m=4, L=2, P=64, batch=16, steps=50).replicate(1)]
    programs += [[s.model_copy(update={"m": 1 + m}) for s in programs[0]] for m in range(40)]
    with Live(programs, Console(file=out, force_terminal=True, width=100, height=30)) as live:
        live(Update(7, Progress(3, 50, 0.5)))
        live(Update(8, failed=1))
        visible = [task.description for task in live.bars.tasks if task.visible]
    assert visible == ["dfa · L=2 m=7", "all runs"]
    assert "1 failed" in live.counts

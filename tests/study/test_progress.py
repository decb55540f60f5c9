"""Live progress: bars in a terminal, plain lines elsewhere."""

import io

from rich.console import Console

from synaptree import make_spec
from synaptree.study.engine import Update
from synaptree.study.progress import Live
from synaptree.training import Progress

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


def test_plain_lines_say_steps_error_and_time_left(monkeypatch):
    lines = shown(False, monkeypatch, [*UPDATES, (31.0, Update(0, failed=0))]).splitlines()
    assert lines == [
        "dfa · L=2 m=4: 10 of 50 steps, error 0.500, 24 s left",
        "dfa · L=2 m=4: 50 of 50 steps, error 0.250, 0 s left",
        "dfa · L=2 m=4: 3 of 3 runs done (31 s)",
    ]


def test_plain_lines_name_failures(monkeypatch):
    assert "0 of 3 runs done, 3 failed" in shown(False, monkeypatch, [(1.0, Update(0, failed=3))])


def test_a_terminal_gets_a_bar(monkeypatch):
    text = shown(True, monkeypatch, UPDATES)
    assert "50/50" in text
    assert "error 0.250" in text
    assert "\x1b[" in text

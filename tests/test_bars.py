"""`progress=True`: a bar in a terminal, the same one in a notebook, plain lines elsewhere."""

import io
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

import planted
import synaptree
from synaptree import make_spec, needs, run_study, search, train, train_replicas
from synaptree.bars import Bars
from synaptree.errors import SynaptreeError
from synaptree.study.progress import Live
from synaptree.study.update import Update

SPEC = make_spec(
    rule="dfa", v=4, n=4, m=4, L=2, P=64, width=8, batch=16, steps=40, evaluations=2, tests=16
)


class Notebook:
    """IPython's displays, as far as they are used: what each shows, latest last."""

    def __init__(self, monkeypatch):
        self.pages: list[list[str]] = []
        module = SimpleNamespace(HTML=lambda page: page, display=self.display)
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=module))
        monkeypatch.setitem(sys.modules, "IPython.display", module)
        monkeypatch.setattr("synaptree.bars.NOTEBOOK_EVERY", 0)
        monkeypatch.setattr("rich.console._is_jupyter", lambda: True)

    def display(self, page, display_id):
        assert display_id is True
        shown = [page]
        self.pages.append(shown)
        return SimpleNamespace(update=shown.append)


def test_a_training_says_in_lines_how_it_ended_on_standard_error(capsys):
    result = train(SPEC, progress=True, portrait=False)
    out, err = capsys.readouterr()
    assert out == ""
    curve = f"{result.curve.test_error[-1]:.3f}"
    assert err == f"dfa · L=2 m=4: 40 of 40 steps, test error {curve}\n"
    train(SPEC, progress=False, portrait=False)
    train(SPEC, portrait=False)
    assert capsys.readouterr() == ("", "")


def test_a_training_has_a_bar_in_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    train_replicas(SPEC.replicate(3), progress=True, portrait=False)
    out, err = capsys.readouterr()
    assert out == ""
    assert "dfa · L=2 m=4 × 3" in err
    assert "40/40" in err
    assert "test error 0." in err


def test_a_training_has_the_same_bar_in_a_notebook(monkeypatch):
    notebook = Notebook(monkeypatch)
    train(SPEC, progress=True, portrait=False)
    (pages,) = notebook.pages
    assert "0/40" in pages[0]
    assert "40/40" in pages[-1]
    assert pages[-1].startswith("<pre")
    assert "━" in pages[-1]


def test_a_bar_ends_where_a_training_is_interrupted(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    started = []
    start = Bars.start
    monkeypatch.setattr(Bars, "start", lambda bars: (started.append(bars), start(bars)))

    def interrupted(*given):
        assert started[0].showing
        raise KeyboardInterrupt

    monkeypatch.setattr("synaptree.training.loop._train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(SPEC, progress=True)
    assert not started[0].showing


def test_a_study_has_the_same_bars_in_a_notebook(monkeypatch):
    notebook = Notebook(monkeypatch)
    out = io.StringIO()
    specs = SPEC.replicate(3)
    with Live(Console(file=out, force_jupyter=True)) as live:
        live(Update([specs]))
        live(Update([specs], 0, 20, 0.5))
        live(Update([specs], 0, 40, 0.25, failed=0))
    (pages,) = notebook.pages
    assert "0/3 runs" in pages[1]
    assert "best error 0.500" in pages[1]
    assert "3 done, 0 left" in pages[-1]
    assert "all runs" in pages[-1]


def test_a_study_says_its_lines_on_standard_error(capsys, tmp_path):
    run_study([SPEC], tmp_path, workers=1, progress=True, portrait=False)
    out, err = capsys.readouterr()
    assert out == ""
    assert "dfa · L=2 m=4: 1 of 1 runs done" in err


@pytest.mark.parametrize("call", [
    lambda folder: train(SPEC, progress="yes"),
    lambda folder: train(SPEC, progress=0),
    lambda folder: run_study([SPEC], folder, progress=0),
    lambda folder: run_study([SPEC], folder, progress=1),
    lambda folder: needs(SPEC, folder, progress="bar"),
    lambda folder: synaptree.reproduce("quick", folder, progress=3),
])  # fmt: skip
def test_another_progress_is_refused_in_one_line(call, tmp_path):
    with pytest.raises(SynaptreeError, match=r"progress: .* expected True, False, or a function"):
        call(tmp_path)


def test_needs_and_searches_show_each_round(capsys, monkeypatch, tmp_path):
    """Without training: what shows the rounds is called."""
    from synaptree.study import rounds

    told = []
    monkeypatch.setattr(rounds.Rounds, "__call__", lambda self, update: told.append(update.message))

    def run(specs, folder, progress, **options):
        progress(Update((), message="ran"))
        raise SynaptreeError("enough")

    monkeypatch.setattr("synaptree.data_needs.find.running.run_study", run)
    with pytest.raises(SynaptreeError, match="enough"):
        needs(SPEC, tmp_path / "needs", seeds=range(3), P=(32, 64), progress=True)
    assert told[0].startswith("round 1: dfa at P=")
    assert told[1:] == ["ran"]
    told.clear()
    monkeypatch.setattr("synaptree.study.search.search.run_study", run)
    file = tmp_path / "search.yaml"
    file.write_text(planted.FILE.format(settings=6, widenings=2), "utf-8")
    with pytest.raises(SynaptreeError, match="enough"):
        search(file, tmp_path / "search", progress=True)
    assert told[0].startswith("round 1 of ")
    assert told[1:] == ["ran"]

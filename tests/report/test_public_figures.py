"""The figures of the report under their public names."""

import pandas as pd
import pytest
from matplotlib.figure import Figure
from report_frames import inputs, rich

from synaptree import figures
from synaptree.errors import SynaptreeError
from synaptree.report.figures import FIGURES, named

FRAME = pd.DataFrame(rich())
NAMES = [figure.name for figure in FIGURES]


def test_every_figure_has_its_public_name():
    assert figures.__all__ == sorted([*NAMES, "movie"], key=str.lower)
    for figure in FIGURES:
        assert getattr(figures, figure.name).__doc__.startswith(figure.title)


@pytest.mark.parametrize("name", NAMES)
def test_a_frame_gives_the_figure_of_the_report(name, monkeypatch):
    """Audits are told here, as they take seconds."""
    material = inputs(FRAME, ("dfa",))
    monkeypatch.setattr("synaptree.figures.audits", lambda folder, forms: material.audits)
    drawn = getattr(figures, name)(FRAME)
    assert isinstance(drawn, Figure)
    figure = named(name)
    known = material if name in ("scoreboard", "locality") else inputs(FRAME, ())
    expected = figure.draw(figure.data(known))
    assert drawn._repr_png_() == expected._repr_png_()


def test_a_frame_without_runs_for_a_figure_is_refused_in_one_line():
    with pytest.raises(SynaptreeError, match="ladder: the frame has no runs for it"):
        figures.ladder(FRAME[FRAME["rule"] == "backprop"])
    with pytest.raises(SynaptreeError, match="expected a frame, as of load"):
        figures.ladder("runs/quick")
    with pytest.raises(SynaptreeError, match="no runs"):
        figures.scoreboard(FRAME.iloc[:0])

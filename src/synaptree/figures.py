"""The figures of the report, each as a function from a frame to a matplotlib figure; and movies.

frame = synaptree.load("runs/quick")
synaptree.figures.learning_curves(frame).savefig("curves.pdf")
"""

from collections.abc import Callable

import pandas as pd
from matplotlib.figure import Figure

from synaptree.audit.kept import audits
from synaptree.claims.judge import rule_forms
from synaptree.errors import SynaptreeError, shown
from synaptree.report import figures as _figures
from synaptree.report.inputs import Inputs
from synaptree.training.shown import movie as movie

Drawn = Callable[[pd.DataFrame], Figure]


def _public(name: str) -> Drawn:
    figure = _figures.named(name)

    def draw(frame: pd.DataFrame) -> Figure:
        if not isinstance(frame, pd.DataFrame) or "label" not in frame:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise SynaptreeError(
                f"figures.{name}: {shown(frame)} given; expected a frame, as of load(folder)"
            )
        # What each synapse must know is found by small runs, and stands in two figures alone.
        known = audits(None, rule_forms(frame)) if name in ("scoreboard", "locality") else {}
        table = figure.data(Inputs.of(frame, known))
        if table is None:
            raise SynaptreeError(
                f"figures.{name}: the frame has no runs for it; expected those of: {figure.title}"
            )
        return figure.draw(table)

    draw.__name__ = draw.__qualname__ = name
    draw.__doc__ = f"{figure.title}. {figure.caption}\n\nframe: as of `load`."
    return draw


scoreboard = _public("scoreboard")
other_kinds = _public("other_kinds")
error_against_P = _public("error_against_P")
needs_beside_backprop = _public("needs_beside_backprop")
growth = _public("growth")
data_against_depth = _public("data_against_depth")
learning_curves = _public("learning_curves")
error_against_passes = _public("error_against_passes")
probe_matrices = _public("probe_matrices")
sensitivity_matrices = _public("sensitivity_matrices")
budget_and_probe = _public("budget_and_probe")
locality = _public("locality")
ladder = _public("ladder")
phase_diagram = _public("phase_diagram")
masks_above = _public("masks_above")
alignment = _public("alignment")

__all__ = [
    "alignment",
    "budget_and_probe",
    "data_against_depth",
    "error_against_P",
    "error_against_passes",
    "growth",
    "ladder",
    "learning_curves",
    "locality",
    "masks_above",
    "movie",
    "needs_beside_backprop",
    "other_kinds",
    "phase_diagram",
    "probe_matrices",
    "scoreboard",
    "sensitivity_matrices",
]

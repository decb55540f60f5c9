"""The figures of the report, one a file, in the order of the page."""

from synaptree.report.figures import (
    alignment,
    budget_and_probe,
    data_against_depth,
    error_against_P,
    error_against_passes,
    growth,
    ladder,
    learning_curves,
    locality,
    masks_above,
    needs_beside_backprop,
    other_kinds,
    phase_diagram,
    probe_matrices,
    scoreboard,
    sensitivity_matrices,
)
from synaptree.report.figures.base import Figure

__all__ = ["FIGURES", "Figure", "named"]

FIGURES: tuple[Figure, ...] = (
    scoreboard.FIGURE,
    other_kinds.FIGURE,
    error_against_P.FIGURE,
    needs_beside_backprop.FIGURE,
    growth.FIGURE,
    data_against_depth.FIGURE,
    learning_curves.FIGURE,
    error_against_passes.FIGURE,
    probe_matrices.FIGURE,
    sensitivity_matrices.FIGURE,
    budget_and_probe.FIGURE,
    locality.FIGURE,
    ladder.FIGURE,
    phase_diagram.FIGURE,
    masks_above.FIGURE,
    alignment.FIGURE,
)


def named(name: str) -> Figure:
    """The figure with a name, as ``ladder``.  Raises KeyError where there is none."""
    return {figure.name: figure for figure in FIGURES}[name]

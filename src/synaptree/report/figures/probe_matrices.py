"""The hidden hierarchy, linearly read: how well each layer's activity says each level's latents."""

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure as Drawing

from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.report.small_multiples import draw_matrices, matrix_table

LEVEL = "level read"


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row a layer and level: the accuracy of a linear reader, a mean over runs."""
    return matrix_table(inputs, "probe", LEVEL)


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A matrix of layers × levels for each rule and kind of grammar."""
    return draw_matrices(table, "probe", LEVEL, mpl.colormaps["Blues"])


FIGURE = Figure(
    "probe_matrices",
    "The hidden hierarchy, linearly read",
    "Accuracy of a linear reader of the latents of each level from each layer. A rule that finds "
    "the hierarchy reads level l from layer l: the framed diagonal. Compare with readout_only, "
    "whose layers are random: no rule can claim what those have.",
    table,
    draw,
)

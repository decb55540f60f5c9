"""Synonym sensitivity: how far each layer moves when the synonyms of a level are exchanged."""

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure as Drawing

from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.report.small_multiples import draw_matrices, matrix_table

LEVEL = "level exchanged"


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row a layer and level: the synonym sensitivity, a mean over runs."""
    return matrix_table(inputs, "sensitivity", LEVEL)


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A matrix of layers × levels for each rule and kind of grammar."""
    return draw_matrices(table, "sensitivity", LEVEL, mpl.colormaps["Oranges"])


FIGURE = Figure(
    "sensitivity_matrices",
    "Synonym sensitivity",
    "How far a layer moves when all synonyms of a level are exchanged, relative to two unrelated "
    "inputs. A layer that stands for level l does not move under exchanges below it.",
    table,
    draw,
)

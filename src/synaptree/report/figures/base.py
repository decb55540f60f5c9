"""What a figure is."""

import base64
import gzip
import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure as Drawing

from synaptree.report.inputs import Inputs
from synaptree.report.svg import svg
from synaptree.safely import plain_cell


@dataclass(frozen=True)
class Figure:
    """A figure of the report.

    name: of its files, and in links.  table: makes what is drawn from the inputs of a report; None
    where there is nothing to draw.  draw: draws that table and nothing else, so that the CSV beside
    a figure is what was drawn.
    """

    name: str
    title: str
    caption: str
    table: Callable[[Inputs], pd.DataFrame | None]
    draw: Callable[[pd.DataFrame], Drawing]

    def data(self, inputs: Inputs) -> pd.DataFrame | None:
        """The table that is drawn: numbers have six digits, and None stands for an empty table."""
        table = None if inputs.runs.empty else self.table(inputs)
        if table is None or table.empty:
            return None
        floats = table.select_dtypes("float").columns
        return table.assign(**{name: table[name].map(_rounded) for name in floats}).reset_index(
            drop=True
        )

    def svg(self, table: pd.DataFrame) -> str:
        """The figure as an SVG element, which says what it shows to those who do not see it."""
        label = html.escape(f"{self.title}. {self.caption}", quote=True)
        text = svg(self.draw(table), self.name)
        return text.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def _rounded(value: Any) -> float:
    return float(f"{value:.6g}")


def packed_csv(table: pd.DataFrame) -> str:
    """A table as a link that downloads it: CSV, compressed with gzip.  The same table gives the
    same bytes.  No text in it begins a formula."""
    packed = gzip.compress(table.map(plain_cell).to_csv(index=False).encode(), mtime=0)
    return f"data:application/gzip;base64,{base64.b64encode(packed).decode()}"

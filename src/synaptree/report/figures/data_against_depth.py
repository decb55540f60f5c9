"""Data against depth: how much data each rule needs, by how many levels are left to learn."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from synaptree.analysis.data_curves import bounded
from synaptree.analysis.needs_by_depth import AtDepth, needs_by_depth
from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.results.columns import kind_name


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row for each rule and kind of grammar; None where all have the same depth.

    Where P* was not reached, the largest P that was tried stands for it.  `fresh_inputs`: how many
    strings were seen, each once, by the best run on fresh strings.
    """
    rows = [
        row
        for line in needs_by_depth(inputs.runs)
        for point in line
        if (row := _row(point)) is not None
    ]
    if len({row["depth"] for row in rows}) < 2:
        return None
    return inputs.listed(rows)


def _row(point: AtDepth) -> dict[str, object] | None:
    if point.needs is None and point.fresh is None:
        return None
    row: dict[str, object] = {"label": point.label, "depth": point.depth, **point.kind}
    if point.needs is not None:
        reached = bool(np.isfinite(point.needs.value))
        row |= {"reached": float(reached), "grammars": point.grammars}
        row |= {"P*": point.needs.value if reached else point.sizes[-1]}
        row |= {"P*_low": point.needs.low, "P*_high": point.needs.high}
    if point.fresh is not None:
        error, seen = point.fresh
        row |= {"fresh_inputs": seen, "fresh_error": error}
        row |= {"fresh_solved": float(bool(point.fresh_solved))}
    nothing = dict.fromkeys(("reached", "grammars", "P*", "P*_low", "P*_high"), np.nan)
    return nothing | dict.fromkeys(("fresh_inputs", "fresh_error", "fresh_solved"), np.nan) | row


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """P* against effective depth, a line a rule; open triangles where it was not reached, stars and
    crosses where fresh strings were enough or not."""
    looks = style.look(style.families(table))
    figure, axes = style.panels([""], width=330, height=230, left=60, names=looks)
    axis = axes[0]
    apart = np.linspace(-0.15, 0.15, len(looks)) if len(looks) > 1 else np.zeros(1)
    for shift, (label, look) in zip(apart, looks.items(), strict=True):
        own = table[table["label"].astype(str) == label].sort_values(["depth", "L"])
        _line(axis, own, float(shift), look)
        _fresh(axis, own, float(shift), look)
    style.by_octaves(axis, "y")
    depths = sorted({int(depth) for depth in table["depth"]})
    axis.set_xticks(depths, [str(depth) for depth in depths])
    axis.set_xlabel("levels left to learn")
    axis.set_ylabel("P* (△: not reached; ★ ×: fresh strings)")
    style.legend(figure, {label: style.handle(look) for label, look in looks.items()})
    return figure


def _line(axis: Axes, rows: pd.DataFrame, shift: float, look: style.Look) -> None:
    own = rows[rows["P*"].notna()]
    if own.empty:
        return
    x, value, low, high = (
        own[name].to_numpy(float) for name in ("depth", "P*", "P*_low", "P*_high")
    )
    reached = own["reached"].to_numpy(float) > 0
    axis.plot(x + shift, value, look.dash, color=look.colour, lw=1.4)
    for at, bottom, top, middle, known in zip(x, low, high, value, reached, strict=True):
        if known:
            ends = [max(bottom, middle / 4), min(top, 4 * middle)]
            axis.plot([at + shift] * 2, ends, color=look.colour, lw=1)
    for known, mark, fill in ((True, look.mark, look.colour), (False, "^", "none")):
        some = reached == known
        if some.any():
            (points,) = axis.plot(
                x[some] + shift, value[some], mark, color=look.colour, mfc=fill, ms=5
            )
            style.tip(
                points, str(own["label"].iloc[0]), [_said(row) for row in _records(own[some])]
            )


def _fresh(axis: Axes, rows: pd.DataFrame, shift: float, look: style.Look) -> None:
    for row in _records(rows[rows["fresh_inputs"].notna()]):
        mark = "*" if row["fresh_solved"] else "x"
        at, seen = float(str(row["depth"])) + shift, float(str(row["fresh_inputs"]))
        (point,) = axis.plot([at], [seen], mark, color=look.colour, ms=7)
        error = 100 * float(str(row["fresh_error"]))
        said = f"error {error:.1f}% after {seen:g} fresh strings"
        style.tip(point, f"{row['label']}, {kind_name(row)}: {said}")


def _records(rows: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _said(row: dict[str, object]) -> str:
    value, low, high = (float(str(row[name])) for name in ("P*", "P*_low", "P*_high"))
    text = bounded(value, low, high) if row["reached"] else f"not reached at {value:g}"
    return f"{kind_name(row)}: P* {text}"


FIGURE = Figure(
    "data_against_depth",
    "Data against depth",
    "P* against the number of levels that an untrained network leaves to learn, a line a rule. "
    "Where the largest P is not enough, a triangle stands there. On fresh strings, each seen once, "
    "a star says that they were enough and a cross that they were not.",
    table,
    draw,
)

"""Data against depth: how much data each rule needs, by how many levels are left to learn."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from synaptree.analysis.data_curves import bounded
from synaptree.analysis.needs_by_depth import AtDepth, depths_known, needs_by_depth
from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.report.row_names import row_name
from synaptree.results.columns import kind_name

LEFT = "levels left to learn"
MARKS = {"more": "^", "at most": "v"}  # of bounds, which are open


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row for each rule and kind of grammar; None where no rule has two depths.

    Where an untrained network is missing, L stands for the levels that are left to learn, and
    grammars that differ in more than L have panels of their own.  `P*_is`: "found", "more" than the
    largest P or "at most" the smallest, which then stand for it.  `fresh_inputs`: how many strings
    were seen, each once, by the best run on fresh strings.
    """
    levels = not depths_known(inputs.runs)
    lines, along = needs_by_depth(inputs.runs, levels), "L, levels" if levels else LEFT
    place = {label: number for number, label in enumerate(inputs.families)}
    rows = [
        {"label": name, "family": inputs.families[line[0].label], "along": along} | row
        for line in sorted(lines, key=lambda line: place[line[0].label])
        if (name := _name(line[0]))
        for point in line
        if (row := _row(point, kind_name(point.kind, leave_out="L") if levels else ""))
    ]
    found = pd.DataFrame(rows)
    if found.empty:
        return None
    return found[found.groupby(["panel", "label"])["depth"].transform("nunique") > 1]


def _name(point: AtDepth) -> str:
    """The rule of a line and the views that it compares, as ``clapp · sibling, same_class``."""
    rule = row_name(point.rule, point.words)[0] or point.label
    views = ", ".join(point.views)
    return f"{rule} · {views}" if views else rule


def _row(point: AtDepth, panel: str) -> dict[str, object] | None:
    """What is drawn of a point; None where there is nothing."""
    needs = point.estimate
    if needs is None and point.fresh is None:
        return None
    row: dict[str, object] = {"panel": panel, "depth": point.depth, **point.kind}
    numbers = ("grammars", "P*", "P*_low", "P*_high", "fresh_inputs", "fresh_error", "fresh_solved")
    row |= dict.fromkeys(numbers, np.nan) | {"P*_is": "not sought"}
    if needs is not None:
        known = "more" if needs.at_least else "at most" if needs.at_most else "found"
        row |= {"P*_is": known, "grammars": float(point.grammars)}
        row |= {"P*": point.sizes[-1] if needs.at_least else needs.value}
        row |= {"P*_low": needs.low, "P*_high": needs.high}
    if point.fresh is not None:
        error, seen = point.fresh
        row |= {"fresh_inputs": float(seen), "fresh_error": error}
        row |= {"fresh_solved": float(bool(point.fresh_solved))}
    return row


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """P* against depth, a line a rule; open triangles where it is only bounded, stars and crosses
    where fresh strings were enough or not."""
    table = table.assign(panel=table["panel"].astype(object).fillna(""))
    looks = style.look(style.families(table))
    shown = list(table.groupby("panel", sort=False))
    width = 330 if len(shown) == 1 else 220
    titles = [str(panel) for panel, _ in shown]
    figure, axes = style.panels(titles, width=width, height=230, left=60, names=looks)
    apart = np.linspace(-0.15, 0.15, len(looks)) if len(looks) > 1 else np.zeros(1)
    for axis, (_, rows) in zip(axes, shown, strict=True):
        for shift, (label, look) in zip(apart, looks.items(), strict=True):
            own = rows[rows["label"].astype(str) == label].sort_values(["depth", "L"])
            _line(axis, own, float(shift), look)
            _fresh(axis, own, float(shift), look)
        style.by_octaves(axis, "y")
        depths = sorted({int(depth) for depth in rows["depth"]})
        axis.set_xticks(depths, [str(depth) for depth in depths])
        axis.set_xlabel(str(rows["along"].iloc[0]))
        axis.set_ylabel("P* (△ more, ▽ at most; ★ × fresh strings)")
    style.legend(figure, {label: style.handle(look) for label, look in looks.items()})
    return figure


def _line(axis: Axes, rows: pd.DataFrame, shift: float, look: style.Look) -> None:
    own = rows[rows["P*"].notna()]
    if own.empty:
        return
    x, value, low, high = (
        own[name].to_numpy(float) for name in ("depth", "P*", "P*_low", "P*_high")
    )
    axis.plot(x + shift, value, look.dash, color=look.colour, lw=1.4)
    for at, bottom, top, middle, known in zip(x, low, high, value, own["P*_is"], strict=True):
        if known == "found":
            ends = [max(bottom, middle / 4), min(top, 4 * middle)]
            axis.plot([at + shift] * 2, ends, color=look.colour, lw=1)
    for known, rows_of in own.groupby("P*_is"):
        mark = MARKS.get(str(known), look.mark)
        fill = "none" if str(known) in MARKS else look.colour
        (points,) = axis.plot(
            rows_of["depth"] + shift, rows_of["P*"], mark, color=look.colour, mfc=fill, ms=5
        )
        style.tip(points, str(own["label"].iloc[0]), [_said(row) for row in _records(rows_of)])


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
    text = bounded(value, low, high) if row["P*_is"] == "found" else f"{row['P*_is']} {value:g}"
    return f"{kind_name(row)}: P* {text}"


FIGURE = Figure(
    "data_against_depth",
    "Data against depth",
    "P* against the number of levels that an untrained network leaves to learn, or against L where "
    "an untrained network is missing; a line a rule, in its best settings at each depth. A "
    "triangle is a bound: the largest P was not enough, or the smallest was. On fresh strings, "
    "each seen once, a star says that they were enough and a cross that they were not.",
    table,
    draw,
)

"""What each synapse must know, as the audit finds it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from synaptree.audit.quantities import QUANTITIES
from synaptree.audit.text import VERDICTS
from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs

SHADES = {"yes": "#D55E00", "vector": "#E69F00", "scalar": "#F0E442", "unclear": "#bbbbbb"}
WORDS = {"yes": "needs it", "vector": "one broadcast vector", "scalar": "one broadcast number",
         "unclear": "cannot be isolated", "no": "does not"}  # fmt: skip
OWN = "the rule's own weights need it to learn"
CELL, ROW, HEAD = 27.0, 20.0, 172.0  # points


def table(inputs: Inputs) -> pd.DataFrame | None:
    """A row a rule: of each quantity whether it is needed, and what the rule declares.

    Rules that can learn from one input after the other have a row in that form too.  None where
    there are no audits of the rules that were run.
    """
    families = dict(zip(inputs.runs["rule"], inputs.runs["family"], strict=True))
    audits = {audit.label: (rule, audit) for (rule, _), audit in inputs.audits.items()}
    rows = [
        {
            "rule": label,  # "label" is one of the quantities
            "family": families[rule],
            **audit.needs,
            **{f"own weights {q}": need for q, need in audit.learning.items()},
            **{f"declared {fact}": audit.declared[fact] for fact in VERDICTS},
            "declared wrongly": " ".join(audit.lies),
        }
        for label, (rule, audit) in audits.items()
        if rule in families
    ]
    order = {rule: place for place, rule in enumerate(families)}
    rows.sort(key=lambda row: (order[audits[str(row["rule"])][0]], str(row["rule"])))
    return pd.DataFrame(rows) if rows else None


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """Rules × quantities.  A row's name is in its family's colour."""
    names = [style.folded(str(rule), 42) for rule in table["rule"]]
    heads = [q.title for q in QUANTITIES] + [f"declared: {word}" for word in VERDICTS.values()]
    left = 5 * max(len(line) for name in names for line in name.split("\n")) + 10
    width, height = CELL * (len(heads) + 1), ROW * len(names)
    figure = style.sheet(left + width + 96, HEAD + height + 44)
    axis = style.axes_at(figure, left, HEAD, width, height)
    for y, row in enumerate(table.to_dict("records")):
        _needs(axis, y, row)
        for x, fact in enumerate(VERDICTS, start=len(QUANTITIES) + 1):
            if fact in str(row["declared wrongly"]).split():
                axis.plot(x, y, "x", color="#a83f00", markersize=8, mew=2)
            elif row[f"declared {fact}"]:
                axis.plot(x, y, "o", color=style.INK, markersize=5, mew=0)
    places = [*range(len(QUANTITIES)), *range(len(QUANTITIES) + 1, len(heads) + 1)]
    axis.set_xticks(places, heads, rotation=60, ha="left", rotation_mode="anchor")
    axis.xaxis.tick_top()
    axis.set_yticks(range(len(names)), names, fontsize=9)
    for tick, family in zip(axis.get_yticklabels(), table["family"], strict=True):
        tick.set_color(style.colour(str(family)))
    axis.set_xlim(-0.6, len(heads) + 0.6)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    style.legend(figure, _legend())
    return figure


def _needs(axis: Axes, y: int, row: Mapping[Any, Any]) -> None:
    """The marks of one rule: all of a kind are one artist, each with its quantity."""
    marks: dict[tuple[str, bool], list[tuple[int, str]]] = {}
    for x, quantity in enumerate(QUANTITIES):
        need, own = str(row[quantity.key]), row.get(f"own weights {quantity.key}") == "yes"
        text = f"{quantity.title}: {WORDS.get(need, 'no such thing')}"
        if need in WORDS:
            marks.setdefault((need, False), []).append((x, f"{text}; {OWN}" if own else text))
        if own:
            marks.setdefault((need, True), []).append((x, f"{text}; {OWN}"))
    for (need, ring), places in marks.items():
        xs = [x for x, _ in places]
        look: dict[str, Any] = {"marker": "o", "ms": 2, "color": style.FAINT, "mew": 0}
        if ring:
            look = {"marker": "o", "ms": 7, "color": style.INK, "mfc": "none", "zorder": 3}
        elif need in SHADES:
            look = {"marker": "s", "ms": 13, "color": SHADES[need], "mew": 0}
        (drawn,) = axis.plot(xs, [y] * len(xs), ls="none", **look)
        style.tip(drawn, str(row["rule"]), [text for _, text in places])


def _legend() -> dict[str, Line2D]:
    marks = {
        word: Line2D([], [], ls="none", marker="s" if need in SHADES else ".", ms=8, mew=0,
                     color=SHADES.get(need, style.FAINT))
        for need, word in WORDS.items()
    }  # fmt: skip
    ring = Line2D([], [], ls="none", marker="o", color=style.INK, ms=7, mfc="none")
    return marks | {OWN: ring}


FIGURE = Figure(
    "locality",
    "What each synapse must know",
    "Found by changing one quantity at a time in a trained network and comparing each layer's "
    "update bit for bit. Blank: the rule has no such quantity. Rules that can learn from one input "
    "after the other have a row in that form too.",
    table,
    draw,
)

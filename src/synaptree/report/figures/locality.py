"""The locality matrix: what each synapse must know, as the audit finds it."""

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from synaptree.audit.kept import audits
from synaptree.audit.matrix import Audit
from synaptree.audit.quantities import QUANTITIES
from synaptree.audit.text import VERDICTS
from synaptree.report.figures.errors import COLOURS, STYLE, labels, tip
from synaptree.rules import names
from synaptree.training.process import prepare

SHADES = {"yes": "#D55E00", "vector": "#E69F00", "scalar": "#F0E442", "unclear": "#bbbbbb"}
WORDS = {"yes": "needs it", "vector": "one broadcast vector", "scalar": "one broadcast number",
         "unclear": "cannot be isolated", "no": "does not"}  # fmt: skip
OWN = "the rule's own weights need it to learn"


def _audits(frame: pd.DataFrame) -> tuple[list[tuple[str, str]], dict[str, Audit]]:
    """The labels of the package's rules that a frame has and of their online forms, with their
    families, and their audits."""
    prepare()  # more threads than one only wait for each other in networks so small
    ours = frame[frame["rule"].isin(names())].drop_duplicates(["rule", "rule_options"])
    by_form = audits(None, zip(ours["rule"], ours["rule_options"], strict=True))
    forms, found = list(by_form), list(by_form.values())
    shown = {"rule": [rule for rule, _ in forms], "label": [each.label for each in found]}
    rows = labels(pd.DataFrame(shown))
    return rows, {each.label: each for each in found}


def locality_table(frame: pd.DataFrame) -> pd.DataFrame:
    """What `locality` draws: a row a rule, of each quantity whether it is needed, and what the rule
    declares."""
    rows, by_label = _audits(frame)
    return pd.DataFrame(
        {
            "rule": label,  # "label" is one of the quantities
            "family": family,
            **by_label[label].needs,
            **{f"own weights {q}": need for q, need in by_label[label].learning.items()},
            **{f"declared {fact}": by_label[label].declared[fact] for fact in VERDICTS},
            "declared wrongly": " ".join(by_label[label].lies),
        }
        for label, family in rows
    )


def locality(frame: pd.DataFrame) -> Figure | None:
    """Rules × quantities, for the package's rules that a frame has, audited as it is drawn.

    A row's name is in its family's colour.  None where there is none of the package's rules.
    """
    rows, by_label = _audits(frame)
    if not rows:
        return None
    with mpl.rc_context(STYLE):
        size = (0.42 * (len(QUANTITIES) + len(VERDICTS)) + 4.6, 0.3 * len(rows) + 3.4)
        figure = Figure(figsize=size, layout="constrained")
        axis = figure.subplots()
        for y, (label, _) in enumerate(rows):
            for x, quantity in enumerate(QUANTITIES):
                need = by_label[label].needs[quantity.key]
                said = f"{label}, {quantity.title}: {WORDS.get(need, 'no such thing')}"
                marks: list[Line2D] = []
                if by_label[label].learning.get(quantity.key) == "yes":
                    said += f"; {OWN}"
                    ring: Any = {"color": "#222222", "markersize": 7, "mfc": "none", "zorder": 3}
                    marks += axis.plot(x, y, "o", **ring)
                if need in SHADES:
                    marks += axis.plot(x, y, "s", color=SHADES[need], markersize=13, mew=0)
                elif need == "no":
                    marks += axis.plot(x, y, ".", color="#999999", markersize=4)
                for mark in marks:
                    tip(mark, said)
            declared = by_label[label].declared
            for x, fact in enumerate(VERDICTS, start=len(QUANTITIES) + 1):
                if fact in by_label[label].lies:
                    axis.plot(x, y, "x", color="#a83f00", markersize=8, mew=2)
                elif declared[fact]:
                    axis.plot(x, y, "o", color="#222222", markersize=5, mew=0)
        heads = [q.title for q in QUANTITIES] + [f"declared: {w}" for w in VERDICTS.values()]
        places = [*range(len(QUANTITIES)), *range(len(QUANTITIES) + 1, len(heads) + 1)]
        axis.set_xticks(places, heads, rotation=60,
                        ha="left", rotation_mode="anchor", fontsize=8)  # fmt: skip
        axis.xaxis.tick_top()
        axis.set_yticks(range(len(rows)), [label for label, _ in rows], fontsize=9)
        for tick, (_, kind) in zip(axis.get_yticklabels(), rows, strict=True):
            tick.set_color(COLOURS[kind])
        axis.set_xlim(-0.6, len(heads) + 0.6)
        axis.set_ylim(len(rows) - 0.4, -0.6)
        axis.tick_params(length=0)
        for side in axis.spines.values():
            side.set_visible(False)
        for need, word in WORDS.items():
            mark = "s" if need in SHADES else "."
            axis.plot([], [], mark, color=SHADES.get(need, "#999999"), markersize=8, label=word)
        axis.plot([], [], "o", color="#222222", markersize=7, mfc="none", label=OWN)
        figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    return figure

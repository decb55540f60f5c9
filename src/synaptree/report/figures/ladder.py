"""Where masks begin to matter: test error up a ladder of tasks, from shallow to deep."""

import json

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing

from synaptree.report import style
from synaptree.report.figures.base import Figure
from synaptree.report.inputs import Inputs
from synaptree.report.laboratory import error_line
from synaptree.results.columns import SETTINGS
from synaptree.rules import get

RUNGS = (
    (get("backprop"), style.Look(style.COLOURS["reference"], "-", "")),
    (get("masking", masks="other_input"), style.Look(style.COLOURS["control"], "--", "")),
    (get("masking", masks="none"), style.Look(style.COLOURS["control"], "-", "")),
    (get("dfa"), style.Look(style.COLOURS["direct feedback"], "-", "")),
)


def table(inputs: Inputs) -> pd.DataFrame | None:
    """The runs of the ladder's rules, of each depth that has several m and several rules."""
    runs = _rungs(inputs.runs)
    depths = [
        rows
        for _, rows in runs.groupby("L")
        if rows["m"].nunique() > 1 and rows["label"].nunique() > 1
    ]
    return pd.concat(depths)[["label", *"vnmsLP", "seed", "test_error"]] if depths else None


def _rungs(done: pd.DataFrame) -> pd.DataFrame:
    """The runs of the ladder's rules at one P and with one setting for each L and m: those that
    most of the rules have, and of these the largest P."""
    own: list[pd.DataFrame] = []
    for rule, _ in RUNGS:
        options = rule.model_dump(mode="json", exclude={"name"})
        of_rule = done[done["rule"] == rule.name]
        same = [json.loads(str(text)) == options for text in of_rule["rule_options"]]
        own.append(of_rule[np.array(same, bool)].assign(label=rule.label))
    runs = pd.concat(own)
    settings = [name for name in SETTINGS if name in runs]
    best: dict[tuple[int, int], tuple[tuple[int, int, int], pd.DataFrame]] = {}
    for _, rows in runs.groupby([*"vnmsLP", *settings], dropna=False):
        first = rows.iloc[0]
        at, rank = (first["L"], first["m"]), (rows["label"].nunique(), first["P"], len(rows))
        if rank[0] > 1 and (at not in best or rank > best[at][0]):
            best[at] = rank, rows
    return pd.concat([runs.iloc[:0], *(rows for _, rows in best.values())])


@style.styled
def draw(table: pd.DataFrame) -> Drawing:
    """A panel for each L, a line for each rule against m."""
    depths = list(table.groupby("L"))
    there = [(rule.label, look) for rule, look in RUNGS if (table["label"] == rule.label).any()]
    labels = [label for label, _ in there]
    figure, axes = style.panels([f"L={L}" for L, _ in depths], below=52, names=labels)
    for axis, (_, runs) in zip(axes, depths, strict=True):
        for label, look in there:
            own = runs[runs["label"] == label]
            if len(own):
                error_line(axis, own, "m", look, label)
        rungs = dict(sorted(zip(runs["m"], runs["P"], strict=True)))
        axis.set_xticks(
            list(rungs), [f"{m}\nP={P}" for m, P in rungs.items()], fontsize=style.SMALL
        )
        axis.set_xlabel("m: synonyms of each feature")
        axis.set_ylim(0, 1)
    axes[0].set_ylabel("test error")
    style.legend(figure, {label: style.handle(look) for label, look in there})
    return figure


FIGURE = Figure(
    "ladder",
    "Where masks begin to matter",
    "Test error against the number of synonyms, from shallow to deep: backprop, backprop with "
    "another input's masks, backprop without masks, and direct feedback alignment. P differs from "
    "step to step: the more there is to learn, the more strings.",
    table,
    draw,
)

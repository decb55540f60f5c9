"""The exact configuration of every run, each setting once."""

from dataclasses import dataclass

import pandas as pd

from synaptree.grammar.exact import fact_text
from synaptree.report.inputs import Inputs
from synaptree.results.columns import GRAMMAR, asked

FIRST = ["label", *GRAMMAR]
SHOWN = {*FIRST, "P", "rule", "family", "own"}  # in the label, in the rows, or no setting


@dataclass(frozen=True)
class Settings:
    """shared: what all runs have in common.  heads, rows: the rest, a row for each group of runs
    that differ in their seeds and in P alone."""

    shared: dict[str, str]
    heads: list[str]
    rows: list[list[str]]


def settings(inputs: Inputs) -> Settings:
    """Every setting of every run but its seeds."""
    frame = inputs.frame
    others = [name for name in asked(frame) if name not in SHOWN]
    text = pd.DataFrame({name: frame[name].map(fact_text) for name in [*FIRST, *others]})
    same = [name for name in others if text[name].nunique() == 1]
    heads = [*FIRST, *(name for name in others if name not in same)]
    text["P"] = frame["P"]
    rows = [
        [*map(str, key), ", ".join(map(str, sorted(set(sizes))))]
        for key, sizes in text.groupby(heads, sort=False)["P"]
    ]
    shared = {name.replace("_", " "): str(text[name].iloc[0]) for name in same}
    return Settings(shared, [*(name.replace("_", " ") for name in heads), "P"], rows)

"""What is found of the network: its width and connectivity, and grammars with other s and v."""

from collections.abc import Iterator

import pandas as pd
import tables
from findings_appetite import named

from synaptree import load
from synaptree.analysis.depth import with_depth
from synaptree.report.words import percent
from synaptree.results.columns import finished
from synaptree.training.solved import solved_at

WIDTH, DIRECT = "depth-width", "depth-width-direct"
CONNECTIVITY, CHILDREN, FEATURES = (
    f"depth-{name}" for name in ("connectivity", "three-children", "sixteen-features")
)
UNTRAINED = "depth-untrained"


def runs(folder: str) -> pd.DataFrame:
    """The finished runs of a folder, each with its rule's name in a sentence."""
    frame = finished(load(tables.RESULTS / folder, curves=False))
    rules = zip(frame["rule"], frame["rule_options"], strict=True)
    return frame.assign(name=[named(rule, options) for rule, options in rules])


def said(own: pd.DataFrame) -> str:
    """How many grammars are solved, and the mean error."""
    if own.empty:
        return "–"
    solved = int((own["test_error"] <= solved_at(int(own["n"].iloc[0]))).sum())
    return f"{solved} of {len(own)}, {percent(float(own['test_error'].mean()))}"


def grid(frame: pd.DataFrame, along: str, head: str) -> Iterator[str]:
    """A row a rule, a column a value of a setting; frames with several P have a row for each."""
    values = list(dict.fromkeys(frame[along])) if along == "connectivity" else None
    values = values or sorted(frame[along].unique())
    yield f"| {head} | " + " | ".join(f"{along} {value}" for value in values) + " |"
    yield "|---" * (1 + len(values)) + "|"
    several = frame["P"].nunique() > 1
    for (name, P), own in frame.groupby(["name", "P"], sort=False):
        words = f"{name}, P={P}" if several else str(name)
        cells = (said(own[own[along] == value]) for value in values)
        yield f"| {words} | " + " | ".join(cells) + " |"


def left(frame: pd.DataFrame) -> Iterator[str]:
    """The row of levels that an untrained network leaves to learn, by width."""
    known = with_depth(load(tables.RESULTS / UNTRAINED))
    own = known[(known["L"] == 4) & (known["m"] == 4) & (known["connectivity"] == "shared")]
    by_width = own.groupby("width")["depth"].agg(["min", "max"])
    assert (by_width["min"] == by_width["max"]).all()
    widths = sorted(frame["width"].unique())
    yield (
        "| levels left to learn | " + " | ".join(f"{by_width['min'][w]:.0f}" for w in widths) + " |"
    )

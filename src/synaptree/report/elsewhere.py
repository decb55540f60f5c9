"""Runs on variants of the grammar and on data of one's own, in words: the claims are not about
them, so that the report compares rules with backprop and with what is possible."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from synaptree.analysis.other_kinds import FEWEST, PLAIN
from synaptree.analysis.settings import short_views
from synaptree.errors import several
from synaptree.report.answer import Said, Spoken
from synaptree.report.inputs import Inputs
from synaptree.report.row_names import row_name, usual_name
from synaptree.report.words import error_of, listed
from synaptree.results.columns import is_other

FLOOR = "readout_only"
NAMED = 3  # kinds in the answer, at most
NO_CLAIMS = "The claims of the study are about plain grammars, so they are not asked here."
# Signs of a row: errs more than backprop, less, and neither for certain.
SIGNS = {"more": "▲", "less": "▼", "open": "=", "few": "?", "": " "}
FEW = f"too few grammars or splits to compare with backprop: at least {FEWEST} are needed"
KEY = (
    "▲ errs more than backprop, ▼ less, = cannot be told apart from it (paired by grammar or "
    "split; of the marked ones at most one in 20 is expected to be wrong)"
)


def mostly_others(frame: pd.DataFrame) -> bool:
    """Whether most runs are not on plain grammars, so that claims are not what they were made
    for."""
    return len(frame) > 0 and bool(is_other(frame).mean() > 0.5)


def compared(inputs: Inputs) -> pd.DataFrame:
    """The table of `other_kinds` with `name`, that of each row for readers: it tells views apart.
    Empty where all runs are on plain grammars."""
    table = inputs.other_kinds
    if table.empty:
        return table
    pairs = zip(table["rule"], table["options"], table["label"], strict=True)
    plain = [usual_name(row_name(str(r), str(o))[1]) or str(label) for r, o, label in pairs]
    table = table.assign(name=plain)
    views = table.groupby("name")["views"].transform("nunique") > 1
    told = [f"{n}, {short_views(str(v))}" for n, v in zip(plain, table["views"], strict=True)]
    return table.assign(name=table["name"].where(~views, told))


def title(table: pd.DataFrame) -> str:
    """What a report on these runs is about."""
    heads = [str(head) for head in table["head"].unique()]
    others = [head for head in heads if not head.startswith(PLAIN)]
    if len(others) > 1:
        return "Which learning rules learn, and where?"
    return f"Which learning rules learn {others[0]}?"


def answer(table: pd.DataFrame) -> Spoken:
    """What each kind says, with backprop and random features first, of at most `NAMED` kinds."""
    kinds = list(table.groupby("head", sort=False))
    rules, inputs = table["name"].nunique(), len(kinds)
    first = f"Test errors of {several(rules, 'rule')} on {several(inputs, 'kind')} of input."
    said = tuple(Said(*_answer(str(head), rows)) for head, rows in kinds)
    last = f" {inputs - NAMED} more kinds are in the table." if inputs > NAMED else ""
    return Spoken(first, said[:NAMED], f"{NO_CLAIMS}{last}", said[NAMED:])


def _answer(head: str, rows: pd.DataFrame) -> tuple[str, str]:
    guessing, best = rows[["guessing", "bayes_error"]].iloc[0]
    known = {
        "backprop": _of(rows, "backprop"),
        "random features": _of(rows, FLOOR),
        "guessing": error_of(guessing),
        "the best possible": "" if pd.isna(best) else error_of(best),
    }
    errors = listed([f"{name} {error}" for name, error in known.items() if error])
    judged = rows[~rows["beside"].isin(["", "few"])]
    counts = judged["beside"].value_counts()
    words = {"less": "err less", "open": "cannot be told apart", "more": "err more"}
    parts = [f"{counts[said]} {told}" for said, told in words.items() if said in counts]
    of = f" Beside backprop, of {len(judged)} other rules {listed(parts)}." if parts else ""
    if (rows["beside"] == "few").any():
        of += f" There are {FEW}."
    where = f"the {head}" if head.startswith(PLAIN) else head
    return f"On {where}:", f"{errors}.{of}"


def _of(rows: pd.DataFrame, rule: str) -> str:
    own = rows[(rows["rule"] == rule) & rows["options"].isin(["{}", ""])]
    return interval_of(own.iloc[0]) if len(own) else ""


def interval_of(row: "Mapping[Any, Any] | pd.Series[Any]") -> str:
    """A mean test error with its interval, as ``1.5% [1.0, 2.0]``."""
    error = error_of(row["error"])
    if pd.isna(row["low"]):
        return error
    digits = 1 if row["error"] < 0.0995 else 0
    low, high = (f"{100 * row[name]:.{digits}f}" for name in ("low", "high"))
    return f"{error} [{low}, {high}]"


def short(kind: str) -> str:
    """A head that fits over a column."""
    return re.sub(r"\.npz$", "", kind).replace("_", " ")

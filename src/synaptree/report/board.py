"""The scoreboard as it is shown: one row a rule, in its best settings on each kind of grammar.

`claims.second.scoreboard` has a row for each rule in each of its settings. Here the settings of a
rule become one row, rules stand in their families, and the kinds of grammar are those that compare
rules. The picture, the page and the terminal draw what `board` returns.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, cast

import numpy as np
import pandas as pd

from synaptree import rules
from synaptree.claims.second.scoreboard import KNOWS
from synaptree.report.row_names import row_name

# The families in plain words, in the order of the rows, by subfamily.
FAMILIES = {
    "reference": "backprop and kin",
    "contrastive": "layerwise, contrastive",
    "non-contrastive": "layerwise, non-contrastive",
    "fixed direct feedback": "direct feedback, fixed",
    "learned direct feedback": "direct feedback, learned",
    "perturbation": "perturbation",
    "vector units": "vector units",
    "control": "controls",
}
KINDS = 4  # of grammar, at most
# What each synapse must know, in one word, in the order of `KNOWS`.
SHORT = ("nothing", "number", "vector", "batch", "weights", "masks")
MEASURED = ("P", "depth", "solved", "of", "low", "high", "error", "diverged")
BEST = ["share", "error", "inputs"]


@dataclass(frozen=True)
class Line:
    """A row of the scoreboard: a rule, and its cell on each kind of grammar on which it was run."""

    family: str
    name: str
    title: str
    cells: Mapping[str, Mapping[Any, Any]]  # by kind
    about: Mapping[Any, Any]  # what is said once a rule

    @property
    def levels(self) -> str:
        """How many levels are found in the layers of their own, as ``3/4``; empty if unknown."""
        found = self.about["levels"]
        return "" if pd.isna(found) else f"{found:g}/{self.about['of_levels']:g}"

    @property
    def data(self) -> str:
        """The data that the rule needs over what backprop needs, the least and the most."""
        return span(self.about, "data")

    @property
    def steps(self) -> str:
        """The steps until it solves over those of backprop, the least and the most."""
        return span(self.about, "steps")

    @property
    def passes(self) -> str:
        """How often an input goes through the weights in an update; empty if unknown."""
        found = self.about.get("passes", np.nan)
        return "" if pd.isna(found) else f"{found:g}"

    @property
    def labels(self) -> str:
        """Where labels enter: the output error, a tier (``T1``), or nowhere; empty if unknown."""
        return _text(self.about["labels"])

    @property
    def knows(self) -> str:
        """What each synapse must know, one of `KNOWS`; empty without an audit."""
        return _text(self.about["knows"])


def _text(value: object) -> str:
    """Text from a table, which has gaps where a file had empty cells."""
    return value if isinstance(value, str) else ""


def board(scores: pd.DataFrame) -> pd.DataFrame:
    """A row for each rule on each kind of grammar, from `scoreboard`'s frame.

    Columns: family (in plain words), name, title; kind, head (the kind in short), P, depth; solved,
    of, low, high, error, diverged (runs), settings (the best: the largest share of solved grammars,
    of those the lowest error), all_settings (labels, a line each).  What is said once a rule is on
    each of its rows: data_least, data_most (over backprop's, with each kind's best settings),
    data_open (whether the most is only a bound), steps_least, steps_most, passes, levels,
    of_levels, labels, knows.
    """
    if scores.empty:
        return scores
    named = _named(scores)
    named = named[named["name"] != ""]
    kinds = shown_kinds(named)
    most = named.groupby(["name", "kind"])["of"].transform("max")
    best = named[2 * named["of"] >= most]  # settings that were tried on few grammars prove little
    best = best.sort_values(BEST, ascending=[False, True, True], kind="stable")
    best = best.drop_duplicates(["name", "kind"])
    best = best[best["kind"].isin(kinds)]
    heads = dict(zip(kinds, short_kinds(kinds), strict=True))
    rows = [row for name in _ordered(best) for row in _rows(name, best, named, kinds, heads)]
    return pd.DataFrame(rows)


def lines(table: pd.DataFrame) -> list[Line]:
    """The rows of the scoreboard from `board`'s table, in its order."""
    found: list[Line] = []
    for _, own in table.groupby("name", sort=False):
        rows = cast(list[dict[Any, Any]], own.to_dict("records"))
        first = rows[0]
        found.append(
            Line(
                str(first["family"]),
                str(first["name"]),
                str(first["title"]),
                {str(row["kind"]): row for row in rows},
                first,
            )
        )
    return found


def columns(table: pd.DataFrame) -> list[Mapping[Any, Any]]:
    """The kinds of grammar of `board`'s table, shallow ones first: kind, head, P, depth."""
    first = table.drop_duplicates("kind")
    order = [_numbers(str(kind)) for kind in first["kind"]]
    place = sorted(range(len(order)), key=lambda i: (order[i]["L"], *order[i].values()))
    return cast(list[Mapping[Any, Any]], first.iloc[place].to_dict("records"))


def span(row: Mapping[Any, Any], what: str) -> str:
    """The least and the most of a ratio, as ``1.4×`` or ``1.4–3.1×``; empty if unknown."""
    least, most = row[f"{what}_least"], row[f"{what}_most"]
    if pd.isna(least):
        return ""
    if np.isinf(least):
        return "not yet"
    least, most = _plain(least), _plain(most)
    if row.get(f"{what}_open"):
        return f">{most}×" if least == most else f"{least} – >{most}×"
    return f"{most}×" if least == most else f"{least}–{most}×"


def _plain(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:.0f}"


def shown_kinds(scores: pd.DataFrame) -> list[str]:
    """The kinds that compare rules: those with at least half as many rules as any, at most so
    many. Kinds on which rules are judged go first where there are too many."""
    counts = scores.groupby("kind")["name"].nunique()
    many = [str(kind) for kind in counts.index[2 * counts >= counts.max()]]
    entered = set(scores["kind"][scores["entered"]])
    many.sort(key=lambda kind: (kind not in entered, -counts[kind], -_numbers(kind)["L"]))
    order = {str(kind): place for place, kind in enumerate(scores["kind"].unique())}
    return sorted(many[:KINDS], key=order.__getitem__)


def short_kinds(kinds: list[str]) -> list[str]:
    """Names of kinds that tell them apart, as ``L=4 m=6``: with L, m, and no more than needed."""
    numbers = [_numbers(kind) for kind in kinds]
    for size in range(4):
        for more in combinations("vns", size):
            heads = [" ".join(f"{k}={each[k]}" for k in ("L", "m", *more)) for each in numbers]
            if len(set(heads)) == len(set(kinds)):
                return heads
    return list(kinds)


def _numbers(kind: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"(\w)=(\d+)", kind)}


def _named(scores: pd.DataFrame) -> pd.DataFrame:
    """With the name of the row that each belongs to; empty for a place on a laboratory's dial."""
    pairs = zip(scores["rule"], scores["options"], strict=True)
    named = [row_name(str(rule), str(options)) for rule, options in pairs]
    return scores.assign(
        name=[name for name, _ in named],
        title=[title for _, title in named],
        share=scores["solved"] / scores["of"],
        plain=[
            FAMILIES.get(str(sub)) or f"{family or 'own'}, other"
            for sub, family in zip(scores["subfamily"], scores["family"], strict=True)
        ],
    )


def _ordered(best: pd.DataFrame) -> list[str]:
    """The names of the rows: by family; in it backprop, then who solves most."""
    of_rule = best.groupby("name", sort=False).agg(
        {"plain": "first", "share": "mean", "error": "mean"}
    )
    keys = [
        (_place(plain), plain, name != "backprop", -share, error, name)
        for name, plain, share, error in of_rule.itertuples()
    ]
    return [key[-1] for key in sorted(keys)]


def _place(family: str) -> tuple[int, bool]:
    """Where a family stands: one that is not known behind the last that begins alike."""
    known = list(FAMILIES.values())
    if family in known:
        return known.index(family), False
    begin = family.partition(",")[0]
    alike = [place for place, each in enumerate(known) if each.partition(",")[0] == begin]
    return max(alike, default=len(known)), True


def _rows(
    name: str, best: pd.DataFrame, every: pd.DataFrame, kinds: list[str], heads: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    own, of_rule = best[best["name"] == name], every[every["name"] == name]
    about = {**_data(of_rule), **_steps(own), **_said_once(own, kinds)}
    for row in own.to_dict("records"):
        settings = of_rule[of_rule["kind"] == row["kind"]]["label"]
        yield {
            "family": row["plain"], "name": name, "title": row["title"],
            "kind": row["kind"], "head": heads[str(row["kind"])],
            **{key: row[key] for key in MEASURED},
            "settings": row["label"], "all_settings": "\n".join(dict.fromkeys(settings)), **about,
        }  # fmt: skip


def _data(of_rule: pd.DataFrame) -> dict[str, Any]:
    """P* over backprop's with the best settings of each kind; the least and the most of kinds."""
    known = of_rule[of_rule["data"].notna()].sort_values(["data", "data_at_least"], kind="stable")
    known = known.drop_duplicates("kind")
    if known.empty:
        return {"data_least": np.nan, "data_most": np.nan, "data_open": False}
    most = known.iloc[-1]
    return {
        "data_least": float(known.iloc[0]["data"]),
        "data_most": float(most["data"]),
        "data_open": bool(most["data_at_least"]),
    }


def _steps(own: pd.DataFrame) -> dict[str, float]:
    """Steps over backprop's on the kinds that the rule solves; infinite where it solves none."""
    known = own["steps_beside"].dropna()
    solved = known[np.isfinite(known)]
    if solved.empty:
        return dict.fromkeys(("steps_least", "steps_most"), np.inf if len(known) else np.nan)
    return {"steps_least": float(solved.min()), "steps_most": float(solved.max())}


def _said_once(own: pd.DataFrame, kinds: list[str]) -> dict[str, Any]:
    """What is said of a rule on the deepest kind that says it, and its label tiers on all."""
    deepest = own.sort_values("kind", key=lambda each: each.map(kinds.index), kind="stable")
    levels, knows = deepest[deepest["levels"].notna()], deepest[deepest["knows"] != ""]
    tiers = sorted({tier for tier in own["tier"] if isinstance(tier, str)})
    return {
        "passes": float(deepest.iloc[-1]["passes"]),
        "levels": float(levels.iloc[-1]["levels"]) if len(levels) else np.nan,
        "of_levels": int(levels.iloc[-1]["of_levels"]) if len(levels) else 0,
        "labels": "/".join(tiers) or _labels(*map(str, own.iloc[0][["rule", "family"]])),
        "knows": str(knows.iloc[-1]["knows"]) if len(knows) else "",
    }


def _labels(rule: str, family: str) -> str:
    """Where labels enter under a rule that compares no views: of an own rule, as its family says;
    empty if that is not known."""
    if rule not in rules.names(former=True):
        return "error" if family == "direct feedback" else ""
    return "error" if rules.rule_class(rule).facts.labels else "none"


def knows_place(knows: str) -> int | None:
    """How far up `KNOWS` it is, from 0; None without an audit."""
    return KNOWS.index(knows) if knows else None

"""What is found of images: every rule on handwritten digits, beside its errors on grammars."""

from functools import cache
from typing import Any

import findings
import numpy as np
import pandas as pd
import tables
from findings import sure, word
from scipy import stats

from synaptree import load
from synaptree.analysis.paired import Estimate, mean_of
from synaptree.report import elsewhere
from synaptree.report.figures.other_kinds import FIGURE
from synaptree.report.inputs import Inputs
from synaptree.report.row_names import row_name
from synaptree.report.words import error_of, listed, percent

SEEN = {  # what layerwise rules compare on the digits, in plain words
    "sibling,sibling,same_class": "siblings, and one class at the top",
    "trace:7,trace:7,trace:7": "means over seven images of a class",
    "": "",
}
GROUPS = {  # the families of the digits' page, by subfamily or by rule
    "layerwise, contrastive": ("contrastive",),
    "layerwise, non-contrastive": ("non-contrastive",),
    "direct feedback, learned": ("learned direct feedback",),
    "direct feedback, fixed": ("fixed direct feedback",),
}
REGISTERED = {"L=3 m=6": "uniform", "L=4 m=4": "deep"}
RESAMPLES = 2000


@cache
def errors(folder: str) -> pd.DataFrame:
    """The table of `other_kinds` for a folder of results; row: the scoreboard's name."""
    table = elsewhere.compared(Inputs.of(load(tables.RESULTS / folder, curves=False), {}))
    pairs = zip(table["rule"], table["options"], strict=True)
    return table.assign(row=[row_name(str(r), str(o))[0] for r, o in pairs])


def row_of(folder: str, rule: str, views: str = "", **more: str) -> dict[str, Any]:
    """A rule's row of `errors`, which has these values in further columns."""
    table = errors(folder)
    chosen = (table["row"] == rule) & (table["views"] == views)
    for column, value in more.items():
        chosen &= table[column] == value
    (found,) = table[chosen].to_dict("records")
    return {str(column): value for column, value in found.items()}


@cache
def beside_grammars() -> pd.DataFrame:
    """The digits' rows, beside the same rules' errors on two registered kinds."""
    board = tables.concluded(findings.PRESET).board
    known = board.pivot_table(index="name", columns="head", values="error")[[*REGISTERED]]
    return errors("digits").join(known.rename(columns=REGISTERED), on="row")


def rank_correlation(kind: str) -> tuple[float, float, float, int]:
    """Spearman's, of the rules' errors on the digits and on a kind, with the 95% interval of a
    bootstrap over rules; and the number of rules."""
    rows = beside_grammars().sort_values("error").drop_duplicates("row").dropna(subset=[kind])
    pairs = rows[["error", kind]].to_numpy(float)
    rng = np.random.default_rng(0)
    drawn = (pairs[rng.integers(0, len(pairs), len(pairs))] for _ in range(RESAMPLES))
    found = [stats.spearmanr(*sample.T).statistic for sample in drawn]
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(stats.spearmanr(*pairs.T).statistic), float(low), float(high), len(pairs)


@cache
def families() -> dict[str, Estimate]:
    """Each family's error: of every split the median over its rules, each with its better views,
    and then the mean over splits."""
    frame = load(tables.RESULTS / "digits", curves=False)
    best = errors("digits").sort_values("error").drop_duplicates("row")
    found: dict[str, Estimate] = {}
    for name, subfamilies in GROUPS.items():
        own = frame[frame["subfamily"].isin(subfamilies)]
        rules = best[best["rule"].isin(own["rule"])]
        chosen = own.merge(rules[["rule", "views"]], on=["rule", "views"])
        median = chosen.groupby(["data_seed", "rule"])["test_error"].mean().groupby("data_seed")
        found[name] = mean_of(median.median().to_numpy(float))
    return dict(sorted(found.items(), key=lambda pair: pair[1].value))


def digits() -> str:
    """The part of images.md."""
    table = errors("digits")
    backprop, floor, dfa = (row_of("digits", r) for r in ("backprop", "readout_only", "dfa"))
    counts = table["beside"].value_counts()
    layerwise = table[(table["family"] == "layerwise")]
    open_ = layerwise[layerwise["beside"] == "open"]["rule"].nunique()
    groups = families()
    order = list(groups)
    sure(
        "less" not in counts,
        set(order[:2]) == {*[*GROUPS][:2]},
        dfa["beside"] == "more",
        dfa["high"] < floor["low"],
        row_of("digits", "forward_dfa")["beside"] == "open",
        row_of("digits", "backprop, no masks")["beside"] == "open",
    )
    uniform, deep = rank_correlation("uniform"), rank_correlation("deep")
    rows = beside_grammars().set_index("row")
    dfa_there = [percent(float(rows.loc["dfa", kind])) for kind in REGISTERED.values()]
    said = {n: f"{n} {elsewhere.interval_of(_as_row(e))}" for n, e in groups.items()}
    below = table[(table["error"] > floor["high"])]["name"].tolist()
    answer = [
        f"Backprop errs on {elsewhere.interval_of(backprop)} of the test images, random features "
        f"on {elsewhere.interval_of(floor)}.",
        f"No rule errs less than backprop for certain. Of {counts.sum() - counts.get('', 0)} other "
        f"rows, {counts['open']} cannot be told apart from it, and {counts['more']} err more.",
        f"{word(open_).capitalize()} of {layerwise['rule'].nunique()} layerwise rules cannot be "
        "told apart from backprop with one of the two kinds of pairs.",
        f"The families, by the median over their rules: {listed(list(said.values()))}.",
        f"The digits tell rules apart far less than grammars do. DFA errs on "
        f"{elsewhere.interval_of(dfa)} here, and on {listed(dfa_there)} of the strings of the "
        "uniform kind of grammar (three levels) and the deep kind (four levels). Backprop without "
        "masks cannot be told apart from "
        "backprop here.",
        f"Still the order of rules is similar: its rank correlation with the uniform kind is "
        f"{_correlation(uniform)} over {uniform[3]} rules, and with the deep kind it is "
        f"{_correlation(deep)}.",
    ]
    lines = [
        f"![{FIGURE.title}: a dot with an interval for each rule. Most dots lie within two points "
        "of backprop's; random features lie at six per cent, and six rules far to the right of "
        "them.](../../results/digits/other_kinds.svg)", "",
        "## Answer", "", *(f"- {sentence}" for sentence in answer), "",
        f"Worse than random features: {listed(below)}.", "",
        "## The numbers", "",
        "| rule | compares | digits | beside backprop | uniform grammars | deep grammars |",
        "|---|---|---|---|---|---|",
        *map(_line, beside_grammars().sort_values("error").to_dict("records")), "",
        "Mean test errors, on the digits with the 95% interval over ten splits. Beside backprop: "
        "*same* if the paired difference can be zero; of the others, at most one in 20 is expected "
        "to be wrong. Grammars: the registered runs of the [scoreboard](../answer.md), where "
        "layerwise rules compare siblings and, where labels are needed, one class.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _as_row(found: Estimate) -> dict[str, float]:
    return {"error": found.value, "low": max(found.low, 0.0), "high": found.high}


def _correlation(found: tuple[float, float, float, int]) -> str:
    value, low, high, _ = found
    return f"{value:.2f} ({low:.2f}–{high:.2f})"


def _line(row: dict[str, object]) -> str:
    seen = SEEN[str(row["views"])]
    title = str(row["name"]).partition(", ")[0] if seen else str(row["name"])
    beside = {"open": "same", "more": "worse", "less": "better", "": "–"}[str(row["beside"])]
    there = [
        "–" if pd.isna(value := row[kind]) else error_of(float(value))  # type: ignore[arg-type]
        for kind in REGISTERED.values()
    ]
    return f"| {title} | {seen} | {elsewhere.interval_of(row)} | {beside} | {' | '.join(there)} |"

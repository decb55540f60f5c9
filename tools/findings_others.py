"""What is found where inputs are no strings of a plain grammar: on images, and on variants."""

from collections.abc import Iterable
from functools import cache

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
from synaptree.report.words import listed, percent
from synaptree.results.columns import kind_name

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


def of(rule: str, views: str = "", folder: str = "digits") -> pd.Series:
    """A rule's row."""
    table = errors(folder)
    (found,) = table[(table["row"] == rule) & (table["views"] == views)].to_dict("records")
    return pd.Series(found)


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
def families() -> dict[str, tuple[float, Estimate]]:
    """Each family's error: of every split the median over its rules, each with its better views,
    and then the mean over splits."""
    frame = load(tables.RESULTS / "digits", curves=False)
    best = errors("digits").sort_values("error").drop_duplicates("row")
    found: dict[str, tuple[float, Estimate]] = {}
    for name, subfamilies in GROUPS.items():
        own = frame[frame["subfamily"].isin(subfamilies)]
        rules = best[best["rule"].isin(own["rule"])]
        chosen = own.merge(rules[["rule", "views"]], on=["rule", "views"])
        median = chosen.groupby(["data_seed", "rule"])["test_error"].mean().groupby("data_seed")
        found[name] = len(rules), mean_of(median.median().to_numpy(float))
    return dict(sorted(found.items(), key=lambda pair: pair[1][1].value))


def digits() -> str:
    """The part of images.md."""
    table = errors("digits")
    backprop, floor, dfa = of("backprop"), of("readout_only"), of("dfa")
    counts = table["beside"].value_counts()
    layerwise = table[(table["family"] == "layerwise")]
    open_ = layerwise[layerwise["beside"] == "open"]["rule"].nunique()
    groups = families()
    order = list(groups)
    sure(
        "less" not in counts,
        order[:2] == [*GROUPS][:2][::1] or order[:2] == [*GROUPS][:2][::-1],
        dfa["beside"] == "more",
        dfa["high"] < floor["low"],
        of("forward_dfa")["beside"] == "open",
        of("backprop, no masks")["beside"] == "open",
    )
    uniform, deep = rank_correlation("uniform"), rank_correlation("deep")
    rows = beside_grammars().set_index("row")
    dfa_there = [percent(float(rows.loc["dfa", kind])) for kind in REGISTERED.values()]
    said = {n: f"{n} {elsewhere.interval_of(_as_row(e))}" for n, (_, e) in groups.items()}
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
        "uniform and the deep kind of grammar. Backprop without masks cannot be told apart from "
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
        "–" if pd.isna(value := row[kind]) else elsewhere.error_of(float(value))  # type: ignore[arg-type]
        for kind in REGISTERED.values()
    ]
    return f"| {title} | {seen} | {elsewhere.interval_of(row)} | {beside} | {' | '.join(there)} |"


RULES = (  # of the study on variants, by the scoreboard's name
    *("backprop", "backprop, no masks", "dfa", "clapp", "vicreg", "lpl", "readout_only"),
)
LAYERWISE = ("clapp", "vicreg", "lpl")
ZIPF, NOISE = ("zipf=0.5", "zipf=1", "zipf=1.5"), ("noise=0.11", "noise=0.22")
FREE, SPARSE, MIXED, PLAIN = "correlation_free", "sparse=1", "mixed=3", "plain grammar"
KINDS = {  # of the table, in plain words
    PLAIN: "plain", "zipf=0.5": "Zipf, a=0.5", "zipf=1": "Zipf, a=1", "zipf=1.5": "Zipf, a=1.5",
    "noise=0.11": "noise, 11%", "noise=0.22": "noise, 22%", SPARSE: "sparse", MIXED: "mixed",
    FREE: "correlation-free",
}  # fmt: skip


def _at(head: str, rule: str) -> dict[str, object]:
    """A rule's row on a variant."""
    table = errors("variants")
    (found,) = table[(table["row"] == rule) & (table["head"] == head)].to_dict("records")
    return {str(key): value for key, value in found.items()}


def _error(head: str, rule: str) -> float:
    return float(str(_at(head, rule)["error"]))


@cache
def paired(head: str, one: str, other: str) -> Estimate:
    """One rule's error minus another's on a variant, paired by grammar."""
    frame = load(tables.RESULTS / "variants", curves=False)
    kind = str(_at(head, one)["kind"])
    by_name = {}
    for rule in (one, other):
        row = _at(head, rule)
        own = frame[(frame["rule"] == row["rule"]) & (frame["rule_options"] == row["options"])]
        own = own[[kind_name(run) == kind for run in own.to_dict("records")]]
        by_name[rule] = own.set_index("seed")["test_error"].sort_index()
    return mean_of((by_name[one] - by_name[other]).to_numpy(float))


def _span(heads: Iterable[str], rules: Iterable[str]) -> str:
    """The least and the most error of rules on kinds, as ``2.0–7.1%``."""
    found = [_error(head, rule) for head in heads for rule in rules]
    return _range(min(found), max(found))


def _range(low: float, high: float) -> str:
    least, most = elsewhere.error_of(low), elsewhere.error_of(high)
    return most if least == most else f"{least.removesuffix('%')}–{most}"


def variants() -> str:
    """The part of variants.md."""
    others = [head for head in KINDS if head != PLAIN]
    unmasked = [h for h in KINDS if _at(h, "backprop, no masks")["beside"] == "more"]
    apart = [_error(h, "backprop, no masks") - _error(h, "backprop") for h in unmasked]
    over_dfa = {h: [paired(h, rule, "dfa") for rule in LAYERWISE] for h in KINDS}
    over_floor = {h: [paired(h, rule, "readout_only") for rule in LAYERWISE] for h in KINDS}
    most = max(-e.value for h in (SPARSE, MIXED) for e in over_floor[h])
    sure(
        all(_at(h, "dfa")["beside"] == "more" for h in KINDS),
        all(_at(h, rule)["beside"] == "more" for h in KINDS for rule in LAYERWISE),
        set(KINDS) - set(unmasked) == {MIXED},
        all(e.high < 0 for h in ZIPF for e in over_dfa[h]),
        all(e.low > 0 for h in KINDS if h not in ZIPF for e in over_dfa[h]),
        most < 0.03,
        max(_error(h, rule) for h in ZIPF for rule in LAYERWISE) < _error(PLAIN, "lpl") / 3,
    )
    best = {h: float(str(_at(h, "backprop")["bayes_error"])) for h in NOISE}
    answer = [
        "**Rules with an output error keep their order.** Backprop errs less than DFA on the plain "
        f"grammar and on all {word(len(others))} variants. Without masks it errs more than with "
        f"them on all but the mixed one, by {100 * min(apart):.1f} to {100 * max(apart):.0f} "
        "points.",
        "**Layerwise rules gain if rules are not equally likely.** They err on "
        f"{_span(ZIPF, LAYERWISE)} of the strings of Zipf grammars, less than DFA "
        f"({_span(ZIPF, ['dfa'])}), and on {_span([PLAIN], LAYERWISE)} of those of the plain one, "
        f"more than DFA ({_span([PLAIN], ['dfa'])}).",
        "**They lose by noise.** With 11% of the tokens replaced they err on "
        f"{_span(NOISE[:1], LAYERWISE)}, backprop on {_span(NOISE[:1], ['backprop'])}, and "
        f"{percent(best[NOISE[0]])} is the best possible; with 22% these are "
        f"{_span(NOISE[1:], LAYERWISE)}, {_span(NOISE[1:], ['backprop'])} and "
        f"{percent(best[NOISE[1]])}.",
        "**They lose if siblings say nothing of one another.** On the correlation-free grammar "
        f"they err on {_span([FREE], LAYERWISE)}, where random features err on "
        f"{_span([FREE], ['readout_only'])} and backprop on {_span([FREE], ['backprop'])}. Their "
        "top layer still compares inputs of a class.",
        "**On sparse and mixed grammars nothing learns well here.** Backprop errs on "
        f"{_span([SPARSE], ['backprop'])} and {_span([MIXED], ['backprop'])}, where 0% is "
        f"possible, and layerwise rules are at most {100 * most:.0f} points better than random "
        "features.",
    ]
    heads = ("backprop", "no masks", "DFA", "CLAPP", "VICReg", "LPL", "random features")
    lines = [
        f"![{FIGURE.title}: a panel for the plain grammar and for each of eight variants. On Zipf "
        "grammars all but random features lie near zero; on noisy, sparse and mixed ones all lie "
        "far to the right, layerwise rules next to random features."
        "](../../results/variants/other_kinds.svg)", "",
        "## Answer", "", *(f"- {sentence}" for sentence in answer), "",
        "So what the study says of rules with an output error does not depend on equal rules and "
        "clean strings. The success of layerwise rules does depend on them, at least if they "
        "compare siblings, and with this much data and training. It carries over to unequal rules, "
        "but not to noise, sparsity or trees of varying shape.", "",
        "## The numbers", "",
        f"| grammar | best possible | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|",
        *map(_row, KINDS), "",
        "Mean test errors with their 95% interval over ten grammars. A star: errs more than "
        "backprop, paired by grammar; of these at most one in 20 is expected to be wrong.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _row(head: str) -> str:
    stars = {"more": "*", "open": "", "less": " (less)", "": ""}
    cells = [_at(head, rule) for rule in RULES]
    said = [elsewhere.interval_of(c) + stars[str(c["beside"])].replace("*", "\\*") for c in cells]
    best = elsewhere.error_of(float(str(cells[0]["bayes_error"])))
    return f"| {KINDS[head]} | {best} | {' | '.join(said)} |"

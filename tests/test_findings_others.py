"""Images, variants and small grids of depth: the pages' numbers, again in another way."""

import re
from pathlib import Path

import findings_network
import findings_others as others
import findings_variants as on_variants
import numpy as np
import pytest
from scipy import stats

from synaptree import load

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "findings"


@pytest.fixture(scope="module")
def digits():
    return load(ROOT / "results" / "digits", curves=False)


def lines(page, heads):
    """The rows of a table under these heads."""
    text = (PAGES / f"{page}.md").read_text("utf-8")
    table = text.split(heads, 1)[1].split("\n\n", 1)[0]
    return [[c.strip() for c in line.strip("| ").split(" | ")] for line in table.splitlines()[2:]]


def test_each_row_of_the_digits_has_its_mean_and_a_plain_interval_agrees(digits):
    rows = lines("images", "| rule | compares | digits")
    means = digits.groupby(["rule", "rule_options", "views"])["test_error"]
    said = sorted(float(row[2].split("%")[0]) for row in rows)
    assert len(rows) == means.ngroups == 40
    for shown, true in zip(said, sorted(100 * means.mean()), strict=True):
        assert shown == pytest.approx(true, abs=0.51 if shown >= 10 else 0.051)
    for row, (_, own) in zip(rows, sorted(means, key=lambda pair: pair[1].mean()), strict=True):
        assert len(own) == 10
        low, high = map(float, re.findall(r"\[([\d.]+), ([\d.]+)\]", row[2])[0])
        half = stats.t.ppf(0.975, 9) * 100 * own.std() / np.sqrt(10)
        assert (high - low) / 2 == pytest.approx(half, rel=0.3, abs=0.6 if high > 10 else 0.06)


def test_what_is_worse_than_backprop_is_so_by_another_test(digits):
    """Wilcoxon's test of the pairs: it calls all worse that the page does, and no other one with
    certainty."""
    backprop = digits[digits["rule"] == "backprop"].set_index("data_seed")["test_error"]
    for row in others.errors("digits").to_dict("records"):
        own = digits[(digits["rule"] == row["rule"]) & (digits["views"] == row["views"])]
        own = own[own["rule_options"] == row["options"]].set_index("data_seed")["test_error"]
        if row["rule"] == "backprop":
            continue
        p = stats.wilcoxon(own, backprop, alternative="greater").pvalue
        assert p < 0.06 if row["beside"] == "more" else p > 0.01, row["name"]


def test_the_rank_correlation_is_that_of_the_table():
    rows = lines("images", "| rule | compares | digits")
    best = {row[0]: row for row in reversed(rows)}  # the table begins with the lowest error
    pairs = [
        [float(row[2].split("%")[0]), float(row[4].rstrip("%"))]
        for row in best.values()
        if row[4] != "–"
    ]
    found, low, high, count = others.rank_correlation("uniform")
    assert len(pairs) == count
    assert stats.spearmanr(np.array(pairs)).statistic == pytest.approx(found, abs=0.03)
    assert low < found < high


@pytest.fixture(scope="module")
def variants():
    return load(ROOT / "results" / "variants", curves=False)


FIRST = ("backprop", "masking", "dfa", "readout_only")
LAYERWISE = ("clapp", "vicreg", "lpl")


def of_kind(variants, head):
    return variants[variants["variant"] == head.replace(on_variants.PLAIN, "")]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("| grammar | best possible | backprop", [(rule, "") for rule in FIRST]),
        ("| grammar | best possible | CLAPP", [(r, t) for t in ("T1", "T2") for r in LAYERWISE]),
    ],
)
def test_each_number_of_the_variants_is_a_mean_over_ten_grammars(variants, table, columns):
    rows = lines("variants", table)
    assert len(rows) == variants["variant"].nunique() == 9
    names = {text: head for head, text in on_variants.KINDS.items()}
    for row in rows:
        here = of_kind(variants, names[row[0]])
        if row[1] != "0.0%":
            bayes = 100 * here["bayes_error"].mean()
            assert float(row[1].rstrip("%")) == pytest.approx(bayes, abs=0.5)
        for (rule, tier), text in zip(columns, row[2:], strict=True):
            own = here[(here["rule"] == rule) & (here["views"] == on_variants.VIEWS[tier])]
            shown = float(text.split("%")[0])
            assert len(own) == 10
            mean = 100 * own["test_error"].mean()
            assert shown == pytest.approx(mean, abs=0.51 if shown >= 10 else 0.051)


@pytest.mark.parametrize("tier", ["T1", "T2"])
def test_what_is_said_of_dfa_and_layerwise_rules_is_so_by_a_t_test(variants, tier):
    for head in on_variants.KINDS:
        here = of_kind(variants, head)
        dfa = here[here["rule"] == "dfa"].set_index("seed")["test_error"]
        for rule in LAYERWISE:
            own = here[(here["rule"] == rule) & (here["views"] == on_variants.VIEWS[tier])]
            own = own.set_index("seed")["test_error"].loc[dfa.index]
            found = stats.ttest_rel(own, dfa)
            less = on_variants.paired(head, f"{rule} {tier}", "dfa").high < 0
            assert less == (found.statistic < 0 and found.pvalue < 0.05), (head, rule)


def test_no_rule_errs_less_than_the_best_possible(variants):
    noisy = variants[variants["bayes_error"] > 0]
    mean = noisy.groupby(["variant", "rule", "views"])[["test_error", "bayes_low"]].mean()
    assert (mean["test_error"] > mean["bayes_low"]).all()


@pytest.mark.parametrize("part", findings_network.PARTS)
def test_small_grids_of_depth_count_their_runs(part):
    """Every cell again, by hand: grammars at most a tenth of chance error, and the mean error."""
    frame, along = load(ROOT / "results" / part, curves=False), findings_network.PARTS[part]
    table = findings_network.cells(part)
    heads, *rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in table.splitlines()
        if not line.startswith("| ---")
    ]
    assert table in (ROOT / "docs" / "findings" / "depth.md").read_text("utf-8")
    shown = 0
    for name, *cells in rows:
        rule, _, P = name.partition(", P=")
        own = frame[[findings_network.named(*each) == rule for each in
                     zip(frame["rule"], frame["rule_options"], strict=True)]]  # fmt: skip
        own = own[own["P"] == int(P)] if P else own
        for head, cell in zip(heads[1:], cells, strict=True):
            errors = own["test_error"][own[along].astype(str) == head.removeprefix("P=")]
            hits = (errors <= 0.1 * (1 - 1 / own["n"].iloc[0])).sum()
            assert cell == f"{hits} of {len(errors)}, error {100 * errors.mean():.0f}%"
            shown += len(errors)
    assert shown == len(frame)


TITLES = {
    "backprop at its best": "backprop",
    "CLAPP++ (T2)": "clapp_pp",
    "CLAPP (T1)": "clapp",
    "LPL (T1)": "lpl",
    "InfoNCE (T1)": "infonce",
}


def test_the_lead_asked_again_rests_on_ten_other_grammars_and_one_setting_a_rule():
    frame = load(ROOT / "results" / "depth-needs-confirm", curves=False)
    rows = [row for row in lines("depth", "| L=6, m=4 | P\\*, 200–209 |") if len(row) > 1]
    assert len(rows) == frame["rule"].nunique() == 5
    assert set(frame["seed"]) == set(range(210, 220))
    assert not frame.duplicated(["rule", "seed", "P"]).any()
    for title, _, found, *_ in rows:
        own = frame[frame["rule"] == TITLES[title]]
        whole = own.groupby("P").filter(lambda runs: len(runs) == 10)
        means = whole.groupby("P")["test_error"].mean()
        P = float(found.split()[0])
        assert means[means.index < P].iloc[-1] > 0.0875 >= means[means.index > P].iloc[0]


def test_the_median_grammar_needs_as_much_as_the_middle_of_ten():
    frame = load(ROOT / "results" / "depth-needs-confirm", curves=False)
    table = [row for row in lines("depth", "| median grammar | P\\*, 200–209 |") if len(row) > 1]
    assert len(table) == 5
    backprop = frame[frame["rule"] == "backprop"]
    for title, _, found, _, ratio in table:
        own = frame[frame["rule"] == TITLES[title]]
        solved = own.groupby("P")["test_error"].agg(lambda errors: (errors <= 0.0875).sum())
        solved = solved[own.groupby("P").size() == 10]
        P = int(found)
        assert solved[solved.index < P].iloc[-1] <= 5 <= solved[solved.index > P].iloc[0]
        if title != "backprop at its best":
            reference = float(next(row[2] for row in table if row[0] == "backprop at its best"))
            assert float(ratio.split()[0]) == pytest.approx(P / reference, abs=0.006)
    errors = backprop[backprop["P"] == 11585]["test_error"]
    assert (errors > 0.8).sum() == 1  # and lifts the mean of all ten to the threshold
    assert errors.mean() == pytest.approx(0.0875, abs=0.005)

"""Errors on variants and on data of one's own, beside backprop: on frames whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from report_frames import inputs, run
from scipy import stats

from synaptree.analysis.other_kinds import other_kinds
from synaptree.report import elsewhere
from synaptree.report.page import render
from synaptree.results.columns import is_other

RNG = np.random.default_rng(0)


def on(rule, errors, first=0, **changed):
    """A run for each error, on grammars (or splits) that count up."""
    how = {"variant": "", "data": "", "lr": 0.01, **changed}
    return [
        run(rule, e, seed=first + i, data_seed=first + i, network_seed=first + i, **how)
        for i, e in enumerate(errors)
    ]


def compared(rows):
    return other_kinds(inputs(rows).frame).set_index(["head", "rule"])


def test_runs_on_plain_grammars_alone_have_no_row():
    frame = inputs(on("backprop", [0.1, 0.2])).frame
    assert other_kinds(frame).empty
    assert not is_other(frame).any()


def test_numbers_are_those_of_each_kind_by_hand():
    noisy = {"variant": "noise=0.1", "bayes_error": 0.25, "bayes_low": 0.2, "bayes_high": 0.3}
    mine = {"data": "mine.npz@abc", "n": 5, "m": 1}
    rows = on("backprop", [0.1, 0.2], **noisy) + on("dfa", [0.4, 0.6], **noisy)
    rows += on("backprop", [0.0], **mine) + on("backprop", [0.3, 0.5])
    found = compared(rows)
    assert list(found.index.get_level_values("head").unique()) == [
        "plain grammar",
        "mine.npz",
        "noise=0.1",
    ]
    assert found.loc[("noise=0.1", "backprop"), "error"] == pytest.approx(0.15)
    assert found.loc[("noise=0.1", "dfa"), "worse"] == pytest.approx(0.35)
    assert found.loc[("noise=0.1", "dfa"), "bayes_error"] == 0.25
    assert np.isnan(found.loc[("plain grammar", "backprop"), "bayes_error"])
    assert found.loc[("mine.npz", "backprop"), "guessing"] == pytest.approx(0.8)
    assert np.isnan(found.loc[("mine.npz", "backprop"), "low"])  # of one run
    assert found.loc[("plain grammar", "backprop"), "beside"] == ""


def test_two_files_of_one_name_are_told_apart_by_their_hashes():
    hashes = ["mine.npz@" + letter * 16 for letter in "ab"]
    found = compared([row for data in hashes for row in on("backprop", [0.1], data=data, m=1)])
    heads = list(found.index.get_level_values("head"))
    assert [head.split()[-1] for head in heads] == hashes
    assert not any("m=1" in head for head in heads)


def test_settings_are_never_pooled_and_the_best_is_shown():
    rows = on("dfa", [0.2] * 4, variant="zipf=1") + on("dfa", [0.6] * 4, variant="zipf=1", lr=0.1)
    rows += on("dfa", [0.0], variant="zipf=1", lr=1.0)  # on one of four grammars proves little
    found = compared(rows).loc[("zipf=1", "dfa")]
    assert (found["error"], found["tried"], found["units"]) == (pytest.approx(0.2), 3, 4)


def test_networks_on_one_split_are_averaged_and_the_split_is_the_unit():
    own = {"data": "mine.npz@abc"}
    rows = [
        r | {"network_seed": n, "seed": n} for n in range(3) for r in on("dfa", [0.2, 0.4], **own)
    ]
    found = compared(rows).loc[("mine.npz", "dfa")]
    assert (found["units"], found["error"]) == (2, pytest.approx(0.3))


def test_only_the_largest_P_of_a_kind_counts():
    rows = on("dfa", [0.9] * 2, variant="zipf=1", P=64) + on(
        "dfa", [0.1] * 2, variant="zipf=1", P=128
    )
    found = compared(rows).loc[("zipf=1", "dfa")]
    assert (found["P"], found["error"]) == (128, pytest.approx(0.1))


def test_differences_are_paired():
    base = RNG.uniform(0.1, 0.6, 12)  # grammars differ far more than rules
    rows = on("backprop", base, variant="zipf=1") + on("dfa", base + 0.02, variant="zipf=1")
    rows += on("drtp", base - 0.02 + RNG.uniform(-1e-3, 1e-3, 12), variant="zipf=1")
    rows += on("clapp", base + RNG.uniform(-0.1, 0.1, 12), variant="zipf=1")
    found = compared(rows).loc["zipf=1"]
    assert found["beside"].to_dict() == {
        "backprop": "", "dfa": "more", "drtp": "less", "clapp": "open",
    }  # fmt: skip
    assert found.loc["dfa", "worse_low"] == pytest.approx(0.02)
    assert (found.loc["clapp", "worse_low"] < 0) & (found.loc["clapp", "worse_high"] > 0)


def test_few_rules_that_do_not_differ_are_marked():
    """Of rules that err as much as backprop, the correction marks fewer than one in 20."""
    rng = np.random.default_rng(1)
    marked, tried = 0, 0
    for _ in range(6):
        base = rng.uniform(0.1, 0.6, 10)
        rows = on("backprop", base, variant="zipf=1")
        for lr in range(20):
            rows += on(f"mine_{lr}", base + rng.normal(0, 0.05, 10), variant="zipf=1")
        found = compared(rows).loc["zipf=1"]["beside"]
        marked += int(found.isin(["more", "less"]).sum())
        tried += 20
    assert marked <= stats.binom.isf(1e-3, tried, 0.05)


def test_failed_runs_are_left_out_and_diverged_ones_are_counted():
    rows = on("dfa", [0.5, 0.875], variant="zipf=1")
    rows[1]["diverged"] = True
    rows += [r | {"status": "failed"} for r in on("dfa", [np.nan], 7, variant="zipf=1")]
    found = compared(rows).loc[("zipf=1", "dfa")]
    assert (found["units"], found["diverged"]) == (2, 1)


def test_a_kind_without_backprop_has_no_comparison():
    found = compared(on("dfa", [0.5] * 3, variant="zipf=1") + on("backprop", [0.1] * 3))
    assert found.loc[("zipf=1", "dfa"), "beside"] == ""
    assert pd.isna(found.loc[("zipf=1", "dfa"), "worse"])


def test_in_words_it_names_backprop_the_floor_and_the_best_possible():
    noisy = {"variant": "noise=0.1", "bayes_error": 0.25, "bayes_low": 0.2, "bayes_high": 0.3}
    rows = on("backprop", [0.30, 0.31, 0.32], **noisy) + on("dfa", [0.5, 0.6, 0.7], **noisy)
    rows += on("readout_only", [0.7, 0.71, 0.72], **noisy)
    table = elsewhere.compared(inputs(rows))
    spoken = elsewhere.answer(table)
    assert spoken.first == "Test errors of 3 rules on 1 kind of input."
    (said,) = spoken.lead
    assert said.asks == "On noise=0.1:"
    assert said.answer.startswith("backprop 31% [")
    assert "random features 71% [" in said.answer
    assert "guessing 88% and the best possible 25%." in said.answer
    assert spoken.last == elsewhere.NO_CLAIMS
    assert elsewhere.mostly_others(pd.DataFrame(rows))
    assert not elsewhere.mostly_others(pd.DataFrame(rows + on("dfa", [0.1] * 10)))
    assert elsewhere.title(table) == "Which learning rules learn noise=0.1?"


def test_one_rule_with_several_views_has_a_row_for_each():
    rows = [
        r
        for views in ("sibling,same_class", "trace:7,trace:7")
        for r in on("clapp", [0.1, 0.2], data="mine.npz@abc", views=views)
    ]
    names = elsewhere.compared(inputs(rows))["name"]
    assert sorted(names) == ["CLAPP, sibling, same_class", "CLAPP, trace:7 × 2"]


def test_a_report_on_own_data_has_no_claims():
    rows = on("backprop", [0.1, 0.2], data="mine.npz@abc") + on(
        "dfa", [0.2, 0.4], data="mine.npz@abc"
    )
    page = render(pd.DataFrame(rows), [], {})
    assert "Which learning rules learn mine.npz?" in page
    assert 'id="claims"' not in page
    assert elsewhere.NO_CLAIMS in page
    assert "Random Hierarchy Models" not in page


def test_kinds_of_other_sizes_have_names_of_their_own():
    rows = on("dfa", [0.1] * 2, m=4) + on("dfa", [0.2] * 2, m=8)
    rows += on("dfa", [0.3], variant="zipf=1")
    heads = elsewhere.compared(inputs(rows))["head"]
    assert list(heads) == [
        "plain grammar, L=3 m=4 v=8 n=8", "plain grammar, L=3 m=8 v=8 n=8", "zipf=1",
    ]  # fmt: skip


@pytest.mark.parametrize(("units", "said"), [(5, "few"), (6, "more")])
def test_with_few_splits_nothing_is_said_of_a_difference(units, said):
    mine = {"data": "mine.npz@abc"}
    rows = on("backprop", [0.0] * units, **mine)
    rows += on("dfa", RNG.uniform(0.5, 0.6, units), **mine)
    assert compared(rows).loc[("mine.npz", "dfa"), "beside"] == said
    words = elsewhere.answer(elsewhere.compared(inputs(rows))).text
    assert ("too few" in words) == (said == "few")
    assert ("of 1 other rules 1 err more" in words) == (said == "more")

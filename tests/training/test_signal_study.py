"""Signal and noise beside the scoreboard: what is compared, and that the page says what is kept."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synaptree import load
from synaptree.study.preset import preset

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "studies" / "depth"
KEPT = ROOT / "results" / "depth-signal.csv.gz"
_spec = importlib.util.spec_from_file_location("signal_to_noise", FOLDER / "signal-to-noise.py")
study = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = study  # dataclasses look their module up
_spec.loader.exec_module(study)


@pytest.mark.parametrize("kind", study.KINDS)
def test_kinds_rules_and_settings_are_those_of_the_scoreboard(kind):
    registered = [
        run for run in preset("laptop")
        if tuple(getattr(run, k) for k in study.SIZES) == study.KINDS[kind].sizes
    ]  # fmt: skip
    own = study.backprop(kind, 3)
    seeds = {"grammar_seed": 200, "data_seed": 200, "network_seed": 200}
    assert own.model_copy(update=seeds).run_id in {run.run_id for run in registered}
    assert (own.grammar_seed, own.data_seed, own.network_seed) == (3, 3, 3)
    labels = {rule.label for rule in study.measured(kind)}
    with_errors = {run.rule.label for run in registered if run.rule.facts.labels}
    assert len(labels & with_errors) >= 10
    masks = {"mean Jacobian", "fresh random masks", "frozen random masks, 0.5 open"}
    assert labels - {run.rule.label for run in registered} == {f"backprop, {m}" for m in masks}
    runs = load(study.REGISTERED, curves=False)
    v, n, m, s, L, P = study.KINDS[kind].sizes
    asked = f"v == {v} and n == {n} and m == {m} and s == {s} and L == {L} and P == {P}"
    one = runs.query(f"{asked} and label == 'dfa'")["test_error"]
    assert study.errors(kind)["dfa"] == pytest.approx(one.mean())


def test_the_rank_correlation_is_spearmans_and_its_interval_holds_it():
    rng = np.random.default_rng(0)
    a = rng.normal(size=15)
    b = a + rng.normal(size=15)
    rho, low, high = study.rank_correlation(a, b)
    assert rho == pytest.approx(stats.spearmanr(a, b).statistic)
    assert low < rho < high
    assert study.rank_correlation(a, -a)[0] == pytest.approx(-1)


def test_scores_that_order_rules_as_their_errors_do_have_the_correlation_1():
    error = pd.Series({f"rule {i}": i / 10 for i in range(8)})
    at = pd.DataFrame(
        [
            {"rule": rule, "layer": layer, "ratio": 1 - e + layer, "apart": e, "cosine": 1 - e,
             "useful": 5.0 if rule == "rule 7" else 1 - e}
            for rule, e in error.items()
            for layer in (1, 2, 3)
        ]
    )  # fmt: skip
    rows = {tuple(line.split(" | ")[:2]): line for line in study.orders(at, error)}
    for layers in ("layer 1", "layers below the top"):
        assert rows["| signal/noise", layers].split(" | ")[2].startswith("1.00 ")
        assert rows["| signal/noise × share of features", layers].split(" | ")[2][:5] == "-1.00"
        assert "rule 7 (-7)" in rows["| signal/noise × cosine × |cosine|", layers]


def test_the_page_has_the_tables_of_the_rows_that_are_kept():
    rows = pd.read_csv(KEPT)
    text = (FOLDER / "signal-to-noise.md").read_text("utf-8")
    assert {"uniform", "deep"} <= set(rows["kind"])
    for kind, own in rows.groupby("kind"):
        assert set(own["strings"]) == {study.KINDS[kind].strings}
        assert set(own["seed"]) == {0, 1, 2, 3}
        assert set(own["rule"]) == {rule.label for rule in study.measured(kind)}
        assert study.shown(kind, own) in text

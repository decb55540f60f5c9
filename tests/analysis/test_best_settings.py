"""The best settings of a search, on frames where they are known."""

import numpy as np
import pandas as pd
import pytest

from synaptree.analysis.settings import apart, best_settings

SAME = {
    "v": 8, "n": 8, "m": 4, "s": 2, "L": 3, "P": 100, "status": "done", "rule_options": "{}",
    "width": 128, "parametrisation": "standard", "optimizer": "adam", "diverged": False,
}  # fmt: skip


def runs(label, lr, errors, **changed):
    same = {**SAME, "label": label, "rule": label.split()[0], "lr": lr, **changed}
    return [{**same, "seed": i, "test_error": e} for i, e in enumerate(errors)]


def test_the_lowest_mean_wins_for_each_grammar_and_label():
    rows = runs("dfa", 0.1, [0.5, 0.7]) + runs("dfa", 0.2, [0.1, 0.9]) + runs("dfa", 0.3, [0.9])
    rows += runs("dfa", 0.1, [0.8], m=6) + runs("dfa (scale=2)", 0.3, [0.2], rule_options="x")
    rows += runs("dfa", 0.9, [0.0], status="failed") + runs("dfa", 0.7, [0.9], diverged=True)
    found = best_settings(pd.DataFrame(rows)).set_index(["grammar", "label"])
    four, six = (f"v=8 n=8 m={m} s=2 L=3 P=100" for m in (4, 6))
    assert len(found) == 3
    first = found.loc[(four, "dfa")]
    assert first["settings"] == "lr=0.2"  # 0.5 is below 0.6, whatever the best replica had
    assert (first["lowest"], first["highest"], first["replicas"]) == (0.1, 0.9, 2)
    assert (first["tried"], first["diverged"]) == (4, 1)
    assert found.loc[(six, "dfa"), "tried"] == 1
    assert found.loc[(four, "dfa (scale=2)"), "test_error"] == 0.2


def test_only_what_varies_is_named_and_nothing_gives_nothing():
    rows = runs("dfa", 0.1, [0.5]) + runs("dfa", 0.1, [0.4], optimizer="sgd", width=256)
    (row,) = best_settings(pd.DataFrame(rows)).to_dict("records")
    assert row["settings"] == "width=256 sgd"
    assert best_settings(pd.DataFrame(rows).assign(status="failed")).empty


def test_what_differs_at_one_P_is_said_at_every_P_and_what_goes_with_P_at_none():
    rows = runs("dfa", 0.1, [0.5], P=512, steps_asked=100) + runs("dfa", 0.1, [0.5], P=1024)
    assert set(apart(pd.DataFrame(rows))["label"]) == {"dfa"}  # a curve over P, its steps growing
    rows += runs("dfa", 0.3, [0.4], P=1024)
    labels = apart(pd.DataFrame(rows))["label"]
    assert labels.tolist() == ["dfa, lr=0.1", "dfa, lr=0.1", "dfa, lr=0.3"]


def test_two_versions_of_a_rules_file_are_two_rules():
    rows = runs("mine", 0.1, [0.5], source="aaaa") + runs("mine", 0.1, [0.1], source="bbbb")
    rows += runs("dfa", 0.1, [0.5], source=None)
    labels = apart(pd.DataFrame(rows))["label"]
    assert labels.tolist() == ["mine, source=aaaa", "mine, source=bbbb", "dfa"]
    best = best_settings(pd.DataFrame(rows)).set_index("label")
    assert best.loc["mine", "tried"] == 2
    assert best.loc["mine", "settings"] == "source=bbbb"


def test_runs_that_differ_in_how_they_were_measured_are_told_apart():
    rows = runs("dfa", 0.1, [0.5], tests=8192) + runs("dfa", 0.1, [0.4], tests=64)
    assert apart(pd.DataFrame(rows))["label"].tolist() == ["dfa, tests=8192", "dfa, tests=64"]


def test_the_state_of_the_chosen_settings_is_said():
    rows = runs("dfa", 0.1, [0.5, 0.7]) + runs("dfa", 0.2, [0.1, 0.2], diverged=True)
    (best,) = best_settings(pd.DataFrame(rows)).to_dict("records")
    assert best["settings"] == "lr=0.2"
    assert best["state"] == "diverged in 2 of 2 runs"
    assert best["diverged"] == 1


@pytest.mark.parametrize("seed", range(4))
def test_the_best_of_many_settings_is_what_a_loop_over_them_finds(seed):
    """Few different errors, so that means tie, also where they are rounded differently."""
    draw = np.random.default_rng(seed)
    rows = [
        row
        for i, count in enumerate(draw.integers(1, 5, 60), start=1)
        for row in runs("dfa", i / 1000, draw.choice([0.1, 0.2, 0.3, 0.7], count).tolist())
    ]
    frame = pd.DataFrame(rows).sample(frac=1, random_state=seed)
    lost = draw.random(len(frame)) < 0.1
    frame = frame.assign(diverged=pd.Series(lost, frame.index).astype(object))
    tried = [group for _, group in frame.groupby("lr")]
    chosen = min(tried, key=lambda group: (group["test_error"].mean(), -len(group)))
    (best,) = best_settings(frame).to_dict("records")
    assert best["settings"] == f"lr={chosen['lr'].iloc[0]:g}"
    assert (best["test_error"], best["replicas"]) == (chosen["test_error"].mean(), len(chosen))
    assert best["tried"] == len(tried)
    assert best["diverged"] == sum(group["diverged"].any() for group in tried)

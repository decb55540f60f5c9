"""How many labels are needed, and the figure of it, on rows whose answer is known."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from synaptree.analysis.label_map import labels_needed, mean_errors
from synaptree.report.label_map import draw, table
from synaptree.report.svg import svg
from synaptree.training.solved import chance_error

CHANCE = chance_error(8)
COUNTS = [8 * 2**k for k in range(9)]


def rows(label, need, P, L=4, m=4, seeds=range(4), draws=3, **changed):
    """Rows of networks whose errors fall to a tenth of chance at `need` labels."""
    made = [
        {
            "run_id": f"{label}-{P}-{seed}", "label": label, "views": "sibling,movie:0.5",
            "tier": "T0", "v": 8, "n": 8, "m": m, "s": 2, "L": L, "P": P, "seed": seed,
            "labels": k, "draw": draw, "shuffled": shuffled,
            "test_error": CHANCE if shuffled else CHANCE / (1 + 9 * (k / need) ** 3),
        }
        for seed in seeds for draw in range(draws) for k in COUNTS if k <= P
        for shuffled in (False, True)
    ]  # fmt: skip
    return pd.DataFrame(made).assign(**changed)


def test_labels_that_are_needed_are_found_with_their_bounds():
    given = pd.concat([rows("lpl", 100, 2048), rows("lpl", 10**9, 512), rows("infonce", 2, 2048)])
    found = labels_needed(given).set_index(["label", "P"])
    # interpolated between powers of two, log error against log labels
    assert found.loc[("lpl", 2048), "needed"] == pytest.approx(100, rel=0.06)
    assert not found.loc[("lpl", 2048), "at_most"]
    assert np.isinf(found.loc[("lpl", 512), "needed"])
    assert found.loc[("infonce", 2048), "needed"] == pytest.approx(8)
    assert found.loc[("infonce", 2048), "at_most"]
    assert set(found["grammars"]) == {4}


def test_the_interval_is_over_grammars():
    slow = pd.concat([rows("lpl", 32 * 2**seed, 2048, seeds=[seed]) for seed in range(5)])
    (found,) = labels_needed(slow).to_dict("records")
    assert found["needed_low"] < 128 < found["needed"] < found["needed_high"]


def test_means_are_over_grammars_and_draws_and_the_control_stands_apart():
    given = rows("lpl", 64, 64, seeds=[0, 1], draws=2)
    given["test_error"] = np.where(
        given["shuffled"], 0.9, 0.1 * given["seed"] + 0.2 * given["draw"]
    )
    found = mean_errors(given)
    assert found["labels"].tolist() == [8, 16, 32, 64]
    assert found["test_error"].tolist() == pytest.approx([0.15] * 4)
    assert found["shuffled"].tolist() == pytest.approx([0.9] * 4)
    assert found["grammars"].tolist() == [2] * 4


def test_each_rule_has_a_map_and_supervised_runs_stand_at_as_many_labels_as_strings():
    supervised = pd.DataFrame(
        {
            "label": "backprop", "views": "", "v": 8, "n": 8, "m": 4, "s": 2, "L": 4,
            "P": [512, 2048, 2048], "seed": [0, 0, 1], "test_error": [0.8, 0.1, 0.3],
            "status": "done",
        }
    )  # fmt: skip
    failed = supervised.iloc[:1].assign(status="failed", test_error=np.nan, P=64)
    known = pd.concat([supervised, failed])
    given = pd.concat([rows("lpl", 64, 512), rows("lpl", 64, 2048), rows("infonce", 64, 512)])
    drawn = table(given, known)
    own = drawn[drawn["supervised"]]
    assert own["labels"].tolist() == [512, 2048]
    assert own["test_error"].tolist() == pytest.approx([0.8, 0.2])
    figure = draw(drawn)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    views = "sibling, movie:0.5"
    kind = "v=8 n=8 m=4 s=2 L=4"
    assert titles == [
        f"{kind}\nlpl · {views}", f"{kind}\ninfonce · {views}", f"{kind}\nthe largest P"
    ]  # fmt: skip
    cells = [text.get_text() for text in figure.axes[0].texts]
    assert len(cells) == 7 + 9  # no more labels than strings
    at_need = CHANCE / 10
    assert cells.count(f"{100 * at_need:.0f}") >= 2
    lines = [list(line.get_xdata()) for line in figure.axes[2].lines]
    assert lines.count(COUNTS) == 2  # lpl, at 2048 strings: a line and its points
    names = [text.get_text().replace("\n", " ") for text in figure.legends[0].get_texts()]
    assert names == [f"lpl · {views}", f"infonce · {views}", "backprop, all labels"]
    text = svg(figure, "label_map")
    ElementTree.fromstring(text)
    assert "<title>P=2048, 2048 labels: 0.0" in text

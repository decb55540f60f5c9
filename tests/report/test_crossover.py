"""The crossover of the depth study, on made-up results whose answer is known."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from report_frames import curve

from synaptree.analysis.growth import factor_per_level
from synaptree.analysis.needs_by_depth import needs_by_depth

FILE = Path(__file__).parent.parent.parent / "studies" / "depth" / "crossover.py"
_spec = importlib.util.spec_from_file_location("crossover", FILE)
crossover = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(crossover)
STEPS = {"steps": 10**5, "stop_loss": 0.0}


def bisected(rule, needs, L, m=4, **changed):
    """Grammars need from 0.8 to 1.25 times `needs`; all but one ran near it alone."""
    made = []
    for seed, factor in enumerate(np.geomspace(0.8, 1.25, 6)):
        rows = curve(rule, needs * factor, m=m, L=L, seeds=[seed], **STEPS | changed)
        made += [r for r in rows if seed == 0 or needs / 4 <= r["P"] <= 4 * needs]
    return made


def frame(levels=(2, 3, 4, 5)):
    """Backprop needs 8·4**L; LPL 1024 at every L, so less from L=4 on; InfoNCE the same as
    backprop; DFA more than the largest P; the authors' recipe twice what backprop needs."""
    rows = []
    for L in levels:
        views = ",".join(["sibling"] * (L - 1) + ["same_class"])
        rows += bisected("backprop", 8 * 4**L, L)
        rows += bisected("backprop", 16 * 4**L, L, stop_loss=0.001)
        rows += bisected("lpl", 1024, L, views=views)
        rows += bisected("infonce", 8 * 4**L, L, views=views)
        rows += bisected("dfa", 10**9, L)
    return pd.DataFrame(rows)


def test_each_line_has_its_needs_its_growth_and_the_level_from_which_it_is_ahead():
    (of_m,) = crossover.lines(frame()).values()
    assert set(of_m) == {crossover.BACKPROP, crossover.AUTHORS, "lpl", "infonce", "dfa"}
    text = dict(
        line.split(" | ", 1) for line in crossover.table(of_m, 4) if not line.startswith("|---")
    )
    cells = {name.strip("| "): rest.strip("| ").split(" | ") for name, rest in text.items()}
    assert cells["P*, m=4"][:4] == ["L=2", "L=3", "L=4", "L=5"]
    for L, cell in zip((2, 3, 4, 5), cells[crossover.BACKPROP], strict=False):
        assert float(cell.split()[0]) == pytest.approx(8 * 4**L, rel=0.1)
    assert float(cells[crossover.BACKPROP][4].split()[1]) == pytest.approx(4, rel=0.05)
    assert float(cells["lpl"][4].split()[1]) == pytest.approx(1, rel=0.05)
    assert cells["lpl"][5:] == ["L=4", "L=4"]
    assert cells["infonce"][6] == "–"  # the same needs are never proved to be less
    assert cells["dfa"] == ["> 65536"] * 4 + ["–"] * 3
    assert cells["n·m**L"][:4] == ["128", "512", "2048", "8192"]
    ratios = crossover.over_backprop(of_m, "lpl")
    for L, ratio in ratios.items():
        assert ratio.value == pytest.approx(1024 / (8 * 4**L), rel=0.1)
    assert "authors" in "\n".join(crossover.ratio_table(of_m, 4))


def test_being_ahead_at_one_level_and_behind_at_a_deeper_one_is_no_crossover():
    rows = []
    for L, needs in ((3, 4096), (4, 256), (5, 10**9)):
        rows += bisected("backprop", 1024, L) + bisected("lpl", needs, L)
    (of_m,) = crossover.lines(pd.DataFrame(rows)).values()
    ratios = crossover.over_backprop(of_m, "lpl")
    assert [ratios[L].value < 1 for L in (3, 4, 5)] == [False, True, False]
    assert crossover.ahead_from(ratios, proved=False) is None
    assert crossover.ahead_from({4: ratios[4]}, proved=True) == 4


def test_other_grammars_are_not_compared():
    rows = bisected("backprop", 1024, 4)
    rows += [each | {"seed": each["seed"] + 100} for each in bisected("lpl", 256, 4)]
    (of_m,) = crossover.lines(pd.DataFrame(rows)).values()
    assert crossover.over_backprop(of_m, "lpl") == {}


def test_the_factor_of_a_level_has_an_interval_that_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(40):
        rows = []
        for L in (3, 4, 5):
            for seed, factor in enumerate(np.exp(rng.normal(0, 0.3, 10))):
                rows += curve("backprop", 4 * 3**L * factor, L=L, seeds=[seed], **STEPS)
        ((*points,),) = needs_by_depth(pd.DataFrame(rows), levels=True)
        factor, low, high = factor_per_level(points)
        assert factor == pytest.approx(3, rel=0.5)
        inside += low <= 3 <= high
    assert inside >= 35


def test_one_known_level_has_no_factor():
    rows = bisected("dfa", 256, 3) + bisected("dfa", 10**9, 4) + bisected("dfa", 1, 2)
    (line,) = needs_by_depth(pd.DataFrame(rows), levels=True)
    assert np.isnan(factor_per_level(line)).all()

"""Figures of data efficiency: every curve, ratio and exponent where its numbers say."""

import numpy as np
import pandas as pd
import pytest

from synaptree import rules
from synaptree.analysis.sample_complexity import chance_error
from synaptree.report.figures.efficiency import (
    error_against_P,
    growth,
    growth_rows,
    needs_beside_backprop,
    needs_rows,
)
from synaptree.report.figures.errors import COLOURS, svg

SIZES = [2**k for k in range(5, 17)]
CHANCE = chance_error(8)
COLOURS_OF = [COLOURS[family] for family in ("reference", "direct feedback", "layerwise")]


def runs(rule, need, m=4, L=3, seeds=range(4)):
    """Errors that fall to a tenth of chance's at `need` strings."""
    same = {
        "rule": rule,
        "label": rules.get(rule).label,
        "rule_options": "{}",
        "views": "",
        "status": "done",
    }
    return [
        {**same, "v": 8, "n": 8, "m": m, "s": 2, "L": L, "P": P, "seed": seed,
         "test_error": CHANCE / (1 + 9 * (P / need) ** 3)}
        for seed in seeds for P in SIZES
    ]  # fmt: skip


def drawn(axis, colour=None):
    """Lines with data, by colour."""
    lines = [line for line in axis.lines if len(np.asarray(line.get_xdata(), float))]
    return [line for line in lines if colour is None or line.get_color() == colour]


def test_errors_are_drawn_at_their_sizes_with_the_threshold():
    figure = error_against_P(pd.DataFrame(runs("backprop", 1024) + runs("dfa", 10**9)))
    (axis,) = [a for a in figure.axes if a.get_title(loc="left")]
    backprop = drawn(axis, "#555555")[0]
    assert list(backprop.get_xdata()) == SIZES
    crossing = np.interp(np.log(1024), np.log(SIZES), backprop.get_ydata())
    assert crossing == pytest.approx(0.1 * CHANCE)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["backprop", "dfa"]


def test_a_crowd_is_drawn_by_family_backprop_in_each():
    direct = [n for n in rules.names() if rules.rule_class(n).facts.family == "direct feedback"]
    rows = [r for n in ("backprop", "feedback_alignment", "clapp", *direct) for r in runs(n, 900)]
    untuned = [r | {"label": "backprop, untuned"} for r in runs("backprop", 3000)]
    few = [r for n in ("backprop", "clapp", "dfa") for r in runs(n, 900, m=5)]
    figure = error_against_P(pd.DataFrame([*rows, *untuned, *few]))
    panels = {a.get_title(loc="left"): a for a in figure.axes if a.get_title(loc="left")}
    kind = "v=8 n=8 m=4 s=2 L=3\n"
    each = [kind + family for family in ("reference", "direct feedback", "layerwise")]
    assert list(panels) == [*each, "v=8 n=8 m=5 s=2 L=3"]

    def curves(axis, colour):
        return sum(len(line.get_xdata()) == len(SIZES) for line in drawn(axis, colour))

    grey, orange, blue = ([curves(panels[k], c) for k in each] for c in COLOURS_OF)
    assert (grey, orange, blue) == ([3, 1, 1], [0, len(direct), 0], [0, 0, 1])


def test_a_ratio_is_drawn_where_it_is_and_what_was_not_reached_is_open():
    rows = runs("backprop", 1024) + runs("clapp", 2048) + runs("dfa", 10**9)
    axis = needs_beside_backprop(pd.DataFrame(rows)).axes[0]
    names = [t.get_text() for t in axis.get_yticklabels()]
    assert names == ["dfa", "clapp"]
    single = [line for line in drawn(axis) if len(line.get_xdata()) == 1]
    points = {
        (round(float(line.get_ydata()[0])), line.get_marker()): float(line.get_xdata()[0])
        for line in single
    }
    assert points[1, "o"] == pytest.approx(2, rel=0.05)
    assert points[0, ">"] == pytest.approx(SIZES[-1] / 1024, rel=0.05)


def test_growth_has_a_panel_for_each_direction_with_theory():
    rows = [r for m in (4, 8) for L in (2, 3) for r in runs("backprop", 4 * m**L, m, L)]
    figure = growth(pd.DataFrame(rows))
    titles = [title for a in figure.axes if (title := a.get_title(loc="left"))]
    assert titles == ["v=8 n=8 s=2 L=2", "v=8 n=8 s=2 L=3", "v=8 n=8 m=4 s=2", "v=8 n=8 m=8 s=2"]
    third = figure.axes[2]
    (theory, other) = drawn(third, "#999999")
    assert list(theory.get_ydata()) == [8 * 4**2, 8 * 4**3]
    assert list(other.get_ydata()) == [8 * 4**3] * 2
    measured = drawn(third, "#555555")[0]
    assert list(measured.get_ydata()) == pytest.approx([64, 256], rel=0.1)


def test_there_is_nothing_to_draw_from_one_size_or_without_backprop():
    one = pd.DataFrame([r for r in runs("backprop", 1024) if r["P"] == 512])
    assert error_against_P(one) is None
    assert needs_beside_backprop(pd.DataFrame(runs("clapp", 512))) is None
    assert growth(pd.DataFrame(runs("backprop", 1024))) is None


def test_marks_are_plain_numbers_and_a_bound_is_no_point_of_growth():
    rows = [r for m in (4, 8) for r in runs("backprop", 16 * m, m) + runs("clapp", 10**9, m)]
    text = "".join(svg(draw(pd.DataFrame(rows)), "x") for draw in (error_against_P, growth))
    assert "mathdefault" not in text
    assert ">1024<" in text
    low = [r for m in (4, 8) for r in runs("backprop", 4 * m, m)]  # m=4: less than the least P
    assert growth(pd.DataFrame(low)) is None
    assert growth_rows(pd.DataFrame(low)) == []


def test_the_same_runs_give_the_same_bytes():
    rows = [r for m in (4, 8) for r in runs("backprop", 16 * m, m) + runs("clapp", 20 * m, m)]
    for draw in (error_against_P, needs_beside_backprop, growth):
        twice = {svg(draw(pd.DataFrame(rows)), "x") for _ in range(2)}
        assert len(twice) == 1


def test_every_point_says_its_value_when_pointed_at():
    rows = [r for m in (4, 8) for r in runs("backprop", 16 * m, m) + runs("clapp", 20 * m, m)]
    frame = pd.DataFrame([*rows, *runs("dfa", 10**9)])
    text = svg(error_against_P(frame), "x")
    assert text.count("<title>clapp, P=32: ") == 2  # one a panel
    ratio = svg(needs_beside_backprop(frame), "x")
    assert "<title>dfa, v=8 n=8 m=4 s=2 L=3: more than " in ratio
    assert "<title>clapp, v=8 n=8 m=8 s=2 L=3: 1." in ratio
    assert "<title>clapp, v=8 n=8 s=2 L=3 m=8: P* 1" in svg(growth(frame), "x")


def test_tables_say_what_the_figures_draw():
    rows = [
        r
        for m in (4, 8)
        for L in (2, 3)
        for r in runs("backprop", 4 * m**L, m, L) + runs("clapp", 2 * m**3, m, L)
    ]
    frame = pd.DataFrame([*rows, *runs("dfa", 10**9)])
    needs = needs_rows(frame)
    here = [r for r in needs if r["grammar"].startswith("v=8 n=8 m=4 s=2 L=3: n·m**L = 512, v·m³")]
    ratio = f"> {65536 / float(here[1]['needs'].split()[0]):.2f}"
    assert [r["label"] for r in here] == ["clapp", "backprop", "dfa"]
    assert [r["ratio"] for r in here] == ["0.50 [0.50, 0.50]", "", ratio]
    # Interpolated, error against log P, between powers of two: within 5% of where it is.
    assert float(here[0]["needs"].split()[0]) == pytest.approx(128, rel=0.05)
    assert here[2]["needs"] == "> 65536"
    law = {(r["label"], r["grammar"].split(":")[0]): r for r in growth_rows(frame)}
    assert {label for label, _ in law} == {"backprop", "clapp"}
    along_m = law["backprop", "v=8 n=8 s=2 L=2"]
    assert along_m["grammar"].endswith("the exponent in m, n·m**L: 2, v·m³: 3")
    assert along_m["over"] == "m=4, m=8"
    assert float(along_m["law"].split()[0]) == pytest.approx(2, abs=0.1)
    along_L = law["backprop", "v=8 n=8 m=4 s=2"]
    assert along_L["grammar"].endswith("the factor of each level, n·m**L: 4, v·m³: 1")
    assert float(along_L["law"].split()[0]) == pytest.approx(4, rel=0.05)
    assert float(law["clapp", "v=8 n=8 m=4 s=2"]["law"].split()[0]) == pytest.approx(1, rel=0.01)


def test_what_the_least_size_was_enough_for_is_a_bound():
    frame = pd.DataFrame(runs("backprop", 1024) + runs("clapp", 8) + runs("dfa", 10**9))
    said = {r["label"]: (r["needs"], r["ratio"]) for r in needs_rows(frame)}
    assert said["clapp"][0] == "≤ 32 [32, 32]"
    assert said["clapp"][1].startswith("≤ 0.03 [")
    assert [r["ratio"] for r in needs_rows(frame[frame["label"] != "backprop"])] == ["", ""]
    few = pd.DataFrame(runs("backprop", 8) + runs("clapp", 8) + runs("infonce", 1024))
    said = {r["label"]: r["ratio"] for r in needs_rows(few)}
    assert said["clapp"] == "?"
    assert said["infonce"].startswith("≥ 32.")


def test_a_line_over_other_grammars_at_each_point_has_no_law():
    apart = pd.DataFrame(
        runs("backprop", 128, 4, seeds=range(3)) + runs("backprop", 512, 8, seeds=range(5, 8))
    )
    assert growth(apart) is not None
    assert growth_rows(apart) == []

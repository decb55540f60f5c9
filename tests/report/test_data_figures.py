"""Figures and tables of data: every curve, ratio and exponent where its numbers say."""

import numpy as np
import pytest
from report_frames import CHANCE, SIZES, curve, drawn, inputs, svg, table

from synaptree import rules
from synaptree.report.figures import named
from synaptree.report.style import COLOURS, FAINT
from synaptree.report.tables import growth, needs

COLOURS_OF = [COLOURS[family] for family in ("reference", "direct feedback", "layerwise")]


def of_colour(axis, colour):
    lines = [line for line in axis.lines if line.get_color() == colour]
    return [line for line in lines if len(np.asarray(line.get_xdata(), float))]


def test_errors_are_drawn_at_their_sizes_with_the_threshold():
    figure = drawn(named("error_against_P"), curve("backprop", 1024) + curve("dfa", 10**9))
    (axis,) = figure.axes
    backprop = of_colour(axis, COLOURS["reference"])[0]
    assert list(backprop.get_xdata()) == SIZES
    crossing = np.interp(np.log(1024), np.log(SIZES), backprop.get_ydata())
    assert crossing == pytest.approx(0.1 * CHANCE, rel=1e-4)
    assert any(line.get_ydata()[0] == pytest.approx(0.1 * CHANCE) for line in axis.lines)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["backprop", "dfa"]


def test_a_crowd_is_drawn_by_family_backprop_in_each():
    direct = [n for n in rules.names() if rules.rule_class(n).facts.family == "direct feedback"]
    others = ("backprop", "feedback_alignment", "clapp", "lpl")
    rows = [r for n in (*others, *direct) for r in curve(n, 900)]
    rows += [r | {"label": "backprop, untuned"} for r in curve("backprop", 3000)]
    rows += [r for n in ("backprop", "clapp", "dfa") for r in curve(n, 900, m=5)]
    axes = drawn(named("error_against_P"), rows).axes
    panels = {a.get_title(loc="left"): a for a in axes}
    kind = "v=8 n=8 m=4 s=2 L=3\n"
    each = [kind + family for family in ("reference", "direct feedback", "layerwise")]
    assert list(panels) == [*each, "v=8 n=8 m=5 s=2 L=3"]

    def curves(axis, colour):
        return sum(len(line.get_xdata()) == len(SIZES) for line in of_colour(axis, colour)) // 2

    grey, orange, blue = ([curves(panels[k], c) for k in each] for c in COLOURS_OF)
    assert (grey, orange, blue) == ([3, 1, 1], [0, len(direct), 0], [0, 0, 2])


def test_a_ratio_is_drawn_where_it_is_and_what_was_not_reached_is_open():
    rows = curve("backprop", 1024) + curve("clapp", 2048) + curve("dfa", 10**9)
    axis = drawn(named("needs_beside_backprop"), rows).axes[0]
    assert [t.get_text() for t in axis.get_yticklabels()] == ["dfa", "clapp"]
    single = [line for line in axis.lines if len(line.get_xdata()) == 1]
    points = {
        (round(float(line.get_ydata()[0])), line.get_marker()): float(line.get_xdata()[0])
        for line in single
    }
    assert points[1, "o"] == pytest.approx(2, rel=0.05)
    assert points[0, ">"] == pytest.approx(SIZES[-1] / 1024, rel=0.05)


def test_growth_has_a_panel_for_each_direction_with_theory():
    rows = [r for m in (4, 8) for L in (2, 3) for r in curve("backprop", 4 * m**L, m, L)]
    axes = drawn(named("growth"), rows).axes
    titles = [a.get_title(loc="left") for a in axes]
    assert titles == ["v=8 n=8 s=2 L=2", "v=8 n=8 s=2 L=3", "v=8 n=8 m=4 s=2", "v=8 n=8 m=8 s=2"]
    (theory, other) = of_colour(axes[2], FAINT)
    assert list(theory.get_ydata()) == [8 * 4**2, 8 * 4**3]
    assert list(other.get_ydata()) == [8 * 4**3] * 2
    measured = of_colour(axes[2], COLOURS["reference"])[0]
    assert list(measured.get_ydata()) == pytest.approx([64, 256], rel=0.1)


def test_there_is_nothing_to_draw_from_one_size_or_without_backprop():
    one = [r for r in curve("backprop", 1024) if r["P"] == 512]
    assert table(named("error_against_P"), one) is None
    assert table(named("needs_beside_backprop"), curve("clapp", 512)) is None
    assert table(named("growth"), curve("backprop", 1024)) is None


def test_marks_are_plain_numbers_and_a_bound_is_no_point_of_growth():
    rows = [r for m in (4, 8) for r in curve("backprop", 16 * m, m) + curve("clapp", 10**9, m)]
    text = svg(named("error_against_P"), rows) + svg(named("growth"), rows)
    assert "mathdefault" not in text
    assert ">1024<" in text
    low = [r for m in (4, 8) for r in curve("backprop", 4 * m, m)]  # m=4: less than the least P
    assert table(named("growth"), low) is None
    assert list(growth.rows(inputs(low))) == []


def test_every_point_says_its_value_when_pointed_at():
    rows = [r for m in (4, 8) for r in curve("backprop", 16 * m, m) + curve("clapp", 20 * m, m)]
    rows += curve("dfa", 10**9)
    text = svg(named("error_against_P"), rows)
    assert text.count("<title>clapp</title>") == 2  # one a panel
    assert "<title>P=32: 0." in text
    ratio = svg(named("needs_beside_backprop"), rows)
    assert "<title>dfa, v=8 n=8 m=4 s=2 L=3: more than " in ratio
    assert "<title>clapp, v=8 n=8 m=8 s=2 L=3: 1." in ratio
    text = svg(named("growth"), rows)
    assert "<title>clapp, v=8 n=8 s=2 L=3</title>" in text
    assert "<title>m=8: P* 1" in text


def test_tables_say_what_the_figures_draw():
    rows = [
        r
        for m in (4, 8)
        for L in (2, 3)
        for r in curve("backprop", 4 * m**L, m, L) + curve("clapp", 2 * m**3, m, L)
    ]
    given = inputs(rows + curve("dfa", 10**9))
    theory = "v=8 n=8 m=4 s=2 L=3: n·m**L = 512, v·m³"
    here = [r for r in needs.rows(given) if r.group.startswith(theory)]
    least = float(here[1].cells[2].split()[0])
    assert [r.head for r in here] == ["clapp", "backprop", "dfa"]
    assert [r.cells[3] for r in here] == ["0.50 [0.50, 0.50]", "", f"> {65536 / least:.2f}"]
    # Interpolated, error against log P, between powers of two: within 5% of where it is.
    assert float(here[0].cells[2].split()[0]) == pytest.approx(128, rel=0.05)
    assert here[2].cells[2] == "> 65536"
    law = {(r.head, r.group.split(":")[0]): r for r in growth.rows(given)}
    assert {label for label, _ in law} == {"backprop", "clapp"}
    along_m = law["backprop", "v=8 n=8 s=2 L=2"]
    assert along_m.group.endswith("the exponent in m, n·m**L: 2, v·m³: 3")
    assert along_m.cells[0] == "m=4, m=8"
    assert float(along_m.cells[1].split()[0]) == pytest.approx(2, abs=0.1)
    along_L = law["backprop", "v=8 n=8 m=4 s=2"]
    assert along_L.group.endswith("the factor of each level, n·m**L: 4, v·m³: 1")
    assert float(along_L.cells[1].split()[0]) == pytest.approx(4, rel=0.05)
    same = law["clapp", "v=8 n=8 m=4 s=2"].cells[1]
    assert float(same.split()[0]) == pytest.approx(1, rel=0.01)


def test_what_the_least_size_was_enough_for_is_a_bound():
    def said(rows):
        return {r.head: r.cells[2:] for r in needs.rows(inputs(rows))}

    few = curve("clapp", 8) + curve("dfa", 10**9)
    clapp = said(curve("backprop", 1024) + few)["clapp"]
    assert clapp[0] == "≤ 32 [32, 32]"
    assert clapp[1].startswith("≤ 0.03 [")
    assert [ratio for _, ratio in said(few).values()] == ["", ""]
    ratios = said(curve("backprop", 8) + curve("clapp", 8) + curve("infonce", 1024))
    assert ratios["clapp"][1] == "?"
    assert ratios["infonce"][1].startswith("≥ 32.")


def test_a_line_over_other_grammars_at_each_point_has_no_law():
    rows = curve("backprop", 128, 4, seeds=range(3)) + curve("backprop", 512, 8, seeds=range(5, 8))
    assert table(named("growth"), rows) is not None
    assert list(growth.rows(inputs(rows))) == []

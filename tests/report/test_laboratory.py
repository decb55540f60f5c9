"""Figures of the masking laboratory: each cell and line is where its dials say."""

import pytest
from report_frames import drawn, runs, svg, table

from synaptree.report.figures import named

SIZE = {"m": 6, "L": 4, "P": 100}


def masking(errors, **options):
    return runs("masking", errors, options, **SIZE)


def lines(axis):
    """The curves of an axis: lines that are no dots and no intervals."""
    return [line for line in axis.lines if line.get_linewidth() == 1.8]


def test_the_phase_diagram_puts_each_mean_at_its_dials():
    rows = []
    for a, weights in ((0, "random"), (0.5, "interpolated:0.5"), (1, "transpose")):
        for q, masks in ((0, "none"), (0.3, "kept:0.3"), (1, "true")):
            error = round(0.9 - 0.5 * a - 0.3 * q, 3)
            rows += masking([error - 0.01, error + 0.01], weights=weights, masks=masks)
    # What lies on no dial, or has another gate, is in no cell.
    rows += masking([0.123], weights="sign") + masking([0.123], masks="other_input")
    rows += masking([0.123], own_gate=False)
    (axis,) = drawn(named("phase_diagram"), rows).axes
    assert [t.get_text() for t in axis.get_xticklabels()] == ["0", "0.5", "1"]
    assert [t.get_text() for t in axis.get_yticklabels()] == ["0", "0.3", "1"]
    expected = [f"{0.9 - 0.5 * a - 0.3 * q:.2f}" for q in (0, 0.3, 1) for a in (0, 0.5, 1)]
    assert [t.get_text() for t in axis.texts] == expected
    assert "<title>α=0.5 q=0.3: 0.5600</title>" in svg(named("phase_diagram"), rows)


def test_the_tables_hold_what_each_figure_draws():
    dials = [("random", "none"), ("random", "true"), ("transpose", "none"), ("transpose", "true")]
    rows = [r for w, m in dials for r in masking([0.4, 0.6], weights=w, masks=m)]
    rows += masking([0.5], masks="nearest:2") + masking([0.123], masks="other_input")
    rows += [r | {"L": 2} for r in masking([0.123], masks="none")]  # alone of its kind: not drawn
    cells, kept = table(named("phase_diagram"), rows), table(named("masks_above"), rows)
    assert len(cells) == 8
    assert set(zip(cells["alpha"], cells["q"], strict=True)) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert sorted(kept["k"]) == [0, 0, 2, 3, 3]
    assert "k=2: 0.5000 [?, ?]</title>" in svg(named("masks_above"), rows)


def test_masks_above_runs_from_none_to_all():
    rows = masking([0.8, 0.6], masks="none") + masking([0.1, 0.1], masks="true")
    rows += masking([0.5, 0.5], masks="nearest:1") + masking([0.3, 0.2], masks="nearest:2")
    rows += masking([0.9], masks="nearest:1", weights="random")
    (line,) = lines(drawn(named("masks_above"), rows).axes[0])
    assert list(line.get_xdata()) == [0, 1, 2, 3]
    assert line.get_ydata() == pytest.approx([0.7, 0.5, 0.25, 0.1])


def test_the_ladder_has_a_panel_for_each_depth_and_a_line_for_each_rung():
    rows = []
    for L in (2, 3):
        for m in (2, 4):
            rows += runs("backprop", [0.01, 0.02], L=L, m=m)
            rows += runs("dfa", [0.1 * m, 0.2 * m], L=L, m=m)
            rows += runs("masking", [0.05 * m], {"masks": "none"}, L=L, m=m)
    rows += runs("dfa", [0.5], {"scale": 3.0}, L=2, m=4)  # another rule than the rung
    rows += runs("backprop", [0.9], L=2, m=4, P=10**6)  # a curve over P passes the rung
    rows += runs("backprop", [0.8], L=2, m=4, v=4)  # another kind of grammar
    figure = drawn(named("ladder"), rows)
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["L=2", "L=3"]
    names = [t.get_text() for t in figure.legends[0].get_texts()]
    assert names == ["backprop", "backprop, no masks", "dfa"]
    curves = dict(zip(names, lines(figure.axes[0]), strict=True))
    assert curves["dfa"].get_ydata() == pytest.approx([0.3, 0.6])
    assert curves["backprop"].get_ydata() == pytest.approx([0.015, 0.015])


def test_without_their_runs_there_are_no_figures():
    rows = runs("backprop", [0.1]) + masking([0.3], masks="none")
    for name in ("phase_diagram", "masks_above", "ladder"):
        assert table(named(name), rows) is None

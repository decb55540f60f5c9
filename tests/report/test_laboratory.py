"""Figures of the masking laboratory: each cell and line is where its dials say."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from synaptree import rules
from synaptree.report.figures.errors import svg
from synaptree.report.figures.laboratory import (
    alignment,
    ladder,
    masks_above,
    masks_above_table,
    phase_diagram,
    phase_table,
)

SIZE = {"v": 8, "n": 8, "m": 6, "s": 2, "L": 4, "P": 100, "status": "done"}


def runs(name, errors, options=None, **changed):
    rule = rules.get(name, **options or {})
    same = {"rule": name, "label": rule.label, **SIZE, **changed}
    same["rule_options"] = json.dumps(rule.model_dump(mode="json", exclude={"name"}))
    return [{**same, "seed": 100 + i, "test_error": e} for i, e in enumerate(errors)]


def masking(errors, **options):
    return runs("masking", errors, options)


def texts(axis):
    return [t.get_text() for t in axis.texts]


def test_the_phase_diagram_puts_each_mean_at_its_dials():
    rows = []
    for a, weights in ((0, "random"), (0.5, "interpolated:0.5"), (1, "transpose")):
        for q, masks in ((0, "none"), (0.3, "kept:0.3"), (1, "true")):
            error = round(0.9 - 0.5 * a - 0.3 * q, 3)
            rows += masking([error - 0.01, error + 0.01], weights=weights, masks=masks)
    # What lies on no dial, or has another gate, is in no cell.
    rows += masking([0.123], weights="sign") + masking([0.123], masks="other_input")
    rows += masking([0.123], own_gate=False)
    figure = phase_diagram(pd.DataFrame(rows))
    axis = figure.axes[0]
    assert [t.get_text() for t in axis.get_xticklabels()] == ["0", "0.5", "1"]
    assert [t.get_text() for t in axis.get_yticklabels()] == ["0", "0.3", "1"]
    expected = [f"{0.9 - 0.5 * a - 0.3 * q:.2f}" for q in (0, 0.3, 1) for a in (0, 0.5, 1)]
    assert texts(axis) == expected


def test_the_tables_hold_what_each_figure_draws():
    dials = [("random", "none"), ("random", "true"), ("transpose", "none"), ("transpose", "true")]
    rows = [r for w, m in dials for r in masking([0.4, 0.6], weights=w, masks=m)]
    rows += masking([0.5], masks="nearest:2") + masking([0.123], masks="other_input")
    rows += [r | {"L": 2} for r in masking([0.123], masks="none")]  # alone of its kind: not drawn
    frame = pd.DataFrame(rows)
    cells, kept = phase_table(frame), masks_above_table(frame)
    assert len(cells) == 8
    assert set(zip(cells["alpha"], cells["q"], strict=True)) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert sorted(kept["k"]) == [0, 0, 2, 3, 3]
    diagram, above = svg(phase_diagram(frame), "x"), svg(masks_above(frame), "x")
    assert "α=0 q=1: 0.5000</title>" in diagram
    assert "k=2: 0.5000 [?, ?]</title>" in above


def test_masks_above_runs_from_none_to_all():
    rows = masking([0.8, 0.6], masks="none") + masking([0.1, 0.1], masks="true")
    rows += masking([0.5, 0.5], masks="nearest:1") + masking([0.3, 0.2], masks="nearest:2")
    rows += masking([0.9], masks="nearest:1", weights="random")
    figure = masks_above(pd.DataFrame(rows))
    x, y = figure.axes[0].lines[0].get_data()
    assert list(x) == [0, 1, 2, 3]
    assert y == pytest.approx([0.7, 0.5, 0.25, 0.1])


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
    figure = ladder(pd.DataFrame(rows))
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["L=2", "L=3"]
    lines = {line.get_label(): line for line in figure.axes[0].lines if line.get_label()[0] != "_"}
    assert set(lines) == {"backprop", "dfa", "backprop, no masks"}
    assert lines["dfa"].get_ydata() == pytest.approx([0.3, 0.6])
    assert lines["backprop"].get_ydata() == pytest.approx([0.015, 0.015])


def curves(rows, layers):
    for i, row in enumerate(rows):
        angles = np.full((3, 4), np.nan)
        angles[:, :layers] = 0.2 + 0.1 * i
        row |= {"curve_step": [1, 2, 3], "curve_alignment": angles.tolist()}
        row["curve_null"] = np.full((3, 4), -0.05 * i).tolist()
    return rows


def test_a_layer_may_rest_at_some_steps_in_every_run():
    rows = curves(runs("clapp", [0.1, 0.2]), 2)
    for row in rows:
        row["curve_alignment"][-1][0] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = alignment(pd.DataFrame(rows))
    (axis,) = (a for a in figure.axes if a.axison)
    assert [(t.xy[0], t.get_text()) for t in axis.texts] == [(2, "1"), (3, "2")]


def test_angles_are_drawn_for_layers_that_have_them_above_the_null():
    rows = curves(runs("dfa", [0.1, 0.2]), 4) + curves(runs("readout_only", [0.8]), 0)
    rows += curves(runs("backprop", [0.8]), 2)
    figure = alignment(pd.DataFrame(rows))
    shown = {a.get_title(): a for a in figure.axes if a.axison}
    assert set(shown) == {"dfa", "backprop"}
    assert [line.get_ydata()[0] for line in shown["dfa"].lines] == pytest.approx([0.25] * 4)
    assert len(shown["backprop"].lines) == 2
    assert texts(shown["dfa"]) == ["1", "2", "3", "4"]
    band = shown["dfa"].collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((-0.05, 0.0))


def test_without_their_runs_there_are_no_figures():
    rows = runs("backprop", [0.1]) + masking([0.3], masks="none")
    frame = pd.DataFrame(rows).assign(curve_step=None, curve_alignment=None, curve_null=None)
    for draw in (phase_diagram, masks_above, ladder, alignment):
        assert draw(frame) is None


def test_the_same_frame_gives_the_same_bytes():
    frame = pd.DataFrame(masking([0.8, 0.6], masks="none") + masking([0.1], masks="true"))
    assert svg(masks_above(frame), "x") == svg(masks_above(frame), "x")

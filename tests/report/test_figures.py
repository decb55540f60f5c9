"""Figures of errors, learning curves and portraits: what is drawn is what was measured."""

import warnings

import numpy as np
import pytest
from report_frames import drawn, run, runs, svg, table

from synaptree.report.figures import named
from synaptree.report.style import Words
from synaptree.rules import names, rule_class

KIND = "v=8 n=8 m=4 s=2 L=3 P=64"


def frame(rules=("backprop", "dfa", "clapp")):
    return [
        r for place, rule in enumerate(rules)
        for r in runs(rule, [0.1 * place + 0.02 * seed for seed in range(3)])
    ]  # fmt: skip


def lines(axis):
    return [tuple(np.round(np.asarray(line.get_xdata(), float), 6)) for line in axis.get_lines()]


def test_curves_are_means_over_runs_as_far_as_all_went():
    rows = runs("dfa", [0.1, 0.3, 0.2])
    rows[1] |= {"curve_step": [10, 20], "curve_test_error": [0.1, 0.2]}
    own = table(named("learning_curves"), rows)
    assert own["step"].tolist() == [10, 20]
    assert own["mean"].tolist() == pytest.approx([0.5, 0.4])
    assert own[["lowest", "highest"]].to_numpy().tolist() == [[0.1, 0.7], [0.2, 0.5]]
    (line,) = drawn(named("learning_curves"), rows).axes[0].get_lines()
    assert line.get_ydata() == pytest.approx([0.5, 0.4])


def test_a_crowd_of_curves_is_drawn_by_family():
    direct = [n for n in names() if rule_class(n).facts.family == "direct feedback"]
    few, many = ("clapp", "dfa"), ("backprop", "clapp", "lpl", "oja", "soft_hebb", *direct)
    axes = drawn(named("learning_curves"), frame(few)).axes
    assert [len(a.get_lines()) for a in axes] == [2]
    axes = drawn(named("learning_curves"), frame(many)).axes
    panels = {a.get_title(loc="left"): len(a.get_lines()) for a in axes}
    sizes = {"reference": 1, "control": 2, "direct feedback": len(direct), "layerwise": 2}
    assert panels == {f"{KIND}\n{family}": n for family, n in sizes.items()}


def test_no_two_curves_of_a_panel_look_alike():
    several = [n for n in names() if rule_class(n).facts.family == "reference"]
    assert len(several) > 4  # more than there are dashes
    figure = drawn(named("learning_curves"), frame(several))
    (axis,) = figure.axes
    looks = {(c.get_color(), c.get_linestyle(), c.get_marker()) for c in axis.get_lines()}
    assert len(looks) == len(several)
    (legend,) = figure.legends
    assert {(h.get_color(), h.get_linestyle(), h.get_marker()) for h in legend.get_lines()} == looks


def test_matrices_show_their_numbers_layer_1_at_the_bottom():
    rows = runs("dfa", [0.1], L=2, probe=[[0.12, 0.34], [0.56, 0.78]])
    figure = drawn(named("probe_matrices"), rows)
    (axis,) = figure.axes
    words = [(text, x, y, w.get_weight()) for w in axis.findobj(Words) for x, y, text in w.places]
    places = {text: (x, y) for text, x, y, _ in words}
    assert places["0.12"][0] == places["0.56"][0] < places["0.34"][0]
    assert places["0.12"][1] > places["0.56"][1]  # from the top of the sheet
    assert {text for text, _, _, weight in words if weight == "bold"} == {"0.12", "0.78"}
    assert "<title>level 2, layer 1: 0.3400</title>" in svg(named("probe_matrices"), rows)


def test_matrices_are_means_of_what_is_there():
    rows = runs("dfa", [0.1, 0.2], L=1, sensitivity=[[0.5]])
    rows[0]["sensitivity"] = [[None]]
    assert table(named("sensitivity_matrices"), rows)["sensitivity"].tolist() == [0.5]
    rows[1]["sensitivity"] = [[None]]
    assert "–" in svg(named("sensitivity_matrices"), rows)


def angles(layers, cosine=0.2, L=4):
    values = np.full((3, L), np.nan)
    values[:, :layers] = cosine
    return {"L": L, "curve_alignment": values.tolist(), "curve_null": [[-0.05] * L] * 3}


def test_angles_are_drawn_for_layers_that_have_them_above_the_null():
    rows = runs("dfa", [0.1], **angles(4)) + runs("dfa", [0.2], **angles(4, 0.3))
    rows[1] |= {"seed": 101, "curve_null": [[0.0] * 4] * 3}
    rows += runs("readout_only", [0.8], **angles(0)) + runs("backprop", [0.8], **angles(2))
    own = table(named("alignment"), rows)
    layers = {label: set(rows["layer"]) for label, rows in own.groupby("label")}
    assert layers == {"dfa": {1, 2, 3, 4}, "backprop": {1, 2}}
    dfa = own[own["label"] == "dfa"]
    assert set(dfa["cosine"]) == {0.25}
    assert (set(dfa["null_low"]), set(dfa["null_high"])) == ({-0.05}, {0.0})
    text = svg(named("alignment"), rows)
    assert "layer 4: cosine 0.250 at the end</title>" in text


def test_a_layer_may_rest_at_some_steps_in_every_run():
    rows = [run("clapp", 0.1, **angles(2)), run("clapp", 0.2, seed=1, **angles(2))]
    for row in rows:
        row["curve_alignment"][-1][0] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = svg(named("alignment"), rows)
    assert "layer 1: cosine 0.200 at the end" in text

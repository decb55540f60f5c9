"""The signal budget and the locality matrix: each mark at its bits, its accuracy, its verdict."""

import numpy as np
import pytest
from report_frames import audit_of, drawn, inputs, run, svg, table

from synaptree import RandomHierarchyModel
from synaptree.report.figures import named
from synaptree.report.figures.budget_and_probe import NOTHING, RANDOM
from synaptree.views.budget import signal_budget

BUDGET, LOCALITY = named("budget_and_probe"), named("locality")
SIZE = {"v": 4, "n": 4, "m": 3, "s": 2, "L": 3, "P": 50}


def runs(rule, views, diagonals, **changed):
    return [
        run(rule, 0.1, seed=100 + i, probe=np.diag(d).tolist(), views=views, **SIZE | changed)
        for i, d in enumerate(diagonals)
    ]


def marks(axis):
    return [(float(x), float(y)) for line in axis.lines if line.get_marker() not in (None, "None")
            for x, y in zip(*line.get_data(), strict=True)]  # fmt: skip


def test_each_layer_stands_at_its_own_views_bits_and_its_own_levels_accuracy():
    rows = runs("clapp", "sibling,sibling,trace:3", [(0.9, 0.5, 1), (0.7, 0.3, 1)])
    models = [RandomHierarchyModel(4, 4, 3, 2, 3, 100 + i) for i in (0, 1)]
    bits = np.mean([signal_budget(model, "sibling")[:2] for model in models], axis=0)
    assert marks(drawn(BUDGET, rows).axes[0]) == [
        pytest.approx((bits[0], 0.8), rel=1e-5),
        pytest.approx((bits[1], 0.4), rel=1e-5),
    ]


def test_no_information_is_the_left_edge_and_random_layers_are_lines():
    rows = runs("clapp", "sibling,sibling,same_class", [(0.9, 0.5, 1)], m=4)
    rows += runs("readout_only", "", [(0.6, 0.2, 1)], m=4)
    (axis,) = drawn(BUDGET, rows).axes
    assert {x for x, _ in marks(axis)} == {NOTHING}
    flat = [line.get_ydata()[0] for line in axis.lines if line.get_linestyle() == ":"]
    assert flat == pytest.approx([0.6, 0.2])
    text = svg(BUDGET, rows)
    assert "<title>clapp, v=4 n=4 m=4 s=2 L=3 P=50, layer 2, sibling: 0.0000 bits, " in text
    assert set(table(BUDGET, rows)["view"]) == {"sibling", RANDOM}


def test_halves_of_the_units_have_no_budget_of_what_is_beside_a_patch():
    rows = runs("clapp", "half_mask:neurons,sibling,same_class", [(0.9, 0.5, 1)])
    assert table(BUDGET, rows)[["layer", "view"]].to_numpy().tolist() == [[2, "sibling"]]


def test_without_views_there_is_no_budget():
    assert table(BUDGET, runs("dfa", "", [(1, 1, 1)])) is None


def test_the_locality_matrix_has_what_the_audits_found_of_rules_that_were_run():
    rows = [run("dfa", 0.1), run("backprop", 0.1), run("mine", 0.5)]
    own = LOCALITY.data(inputs(rows, ("dfa", "clapp", "backprop")))
    assert own["rule"].tolist() == ["backprop", "dfa"]
    assert own["weights_above"].tolist() == ["yes", "no"]
    assert own["family"].tolist() == ["reference", "direct feedback"]
    assert own["label"].tolist() == [audit_of(rule).needs["label"] for rule in ("backprop", "dfa")]
    assert LOCALITY.data(inputs(rows, ("clapp",))) is None
    text = LOCALITY.svg(own)
    assert "<title>the output's error: one broadcast vector</title>" in text


def test_what_a_rule_declares_wrongly_is_crossed():
    own = LOCALITY.data(inputs([run("dfa", 0.1)], ("dfa",)))
    assert not [line for line in LOCALITY.draw(own).axes[0].lines if line.get_marker() == "x"]
    lied = own.assign(**{"declared wrongly": "labels"})
    assert [line for line in LOCALITY.draw(lied).axes[0].lines if line.get_marker() == "x"]

"""The signal budget's figure: each mark at its bits and its accuracy."""

import numpy as np
import pandas as pd
import pytest

from synaptree import RandomHierarchyModel
from synaptree.report.figures.errors import svg
from synaptree.report.figures.signal import NOTHING, budget_and_probe, budget_table
from synaptree.views.budget import signal_budget

SIZE = {"v": 4, "n": 4, "m": 3, "s": 2, "L": 3, "P": 50, "status": "done"}


def runs(rule, views, diagonals, **changed):
    probes = [np.diag(d).tolist() for d in diagonals]
    same = {**SIZE, "rule": rule, "label": rule, "views": views, **changed}
    return [{**same, "seed": 100 + i, "probe": p} for i, p in enumerate(probes)]


def marks(axis):
    return [(float(x), float(y)) for line in axis.lines if line.get_marker() not in (None, "None")
            for x, y in zip(*line.get_data(), strict=True)]  # fmt: skip


def test_each_layer_stands_at_its_own_views_bits_and_its_own_levels_accuracy():
    rows = runs("clapp", "sibling,sibling,trace:3", [(0.9, 0.5, 1), (0.7, 0.3, 1)])
    figure = budget_and_probe(pd.DataFrame(rows))
    models = [RandomHierarchyModel(4, 4, 3, 2, 3, 100 + i) for i in (0, 1)]
    bits = np.mean([signal_budget(model, "sibling")[:2] for model in models], axis=0)
    assert marks(figure.axes[0]) == [
        pytest.approx((bits[0], 0.8)),
        pytest.approx((bits[1], 0.4)),
    ]


def test_no_information_is_the_left_edge_and_random_layers_are_lines():
    rows = runs("clapp", "sibling,sibling,same_class", [(0.9, 0.5, 1)], m=4)
    rows += runs("readout_only", "", [(0.6, 0.2, 1)], m=4)
    figure = budget_and_probe(pd.DataFrame(rows))
    axis = figure.axes[0]
    assert {x for x, _ in marks(axis)} == {NOTHING}
    flat = [line.get_ydata()[0] for line in axis.lines if line.get_linestyle() == ":"]
    assert flat == pytest.approx([0.6, 0.2])
    text = svg(figure, "x")
    assert "<title>clapp, v=4 n=4 m=4 s=2 L=3 P=50, layer 2, sibling: 0.0000 bits, " in text


def test_halves_of_the_units_have_no_budget_of_what_is_beside_a_patch():
    rows = runs("clapp", "half_mask:neurons,sibling,same_class", [(0.9, 0.5, 1)])
    table = budget_table(pd.DataFrame(rows))
    assert table[["layer", "view"]].to_numpy().tolist() == [[2, "sibling"]]


def test_without_views_there_is_no_figure():
    assert budget_and_probe(pd.DataFrame(runs("dfa", "", [(1, 1, 1)]))) is None

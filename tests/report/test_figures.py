"""Figures: the same frame, the same bytes; what is drawn is what was measured."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from synaptree.report.figures import errors as figures
from synaptree.rules import names, rule_class


def frame(seeds=3, rules=("backprop", "dfa", "clapp"), depths=(2, 3), **changed):
    found = []
    for L in depths:
        for place, rule in enumerate(rules):
            for seed in range(seeds):
                error = 0.1 * place + 0.02 * seed
                found.append(
                    {
                        "v": 4,
                        "n": 4,
                        "m": 3,
                        "s": 2,
                        "L": L,
                        "P": 64,
                        "seed": seed,
                        "label": rule,
                        "rule": rule,
                        "status": "done",
                        "test_error": error,
                        "curve_step": [10, 20, 30],
                        "curve_test_error": [0.7, 0.5, error],
                        "probe": np.full((L, L), 0.5).tolist(),
                        "sensitivity": [[None] * L] * L,
                        **changed,
                    }
                )
    return pd.DataFrame(found)


DRAW = [
    figures.error_by_rule,
    figures.learning_curves,
    figures.probe_matrices,
    figures.sensitivity_matrices,
]


@pytest.mark.parametrize("draw", DRAW)
def test_the_same_frame_gives_the_same_bytes(draw):
    one = figures.svg(draw(frame()), "a")
    assert one == figures.svg(draw(frame()), "a")
    assert one.startswith("<svg")
    assert "<dc:date" not in one


@pytest.mark.parametrize("draw", DRAW)
@pytest.mark.parametrize(
    "data",
    [
        frame(seeds=1),
        frame(rules=("dfa",), depths=(2,)),
        frame(probe=None, sensitivity=None),
        frame(depths=()).reindex(columns=frame().columns),
        frame(rules=("a rule of mine",)),
        frame(seeds=2, status="failed"),
    ],
    ids=["one seed", "one rule", "no portraits", "no runs", "own rule", "all failed"],
)
def test_poor_data_is_drawn_all_the_same(draw, data):
    assert figures.svg(draw(data), "a")


def test_dots_means_and_intervals_are_the_data():
    figure = figures.error_by_rule(frame())
    lines = figure.axes[0].get_lines()
    xs = [tuple(np.round(line.get_xdata(), 6)) for line in lines]
    assert {(0.2,), (0.22,), (0.24,)} < set(xs)  # clapp's replicas
    assert xs.count((0.22,)) == 2  # one of them, and their mean
    # Student's interval of 3 values 0.02 apart: 4.302653 · 0.02 / √3.
    half = 4.302653 * 0.02 / 3**0.5
    assert any(np.allclose(x, (0.22 - half, 0.22 + half), atol=1e-6) for x in xs if len(x) == 2)
    assert (0.75, 0.75) in [tuple(line.get_xdata()) for line in lines]  # chance


def test_curves_are_means_over_replicas_as_far_as_all_went():
    data = frame(depths=(2,), rules=("dfa",))
    data.at[1, "curve_step"], data.at[1, "curve_test_error"] = [10, 20], [0.1, 0.2]
    (line,) = figures.learning_curves(data).axes[0].get_lines()
    assert list(line.get_xdata()) == [10, 20]
    assert line.get_ydata() == pytest.approx([(0.7 + 0.1 + 0.7) / 3, (0.5 + 0.2 + 0.5) / 3])


def test_the_last_digits_of_a_layout_change_no_byte():
    def drawn(shift):
        figure = Figure(figsize=(3, 3))
        axis = figure.add_axes((0.1 + shift, 0.1, 0.8, 0.8))
        axis.plot([1, 2], [3, 4])
        return figures.svg(figure, "x")

    assert drawn(0) == drawn(1e-12) == drawn(-1e-9)
    assert 'clip-path="url(#x-p1)"' in drawn(0)
    assert '<clipPath id="x-p1">' in drawn(0)


def test_a_crowd_of_curves_is_drawn_by_family():
    direct = [n for n in names() if rule_class(n).facts.family == "direct feedback"]
    few, many = ("clapp", "dfa"), ("backprop", "clapp", "lpl", "oja", *direct)
    axes = figures.learning_curves(frame(rules=few, depths=(2,))).axes
    assert [len(a.get_lines()) for a in axes if a.get_title(loc="left")] == [2]
    axes = [a for a in figures.learning_curves(frame(rules=many, depths=(2,))).axes if a.axison]
    panels = {a.get_title(loc="left"): len(a.get_lines()) for a in axes}
    kind = "v=4 n=4 m=3 s=2 L=2 P=64\n"
    sizes = {"reference": 1, "control": 1, "direct feedback": len(direct), "layerwise": 2}
    assert panels == {kind + family: n for family, n in sizes.items()}


@pytest.mark.parametrize("draw", DRAW)
def test_what_is_drawn_says_its_values_under_the_pointer(draw):
    text = figures.svg(draw(frame(rules=("dfa", '<b>"&'), depths=(2,))), "a")
    assert '<g class="tip"><title>dfa, v=4 n=4 m=3 s=2 L=2 P=64' in text
    assert '<g class="tip"><title>&lt;b&gt;' in text
    ElementTree.fromstring(text)
    assert "tip:" not in text


def test_matrices_show_their_numbers():
    text = figures.svg(
        figures.probe_matrices(frame(probe=[[0.12, 0.34], [0.56, 0.78]], depths=(2,))), "a"
    )
    assert all(number in text for number in ("0.12", "0.34", "0.56", "0.78"))


def test_families_are_ordered_and_unknown_rules_are_ones_own():
    data = frame(rules=("clapp", "mine", "dfa", "backprop"))
    assert figures.labels(data) == [
        ("backprop", "reference"),
        ("dfa", "direct feedback"),
        ("clapp", "layerwise"),
        ("mine", "own"),
    ]

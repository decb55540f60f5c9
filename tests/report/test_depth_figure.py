"""The figure of data against depth says what its table holds."""

import numpy as np
import pytest
from report_frames import curve, drawn, run, svg, table

from synaptree.report.figures.data_against_depth import FIGURE
from synaptree.report.style import COLOURS


def rows():
    probes = {3: [1.0, 1.0, 0.3], 4: [1.0, 1.0, 0.3, 0.2]}
    made = []
    for L, own in probes.items():
        probe = np.full((L, L), 0.4)
        np.fill_diagonal(probe, own)
        made += [run("readout_only", 0.8, L=L, probe=probe.tolist())]
        made += curve("backprop", 128 * 4 ** (L - 3), L=L, steps=10**5)
    made += curve("dfa", 2048, L=3, steps=10**5) + curve("dfa", 10**9, L=4, steps=10**5)
    return made + [run("dfa", error, L=4, P=10**8, steps=10**5) for error in (0.5, 0.3)]


def test_each_rule_is_a_line_over_depth_and_what_was_not_reached_is_open():
    found = table(FIGURE, rows()).set_index(["label", "depth"])
    assert found.loc[("backprop", 1), "P*"] == pytest.approx(128, rel=0.06)
    assert found.loc[("backprop", 2), "P*"] == pytest.approx(512, rel=0.06)
    assert found.loc[("dfa", 2), "P*"] == 65536
    assert found["reached"].tolist() == [1, 1, 1, 0]
    assert found.loc[("dfa", 2), "fresh_error"] == pytest.approx(0.4)
    assert found.loc[("dfa", 2), "fresh_solved"] == 0
    axis = drawn(FIGURE, rows()).axes[0]
    dfa = [line for line in axis.lines if line.get_color() == COLOURS["direct feedback"]]
    marks = {line.get_marker(): line for line in dfa}
    assert list(marks["^"].get_ydata()) == [65536]
    assert list(marks["x"].get_ydata()) == [12_800_000]
    text = svg(FIGURE, rows())
    assert "P* not reached at 65536" in text
    assert "error 40.0% after 1.28e+07 fresh strings" in text


def test_one_depth_is_no_figure():
    assert table(FIGURE, [each for each in rows() if each["L"] == 3]) is None

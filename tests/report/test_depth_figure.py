"""The figure of data against depth says what its table holds."""

import numpy as np
import pandas as pd
import pytest
from report_frames import curve, drawn, run, svg, table

from synaptree.report.figures.data_against_depth import FIGURE
from synaptree.report.page import render
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
    assert found["P*_is"].tolist() == ["found", "found", "found", "more"]
    assert found.loc[("dfa", 2), "fresh_error"] == pytest.approx(0.4)
    assert found.loc[("dfa", 2), "fresh_solved"] == 0
    axis = drawn(FIGURE, rows()).axes[0]
    dfa = [line for line in axis.lines if line.get_color() == COLOURS["direct feedback"]]
    marks = {line.get_marker(): line for line in dfa}
    assert list(marks["^"].get_ydata()) == [65536]
    assert list(marks["x"].get_ydata()) == [12_800_000]
    text = svg(FIGURE, rows())
    assert "P* more 65536" in text
    assert "error 40.0% after 1.28e+07 fresh strings" in text


def test_one_depth_is_no_figure():
    assert table(FIGURE, [each for each in rows() if each["L"] == 3]) is None


def bisected(rule, need, L, m=4, **changed):
    """Runs as a bisection leaves them: most grammars at a few sizes alone, and no portraits."""
    made = curve(rule, need, m=m, L=L, seeds=range(6), steps=10**5, probe=None, **changed)
    return [each for each in made if each["seed"] == 0 or need / 2 <= each["P"] <= 2 * need]


def test_a_folder_of_bisections_is_drawn_against_L_with_a_line_a_rule():
    """There P* of backprop grows by m a level, and that of lpl is the same at each L."""
    found = []
    for L in (3, 4, 5):
        siblings = {"views": ",".join(["sibling"] * (L - 1) + ["same_class"]), "lr": 0.01 * L}
        options = {"options": {"dims": 8 if L == 3 else 32}}
        for m in (3, 4):
            found += bisected("backprop", 8 * m**L, L, m)
            found += bisected("lpl", 1024, L, m, **options, **siblings)
    found += bisected("dfa", 10**9, 3) + bisected("dfa", 16, 4)
    own = table(FIGURE, found).set_index(["panel", "label", "depth"])["P*"]
    assert list(own.index.levels[0]) == ["v=8 n=8 m=3 s=2", "v=8 n=8 m=4 s=2"]
    for m in (3, 4):
        panel = f"v=8 n=8 m={m} s=2"
        lines = own[panel]
        assert set(lines.index.levels[0]) >= {"backprop", "lpl · sibling, same_class"}
        assert lines["backprop"].to_dict() == pytest.approx({L: 8 * m**L for L in (3, 4, 5)}, 0.06)
        assert lines["lpl · sibling, same_class"].to_dict() == pytest.approx(
            dict.fromkeys((3, 4, 5), 1024), rel=0.06
        )
    drawing = drawn(FIGURE, found)
    assert [axis.get_xlabel() for axis in drawing.axes] == ["L, levels"] * 2
    marks = {line.get_marker(): line for line in drawing.axes[1].lines}
    assert list(marks["^"].get_ydata()) == [65536]
    assert list(marks["v"].get_ydata()) == [pytest.approx(32)]
    assert "P* at most 32" in svg(FIGURE, found)


def test_the_report_of_a_folder_of_bisections_shows_it():
    found = [each for L in (3, 4) for each in bisected("backprop", 8 * 4**L, L)]
    page = render(pd.DataFrame(found), [], {})
    assert page.count('<svg role="img" aria-label="Data against depth.') == 1


def test_grammars_of_a_variant_are_no_point():
    plain = [each | {"variant": ""} for each in rows()]
    changed = [each | {"variant": "zipf=1", "P": each["P"] * 2} for each in rows()]
    assert table(FIGURE, plain + changed).equals(table(FIGURE, plain))

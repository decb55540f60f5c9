"""The scoreboard: each number against a count made by hand from the rows."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from report_frames import CHANCE, audit_of, curve, drawn, run, runs, svg, table
from rich.console import Console

from synaptree.cli.tables.scoreboard import print_scoreboard
from synaptree.report.board import columns, lines, short_kinds, span
from synaptree.report.figures import named
from synaptree.report.inputs import Inputs
from synaptree.report.row_names import row_name, usual_name
from synaptree.report.scoreboard import families, filter_of, wedge
from synaptree.rules import rule_class

SOLVED = 0.1 * CHANCE
DEEP = {"L": 4, "m": 6, "P": 256}
VIEWS = {"views": "sibling,sibling,same_class"}
ALL = ("backprop", "dfa", "clapp")


def board(rows, audited=()):
    forms = {(r["rule"], r["rule_options"]) for r in rows if r["rule"] in audited}
    audits = {form: audit_of(form[0]) for form in forms}
    return Inputs.of(pd.DataFrame(rows), audits).board


def cells(rows):
    """Each line's cells by the kind's head: how many of how many."""
    made = board(rows)
    heads = {c["kind"]: c["head"] for c in columns(made)}
    return {
        line.name: {heads[k]: (c["solved"], c["of"]) for k, c in line.cells.items()}
        for line in lines(made)
    }


def test_grammars_that_are_solved_are_counted_and_what_was_not_run_is_not_zero():
    rows = runs("backprop", [0.0] * 6) + runs("backprop", [0.0] * 6, **DEEP)
    rows += runs("dfa", [0.0, SOLVED, SOLVED + 1e-6, 0.5, 0.8])
    rows += runs("clapp", [0.1, 0.9], **VIEWS) + runs("lpl", [0.0], **VIEWS)
    rows += runs("drtp", [0.7], **DEEP) + runs("pepita", [0.7], **DEEP)
    assert cells(rows) == {
        "backprop": {"L=3 m=4": (6, 6), "L=4 m=6": (6, 6)},
        "lpl": {"L=3 m=4": (1, 1)},
        "clapp": {"L=3 m=4": (0, 2)},
        "dfa": {"L=3 m=4": (2, 5)},
        "drtp": {"L=4 m=6": (0, 1)},
        "pepita": {"L=4 m=6": (0, 1)},
    }
    shown = svg(named("scoreboard"), rows)
    assert shown.count(">–</text>") == 6 * 2 - 7  # not run is a dash, and no disc
    said = [row for _, own in families(board(rows)) for row in own if row["title"] == "PEPITA"]
    assert [cell is None for cell in said[0]["cells"]] == [True, False]


def test_a_row_has_its_best_settings_among_those_that_were_run_on_enough_grammars():
    rows = runs("backprop", [0.0] * 6) + runs("dfa", [0.0] * 3 + [0.5] * 3, lr=0.1)
    rows += runs("dfa", [0.0] * 5 + [0.5], lr=0.01) + runs("dfa", [0.0] * 2, lr=0.001)
    made = board(rows)
    (dfa,) = (line for line in lines(made) if line.name == "dfa")
    (cell,) = dfa.cells.values()
    assert (cell["solved"], cell["of"], cell["settings"]) == (5, 6, "dfa, lr=0.01")
    assert set(cell["all_settings"].split("\n")) == {f"dfa, lr={x}" for x in (0.1, 0.01, 0.001)}
    (row,) = (row for _, own in families(made) for row in own if "DFA" in row["title"])
    assert row["cells"][0]["runs"] == 'rule="dfa, lr=0.01" v=8 n=8 m=4 s=2 L=3 P=64'
    assert set(row["runs"].removeprefix('rule="').removesuffix('"').split("|")) == {
        "dfa, lr=0.1", "dfa, lr=0.01", "dfa, lr=0.001"
    }  # fmt: skip


def test_rules_stand_in_their_families_and_own_rules_too():
    own = {"family": "layerwise", "subfamily": "contrastive", **VIEWS}
    rows = [run(rule, 0.5) for rule in ("oja", "clapp", "dfa", "backprop", "forward_dfa", "drtp")]
    rows = [r | {"family": None, "subfamily": None} for r in rows]
    for row in rows:
        facts = rule_class(row["rule"]).facts
        row.update(family=facts.family, subfamily=facts.subfamily)
    rows += [run("mine", 0.0) | own, run("theirs", 0.0) | {"family": "direct feedback"}]
    found = [(line.family, line.name) for line in lines(board(rows))]
    assert found == [
        ("backprop and kin", "backprop"),
        ("layerwise, contrastive", "mine (own rule)"),
        ("layerwise, contrastive", "clapp"),
        ("direct feedback, fixed", "dfa"),
        ("direct feedback, fixed", "drtp"),
        ("direct feedback, learned", "forward_dfa"),
        ("direct feedback, other", "theirs (own rule)"),
        ("controls", "oja"),
    ]


@pytest.mark.parametrize(
    ("rule", "options", "name", "title"),
    [
        ("dfa", '{"scale": 3.0, "error": "linear"}', "dfa", "Direct feedback alignment (DFA)"),
        ("dfa", '{"error": "sign"}', "dfa (error=sign)", "DFA with the error's sign"),
        ("vicreg", '{"dims": 8}', "vicreg", "VICReg"),
        ("symmetric_direct", "{}", "backprop, no masks", "Backprop, no masks"),
        ("masking", '{"masks": "none"}', "backprop, no masks", "Backprop, no masks"),
        ("masking", '{"masks": "kept:0.5"}', "", ""),
        ("masking", '{"masks": "true", "weights": "random"}', "", ""),
        ("my_rule", '{"gain": 2}', "my_rule (own rule)", "my_rule (own rule)"),
    ],
)
def test_numbers_are_settings_and_words_make_another_rule(rule, options, name, title):
    assert row_name(rule, options) == (name, title)


def test_usual_names():
    assert usual_name("Direct feedback alignment (DFA)") == "DFA"
    assert usual_name("VICReg") == "VICReg"


def test_data_are_those_of_the_best_settings_beside_backprops():
    rows = curve("backprop", 1024) + curve("clapp", 2048, **VIEWS)
    rows += curve("clapp", 4096, lr=0.5, **VIEWS) + curve("dfa", 10**9)
    rows += curve("backprop", 1024, m=5) + curve("clapp", 1024 * 4, m=5, **VIEWS)
    said = {line.name: line.data for line in lines(board(rows))}
    assert said["backprop"] == "1.0×"
    assert said["clapp"] == "2.0–4.0×"
    assert said["dfa"].startswith(">")


@pytest.mark.parametrize(
    ("least", "most", "bound", "said"),
    [
        (1.04, 1.04, False, "1.0×"),
        (1.0, 12.3, False, "1.0–12×"),
        (1.0, 4.6, True, "1.0 – >4.6×"),
        (7.4, 7.4, True, ">7.4×"),
        (np.inf, np.inf, False, "not yet"),
        (np.nan, np.nan, False, ""),
    ],
)
def test_a_ratio_over_kinds_is_said_with_its_ends(least, most, bound, said):
    row = {"data_least": least, "data_most": most, "data_open": bound}
    assert span(row, "data") == said


def test_levels_labels_and_what_is_known():
    eye = (0.995 * np.eye(3)).tolist()
    half = np.diag([0.995, 0.98, 0.995]).tolist()
    rows = [r | {"probe": eye} for r in runs("backprop", [0.0] * 3)]
    rows += [r | {"probe": half} for r in runs("clapp", [0.5] * 3, **VIEWS)]
    rows += [r | {"probe": None} for r in runs("dfa", [0.5] * 3)]
    said = {line.name: line for line in lines(board(rows, ALL))}
    assert [said[name].levels for name in ALL] == ["3/3", "", "2/3"]
    assert [said[name].labels for name in ALL] == ["error", "error", "T1"]
    assert said["backprop"].knows == "masks of others"
    assert said["dfa"].knows == "one broadcast vector"
    assert {line.knows for line in lines(board(rows))} == {""}


def test_runs_that_diverged_are_marked():
    rows = runs("backprop", [0.0] * 3) + runs("dfa", [0.5, 0.6, 0.7])
    rows[-1]["diverged"] = True
    shown = svg(named("scoreboard"), rows)
    assert "diverged in 1 of 3 runs" in shown
    assert "%!" in shown


def test_at_most_four_kinds_are_shown_those_that_compare_most_rules():
    rows = [run(rule, 0.5, m=m) for rule in ALL for m in (3, 4, 5)]
    rows += [run("backprop", 0.5, m=7), *(run(rule, 0.5, L=L) for rule in ALL for L in (4, 5))]
    heads = [c["head"] for c in columns(board(rows))]
    assert len(heads) == 4
    assert "L=3 m=7" not in heads
    assert {"L=4 m=4", "L=5 m=4"} < set(heads)


def test_an_empty_scoreboard():
    nothing = board(runs("dfa", [np.nan] * 2, status="failed"))
    assert nothing.empty
    assert families(nothing) == []
    assert table(named("scoreboard"), [run("masking", 0.5, {"masks": "kept:0.5"})]) is None


def test_a_disc_is_filled_by_its_share():
    assert wedge(0) == ""
    assert "circle" in wedge(1)
    assert wedge(0.25) == '<path d="M6 6V1A5 5 0 0 1 11.0 6.0z"/>'
    assert wedge(0.75) == '<path d="M6 6V1A5 5 0 1 1 1.0 6.0z"/>'
    axis = drawn(named("scoreboard"), runs("backprop", [0.0]) + runs("dfa", [0.5, 0.0])).axes[0]
    wedges = [p for c in axis.collections for p in c.get_paths()]
    assert len(wedges) == 2  # dfa's, and the legend's half
    box = wedges[0].get_extents()
    assert (box.width, box.height) == pytest.approx((5.5, 11.0))  # the right half


def test_a_long_name_ends_before_the_discs():
    options = json.dumps({"masks": "none"})
    rows = runs("equilibrium_propagation", [0.5], rule_options=options)
    figure = drawn(named("scoreboard"), rows)
    (axis,) = figure.axes
    (name,) = (text for text in axis.texts if text.get_text().endswith("(masks=none)"))
    marks = [line.get_xydata() for line in axis.get_lines() if line.get_marker() == "o"]
    disc = min(np.concatenate(marks), key=lambda place: place[1])[0] - 5.5
    end = name.get_window_extent().transformed(axis.transData.inverted()).x1
    assert 170 < end < disc


def test_a_filter_has_all_labels():
    assert filter_of(["a, b", "c"]) == 'rule="a, b|c"'


def test_passes_are_those_of_the_rule_with_its_options_or_what_an_own_rule_said():
    rows = runs("backprop", [0.0] * 2) + runs("predictive_coding", [0.1] * 2, {"steps": 3})
    rows += runs("mine", [0.1] * 2) + runs("dfa", [0.1] * 2, source="0" * 64)
    found = {line.title: line.passes for line in lines(board(rows))}
    known = {title: passes for title, passes in found.items() if passes}
    assert sorted(known.values()) == ["10", "2"]
    assert len(found) == 4
    rows += runs("yours", [0.1] * 2, source="1" * 64, passes=7.0)
    (said,) = (line.passes for line in lines(board(rows)) if line.title.startswith("yours"))
    assert said == "7"


def test_labels_of_an_own_rule_are_those_of_its_family_and_what_is_not_known_has_its_sign():
    own = {"source": "0" * 64}
    rows = runs("backprop", [0.0] * 2) + runs("mine", [0.1] * 2, family="direct feedback", **own)
    rows += runs("yours", [0.1] * 2, family="control", **own)
    rows += runs("theirs", [0.1] * 2, **own | {"family": "layerwise"}, **VIEWS)
    table = board(rows)
    said = {line.name.removesuffix(" (own rule)"): line for line in lines(table)}
    assert {name: line.labels for name, line in said.items()} == {
        "backprop": "error",
        "mine": "error",
        "yours": "",
        "theirs": said["theirs"].labels,
    }
    assert said["theirs"].labels in ("T0", "T1", "T2")
    page = io.StringIO()
    print_scoreboard(table, Console(file=page, width=200))
    printed = page.getvalue().splitlines()
    (row,) = (line.split() for line in printed if line.startswith("  yours"))
    assert row.count("?") >= 2  # passes and labels
    assert "–" not in row
    assert "– not run; ? not known; ! some runs diverged" in page.getvalue()
    unknown = sum(
        not said
        for line in lines(table)
        for said in (line.data, line.steps, line.passes, line.levels, line.labels, line.knows)
    )
    picture = svg(named("scoreboard"), rows)
    assert picture.count(">?</text>") == unknown >= 2
    assert "–: not run · ?: not known" in picture


def test_an_error_stands_at_as_many_passes_as_were_made_until_then():
    rows = runs("backprop", [0.0] * 2, batch=32) + runs("predictive_coding", [0.1], batch=16)
    rows += runs("mine", [0.2])
    made = table(named("error_against_passes"), rows)
    for label, each in (("backprop", 32 * 2), ("predictive_coding", 16 * 24)):
        own = made[made["label"] == label]
        assert own["passes"].tolist() == [each * step for step in (10, 20, 30)]
        assert own["mean"].tolist() == [0.7, 0.5, {"backprop": 0.0}.get(label, 0.1)]
    assert set(made["label"]) == {"backprop", "predictive_coding"}


def test_kinds_are_named_by_what_tells_them_apart():
    def name(v, n, m, s, L, more=""):
        return f"v={v} n={n} m={m} s={s} L={L}{more}"

    trees = [name(6, 6, 6, 2, 3), name(8, 8, 4, 2, 4), name(8, 8, 6, 2, 4)]
    assert short_kinds(trees) == ["L=3 m=6", "L=4 m=4", "L=4 m=6"]
    assert short_kinds([name(6, 6, 4, 2, 3), name(8, 8, 4, 2, 3)]) == ["L=3 m=4 v=6", "L=3 m=4 v=8"]
    both = [name(8, 6, 4, 2, 3), name(8, 8, 4, 2, 3), name(8, 8, 4, 3, 3)]
    assert short_kinds(both) == ["L=3 m=4 n=6 s=2", "L=3 m=4 n=8 s=2", "L=3 m=4 n=8 s=3"]
    variants = [name(8, 8, 4, 2, 3), name(8, 8, 4, 2, 3, " zipf=1")]
    assert short_kinds(variants) == variants

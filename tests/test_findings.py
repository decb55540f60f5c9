"""The pages of findings: their numbers, again from the runs in another way; their pictures."""

import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import findings
import findings_depth as depth
import findings_hierarchy
import findings_pictures as pictures
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from synaptree import load

ROOT = Path(__file__).parent.parent
PAGES = {name: ROOT / "docs" / "findings" / f"{name}.md" for name in pictures.DRAW}
TEXT = {name: path.read_text("utf-8") for name, path in PAGES.items()}
BEGIN, END = "<!-- results/laptop: written by tools/readme.py -->\n", "<!-- end -->\n"
PLACES = {"uniform": (6, 3, 12960), "deep": (4, 4, 8192), "deeper": (6, 4, 32768)}  # m, L, P
RULES = {
    "Backpropagation": "backprop",
    "Backprop, no masks": "backprop, no masks",
    "Backprop, another input's masks": "backprop, another input's masks",
    "Feedback alignment": "feedback_alignment",
    "Random feedback, no masks": "random feedback, no masks",
    "Least-squares direct feedback": "least_squares_feedback",
    "DFA": "dfa",
    "DFA with the error's sign": "dfa (error=sign)",
    "DRTP": "drtp",
    "PEPITA": "pepita",
    "Direct Kolen–Pollack": "direct_kolen_pollack",
    "Forward DFA": "forward_dfa",
    "EBD": "error_broadcast",
    "Node perturbation": "node_perturbation",
    "InfoNCE": "infonce",
    "CLAPP": "clapp",
    "CLAPP, unshared weights": "clapp",
    "CLAPP++": "clapp_pp",
    "NT-Xent": "nt_xent",
    "SCFF": "scff",
    "LPL": "lpl",
    "LPL (statistics=running)": "lpl",
    "VICReg": "vicreg",
    "Barlow Twins": "barlow_twins",
}


@cache
def frame():
    return load(ROOT / "results" / "laptop")


def runs(name, kind):
    """The runs of a rule, by its name in a table, on a kind of grammar."""
    m, L, P = PLACES[kind]
    rule, rows = RULES[name], frame()
    rows = rows[(rows.m == m) & (rows.L == L) & (rows.P == P)]
    label = rows["label"] == rule if "," in rule or "(" in rule else rows["rule"] == rule
    if rule in ("dfa", "backprop"):
        label &= rows["rule_options"].str.contains("sign") == ("sign" in rule)
    own = rows[label]
    own = own[
        (own["connectivity"] == "local") == (name == "CLAPP, unshared weights" or "run" in name)
    ]
    own = own[own["label"].str.contains("running") == ("running" in name)]
    # Of several networks on one grammar, the one with the lowest seeds counts.
    return own.sort_values(["seed", "data_seed", "network_seed"]).drop_duplicates("seed")


def part(name):
    """The part of a page that is written from results."""
    return TEXT[name].split(BEGIN)[1].split(END)[0]


def counted(own):
    """How many grammars are solved, with the interval of scipy, and the mean error."""
    n = int(own["n"].iloc[0])
    assert own["seed"].is_unique
    hits, of = sum(e <= 0.1 * (1 - 1 / n) for e in own["test_error"]), len(own)
    interval = binomtest(hits, of).proportion_ci()
    error = 100 * own["test_error"].mean()
    said = f"{error:.1f}%" if error < 9.95 else f"{error:.0f}%"
    return f"{hits} of {of} ({100 * interval.low:.0f}–{100 * interval.high:.0f}%), error {said}"


@pytest.mark.parametrize("name", ["direct-feedback", "masks", "layerwise"])
def test_tables_say_how_many_grammars_are_solved(name):
    lines = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", part(name), re.M)
    checked = 0
    for rule, *cells in lines:
        if rule not in RULES:
            continue
        for kind, said in zip(PLACES, cells, strict=True):
            own = runs(rule, kind)
            assert said == (counted(own) if len(own) else "–"), (rule, kind)
            checked += len(own) > 0
    assert checked > 15


def test_the_table_of_local_forms():
    lines = re.findall(r"^\| ([^|]+) \| (\w+) \| ([^|]+%) \| ([^|]+) \|$", part("local"), re.M)
    assert len(lines) == 23
    for rule, kind, said, why in lines:
        own = runs(rule, kind)
        assert said == counted(own), (rule, kind)
        assert ("shares" in why) == (own["connectivity"].iloc[0] == "shared")
        members = 8 if kind == "uniform" else 2  # of an object: trace:7, same_class
        objects = int(own["batch"].iloc[0]) // members
        assert f"hears {objects - 1} other" in why or "hears" not in why
        assert ("hears" in why) == (rule not in ("CLAPP", "CLAPP++", "SCFF") and "local" not in why)
    assert sum(why == "**local**" for *_, why in lines) == 2


def test_what_is_said_of_masks_is_so():
    text = part("masks")
    saved: dict[str, list[str]] = {"W": [], "random": [], "between": [], "share": []}
    for kind in PLACES:
        both, weights, masks, neither = (
            100 * runs(name, kind)["test_error"].mean()
            for name in (
                "Backpropagation", "Backprop, no masks", "Feedback alignment",
                "Random feedback, no masks",
            )
        )  # fmt: skip
        saved["W"].append(weights - both)
        saved["random"].append(neither - masks)
        saved["between"].append((weights - both) - (neither - masks))
        share = ((neither - weights) + (masks - both)) / 2 / (neither - both)
        saved["share"].append(100 * share)

    def cells(head):
        (found,) = re.findall(rf"^\| {head}[^|]* \|(.*)\|$", text, re.M)
        return [
            float(re.match(r" (−?\d+)", cell)[1].replace("−", "-")) for cell in found.split("|")
        ]

    for head, key in (
        ("error that masks save, with backprop's weights", "W"),
        ("error that masks save, with random weights", "random"),
        ("the first less the second", "between"),
        ("share of right weights", "share"),
    ):
        assert np.abs(np.array(cells(head)) - saved[key]).max() <= 0.51, head


def test_how_far_layers_move():
    names = {"backprop": "Backpropagation"}
    lines = re.findall(
        r"^\| (uniform|deep) \| ([^|]+) \| (\d+%[\d%, ]+) \|", part("hierarchy"), re.M
    )
    assert len(lines) == 16
    for kind, rule, said in lines:
        m, L, P = PLACES[kind]
        if rule == "untrained":
            rows = frame()[
                (frame()["rule"] == "readout_only") & (frame().m == m) & (frame().L == L)
            ]
            own = rows[(rows.P == P) & (rows["connectivity"] == "shared")]
        else:
            own = runs(names.get(rule, rule), kind)
        means = []
        for layer in range(2, L + 1):
            each = [
                np.mean([s[layer - 1][k] for k in range(layer - 1)]) for s in own["sensitivity"]
            ]
            means.append(f"{100 * np.mean(each):.0f}%")
        assert said == ", ".join(means), (kind, rule)


def test_nt_xent_solves_grammars_and_loses_them():
    own = runs("NT-Xent", "deep")
    passed = sum(min(curve) <= 0.0875 for curve in own["curve_test_error"])
    last = sum(error <= 0.0875 for error in own["test_error"])
    assert f"NT-Xent solves {passed} of {len(own)} grammars" in part("layerwise")
    assert f"and {last} at the end" in part("layerwise")


@pytest.mark.parametrize("name", pictures.DRAW)
def test_pictures_are_current_and_a_phone_can_show_them(name):
    written = (pictures.PICTURES / f"{name}.svg").read_text("utf-8")
    assert written == pictures.DRAW[name]()
    root = ElementTree.fromstring(written)
    assert root.attrib["viewBox"].split()[2] == "360"
    assert min(map(int, re.findall(r"font-size:(\d+)px", written)), default=12) >= 11
    shown = re.findall(r"!\[([^\]]*)\]\(([\w-]+)\.svg\)", TEXT[name])
    assert [picture for _, picture in shown] == [name]
    assert len(shown[0][0].split()) >= 30


@pytest.mark.parametrize("name", [name for name in pictures.DRAW if name != "depth"])
def test_a_page_has_its_parts_and_types_no_number(name):
    text = TEXT[name]
    heads = re.findall(r"^## (.*)$", text, re.M)
    parts = ["Question", "Answer", "The numbers", "What this does not show", "The command"]
    assert [head for head in heads if head in parts] == parts
    answer = text.split("## Answer\n")[1].split("## ")[0]
    assert len(re.findall("^- ", answer, re.M)) <= 6
    before, rest = text.split(BEGIN)
    typed = before + rest.split(END)[1]
    typed = re.sub(r"\]\([^)]*\)|`[^`]*`|^    .*$", "", typed, flags=re.M)
    typed = re.sub(r"\[claims? [^\]]*", "", typed, flags=re.I)
    assert re.findall(r"\d+", typed) == []


def test_needs_by_depth_lie_between_the_sizes_that_their_errors_name():
    named = {
        "backprop at its best": "backprop",
        "backprop, the RHM authors' recipe": "backprop",
        "CLAPP++ (T2)": "clapp_pp",
        "CLAPP (T1)": "clapp",
        "VICReg (T1)": "vicreg",
        "LPL (T1)": "lpl",
        "InfoNCE (T1)": "infonce",
    }
    done = pd.concat([load(ROOT / "results" / name) for name in depth.FOLDERS], ignore_index=True)
    checked = 0
    for table in re.findall(r"(?:^\|.*\n)+", TEXT["depth"], re.M):
        rows = [[c.strip() for c in line.split("|")[1:-1]] for line in table.splitlines()]
        if not rows[0][0].startswith("P\\*, m="):
            continue
        m = int(rows[0][0].split("=")[1])
        levels = {place: int(head[2:]) for place, head in enumerate(rows[0]) if head[:2] == "L="}
        for row in rows[2:]:
            for place, L in levels.items():
                if row[0] not in named or not row[place][0].isdigit():
                    continue
                own = done[(done.rule == named[row[0]]) & (done.m == m) & (done.L == L)]
                if "authors" in row[0]:
                    own = own[own.stop_loss > 0]
                P = int(row[place].split()[0])
                settings = ["rule_options", "lr", "lr_schedule", "weight_decay", "stop_loss"]
                parts = own.groupby([*settings, "width", "steps_asked"])
                assert any(crosses(each, P) for _, each in parts)
                checked += 1
    assert checked >= 27


def crosses(runs, P):
    """Whether the mean of ten grammars is too high at the size up to P, and not at the next."""
    errors = runs.groupby("P").test_error.agg(["mean", "count"])
    whole = errors[errors["count"] == 10]["mean"]
    below, above = whole[whole.index <= P], whole[whole.index > P]
    return len(below) and len(above) and below.iloc[-1] > 0.0875 >= above.iloc[0]


def test_a_sentence_that_the_data_do_not_carry_stops_the_writing():
    findings.sure(True, True)
    with pytest.raises(SystemExit, match="no longer say"):
        findings.sure(True, False)
    assert findings.decided("2b", "", findings.UNIFORM) == "no"
    assert findings.decided("2a", "", findings.DEEPER) == "yes"
    assert findings.decided("2a", "", findings.DEEP) == "mixed"


def test_the_disc_fills_with_the_share():
    for share, expected in ((0.25, "14.00 20.00"), (0.5, "7.00 27.00"), (0.75, "0.00 20.00")):
        canvas = pictures.Canvas("")
        pictures.disc(canvas, 7, 20, share)
        assert f"1 {expected}Z" in canvas.parts[1]
    assert len(findings_hierarchy.solving()) == 12

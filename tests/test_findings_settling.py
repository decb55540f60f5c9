"""The page on rules that settle: its numbers, again from the runs in another way."""

import json
import re
from functools import cache
from pathlib import Path

import findings_settling as settling
import numpy as np
import pandas as pd
import pytest
from findings import DEEP, UNIFORM

from synaptree import load

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "findings" / "settling.md").read_text("utf-8")
L_OF = {UNIFORM: 3, DEEP: 4}
EVERY = [(cell.label, cell.kind) for cell in settling.ran()]


@cache
def frame():
    folders = (ROOT / "results" / name for name in ("settling", "settling-masks"))
    return pd.concat([load(folder) for folder in folders], ignore_index=True)


def own(label, kind):
    return frame().query(f"label == {label!r} and L == {L_OF[kind]}").sort_values("seed")


def test_all_rules_were_run_on_the_same_ten_grammars():
    for label, kind in EVERY:
        assert own(label, kind)["seed"].tolist() == list(range(200, 210))
    assert len(EVERY) == len({*EVERY})


@pytest.mark.parametrize(("label", "kind"), EVERY)
def test_counts_of_the_page_are_those_of_the_runs(label, kind):
    (cell,) = (c for c in settling.ran() if c.label == label and c.kind == kind)
    errors = own(label, kind)["test_error"]
    below = (1 - 1 / kind.n) / 10
    counted = f"{(errors <= below).sum()} of 10"
    name = settling.named(cell)
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {name} |"))
    place = {UNIFORM: 3, DEEP: 4}[kind]
    assert counted in row.split("|")[place]
    error = float(re.search(r"error ([\d.]+)%", row.split("|")[place]).group(1))
    assert error == pytest.approx(100 * errors.mean(), abs=0.6)


def solved_after(run):
    """The first step at which the curve is at the threshold, between its points log against log."""
    below = np.log((1 - 1 / run["n"]) / 10)
    errors = np.log(np.maximum(run["curve_test_error"], np.exp(below) / 100))
    steps = np.log(run["curve_step"])
    at = int(np.argmax(errors <= below))
    if errors[at] > below:
        return np.inf
    if at == 0:
        return float(np.exp(steps[0]))
    share = (errors[at - 1] - below) / (errors[at - 1] - errors[at])
    return float(np.exp(steps[at - 1] + share * (steps[at] - steps[at - 1])))


@pytest.mark.parametrize("kind", [UNIFORM, DEEP], ids=["uniform", "deep"])
def test_the_price_is_that_of_the_learning_curves(kind):
    table = PAGE.split("| steps; passes until solved, over backprop's |", 1)[1]
    reference = np.median([solved_after(run) for _, run in own("backprop", kind).iterrows()])
    checked = 0
    for cell in settling.on(kind):
        row = next(r for r in table.splitlines() if r.startswith(f"| {settling.named(cell)} |"))
        said = row.split("|")[{UNIFORM: 2, DEEP: 3}[kind]].strip()
        if said in ("–", "not yet"):
            continue
        median = np.median([solved_after(run) for _, run in own(cell.label, kind).iterrows()])
        steps, passes = (float(part.split()[0]) for part in said.split("; "))
        assert steps == pytest.approx(median / reference, rel=0.06)
        assert passes == pytest.approx(steps * cell.passes / 2, rel=0.06)
        checked += 1
    assert checked >= 3


def test_a_weak_label_is_compared_with_the_masks_on_the_same_grammars():
    bare, whole = (
        settling.of("equilibrium_propagation", DEEP, masks=masks, weak=not masks)
        for masks in (False, True)
    )
    assert "0.005" in bare.label
    more = own(bare.label, DEEP)["test_error"].to_numpy() - own(whole.label, DEEP)["test_error"]
    said = re.search(r"(\d+) \((\d+) to (\d+)\) points higher", PAGE).groups()
    value, low, high = map(float, said)
    assert value == pytest.approx(100 * more.mean(), abs=0.51)
    assert low < value < high


def test_errors_without_masks_are_those_of_the_rehearsal_ascending():
    rows = load(ROOT / "results" / "settling-rehearsal", curves=False)
    said = PAGE.split("## Why forms without masks fail")[1]
    names = {
        "Equilibrium propagation": "equilibrium_propagation",
        "Predictive coding": "predictive_coding",
        "Backprop without masks": "masking",
    }
    found = re.findall(r"\| ([\w ]+) \| ([\d.–]+) \| ([\d–]+) \| (.+%) \|", said)
    assert len(found) == 7
    for name, beta, steps, errors in found:
        own = []
        for _, row in rows[rows["rule"] == names[name]].iterrows():
            options = json.loads(row["rule_options"])
            made = options.get("steps", options.get("free", "–"))
            if name.startswith("Backprop"):
                chosen = row["weight_decay"] == 0
            else:
                chosen = options["beta"] == float(beta) and str(made) == steps
            own += [row["test_error"]] if chosen else []
        assert len(own) == 4
        shown = [float(each.rstrip("%")) for each in errors.split(", ")]
        assert shown == pytest.approx(sorted(100 * each for each in own), abs=0.6)

"""Pages say by which definition of P* their tables go, and where the two definitions differ."""

import re
from pathlib import Path

import pandas as pd
import pytest

from synaptree import load
from synaptree.training.solved import solved_at

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"


def sizes_around(errors, n):
    """The sizes after which a mean error first is solved, and after which it stays solved."""
    solved = [error <= solved_at(n) for error in errors]
    first = next(place for place, yes in enumerate(solved) if yes)
    stays = max(place for place, yes in enumerate(solved) if not yes) + 1
    return errors.index[first - 1], errors.index[stays - 1]


def test_clapp_is_the_only_layerwise_rule_whose_error_rises_again():
    frame = load(RESULTS / "sample-complexity", curves=False)
    means = frame.groupby(["rule", "P"])["test_error"].mean()
    found = {rule: sizes_around(means[rule], 8) for rule in means.index.levels[0]}
    differ = {rule: sizes for rule, sizes in found.items() if sizes[0] != sizes[1]}
    assert differ == {"clapp": (724, 4096)}
    errors = means["clapp"]
    page = (ROOT / "docs" / "layerwise.md").read_text("utf-8")
    assert f"falls to {100 * errors[1024]:.1f}% at 1024 strings" in page
    assert f"is {100 * errors[1448]:.0f}% and {100 * errors[4096]:.1f}% at 1448 and 4096" in page
    pages = [page, (ROOT / "studies" / "sample-complexity" / "README.md").read_text("utf-8")]
    for text in pages:
        (about,) = re.findall(r"P\\\* is about (\d+) strings", text)
        assert 4096 < int(about) < 16384


@pytest.mark.parametrize(
    "page", ["docs/direct-feedback.md", "studies/backprop-reference/README.md"]
)
def test_errors_of_the_reference_do_not_rise_again(page):
    assert "both definitions" in (ROOT / page).read_text("utf-8")
    folder = RESULTS / "backprop-reference"
    ours = load(folder, curves=False).assign(training="synaptree", grammars="ours")
    other = pd.read_csv(folder / "independent.csv").assign(training="from scratch")
    both = pd.concat([ours, other]).groupby(["v", "grammars", "training", "P"])["test_error"].mean()
    for (v, grammars, training), errors in both.groupby(level=[0, 1, 2]):
        first, stays = sizes_around(errors.droplevel([0, 1, 2]), v)
        assert first == stays, (v, grammars, training)

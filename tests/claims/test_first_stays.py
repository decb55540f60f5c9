"""The first registration was judged: its outcomes on the results that are kept stay."""

from dataclasses import asdict, replace
from pathlib import Path

import first_registration
import pytest

from synaptree.claims.first.judged import own_outcomes
from synaptree.claims.judge import verdicts_of
from synaptree.results.frame import load

RESULTS = Path(__file__).parents[2] / "results"
LAPTOP = "laptop-1"
# Verdict, and how many comparisons hold, fail and are open, of each claim; without audits.
OUTCOMES = {
    LAPTOP: [
        "not reproduced: 22 hold, 12 do not, 6 open",
        "not reproduced: 7 hold, 1 does not, 10 open",
        "not reproduced: 31 hold, 5 do not, 8 open",
        "not reproduced: 8 hold, 15 do not, 10 open",
        "not reproduced: 49 hold, 54 do not, 25 open",
        "undecided: 11 open",
    ],
    "direct-feedback": ["not reproduced: 31 hold, 10 do not, 5 open", *["undecided: "] * 5],
    "layerwise": [
        "undecided: 2 hold, 1 open",
        "undecided: ",
        "not reproduced: 16 hold, 28 do not, 4 open",
        "undecided: ",
        "not reproduced: 40 hold, 122 do not, 9 open",
        "undecided: 12 open",
    ],
    "masking-ladder": [
        "not reproduced: 3 hold, 3 do not, 2 open",
        "undecided: 6 hold, 12 open",
        *["undecided: "] * 4,
    ],
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_outcomes_of_the_first_registration_stay(name):
    found = verdicts_of(load(RESULTS / name), {})
    assert [f"{o.verdict}: {o.tally}" for o in found] == OUTCOMES[name]


def test_the_package_has_what_was_said_of_the_registered_runs():
    kept, found = own_outcomes(), first_registration.outcomes()
    assert [replace(o, evidence=()) for o in kept] == [replace(o, evidence=()) for o in found]
    for one, other in zip(kept, found, strict=True):
        assert len(one.evidence) == len(other.evidence)
        for kept_row, row in zip(
            map(asdict, one.evidence), map(asdict, other.evidence), strict=True
        ):
            for name, value in row.items():
                if isinstance(value, float):  # its last digits depend on the processor
                    value = pytest.approx(value, rel=1e-9, nan_ok=True)
                assert kept_row[name] == value

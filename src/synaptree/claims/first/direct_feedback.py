"""Claim 1: direct feedback fails where backprop succeeds."""

from synaptree.claims.base import (
    Claim,
    Evidence,
    Findings,
    Results,
    Thresholds,
    any_below,
    compare_errors,
)
from synaptree.claims.effects import kind_and_size, percent, span
from synaptree.results.columns import by_kind, states

FAMILY = "direct feedback"
THRESHOLDS = {
    # direct feedback is judged where backprop's mean error is below
    "backprop_at_most": 0.05,
    # and where layers of random features are not enough
    "floor_at_least": 0.40,
    "direct_feedback_at_least": 0.40,
}


def collect(results: Results, limits: Thresholds) -> Findings:
    """Compare the test error of every rule with direct feedback with the threshold."""
    evidence: list[Evidence] = []
    effects: list[str] = []
    for grammar, runs in by_kind(results.largest(FAMILY)):
        backprop = runs[runs["rule"] == "backprop"]["test_error"]
        if backprop.empty or backprop.mean() > limits["backprop_at_most"]:
            # A task that backprop does not learn says nothing about direct feedback.
            if (became := states(runs.loc[backprop.index])).startswith("diverged"):
                effects.append(f"{kind_and_size(runs)}: not judged, backprop {became}")
            continue
        if any_below(runs, "readout_only", limits["floor_at_least"]):
            continue  # nor does a task that can be learned without hidden layers
        least = limits["direct_feedback_at_least"]
        compared, errors = compare_errors(runs, FAMILY, grammar, ">=", least)
        evidence += compared
        if errors:
            against = f"{span(errors)} against backprop's {percent(backprop)}"
            effects.append(f"{kind_and_size(runs)}: {against}")
    return Findings(evidence, effects)


CLAIM = Claim(
    1,
    "Direct feedback fails where backprop succeeds",
    THRESHOLDS,
    collect,
    ("backprop", FAMILY),
    "on no kind of grammar were both run at one P where backprop learns and random features fail",
)

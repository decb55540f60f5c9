"""Claim 3: layerwise self-supervised rules succeed."""

from synaptree.claims.base import (
    Claim,
    Evidence,
    Findings,
    Results,
    Thresholds,
    compare_errors,
)
from synaptree.claims.effects import kind_and_size, span
from synaptree.results.columns import by_kind

FAMILY = "layerwise"
THRESHOLDS = {
    "error_at_most": 0.05,
    # v = n = m: all strings occur equally often
    "error_at_most_uniform": 0.10,
}


def collect(results: Results, limits: Thresholds) -> Findings:
    """Compare the test error of every layerwise rule with the threshold of its kind of grammar."""
    evidence: list[Evidence] = []
    effects: list[str] = []
    for grammar, runs in by_kind(results.largest(FAMILY)):
        kind = runs.iloc[0]
        uniform = kind["v"] == kind["n"] == kind["m"]
        most = limits["error_at_most_uniform" if uniform else "error_at_most"]
        compared, errors = compare_errors(runs, FAMILY, grammar, "<=", most)
        evidence += compared
        if errors:
            effects.append(f"{kind_and_size(runs)}: {span(errors)}")
    return Findings(evidence, effects)


CLAIM = Claim(3, "Layerwise self-supervised rules succeed", THRESHOLDS, collect, (FAMILY,))

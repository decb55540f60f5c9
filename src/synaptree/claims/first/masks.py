"""Claim 2: direct feedback fails because it lacks the masks of the layers above."""

import pandas as pd

from synaptree.analysis.data_curves import largest
from synaptree.claims.base import (
    Claim,
    Comparison,
    Evidence,
    Findings,
    Results,
    Thresholds,
    any_below,
    compare,
)
from synaptree.claims.effects import kind_and_size, percent
from synaptree.results.columns import SETTINGS, by_kind, states
from synaptree.rules import get

THRESHOLDS = {
    # judged where direct feedback alignment fails
    "dfa_at_least": 0.40,
    # error without downstream masks − backprop's: as much as separates success (claim 1: at most
    # 0.05) from no error
    "rise_without_masks_at_least": 0.05,
    # error with another input's masks − error without
    "other_masks_worse_by_at_least": -0.05,
    # error with true masks − backprop's: nothing is lost
    "true_masks_lose_at_most": 0.0,
}
BACKPROP = get("backprop").label
TRUE, NONE, OTHER = (get("masking", masks=m).label for m in ("true", "none", "other_input"))
QUESTIONS: tuple[tuple[str, str, Comparison, str], ...] = (  # error of one − error of the other
    (NONE, BACKPROP, ">=", "rise_without_masks_at_least"),
    (OTHER, NONE, ">=", "other_masks_worse_by_at_least"),
    (TRUE, BACKPROP, "<=", "true_masks_lose_at_most"),
)


def collect(results: Results, limits: Thresholds) -> Findings:
    """Compare backprop with and without masks, grammar by grammar, at the same settings."""
    evidence: list[Evidence] = []
    effects: list[str] = []
    runs = largest(results.finished, ["masking"])
    settings = [name for name in SETTINGS if name in runs]
    for grammar, of_kind in by_kind(runs):
        if any_below(of_kind, "dfa", limits["dfa_at_least"]):
            continue  # there is no failure to explain
        for _, same in of_kind.groupby(settings, dropna=False):
            errors = same.pivot_table(index="seed", columns="label", values="test_error")
            answers = _differences(same, errors, grammar, limits)
            if any(e.n for e in answers):  # a question that was not asked leaves the claim open
                evidence += answers
            if NONE in errors:
                shown = [label for label in (BACKPROP, NONE, OTHER) if label in errors]
                steps = " → ".join(f"{label} {percent(errors[label])}" for label in shown)
                effects.append(f"{kind_and_size(of_kind)}: {steps}")
        if (became := states(of_kind[of_kind["rule"] == "dfa"])).startswith("diverged"):
            effects.append(f"{kind_and_size(of_kind)}: dfa, whose failure is explained, {became}")
    return Findings(evidence, effects)


def _differences(
    runs: pd.DataFrame, errors: pd.DataFrame, grammar: str, limits: Thresholds
) -> list[Evidence]:
    """The three differences, paired by grammar.  errors: of the runs, seeds × labels."""
    answers: list[Evidence] = []
    for a, b, comparison, threshold in QUESTIONS:
        both = a in errors and b in errors
        difference = (errors[a] - errors[b]).dropna() if both else []
        what = f"test error: {a} − {b}"
        of_both = runs[runs["label"].isin([a, b])]
        answers.append(compare(what, grammar, difference, comparison, limits[threshold], of_both))
    return answers


CLAIM = Claim(
    2,
    "Because of masks: without this input's downstream masks, backprop's own weights fail",
    THRESHOLDS,
    collect,
    ("backprop", "masking"),
    "no kind of grammar on which dfa fails has runs of both with the same settings",
)

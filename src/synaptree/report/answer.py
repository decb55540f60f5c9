"""What the data say, in one paragraph: every word of it follows from the runs and the outcomes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synaptree.claims.base import Outcome
from synaptree.report.inputs import Inputs
from synaptree.report.style import kinds
from synaptree.report.tables.base import percent
from synaptree.results.columns import states

FAMILIES = ("direct feedback", "layerwise")
KINDS = 2  # of grammar, those with the largest P


def answer(outcomes: Sequence[Outcome], inputs: Inputs) -> str:
    """Who learned what, on the two kinds of grammar with the largest P, and the verdicts."""
    verdicts = [
        f"{verdict}: {', '.join(_number(o) for o in outcomes if o.verdict == verdict)}"
        for verdict in dict.fromkeys(o.verdict for o in outcomes)
    ]
    asked = "Of the claims, each asked of every rule and kind of grammar,"
    judged = f"{asked} {'; '.join(verdicts)}." if outcomes else "No claim was judged."
    became = states(inputs.runs)
    warning = [f"Of the runs: {became}."] if became.startswith("diverged") else []
    return " ".join([*learned(inputs)[:KINDS], *warning, judged])


def _number(outcome: Outcome) -> str:
    """A claim's number and, of one that is not reproduced throughout, how far it holds."""
    if outcome.verdict == "reproduced" or not outcome.evidence:
        return str(outcome.number)
    held = sum(e.holds is True for e in outcome.evidence)
    return f"{outcome.number} ({held} of {len(outcome.evidence)} hold)"


def learned(inputs: Inputs) -> list[str]:
    """Who learned what: a sentence for each kind of grammar on which backprop and rules of both
    families were run, the largest P first."""
    sentences: list[str] = []
    for kind, runs in reversed(list(kinds(inputs.compared))):
        means = runs.groupby("label")["test_error"].mean().sort_values(kind="stable")
        of_label = runs.groupby("label")[["rule", "family"]].first().loc[means.index]
        backprop, random = (
            means[of_label["rule"] == name].min() for name in ("backprop", "readout_only")
        )
        errors = {family: means[of_label["family"] == family] for family in FAMILIES}
        if np.isnan(backprop) or any(each.empty for each in errors.values()):
            continue
        floor = "" if np.isnan(random) else f", untrained layers {percent(random)}"
        rest = "; ".join(f"{family} {_best_and_middle(each)}" for family, each in errors.items())
        sentences.append(f"At {kind} backprop errs on {percent(backprop)}{floor}; {rest}.")
    return sentences


def _best_and_middle(errors: pd.Series) -> str:
    best = f"{percent(errors.iloc[0])} ({errors.index[0]})"
    if len(errors) == 1:
        return best
    middle = percent(float(errors.median()))
    return f"{best} at best, {middle} in the middle of {len(errors)} rules"

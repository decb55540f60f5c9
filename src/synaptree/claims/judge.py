"""The judge: the outcomes of the claims on a frame of results."""

from collections.abc import Sequence

import pandas as pd

from synaptree.claims import first
from synaptree.claims.base import Audits, Claim, Outcome, Results


def judge(
    frame: pd.DataFrame, audits: Audits, claims: Sequence[Claim] = first.CLAIMS
) -> list[Outcome]:
    """The outcome of each claim on the finished runs of `load`'s frame.

    audits: by rule and options (JSON), as in the frame's columns `rule` and `rule_options`, and of
    the online forms of these rules. A layerwise rule without an audit leaves claim 6 undecided.
    """
    results = Results(frame, audits)
    return [claim.judge(results) for claim in claims]


def rule_forms(frame: pd.DataFrame) -> set[tuple[str, str]]:
    """The rules in a frame with their options: the audits that `judge` and the report ask for."""
    return set(zip(frame["rule"], frame["rule_options"], strict=True))

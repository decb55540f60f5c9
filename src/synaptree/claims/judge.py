"""The judge: the outcomes of the claims on a frame of results."""

from collections.abc import Collection, Sequence
from typing import overload

import pandas as pd

from synaptree.claims import first
from synaptree.claims.base import Audits, Claim, Outcome, Results
from synaptree.claims.second import base as second
from synaptree.results.columns import plain


@overload
def verdicts_of(
    frame: pd.DataFrame, audits: Audits, claims: Sequence[Claim] = first.CLAIMS
) -> list[Outcome]: ...


@overload
def verdicts_of(
    frame: pd.DataFrame,
    audits: Audits,
    claims: Sequence[second.Claim],
    seeds: Collection[int] = second.REGISTERED,
) -> list[second.Outcome]: ...


def verdicts_of(
    frame: pd.DataFrame,
    audits: Audits,
    claims: Sequence[Claim] | Sequence[second.Claim] = first.CLAIMS,
    seeds: Collection[int] = second.REGISTERED,
) -> list[Outcome] | list[second.Outcome]:
    """The outcome of each claim on the finished runs of `load`'s frame.

    audits: by rule and options (JSON), as in the frame's columns `rule` and `rule_options`, and of
    the online forms of these rules. A layerwise rule without an audit leaves claim 6 undecided.
    claims: of one registration.  seeds: of the grammars that the second registration is judged on;
    others than the registered ones are a rehearsal.  The first is judged on all runs of the
    frame, whatever their seeds; what it said of its own runs is `own_outcomes`.
    """
    ours = [claim for claim in claims if isinstance(claim, second.Claim)]
    if ours:
        return second.judge(frame, audits, ours, seeds)
    results = Results(plain(frame), audits)  # variants and own data are no evidence
    return [claim.judge(results) for claim in claims if isinstance(claim, Claim)]


def rule_forms(frame: pd.DataFrame) -> set[tuple[str, str]]:
    """The rules in a frame with their options: whose audits `verdicts_of` and the report need."""
    return set(zip(frame["rule"], frame["rule_options"], strict=True))

"""The claims of the second registration, asked of one rule alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from synaptree.claims import second
from synaptree.claims.base import Audits
from synaptree.claims.second.base import judge_study
from synaptree.claims.second.cells import Cell
from synaptree.claims.second.direct_feedback import is_own_gradient
from synaptree.claims.second.outcome import Endpoint
from synaptree.claims.second.study import Study


@dataclass(frozen=True, eq=False)
class OwnClaim:
    """A claim of one rule alone.

    verdict: without a correction for other questions.  why_not: why it, or a part of it, was not
    asked.
    """

    number: str
    sentence: str
    verdict: str
    endpoints: Sequence[Endpoint]
    why_not: Sequence[str]


def own_claims(
    cells: Sequence[Cell], audits: Audits, rule: str, subfamily: str, seeds: Sequence[int]
) -> tuple[list[OwnClaim], list[str]]:
    """The claims that a rule's subfamily is asked of, with this rule as the only one of it; and the
    numbers of the claims that are about others.

    cells: of the rule and of all others beside it.
    """
    alone = [c for c in cells if c.rule == rule or c.subfamily != subfamily or is_own_gradient(c)]
    found: list[OwnClaim] = []
    others: list[str] = []
    for outcome in judge_study(Study(alone, audits), second.CLAIMS, seeds):
        own = [e for e in outcome.primary if subfamily and _is_about(e, subfamily)]
        if own:
            why = list(dict.fromkeys(reason for e in own for reason in e.why_not))
            found.append(OwnClaim(outcome.number, outcome.claim, _together(own), own, why))
        else:
            others.append(outcome.number)
    return found, others


def _is_about(endpoint: Endpoint, subfamily: str) -> bool:
    return endpoint.about == subfamily or endpoint.about.startswith(f"{subfamily}, ")


def _together(endpoints: Sequence[Endpoint]) -> str:
    """One verdict of a claim's endpoints, each alone: with several, what they agree on."""
    verdicts = list(dict.fromkeys(endpoint.alone for endpoint in endpoints))
    asked = [verdict for verdict in verdicts if verdict != "not asked"]
    if not asked:
        return "not asked"
    return asked[0] if len(asked) == 1 else "mixed"

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

# What claims are about that no subfamily is: the laboratory of masks and weights.
ABOUT = {
    "2a": "weights and masks of the laboratory",
    "2b": "backprop's weights without masks",
    "2c": "random weights with true masks",
}


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
) -> list[OwnClaim]:
    """Each claim of the second registration, with this rule as the only one of its subfamily.

    cells: of the rule and of all others beside it.
    """
    alone = [c for c in cells if c.rule == rule or c.subfamily != subfamily or is_own_gradient(c)]
    outcomes = judge_study(Study(alone, audits), second.CLAIMS, seeds)
    found: list[OwnClaim] = []
    for outcome in outcomes:
        own = [e for e in outcome.primary if subfamily and _is_about(e, subfamily)]
        if not own:
            why = [_why_not(outcome.number, [e.about for e in outcome.primary], subfamily)]
            found.append(OwnClaim(outcome.number, outcome.claim, "not asked", (), why))
            continue
        why = list(dict.fromkeys(reason for e in own for reason in e.why_not))
        found.append(OwnClaim(outcome.number, outcome.claim, _together(own), own, why))
    return found


def _is_about(endpoint: Endpoint, subfamily: str) -> bool:
    return endpoint.about == subfamily or endpoint.about.startswith(f"{subfamily}, ")


def _why_not(number: str, abouts: Sequence[str], subfamily: str) -> str:
    about = ABOUT.get(number) or " and ".join(
        dict.fromkeys(each.partition(",")[0] for each in abouts)
    )
    if subfamily:
        return f"it is about {about}, and the rule is {subfamily}"
    return f"it is about {about}, and the facts of the rule name no subfamily"


def _together(endpoints: Sequence[Endpoint]) -> str:
    """One verdict of a claim's endpoints, each alone: with several, what they agree on."""
    verdicts = list(dict.fromkeys(endpoint.alone for endpoint in endpoints))
    asked = [verdict for verdict in verdicts if verdict != "not asked"]
    if not asked:
        return "not asked"
    return asked[0] if len(asked) == 1 else "mixed"

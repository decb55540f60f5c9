"""The claims of the study, judged by thresholds that were written down before the run."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["reproduced", "not reproduced", "undecided"]


@dataclass(frozen=True)
class Evidence:
    """One measured quantity beside its threshold.

    what: in words, e.g. "test error of dfa".  grammar: e.g. "v=8 n=8 m=6 s=2 L=4 P=131072".
    value, low, high: mean over replicas with its 95% interval.  n: replicas.
    holds: whether value `comparison` threshold; None where it could not be measured.
    """

    what: str
    grammar: str
    value: float
    low: float
    high: float
    n: int
    comparison: Literal["<=", ">="]
    threshold: float
    holds: bool | None


@dataclass(frozen=True)
class Outcome:
    """What the data say of one claim.  effect: the effect size, in one line."""

    number: int
    claim: str
    verdict: Verdict
    effect: str
    evidence: tuple[Evidence, ...]

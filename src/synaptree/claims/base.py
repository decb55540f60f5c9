"""What a claim is, and how a measured quantity is compared with a threshold.

A claim is a sentence of the study, the thresholds it is held to, and a function that collects the
evidence. Judging trains nothing and changes nothing outside: an outcome depends on the frame of
results, the thresholds and the audits that are handed in, and on nothing else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from synaptree.analysis.data_curves import largest
from synaptree.analysis.settings import apart
from synaptree.analysis.statistics import mean_interval
from synaptree.audit.matrix import Audit
from synaptree.results.columns import finished, states
from synaptree.rules import rule_class

Verdict = Literal["reproduced", "not reproduced", "undecided"]
Comparison = Literal["<=", ">=", "within ±"]
FAMILIES = ("direct feedback", "layerwise")  # of which claims speak
Thresholds = Mapping[str, float]
Audits = Mapping[tuple[str, str], Audit]  # by rule and its options as JSON


@dataclass(frozen=True)
class Evidence:
    """One measured quantity beside its threshold.

    what: in words, as "test error of dfa", and what became of the runs, as `states` says it.
    diverged: whether any of them diverged.  grammar: as "v=8 n=8 m=6 s=2 L=4 P=131072".
    value, low, high: mean over n replicas with its 95% interval (without bounds for one replica).
    holds: True where the whole interval lies on the right side of the threshold, False where it
    lies on the wrong side, None where it straddles the threshold.
    """

    what: str
    grammar: str
    value: float
    low: float
    high: float
    n: int
    comparison: Comparison
    threshold: float
    holds: bool | None
    diverged: bool = False


@dataclass(frozen=True)
class Findings:
    """What a claim's function returns.  effects: the effect sizes, one line a kind of grammar."""

    evidence: Sequence[Evidence]
    effects: Sequence[str]


@dataclass(frozen=True)
class Outcome:
    """What the data say about one claim.  effects: the effect sizes, one line a kind of grammar."""

    number: int
    claim: str
    verdict: Verdict
    effects: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    @property
    def tally(self) -> str:
        """How many comparisons hold, fail and are open, as "3 hold, 1 does not, 2 open"."""
        answers = [e.holds for e in self.evidence]
        hold, fail, undecided = (answers.count(answer) for answer in (True, False, None))
        parts = [
            (hold, f"{hold} hold{'s' if hold == 1 else ''}"),
            (fail, f"{fail} do{'es' if fail == 1 else ''} not"),
            (undecided, f"{undecided} open"),
        ]
        return ", ".join(words for count, words in parts if count)


@dataclass(frozen=True)
class Results:
    """What claims are judged on: `load`'s frame, and the audits of the rules in it."""

    frame: pd.DataFrame
    audits: Audits

    @cached_property
    def finished(self) -> pd.DataFrame:
        """The finished runs, with labels that name the rule alone."""
        return finished(self.frame)

    @cached_property
    def told_apart(self) -> pd.DataFrame:
        """The finished runs, with labels that tell different settings of one rule apart."""
        return apart(self.finished)

    def largest(self, family: str) -> pd.DataFrame:
        """The runs at the largest P of each kind of grammar at which the family was run.

        More data than that may still help: what a rule needs is another question.
        """
        return largest(self.told_apart, members(self.told_apart, family))


@dataclass(frozen=True)
class Claim:
    """One sentence of the study, and how it is judged.

    thresholds: by name; each says beside it what it is held against.
    collect: finds the evidence in the results. It is a pure function.
    takes: rules and families without which there is no evidence.  else_lacking: what is lacking
    where all of these were run, and there is none.
    """

    number: int
    sentence: str
    thresholds: Thresholds
    collect: Callable[[Results, Thresholds], Findings]
    takes: tuple[str, ...] = ()
    else_lacking: str = ""

    def judge(self, results: Results) -> Outcome:
        """Not reproduced if any comparison fails, reproduced if all hold, otherwise undecided."""
        findings = self.collect(results, self.thresholds)
        answers = [e.holds for e in findings.evidence]
        verdict: Verdict = "undecided"
        if False in answers:
            verdict = "not reproduced"
        elif answers and all(answers):
            verdict = "reproduced"
        effects = [*findings.effects, *_rests_on(findings.evidence)] or [self._why_not(results)]
        evidence = tuple(findings.evidence)
        return Outcome(self.number, self.sentence, verdict, tuple(effects), evidence)

    def _why_not(self, results: Results) -> str:
        """Why nothing was measured: which runs are missing."""
        runs = results.finished
        there = {*runs["rule"], *(name for name in FAMILIES if members(runs, name))}
        missing = [
            f"a {name} rule" if name in FAMILIES else name
            for name in self.takes
            if name not in there
        ]
        if missing:
            return f"not measured: no finished run of {' and of '.join(missing)}"
        return f"not measured: {self.else_lacking}" if self.else_lacking else "not measured"


def _rests_on(evidence: Sequence[Evidence]) -> list[str]:
    """A line that names what rests on diverged runs: their errors are those of guessing."""
    diverged = [e for e in evidence if e.diverged]
    if not diverged:
        return []
    first = "; ".join(dict.fromkeys(e.what for e in diverged[:3]))
    more = f"; and {len(diverged) - 3} more" if len(diverged) > 3 else ""
    return [f"rests on runs that diverged, so that they guess: {first}{more}"]


def members(frame: pd.DataFrame, family: str) -> list[str]:
    """The names of a family's rules that a frame has."""
    if "family" in frame:
        return sorted(frame["rule"][frame["family"] == family].unique())
    return [name for name in frame["rule"].unique() if rule_class(name).facts.family == family]


def by_label(runs: pd.DataFrame, family: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """The runs of each rule of a family, with the rule's label."""
    for label, of_rule in runs[runs["rule"].isin(members(runs, family))].groupby("label"):
        yield str(label), of_rule


def compare_errors(
    runs: pd.DataFrame, family: str, grammar: str, comparison: Comparison, threshold: float
) -> tuple[list[Evidence], dict[str, "pd.Series[float]"]]:
    """The test errors of each rule of a family, as evidence and by label."""
    of_rules = dict(by_label(runs, family))
    errors = {label: own["test_error"] for label, own in of_rules.items()}
    evidence = [
        compare(f"test error of {label}", grammar, errors[label], comparison, threshold, own)
        for label, own in of_rules.items()
    ]
    return evidence, errors


def any_below(runs: pd.DataFrame, rule: str, threshold: float) -> bool:
    """Whether the mean error of a rule, with any of its settings, is below a threshold."""
    errors = runs[runs["rule"] == rule].groupby("label")["test_error"].mean()
    return bool((errors < threshold).any())


def compare(
    what: str,
    grammar: str,
    values: "Sequence[float] | pd.Series[float] | np.ndarray",
    comparison: Comparison,
    threshold: float,
    runs: pd.DataFrame | None = None,
) -> Evidence:
    """Evidence from the values of single replicas. Values that are not finite are left out.

    runs: those that the values come from; the evidence says what became of them.
    """
    there = [float(value) for value in values if np.isfinite(value)]
    mean, low, high = mean_interval(there) if there else (np.nan, -np.inf, np.inf)
    measured = (mean, low, high, len(there))
    became = "" if runs is None else states(runs)
    return compare_interval(what, grammar, measured, comparison, threshold, became)


def compare_interval(
    what: str,
    grammar: str,
    measured: tuple[float, float, float, int],
    comparison: Comparison,
    threshold: float,
    became: str = "",
) -> Evidence:
    """Evidence from a value, the bounds of its interval, and the number of replicas.

    became: what became of the runs, as `states` says it.
    """
    value, low, high, n = measured
    least = {">=": threshold, "<=": -np.inf, "within ±": -threshold}[comparison]
    most = np.inf if comparison == ">=" else threshold
    holds = None
    if low >= least and high <= most:
        holds = True
    elif high < least or low > most:
        holds = False
    what = f"{what}, {became}" if became else what
    diverged = became.startswith("diverged")
    return Evidence(what, grammar, value, low, high, n, comparison, threshold, holds, diverged)

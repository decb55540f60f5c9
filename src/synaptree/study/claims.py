"""The claims of the study, judged by thresholds that were written down before the run.

Nothing here knows how a claim should come out: an outcome is a function of the journal's frame and
`thresholds.yaml`, and of nothing else.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import yaml

from synaptree.measures.statistics import mean_interval
from synaptree.rules import get, names, rule_class
from synaptree.study.journal import by_grammar
from synaptree.study.search import apart

Verdict = Literal["reproduced", "not reproduced", "undecided"]
Comparison = Literal["<=", ">="]


@dataclass(frozen=True)
class Evidence:
    """One measured quantity beside its threshold.

    what: in words, as "test error of dfa".  grammar: as "v=8 n=8 m=6 s=2 L=4 P=131072".
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


@dataclass(frozen=True)
class Outcome:
    """What the data say of one claim.  effect: the effect size, in one line."""

    number: int
    claim: str
    verdict: Verdict
    effect: str
    evidence: tuple[Evidence, ...]


@cache
def thresholds() -> dict[str, dict[str, float]]:
    """The thresholds of all claims, from the file that was committed before the runs."""
    text = resources.files("synaptree.study").joinpath("thresholds.yaml").read_text("utf-8")
    return cast(dict[str, dict[str, float]], yaml.safe_load(text))


def evaluate(frame: pd.DataFrame) -> list[Outcome]:
    """The outcome of claims 1, 2, 3 and 5 on the runs of `load`'s frame."""
    done = apart(frame[frame["status"] == "done"])  # other settings are other measurements
    return [_claim_1(done), _claim_2(done), _claim_3(done), _claim_5(done)]


def _claim_1(done: pd.DataFrame) -> Outcome:
    limit = thresholds()["claim_1"]
    evidence: list[Evidence] = []
    effects: list[str] = []
    for name, runs in by_grammar(done):
        backprop = runs[runs["rule"] == "backprop"]["test_error"]
        if backprop.empty or backprop.mean() > limit["backprop_at_most"]:
            continue  # a task that backprop does not learn says nothing of direct feedback
        for label, errors in _family(runs, "direct feedback"):
            what = f"test error of {label}"
            evidence.append(_judge(what, name, errors, ">=", limit["direct_feedback_at_least"]))
            shown = f"{label} {_percent(errors)} against backprop's {_percent(backprop)}"
            effects.append(f"{_short(runs)}: {shown}")
    return _outcome(1, "Direct feedback fails where backprop succeeds", evidence, effects)


def _claim_2(done: pd.DataFrame) -> Outcome:
    limit = thresholds()["claim_2"]
    backprop = get("backprop").label
    true, none, other = (get("masking", masks=m).label for m in ("true", "none", "other_input"))
    questions: list[tuple[str, str, Comparison, str]] = [
        (none, backprop, ">=", "rise_without_masks_at_least"),
        (other, none, ">=", "other_masks_worse_by_at_least"),
        (true, backprop, "<=", "true_masks_lose_at_most"),
    ]
    evidence: list[Evidence] = []
    effects: list[str] = []
    for name, runs in by_grammar(done):
        errors = runs.pivot_table(index="seed", columns="label", values="test_error")
        found: list[Evidence] = []
        for a, b, comparison, key in questions:
            both = a in errors and b in errors
            difference = (errors[a] - errors[b]).dropna() if both else []  # the same grammars
            found.append(_judge(f"test error: {a} − {b}", name, difference, comparison, limit[key]))
        if any(e.n for e in found):  # a question that was not asked leaves the claim open
            evidence += found
        shown = [label for label in (backprop, none, other) if label in errors]
        if none in shown:
            steps = " → ".join(f"{label} {_percent(errors[label])}" for label in shown)
            effects.append(f"{_short(runs)}: {steps}")
    claim = "Because of masks: without this input's downstream masks, backprop's own weights fail"
    return _outcome(2, claim, evidence, effects)


def _claim_3(done: pd.DataFrame) -> Outcome:
    limit = thresholds()["claim_3"]
    evidence: list[Evidence] = []
    effects: list[str] = []
    for name, runs in by_grammar(done):
        first = runs.iloc[0]
        uniform = first["v"] == first["n"] == first["m"]
        most = limit["error_at_most_uniform" if uniform else "error_at_most"]
        shown: list[str] = []
        for label, errors in _family(runs, "layerwise"):
            evidence.append(_judge(f"test error of {label}", name, errors, "<=", most))
            shown.append(f"{label} {_percent(errors)}")
        if shown:
            effects.append(f"{_short(runs)}: {', '.join(shown)}")
    return _outcome(3, "Layerwise self-supervised rules succeed", evidence, effects)


def _claim_5(done: pd.DataFrame) -> Outcome:
    limit = thresholds()["claim_5"]
    evidence: list[Evidence] = []
    effects: list[str] = []
    for name, runs in by_grammar(done[done["probe"].notna()]):
        shown: list[str] = []
        for label, of_rule in _by_label(runs, "layerwise"):
            probe = np.array(of_rule["probe"].tolist(), dtype=float)  # (replicas, layers, levels)
            moved = np.array(of_rule["sensitivity"].tolist(), dtype=float)
            layers = range(1, probe.shape[1])
            for l in layers:
                what = f"{label}: level-{l} latents read from layer {l}"
                values = probe[:, l - 1, l - 1]
                evidence.append(_judge(what, name, values, ">=", limit["probe_at_least"]))
            largest = 0.0
            for l in range(2, probe.shape[1] + 1):
                below = moved[:, l - 1, : l - 1].mean(1)
                if np.isfinite(below).all():
                    what = f"{label}: layer {l} moved by synonyms below level {l}"
                    evidence.append(_judge(what, name, below, "<=", limit["sensitivity_at_most"]))
                    largest = max(largest, float(below.mean()))
            read = ", ".join(f"{probe[:, l - 1, l - 1].mean():.3f}" for l in layers)
            shown.append(
                f"{label} reads levels from 1 up at {read}, is moved by synonyms {largest:.2f}"
            )
        if shown:
            effects.append(f"{_short(runs)}: {'; '.join(shown)}")
    claim = "The hidden hierarchy is found: layer l holds the latents of level l"
    return _outcome(5, claim, evidence, effects)


def _short(runs: pd.DataFrame) -> str:
    first = runs.iloc[0]
    return " ".join(f"{name}={first[name]}" for name in ("L", "m", "P"))


def _by_label(runs: pd.DataFrame, family: str) -> Iterator[tuple[str, pd.DataFrame]]:
    members = [name for name in names() if rule_class(name).facts.family == family]
    for label, of_rule in runs[runs["rule"].isin(members)].groupby("label"):
        yield str(label), of_rule


def _family(runs: pd.DataFrame, family: str) -> Iterator[tuple[str, pd.Series]]:
    for label, of_rule in _by_label(runs, family):
        yield label, of_rule["test_error"]


def _judge(
    what: str, grammar: str, values: Any, comparison: Comparison, threshold: float
) -> Evidence:
    there = [float(value) for value in values if np.isfinite(value)]
    mean, low, high = mean_interval(there) if there else (np.nan, -np.inf, np.inf)
    right: Callable[[float], bool] = (
        (lambda x: x <= threshold) if comparison == "<=" else (lambda x: x >= threshold)
    )
    holds = right(low) if right(low) == right(high) else None
    return Evidence(what, grammar, mean, low, high, len(there), comparison, threshold, holds)


def _outcome(number: int, claim: str, evidence: list[Evidence], effects: list[str]) -> Outcome:
    """Not reproduced if anything fails, reproduced if everything holds, otherwise undecided."""
    held = [e.holds for e in evidence]
    verdict: Verdict = "undecided"
    if any(h is False for h in held):
        verdict = "not reproduced"
    elif held and all(held):
        verdict = "reproduced"
    return Outcome(number, claim, verdict, ". ".join(effects) or "not measured", tuple(evidence))


def _percent(errors: Any) -> str:
    return f"{100 * float(np.mean(errors)):.1f}%"

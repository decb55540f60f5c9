"""The claims of the study, judged by thresholds that were written down before the run.

Nothing here knows how a claim should come out: an outcome is a function of the journal's frame and
`thresholds.yaml`, and of nothing else.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import yaml

from synaptree.analysis.data_curves import (
    DataCurve,
    compared,
    curves,
    growth,
    largest,
    line_name,
    lines,
    references,
    shared_seeds,
)
from synaptree.analysis.sample_complexity import slope_interval
from synaptree.analysis.settings import SETTINGS, apart
from synaptree.analysis.statistics import mean_interval
from synaptree.audit.kept import audits
from synaptree.results.columns import by_kind
from synaptree.rules import get, names, rule_class
from synaptree.training.process import prepare

Verdict = Literal["reproduced", "not reproduced", "undecided"]
Comparison = Literal["<=", ">=", "within ±"]


# Of the audit's quantities, what no synapse can know. Activity of layers above is none of these: a
# neuron can have top-down input.
UNKNOWABLE = (
    "weights_above", "weights_below", "masks_above", "feedback_above", "label", "error",
    "own_of_others", "positions",
)  # fmt: skip


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
    """What the data say of one claim.  effects: the effect sizes, a line each kind of grammar."""

    number: int
    claim: str
    verdict: Verdict
    effects: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    @property
    def tally(self) -> str:
        """How many of the comparisons hold, do not, and are open: "3 hold, 1 does not, 2 open"."""
        held = [e.holds for e in self.evidence]
        hold, fail, undecided = (held.count(each) for each in (True, False, None))
        said = [
            (hold, f"{hold} hold{'s' if hold == 1 else ''}"),
            (fail, f"{fail} do{'es' if fail == 1 else ''} not"),
            (undecided, f"{undecided} open"),
        ]
        return ", ".join(words for number, words in said if number)


@cache
def thresholds() -> dict[str, dict[str, float]]:
    """The thresholds of all claims, from the file that was committed before the runs."""
    text = resources.files("synaptree.claims").joinpath("thresholds.yaml").read_text("utf-8")
    return cast(dict[str, dict[str, float]], yaml.safe_load(text))


def judge(frame: pd.DataFrame) -> list[Outcome]:
    """The outcome of the six claims on the runs of `load`'s frame.

    All but the fourth, which is about the amount of data, are judged at the largest P of each kind
    of grammar at which the rules that they are about were run: what fails there does not fail for
    want of data.
    """
    plain = frame[frame["status"] == "done"]
    done = apart(plain)  # other settings are other measurements
    direct = largest(done, _members("direct feedback"))
    masks = largest(plain, ["masking"])
    layers = largest(done, _members("layerwise"))
    claims = [_claim_1(direct), _claim_2(masks), _claim_3(layers)]
    return [*claims, _claim_4(done), _claim_5(layers), _claim_6(done)]


def _claim_1(done: pd.DataFrame) -> Outcome:
    limit = thresholds()["claim_1"]
    evidence: list[Evidence] = []
    effects: list[str] = []
    for name, runs in by_kind(done):
        backprop = runs[runs["rule"] == "backprop"]["test_error"]
        if backprop.empty or backprop.mean() > limit["backprop_at_most"]:
            continue  # a task that backprop does not learn says nothing of direct feedback
        if _below(runs, "readout_only", limit["floor_at_least"]):
            continue  # nor does one that needs no hidden layer to learn
        found = _family(runs, "direct feedback")
        for label, errors in found.items():
            what = f"test error of {label}"
            evidence.append(_judge(what, name, errors, ">=", limit["direct_feedback_at_least"]))
        if found:
            effects.append(
                f"{_short(runs)}: {_span(found)} against backprop's {_percent(backprop)}"
            )
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
    for name, runs in by_kind(done):
        if _below(runs, "dfa", limit["dfa_at_least"]):
            continue  # there is no failure to explain
        for _, same in runs.groupby([s for s in SETTINGS if s in runs], dropna=False):
            errors = same.pivot_table(index="seed", columns="label", values="test_error")
            found: list[Evidence] = []
            for a, b, comparison, key in questions:
                both = a in errors and b in errors
                difference = (errors[a] - errors[b]).dropna() if both else []  # the same grammars
                what = f"test error: {a} − {b}"
                found.append(_judge(what, name, difference, comparison, limit[key]))
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
    for name, runs in by_kind(done):
        first = runs.iloc[0]
        uniform = first["v"] == first["n"] == first["m"]
        most = limit["error_at_most_uniform" if uniform else "error_at_most"]
        found = _family(runs, "layerwise")
        for label, errors in found.items():
            evidence.append(_judge(f"test error of {label}", name, errors, "<=", most))
        if found:
            effects.append(f"{_short(runs)}: {_span(found)}")
    return _outcome(3, "Layerwise self-supervised rules succeed", evidence, effects)


def _claim_4(done: pd.DataFrame) -> Outcome:
    limit = thresholds()["claim_4"]
    found = curves(done)
    reference = references(found)
    evidence: list[Evidence] = []
    ratios: dict[tuple[Any, ...], dict[str, float]] = {}
    ours: list[DataCurve] = []
    for curve in found:
        backprop = reference.get(tuple(curve.kind.values()))
        if backprop is None or not backprop.known or curve.rule not in _members("layerwise"):
            continue
        value, low, high, n = compared(curve, backprop)
        reached = not curve.needs().censored
        what = f"P* of {curve.label}{'' if reached else ', not reached,'} / P* of backprop"
        bounds = (value, low, high, n)
        evidence.append(_weigh(what, curve.name, bounds, "<=", limit["ratio_at_most"]))
        ratios.setdefault(tuple(curve.kind.values()), {})[curve.label] = (
            value if reached else np.inf
        )
        ours.append(curve)
    evidence += _growth(ours, reference, limit)
    effects = [f"{reference[k].name}: {_span(found, '{:.2f}')}" for k, found in ratios.items()]
    claim = "Layerwise rules need no more data than backprop"
    return _outcome(4, claim, [e for e in evidence if e.n], effects)


def _growth(
    found: list[DataCurve], reference: dict[tuple[int, ...], DataCurve], limit: dict[str, float]
) -> Iterator[Evidence]:
    """How P* of a rule grows: in m as backprop's does, or, where siblings are compared, as in v·m³
    and not with L."""
    for rest, line in lines(found, "m"):
        pairs = [(c, b) for c in line if (b := reference[tuple(c.kind.values())]).known]
        seeds = shared_seeds([curve for pair in pairs for curve in pair])
        if len(pairs) < 3 or not seeds:
            continue
        own, backprop = (growth([pair[i] for pair in pairs], seeds) for i in (0, 1))
        siblings = "sibling" in line[0].views
        slope, slopes = (3.0, 3.0) if siblings else (backprop.exponent, backprop.draws)
        low, high = slope_interval(own.draws - slopes, len(seeds))
        against = "3" if siblings else "backprop's"
        where = ", ".join(str(c.kind["m"]) for c, _ in pairs)
        yield _weigh(
            f"{line_name(line)}: exponent of P* in m − {against}",
            *(f"{rest} m={where}", (own.exponent - slope, low, high, len(seeds))),
            *("within ±", limit["exponents_differ_by_at_most"]),
        )
    for rest, line in lines(found, "L"):
        seeds = shared_seeds(line)
        if len(line) < 2 or not seeds or "sibling" not in line[0].views:
            continue
        law = growth(line, seeds, by_level=True)
        value, low, high = (float(np.exp(x)) for x in (law.exponent, law.low, law.high))
        where = ", ".join(str(c.kind["L"]) for c in line)
        yield _weigh(
            f"{line_name(line)}: growth of P* with each level",
            *(f"{rest} L={where}", (value, low, high, len(seeds)), "<="),
            limit["growth_with_L_at_most"],
        )


def _claim_5(done: pd.DataFrame) -> Outcome:
    limit = thresholds()["claim_5"]
    evidence: list[Evidence] = []
    effects: list[str] = []
    for name, runs in by_kind(done[done["probe"].notna()]):
        read: dict[str, Any] = {}
        synonyms: dict[str, Any] = {}
        random = runs[runs["rule"] == "readout_only"]["probe"].tolist()
        given = np.mean(np.array(random, float), 0) if random else None  # no rule's merit
        for label, of_rule in _by_label(runs, "layerwise"):
            probe = np.array(of_rule["probe"].tolist(), dtype=float)  # (replicas, layers, levels)
            moved = np.array(of_rule["sensitivity"].tolist(), dtype=float)
            layers = range(1, probe.shape[1])
            if not layers:
                continue  # one layer holds no level but that of the label
            for l in layers:
                if given is not None and given[l - 1, l - 1] >= limit["probe_at_least"]:
                    continue
                what = f"{label}: level-{l} latents read from layer {l}"
                values = probe[:, l - 1, l - 1]
                evidence.append(_judge(what, name, values, ">=", limit["probe_at_least"]))
            read[label] = min((probe[:, l - 1, l - 1] for l in layers), key=_mean)
            below_own: list[Any] = []
            for l in range(2, probe.shape[1] + 1):
                below = moved[:, l - 1, : l - 1].mean(1)
                if np.isfinite(below).all():
                    what = f"{label}: layer {l} moved by synonyms below level {l}"
                    evidence.append(_judge(what, name, below, "<=", limit["sensitivity_at_most"]))
                    below_own.append(below)
            if below_own:
                synonyms[label] = max(below_own, key=_mean)
        said = {
            "lowest probe": _span(read, "{:.3f}"),
            "moved by synonyms": _span(synonyms, "{:.2f}"),
        }
        if told := "; ".join(f"{what}: {span}" for what, span in said.items() if span):
            effects.append(f"{_short(runs)}: {told}")
    claim = "The hidden hierarchy is found: layer l holds the latents of level l"
    return _outcome(5, claim, evidence, effects)


def _claim_6(done: pd.DataFrame) -> Outcome:
    limit = thresholds()["claim_6"]
    prepare()
    layerwise = done[done["rule"].isin(_members("layerwise"))]
    evidence: list[Evidence] = []
    passed: list[str] = []
    failed: list[str] = []
    for rule, options in sorted(
        set(zip(layerwise["rule"], layerwise["rule_options"], strict=True))
    ):
        kept = audits(None, [(str(rule), str(options))])
        found = kept[str(rule), str(options)]
        used = [key for key in UNKNOWABLE if found.needs[key] not in ("no", "none")]
        heard, of = found.others
        form = passes = found.label
        online = rule_class(str(rule)).online_options
        if online:  # one input after the other: the same rule with a memory
            alone = kept[str(rule), json.dumps(online)].others[0]
            if alone < heard:
                words = " ".join(f"{name}={value}" for name, value in online.items())
                form = f"{found.label}, online with {words} ({alone}, not {heard})"
                passes, heard = f"{found.label} (online)", alone
        asked = [
            (f"{found.label}: of what no synapse can know, used", len(used), "unknowable_at_most"),
            (f"{form}: other inputs at once, of {of}", heard, "other_inputs_at_most"),
        ]
        for what, value, key in asked:
            exact = (float(value), float(value), float(value), 1)
            evidence.append(_weigh(what, "any", exact, "<=", limit[key]))
        if all(e.holds for e in evidence[-2:]):
            passed.append(passes)
        else:
            why = ", ".join(used) or f"all {of} other inputs of the batch at once"
            failed.append(f"{found.label} ({why})")
    said = {"pass": passed, "do not": failed}
    effects = [f"{word}: {', '.join(labels)}" for word, labels in said.items() if labels]
    claim = "Layerwise updates use nothing that a synapse cannot know"
    return _outcome(6, claim, evidence, effects)


def _below(runs: pd.DataFrame, rule: str, threshold: float) -> bool:
    """Whether a rule was run, and its mean error is below a threshold, whatever its settings."""
    errors = runs[runs["rule"] == rule].groupby("label")["test_error"].mean()
    return bool((errors < threshold).any())


def _short(runs: pd.DataFrame) -> str:
    first = runs.iloc[0]
    return " ".join(f"{name}={first[name]}" for name in ("L", "m", "P"))


def _members(family: str) -> list[str]:
    return [name for name in names() if rule_class(name).facts.family == family]


def _by_label(runs: pd.DataFrame, family: str) -> Iterator[tuple[str, pd.DataFrame]]:
    for label, of_rule in runs[runs["rule"].isin(_members(family))].groupby("label"):
        yield str(label), of_rule


def _family(runs: pd.DataFrame, family: str) -> dict[str, pd.Series]:
    return {label: of_rule["test_error"] for label, of_rule in _by_label(runs, family)}


def _judge(
    what: str, grammar: str, values: Any, comparison: Comparison, threshold: float
) -> Evidence:
    there = [float(value) for value in values if np.isfinite(value)]
    mean, low, high = mean_interval(there) if there else (np.nan, -np.inf, np.inf)
    return _weigh(what, grammar, (mean, low, high, len(there)), comparison, threshold)


def _weigh(
    what: str,
    grammar: str,
    measured: tuple[float, float, float, int],
    comparison: Comparison,
    threshold: float,
) -> Evidence:
    """Evidence from a value with its interval and the number of replicas."""
    value, low, high, n = measured
    least = threshold if comparison == ">=" else -threshold if comparison == "within ±" else -np.inf
    most = np.inf if comparison == ">=" else threshold
    holds = None
    if low >= least and high <= most:
        holds = True
    elif high < least or low > most:
        holds = False
    return Evidence(what, grammar, value, low, high, n, comparison, threshold, holds)


def _outcome(number: int, claim: str, evidence: list[Evidence], effects: list[str]) -> Outcome:
    """Not reproduced if anything fails, reproduced if everything holds, otherwise undecided."""
    held = [e.holds for e in evidence]
    verdict: Verdict = "undecided"
    if any(h is False for h in held):
        verdict = "not reproduced"
    elif held and all(held):
        verdict = "reproduced"
    return Outcome(number, claim, verdict, tuple(effects or ["not measured"]), tuple(evidence))


def _span(found: dict[str, Any], form: str = "{:.1%}") -> str:
    """What was measured of each label; of more than three the least and the most.

    Means of what is finite, as in the evidence; of ratios the infinite ones were not reached."""
    means = {label: _mean(values) for label, values in found.items()}
    means = {label: mean for label, mean in means.items() if not np.isnan(mean)}
    said = {k: form.format(x) if np.isfinite(x) else "not reached" for k, x in means.items()}
    if len(means) <= 3:
        return ", ".join(f"{label} {each}" for label, each in said.items())
    least, most = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    if said[least] == said[most]:
        return f"{len(means)} rules, all {said[least]}"
    return f"{len(means)} rules, {said[least]} ({least}) to {said[most]} ({most})"


def _mean(values: Any) -> float:
    there = [float(value) for value in np.atleast_1d(values) if not np.isnan(value)]
    return float(np.mean(there)) if there else np.nan


def _percent(errors: Any) -> str:
    return f"{_mean(errors):.1%}"

"""Claim 6: the updates of layerwise rules use nothing that a synapse cannot know."""

import json

import numpy as np

from synaptree.audit.matrix import Audit
from synaptree.claims.base import (
    Audits,
    Claim,
    Comparison,
    Evidence,
    Findings,
    Results,
    Thresholds,
    compare_interval,
    members,
)
from synaptree.rules import rule_class

# The quantities of the audit that no synapse can know. Activity of layers above is not among them:
# a neuron can have top-down input.
UNKNOWABLE = (
    "weights_above",
    "weights_below",
    "masks_above",
    "feedback_above",
    "label",
    "error",
    "own_of_others",
    "positions",
)
THRESHOLDS = {
    # of what no synapse can know (UNKNOWABLE), how much is used
    "unknowable_at_most": 0,
    # other inputs of a batch that are heard at once, in the online form where a rule has one: one
    # can be the input before
    "other_inputs_at_most": 1,
}
AT_MOST: Comparison = "<="


def collect(results: Results, limits: Thresholds) -> Findings:
    """Look up the audit of every layerwise rule that was run, and of its online form."""
    runs = results.told_apart
    layerwise = runs[runs["rule"].isin(members(runs, "layerwise"))]
    evidence: list[Evidence] = []
    passed: list[str] = []
    failed: list[str] = []
    missing: list[str] = []
    forms = set(zip(layerwise["rule"], layerwise["rule_options"], strict=True))
    for rule, options in sorted(forms):
        audit = results.audits.get((rule, options))
        if audit is None:
            missing.append(rule)
            evidence.append(_unknown(f"{rule} {options}: no audit", limits))
            continue
        used = [key for key in UNKNOWABLE if audit.needs[key] not in ("no", "none")]
        heard, of = audit.others
        form = name = audit.label
        if online := _online(rule, heard, results.audits):
            words, heard_online = online
            form = f"{audit.label}, online with {words} ({heard_online}, not {heard})"
            name, heard = f"{audit.label} (online)", heard_online
        what = f"{audit.label}: of what no synapse can know, used"
        both = [
            _exact(what, len(used), limits["unknowable_at_most"]),
            _exact(f"{form}: other inputs at once, of {of}", heard, limits["other_inputs_at_most"]),
        ]
        evidence += both
        if all(e.holds for e in both):
            passed.append(name)
        else:
            why = ", ".join(used) or f"all {of} other inputs of the batch at once"
            failed.append(f"{audit.label} ({why})")
    lists = {"pass": passed, "do not": failed, "not audited": missing}
    effects = [f"{words}: {', '.join(names)}" for words, names in lists.items() if names]
    return Findings(evidence, effects)


def _online(rule: str, heard: int, audits: Audits) -> tuple[str, int] | None:
    """The options of a rule's online form, in words, and how many other inputs it hears at once.

    The online form is the same rule with a memory: it takes one object after the other.
    None if the rule has no such form, or if that form does not hear fewer inputs than `heard`.
    """
    options = dict(rule_class(rule).online_options)
    audit: Audit | None = audits.get((rule, json.dumps(options))) if options else None
    if not options or audit is None or audit.others[0] >= heard:
        return None
    return " ".join(f"{name}={value}" for name, value in options.items()), audit.others[0]


def _exact(what: str, value: int, most: float) -> Evidence:
    """Evidence from an audit, which has no spread."""
    measured = (float(value), float(value), float(value), 1)
    return compare_interval(what, "any", measured, AT_MOST, most)


def _unknown(what: str, limits: Thresholds) -> Evidence:
    """Evidence that is missing."""
    nothing = (np.nan, -np.inf, np.inf, 0)
    return compare_interval(what, "any", nothing, AT_MOST, limits["unknowable_at_most"])


CLAIM = Claim(
    6,
    "Layerwise updates use nothing that a synapse cannot know",
    THRESHOLDS,
    collect,
    ("layerwise",),
)

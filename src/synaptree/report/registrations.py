"""Both registrations of the claims, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import pandas as pd

from synaptree.claims import base as first
from synaptree.claims.second import outcome as second
from synaptree.claims.second.base import REGISTERED, are_registered, seeds_of
from synaptree.report.answer import in_full, ranges
from synaptree.report.words import count_said, number, percent
from synaptree.rules import names
from synaptree.rules.facts import SUBFAMILIES, Family

SIGNS = {
    "holds": "✓",
    "holds within": "✓",
    "fails": "✗",
    "mixed": "?",
    "not asked": "–",
    "reproduced": "✓",
    "not reproduced": "✗",
    "undecided": "?",
}
LOOKS = {
    "holds": "reproduced",
    "holds within": "reproduced",
    "fails": "not-reproduced",
    "mixed": "undecided",
    "not asked": "soft",
    **{word: word.replace(" ", "-") for word in ("reproduced", "not reproduced", "undecided")},
}


@dataclass(frozen=True)
class Registration:
    """When thresholds were written down.  commit: the first one that has them."""

    commit: str
    date: str
    about: str


FIRST = Registration("c1ce77c", "2026-11-20", "before any of its runs were made")
SECOND = Registration(
    "1219363", "2026-11-27", "after the outcomes of the first were known, before any of its runs"
)


@dataclass(frozen=True)
class Beside:
    """A claim of the first registration (none where only the second asks it) and of the second.

    said: what the data say on the second, in a sentence.  rows: its numbers, a row a rule.
    """

    first: first.Outcome | None
    second: second.Outcome
    said: str
    rows: Sequence[tuple[str, ...]]
    span: int  # rows of the table that the first one's cell spans; 0 where it is above


HEADS = ("about", "grammar", "rule", "solved", "ratio or difference", "by itself")


def beside(firsts: Sequence[first.Outcome], seconds: Sequence[second.Outcome]) -> list[Beside]:
    """Each claim of the second registration beside the one of the first that it asks anew."""
    of_number = {str(o.number): o for o in firsts}
    rows: list[Beside] = []
    for outcome in seconds:
        number = outcome.number.rstrip("abc")
        alike = [o for o in seconds if o.number.rstrip("abc") == number]
        span = len(alike) if outcome is alike[0] else 0
        said = in_full(outcome) or "; ".join(outcome.why_not[-1:]) or "no run asks it"
        rows.append(Beside(of_number.get(number), outcome, said, _numbers(outcome), span))
    return rows


def first_judged_on(seconds: Sequence[second.Outcome]) -> str:
    """On which runs the first registration was judged, where the second was judged on these."""
    own = are_registered(seeds_of(seconds))
    return "judged on its own runs" if own else "judged on these runs"


def judged_on(seconds: Sequence[second.Outcome]) -> str:
    """Which grammars the second registration was judged on, and whether that is a rehearsal."""
    seeds = seeds_of(seconds)
    there = ranges(seeds) or "none"
    if all(o.registered for o in seconds):
        return f"judged on its grammar seeds, {there}"
    registered = f"{REGISTERED.start}–{REGISTERED.stop - 1}"
    if are_registered(seeds):
        return f"judged here on grammar seeds {there} of the registered {registered}"
    return f"a rehearsal here, on grammar seeds {there}; it is registered for {registered}"


def own_rules(frame: pd.DataFrame) -> list[str]:
    """Which rules from outside the package take part in the claims, and which do not and why: a
    sentence each; empty where there are none."""
    own = frame[~frame["rule"].isin(names(former=True))]
    said: list[str] = []
    for rule, runs in own.groupby("rule", sort=True):
        subfamily = str(runs["subfamily"].iloc[0] or "") if "subfamily" in runs else ""
        family = str(runs["family"].iloc[0]) if "family" in runs else "own"
        if subfamily:
            said.append(f"The claims about {subfamily} rules are asked of {rule} too.")
            continue
        known = " or ".join(filter(None, SUBFAMILIES.get(cast(Family, family), ())))
        said.append(
            f"{rule} is in no claim of the second registration, since its facts name no subfamily"
            + (f" ({known})." if known else ".")
        )
    return said


def _numbers(outcome: second.Outcome) -> list[tuple[str, ...]]:
    return [
        (
            endpoint.about,
            f"{part.kind.name} P={entry.cell.P}",
            entry.said,
            count_said(entry.counted or entry.solved).replace("95% interval ", ""),
            _estimate(entry),
            entry.note or {"yes": "yes", "no": "no", "mixed": "open"}[entry.answer],
        )
        for endpoint in outcome.primary
        for part in endpoint.asked
        for entry in part.entries
        if entry.solved.of
    ]


def _estimate(entry: second.Entry) -> str:
    found = entry.estimate
    if found is None:
        return ""
    form = number if found.ratio else percent
    bound = ">" if found.at_least else "≤" if found.at_most else ""
    high = form(found.high) if found.high < float("inf") else "?"
    return f"{bound}{form(found.value)} [{form(found.low)}, {high}]"

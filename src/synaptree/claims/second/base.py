"""What a claim of the second registration is, and its judge."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from synaptree.claims.base import Audits
from synaptree.claims.second.cells import cells
from synaptree.claims.second.outcome import Endpoint, Outcome, Part
from synaptree.claims.second.study import Ground, Study

# The grammar seeds that the second registration is judged on. Searches and rehearsals have others.
REGISTERED = range(200, 220)
SUBFAMILIES = ("contrastive", "non-contrastive")  # of layerwise rules


def judged_seeds(frame: pd.DataFrame) -> list[int]:
    """The grammar seeds that a frame is judged on: the registered ones, or for want of any all."""
    there = sorted({int(seed) for seed in frame["seed"]})
    return [seed for seed in there if seed in REGISTERED] or there


def are_registered(seeds: Collection[int]) -> bool:
    """Whether these are grammars of the second registration: all of them, or a part."""
    return bool(seeds) and set(seeds) <= set(REGISTERED)


def seeds_of(outcomes: Sequence[Outcome]) -> list[int]:
    """The grammar seeds that claims were judged on."""
    return sorted({seed for outcome in outcomes for seed in outcome.seeds})


@dataclass(frozen=True)
class Claim:
    """One sentence of the second registration.

    thresholds: by name; each says beside it what it is held against.  collect: the endpoints, a
    pure function of the study.
    """

    number: str
    sentence: str
    thresholds: Mapping[str, float]
    collect: Callable[[Study, Mapping[str, float]], Sequence[Endpoint]]


def judge(
    frame: pd.DataFrame,
    audits: Audits,
    claims: Sequence[Claim],
    seeds: Collection[int] = REGISTERED,
) -> list[Outcome]:
    """The outcome of each claim on the runs of `load`'s frame with these grammar seeds.

    Seeds other than the registered ones are a rehearsal, and the outcomes say so.
    """
    return judge_study(Study(cells(frame, seeds), audits), claims, seeds)


def judge_study(
    study: Study, claims: Sequence[Claim], seeds: Collection[int] = REGISTERED
) -> list[Outcome]:
    """The outcome of each claim on cells."""
    there = tuple(sorted({seed for cell in study.cells for seed in cell.seeds}))
    registered = set(seeds) == set(REGISTERED)
    return corrected(
        [
            Outcome(
                claim.number,
                claim.sentence,
                tuple(claim.collect(study, claim.thresholds)),
                registered,
                there,
            )
            for claim in claims
        ]
    )


def corrected(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes with Holm's correction over all primary endpoints that were asked.

    An endpoint's p-value is two-sided, so that the correction is for both directions: of each
    endpoint's several statements (it holds on every kind, on some kind, fails on some kind) the
    clearest counts, corrected for the number of kinds.  In Holm's order the first endpoint's
    p-values count as many times as there are endpoints, the second's once less, and so on; after
    the first endpoint that decides nothing, no other decides anything.
    """
    asked = [e for outcome in outcomes for e in outcome.primary if e.asked]
    times: dict[int, float] = {}
    left = len(asked)
    for endpoint in sorted(asked, key=lambda e: e.p):
        times[id(endpoint)] = left
        if replace(endpoint, times=left).verdict == "mixed":
            left = float("inf")
        left -= 1
    return [
        replace(
            outcome,
            endpoints=tuple(
                replace(e, times=times[id(e)]) if id(e) in times else e for e in outcome.endpoints
            ),
        )
        for outcome in outcomes
    ]


def on_each_kind(study: Study, part: Callable[..., Part], *given: object) -> list[Part]:
    """A part for each kind of grammar, ``part(study, ground, *given)``; not asked where rules are
    not compared."""
    parts: list[Part] = []
    for kind in study.kinds:
        ground = study.grounds[kind]
        if ground.why_not:
            parts.append(not_asked(ground, ground.why_not))
        else:
            parts.append(part(study, ground, *given))
    return parts


def not_asked(ground: Ground, *why: str) -> Part:
    """A part that was not asked, and why."""
    return Part(ground.kind, None, P=ground.P or None, depth=ground.depth, lacking=why)

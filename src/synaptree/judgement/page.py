"""The first page of a judged rule, from the results of the rule and of those beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from synaptree.analysis.paired import mean_of
from synaptree.analysis.settings import short_views
from synaptree.audit.text import needed
from synaptree.claims.base import Audits
from synaptree.claims.second.cells import Cell
from synaptree.claims.second.outcome import Part
from synaptree.claims.second.scoreboard import levels_read
from synaptree.claims.second.study import Study, share
from synaptree.errors import several
from synaptree.judgement.asked import Asked
from synaptree.judgement.beside import Beside, Place
from synaptree.judgement.headline import headline, on_grammars, random_features
from synaptree.judgement.honesty import denied, idle
from synaptree.judgement.likeness import likenesses, most_like
from synaptree.judgement.own_claims import OwnClaim, own_claims
from synaptree.report.answer import ranges
from synaptree.report.first_page import ClaimRow, FirstPage
from synaptree.report.words import NOT_RUN, count_said, listed, number
from synaptree.rules.facts import label_tier

TIERS = {
    "T0": "T0: in the readout alone",
    "T1": "T1: they also choose the pairs of the top layer",
    "T2": "T2: they also reach layers below the top",
}
NOTES = (
    "Solved: test error at most a tenth of guessing's, with the 95% interval of Clopper and "
    "Pearson. Test error: the mean over grammars, with the 95% interval of a bootstrap over "
    "grammars. Levels found: how many levels l a linear probe reads from layer l, the median.",
    "Most like: the committed rule whose audit gives other answers about the fewest quantities, "
    "and of these the one at the least distance: the root mean square difference of errors (over "
    "chance error) and of probes, half each, on the grammars that both were trained on.",
    "Verdicts on claims are this rule's alone, as the only one of its subfamily and the only "
    "question: without Holm's correction. The claims and the answer further down are those of the "
    "committed rules; the judged rule is in none of them.",
)


@dataclass(frozen=True, eq=False)
class Shown:
    """A judged rule in the frame: its name there, and where it was run.

    settings: where its settings come from.  left: what was not done, and why.
    """

    asked: Asked
    name: str
    label: str
    options: str
    places: Sequence[Place]
    settings: str
    left: str
    failed: Sequence[str]


def first_page(shown: Shown, beside: Beside, study: Study, audits: Audits) -> FirstPage:
    """What the judgement says of one rule.  study: of all runs, its own and those beside."""
    own = [c for c in study.cells if (c.rule, c.options) == (shown.name, shown.options)]
    return FirstPage(
        name=shown.label,
        headline=headline(shown.places, own, study),
        warnings=[*denied(shown.asked.audit), *_broken(shown, own)],
        facts=list(_facts(shown, own, beside, study)),
        kinds=[_kind(place, own, study) for place in shown.places],
        claims=list(_claims(shown, study, audits, beside.seeds)),
        notes=NOTES,
    )


def _broken(shown: Shown, own: Sequence[Cell]) -> Iterator[str]:
    diverged = sum(cell.diverged for cell in own)
    if diverged:
        yield f"{diverged} of {sum(len(c.seeds) for c in own)} runs diverged, and count as guessing"
    for reason in dict.fromkeys(shown.failed):
        failed = several(list(shown.failed).count(reason), "run")
        yield f"{failed} failed, left out of all numbers: {reason}"


def _facts(
    shown: Shown, own: Sequence[Cell], beside: Beside, study: Study
) -> Iterator[tuple[str, str]]:
    audit = shown.asked.audit
    needs = ", ".join(needed(audit)) or "nothing that is elsewhere"
    yield "Each synapse", f"{audit.sentence}. It needs {needs}."
    if over := idle(audit):
        yield "Declared for nothing", f"{listed(over)}: the audit finds no such dependence"
    yield "Labels", _labels(shown, own)
    yield "Data", _data(shown, own, study)
    yield "Most like", most_like(likenesses(beside, audit, own))
    yield "Settings", shown.settings
    seeds = sorted({seed for cell in own for seed in cell.seeds})
    where = listed([place.name for place in shown.places])
    yield "Trained on", f"grammar seeds {ranges(seeds) or 'none'} of {where}{shown.left}"


def _labels(shown: Shown, own: Sequence[Cell]) -> str:
    """Where labels enter, as the audit finds it, whatever the facts say."""
    found, declared = shown.asked.audit.found["labels"], shown.asked.rule.declared
    views = {cell.views for cell in own if cell.views}
    if not views:
        return "in the output's error" if found else "nowhere below the readout"
    said: dict[str, str] = {}
    for each in sorted(views):
        tier = label_tier(each, found, declared.top_context)
        said[short_views(",".join(each))] = TIERS[tier] if tier else NOT_RUN
    if len(set(said.values())) == 1:
        return f"{next(iter(said.values()))} (views: {'; '.join(said)})"
    return "; ".join(f"{words} (views: {views})" for views, words in said.items())


def _data(shown: Shown, own: Sequence[Cell], study: Study) -> str:
    """P* beside backprop's, on each kind where both are known; otherwise why they are not."""
    said: list[str] = []
    for place in shown.places:
        curves = [c for c in study.curves[place.kind] if any(cell in own for cell in c.cells)]
        best = study.best_curve(place.kind)
        if not curves or best is None:
            continue
        ratio = curves[0].beside(best)
        if ratio is None:
            continue
        bound = "more than " if ratio.at_least else "at most " if ratio.at_most else ""
        high = number(ratio.high) if np.isfinite(ratio.high) else "?"
        said.append(
            f"{bound}{number(ratio.value)} times backprop's [{number(ratio.low)}, {high}] on "
            f"{place.head}"
        )
    if said:
        return "; ".join(said)
    sizes = max((len({c.P for c in own if c.kind == p.kind}) for p in shown.places), default=0)
    if sizes < 3:
        return (
            "not measured: P* takes runs at three P or more of one kind, and the rule was run at "
            f"{sizes}"
        )
    return "not measured: P* of backprop is not known where the rule was run at three P"


def _kind(place: Place, own: Sequence[Cell], study: Study) -> tuple[str, ...]:
    here = [c for c in own if (c.kind, c.P) == (place.kind, place.P) and c.seeds]
    floor = random_features(study, place)
    backprop = study.backprop(place.kind, place.P)
    cell = here[0] if here else None
    levels = None if cell is None else levels_read(cell)
    return (
        place.name,
        NOT_RUN if cell is None else _counted(cell),
        NOT_RUN if cell is None else _error(cell),
        "not measured" if levels is None else f"{levels:g} of {place.kind.L}",
        NOT_RUN if backprop is None else _in_short(backprop, cell),
        NOT_RUN if floor is None else _in_short(floor, cell),
    )


def _counted(cell: Cell) -> str:
    """As ``3 of 20 (3–38%)``."""
    return count_said(share(cell)).replace(" grammars", "").replace("95% interval ", "")


def _in_short(reference: Cell, cell: Cell | None) -> str:
    hits, of, error = on_grammars(reference, cell)
    return f"{hits} of {of}, {error:.1%}" if of else NOT_RUN


def _error(cell: Cell) -> str:
    found = mean_of(cell.errors)
    if not (np.isfinite(found.low) and np.isfinite(found.high)):
        return f"{found.value:.1%} (one grammar)"
    return f"{found.value:.1%} [{max(0.0, found.low):.1%}, {min(1.0, found.high):.1%}]"


def _claims(shown: Shown, study: Study, audits: Audits, seeds: Sequence[int]) -> Iterator[ClaimRow]:
    """The claims about the rule's subfamily; the others in one row, with the reason."""
    kinds = {place.kind for place in shown.places}
    cells = [cell for cell in study.cells if cell.kind in kinds]
    facts = shown.asked.rule.facts
    own, others = own_claims(cells, audits, shown.name, facts.subfamily, seeds)
    yield from map(_claim_row, own)
    why = f"they are about other rules, and this one is {facts.subfamily}"
    if not facts.subfamily:
        known = " or ".join(shown.asked.subfamilies)
        why = f"the facts name no subfamily, as subfamily={known}" if known else why
    if others:
        yield ClaimRow(", ".join(others), "", "not asked", f"because {why}")


def _claim_row(claim: OwnClaim) -> ClaimRow:
    several = len(claim.endpoints) > 1
    said: list[str] = []
    for endpoint in claim.endpoints:
        parts = [_part(part) for part in endpoint.asked]
        if parts:
            about = endpoint.about.partition(", ")[2]
            said.append(f"{about}: {'; '.join(parts)}" if several and about else "; ".join(parts))
    if claim.why_not:
        why = "; ".join(dict.fromkeys(claim.why_not))
        said.append(f"because {why}" if claim.verdict == "not asked" else why)
    return ClaimRow(claim.number, claim.sentence, claim.verdict, ". ".join(said))


def _part(part: Part) -> str:
    """An endpoint on one kind of grammar: the numbers of the rule, which is the only entry."""
    words: list[str] = []
    for entry in part.entries:
        counted = count_said(entry.counted or entry.solved).replace("95% interval ", "")
        text = f"{counted}"
        if entry.estimate is not None:
            text = f"{number(entry.estimate.value)} times [{number(entry.estimate.low)}, "
            high = entry.estimate.high
            text += f"{number(high)}]" if np.isfinite(high) else "?]"
        words.append(f"{text}, {entry.note}" if entry.note else text)
    answer = {"yes": "yes", "no": "no", "mixed": "open"}[
        part.chance.answer() if part.chance else "mixed"
    ]
    size = f" P={part.P}" if part.P else ""
    return f"L={part.kind.L} m={part.kind.m}{size}: {answer} ({', '.join(words)})"

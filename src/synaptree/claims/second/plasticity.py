"""Claim 6: a form of a rule that is local, and that learns a hierarchy."""

from collections.abc import Mapping

from synaptree.audit.matrix import Audit
from synaptree.claims.first.locality import UNKNOWABLE
from synaptree.claims.second.base import SUBFAMILIES, Claim, not_asked, on_each_kind
from synaptree.claims.second.cells import Cell
from synaptree.claims.second.chance import CERTAINLY_NOT, OPEN, some
from synaptree.claims.second.layerwise import lowest_tier
from synaptree.claims.second.outcome import Endpoint, Entry, Part
from synaptree.claims.second.study import LEAST_DEPTH, Ground, Study, solves

THRESHOLDS = {
    # of what no synapse can know (UNKNOWABLE), how much is used
    "unknowable_at_most": 0,
    # other objects of a batch that are heard at once: one can be the one before
    "other_inputs_at_most": 1,
    # levels that the kind leaves to learn
    "depth_at_least": LEAST_DEPTH,
}


def collect(study: Study, limits: Mapping[str, float]) -> list[Endpoint]:
    """An endpoint for each subfamily: one form both passes the audit and solves.

    A form is a rule with its options, views, connectivity and batch; what passes and what solves
    must be the same one.
    """
    return [
        Endpoint(subfamily, on_each_kind(study, _part, subfamily, limits))
        for subfamily in SUBFAMILIES
    ]


def _part(study: Study, ground: Ground, subfamily: str, limits: Mapping[str, float]) -> Part:
    where = f"{ground.kind.name} P={ground.P}"
    cells = [c for c in study.of(ground.kind, ground.P) if c.subfamily == subfamily]
    if not cells:
        return not_asked(ground, f"no {subfamily} rule was run on {where}")
    deep = [c for c in cells if c.depth is not None and c.depth >= limits["depth_at_least"]]
    if not deep:
        unknown = any(c.depth is None for c in cells)
        why = "is not known: no readout_only run of the same network" if unknown else "is below 2"
        return not_asked(ground, f"the effective depth of {where} {why}")
    entries = [_entry(cell, study, limits) for cell in deep]
    missing = tuple(e.note for e in entries if e.note.startswith("no audit"))
    reference = None if ground.backprop is None else solves(ground.backprop)
    chance = some(entry.chance for entry in entries)
    return Part(
        *(ground.kind, chance, entries, ground.P, ground.depth, reference, missing),
        nature=lowest_tier(entries),
    )


def _entry(cell: Cell, study: Study, limits: Mapping[str, float]) -> Entry:
    audit = study.audits.get((cell.rule, cell.options))
    if audit is None:
        return Entry(cell, OPEN, note=f"no audit of {cell.label}")
    if why := not_local(cell, audit, limits):
        return Entry(cell, CERTAINLY_NOT, note=why)
    return solves(cell, note="local")


def not_local(cell: Cell, audit: Audit, limits: Mapping[str, float] = THRESHOLDS) -> str:
    """What a form uses that no synapse can know; empty where there is nothing."""
    used = [key for key in UNKNOWABLE if audit.needs[key] not in ("no", "none")]
    why = [f"uses {', '.join(used)}"] if len(used) > limits["unknowable_at_most"] else []
    if (count := heard(cell, audit)) > limits["other_inputs_at_most"]:
        why.append(f"hears {count} other objects at once")
    # A weight that is the same at every position learns from the activity at all of them.
    if cell.setting("connectivity") == "shared" and cell.kind.L > 1:
        why.append("shares its weights between positions")
    return ", ".join(why)


def heard(cell: Cell, audit: Audit) -> int:
    """How many other objects of its batch a cell's rule hears at once.

    The audit has a batch of a few objects. A rule that hears all the others there hears all the
    others in the cell's batch; one that hears some of them hears no more here.
    """
    matter, of = audit.others
    others = max(0, cell.objects - 1)
    return others if of and matter == of else min(matter, others)


CLAIM = Claim(
    "6",
    "Plasticity can be local: one form of a rule uses nothing that a synapse cannot know, and "
    "solves",
    THRESHOLDS,
    collect,
)

"""Claim 3: layerwise self-supervised rules succeed, contrastive ones and others."""

from collections.abc import Mapping, Sequence

from synaptree.claims.second.base import SUBFAMILIES, Claim, not_asked, on_each_kind
from synaptree.claims.second.cells import Cell
from synaptree.claims.second.chance import some
from synaptree.claims.second.outcome import Endpoint, Entry, Part
from synaptree.claims.second.study import Ground, Study, solves

THRESHOLDS = {
    # of backprop's inputs, all views counted, at most
    "budget_at_most_times": 1,
}
TIERS = ("T0", "T1", "T2")


def collect(study: Study, limits: Mapping[str, float]) -> list[Endpoint]:
    """An endpoint for each subfamily: at least one of its rules solves every kind.

    Each label tier is described by itself beside it.
    """
    endpoints: list[Endpoint] = []
    for subfamily in SUBFAMILIES:
        parts = on_each_kind(study, _part, subfamily, limits, TIERS)
        endpoints.append(Endpoint(subfamily, parts))
        for tier in TIERS:
            parts = on_each_kind(study, _part, subfamily, limits, (tier,))
            endpoints.append(Endpoint(f"{subfamily}, {tier}", parts, primary=False))
    return endpoints


def layerwise(study: Study, ground: Ground, subfamily: str, most: float) -> list[Cell]:
    """The cells of a subfamily at the P where rules are compared, within backprop's budget."""
    own = [c for c in study.of(ground.kind, ground.P) if c.subfamily == subfamily]
    return study.at_budget(ground, own, most)


def _part(
    study: Study,
    ground: Ground,
    subfamily: str,
    limits: Mapping[str, float],
    tiers: Sequence[str],
) -> Part:
    cells = layerwise(study, ground, subfamily, limits["budget_at_most_times"])
    entries = [solves(cell) for cell in cells if cell.tier in tiers]
    if not entries:
        where = f"{ground.kind.name} P={ground.P}"
        return not_asked(
            ground, f"no {subfamily} rule in {', '.join(tiers)} within backprop's budget on {where}"
        )
    reference = None if ground.backprop is None else solves(ground.backprop)
    chance = some(entry.chance for entry in entries)
    nature = lowest_tier(entries)
    return Part(ground.kind, chance, entries, ground.P, ground.depth, reference, nature=nature)


def lowest_tier(entries: Sequence[Entry]) -> str:
    """The lowest label tier in which a rule, by itself, answers yes; empty where none does."""
    return min((str(e.cell.tier) for e in entries if e.answer == "yes"), default="")


CLAIM = Claim(
    "3",
    "Layerwise self-supervised rules succeed: at least one contrastive and one non-contrastive "
    "rule solve",
    THRESHOLDS,
    collect,
)

"""Claim 2c: true masks are enough, with random feedback weights (feedback alignment)."""

from collections.abc import Mapping

from synaptree.claims.second.base import Claim, not_asked, on_each_kind
from synaptree.claims.second.chance import some
from synaptree.claims.second.outcome import Endpoint, Part
from synaptree.claims.second.study import Ground, Study, solves
from synaptree.claims.second.weights_and_masks import corner

THRESHOLDS = {
    # of backprop's inputs, at most
    "budget_at_most_times": 1,
}


def collect(study: Study, limits: Mapping[str, float]) -> list[Endpoint]:
    """One endpoint: random weights with true masks solve every kind."""
    return [Endpoint("random weights, true masks", on_each_kind(study, _part, limits))]


def _part(study: Study, ground: Ground, limits: Mapping[str, float]) -> Part:
    those = [c for c in study.of(ground.kind, ground.P) if corner(c) == ("random", "true")]
    entries = [solves(c) for c in study.at_budget(ground, those, limits["budget_at_most_times"])]
    if not entries:
        where = f"{ground.kind.name} P={ground.P}"
        return not_asked(ground, f"no run of random weights with true masks on {where}")
    reference = None if ground.backprop is None else solves(ground.backprop)
    # One set of settings that solves is enough.
    chance = some(entry.chance for entry in entries)
    return Part(ground.kind, chance, entries, ground.P, ground.depth, reference)


CLAIM = Claim(
    "2c",
    "Masks are sufficient: random feedback weights with the true masks of each input solve",
    THRESHOLDS,
    collect,
)

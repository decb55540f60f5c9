"""Claim 5: layer l holds the features of level l, as much as under backprop."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from synaptree.analysis.paired import mean_of
from synaptree.claims.second.base import SUBFAMILIES, Claim, not_asked, on_each_kind
from synaptree.claims.second.cells import Cell
from synaptree.claims.second.chance import Share, some
from synaptree.claims.second.layerwise import layerwise, lowest_tier
from synaptree.claims.second.outcome import Endpoint, Entry, Part
from synaptree.claims.second.study import Ground, Study, share, solves

THRESHOLDS = {
    # level l read from layer l, for each l < L: below backprop's accuracy by at most
    "probe_below_by_at_most": 0.01,
    # layer l moved by exchanges of synonyms below level l, for each l > 1: above backprop's by at
    # most
    "sensitivity_above_by_at_most": 0.10,
    # of backprop's inputs, at most
    "budget_at_most_times": 1,
}
Array = NDArray[np.float64]


def collect(study: Study, limits: Mapping[str, float]) -> list[Endpoint]:
    """An endpoint for each subfamily: at least one rule that solves a kind finds its hierarchy.

    A rule finds it where it does so on more than half of the grammars that backprop solves.
    """
    return [
        Endpoint(subfamily, on_each_kind(study, _part, subfamily, limits))
        for subfamily in SUBFAMILIES
    ]


def _part(study: Study, ground: Ground, subfamily: str, limits: Mapping[str, float]) -> Part:
    backprop = ground.backprop
    assert backprop is not None
    cells = layerwise(study, ground, subfamily, limits["budget_at_most_times"])
    solving = [cell for cell in cells if share(cell).answer == "yes"]
    where = f"{ground.kind.name} P={ground.P}"
    if not solving:
        what = "solves" if cells else "was run on"
        return not_asked(ground, f"no {subfamily} rule {what} {where}")
    if ground.kind.L < 2:
        return not_asked(ground, f"{where} has no level below the class")
    if backprop.probe is None or np.isnan(backprop.probe).all():
        return not_asked(ground, f"backprop has no probes on {where}")
    probed = [c for c in solving if c.probe is not None and not np.isnan(c.probe).all()]
    entries = [_entry(cell, backprop, limits) for cell in probed]
    if not entries:
        return not_asked(ground, f"no {subfamily} rule has probes on {where}")
    chance = some(entry.chance for entry in entries)
    nature = lowest_tier(entries)
    return Part(
        *(ground.kind, chance, entries, ground.P, ground.depth, solves(backprop)), nature=nature
    )


def _entry(cell: Cell, backprop: Cell, limits: Mapping[str, float]) -> Entry:
    """On how many grammars that backprop solves every layer holds its level as backprop's does."""
    solved = [s for s, yes in zip(backprop.seeds, backprop.solved, strict=True) if yes]
    seeds = sorted(set(cell.seeds) & set(solved))
    own, other = (np.isin(c.seeds, seeds) for c in (cell, backprop))
    lost = levels_lost(cell, own, backprop, other)
    moved = moved_more(cell, own, backprop, other)
    read = (lost <= limits["probe_below_by_at_most"]).all(1)
    still = (moved <= limits["sensitivity_above_by_at_most"]).all(1)
    counted = Share(int((read & still).sum()), len(seeds))
    others = {
        "probe below backprop's": mean_of(lost.max(1)),
        "sensitivity above backprop's": mean_of(moved.max(1)),
        "share with probes": mean_of(read.astype(float)),
        "share with sensitivity": mean_of(still.astype(float)),
    }
    return Entry(cell, counted.chance, counted=counted, others=others if seeds else {})


def levels_lost(
    cell: Cell, own: NDArray[np.bool_], backprop: Cell, other: NDArray[np.bool_]
) -> Array:
    """Backprop's accuracy − the rule's, of level l from layer l, (grammars, L − 1).

    NaN, which is within no bound, where a network diverged.
    """
    assert cell.probe is not None
    assert backprop.probe is not None
    read = [
        np.diagonal(probe[rows], axis1=1, axis2=2)[:, :-1]
        for probe, rows in ((cell.probe, own), (backprop.probe, other))
    ]
    return read[1] - read[0]


def moved_more(
    cell: Cell, own: NDArray[np.bool_], backprop: Cell, other: NDArray[np.bool_]
) -> Array:
    """The rule's sensitivity − backprop's, of layer l to levels below l, (grammars, L − 1)."""
    return below(cell)[own] - below(backprop)[other]


def below(cell: Cell) -> Array:
    """How far layer l = 2..L is moved by synonyms below level l, a mean over these levels."""
    moved = cell.sensitivity
    if moved is None:
        return np.full((len(cell.seeds), cell.kind.L - 1), np.nan)
    return np.stack([moved[:, l - 1, : l - 1].mean(1) for l in range(2, cell.kind.L + 1)], 1)


CLAIM = Claim(
    "5",
    "The hidden hierarchy is found: layer l holds the features of level l as under backprop",
    THRESHOLDS,
    collect,
)

"""Claim 4a: layerwise rules need no more data than backprop."""

from collections.abc import Callable, Mapping

from synaptree.claims.second.base import SUBFAMILIES, Claim
from synaptree.claims.second.cells import Cell, Kind
from synaptree.claims.second.chance import OPEN, Chance, some
from synaptree.claims.second.layerwise import lowest_tier
from synaptree.claims.second.outcome import Endpoint, Entry, Part
from synaptree.claims.second.study import Curve, Study, solves

THRESHOLDS = {
    # P*(rule) / P*(backprop): the ratio's upper bound
    "ratio_at_most": 1.5,
}
# Backprop as the RHM's authors train it: arXiv 2307.02129 and the code that belongs to it.
AUTHORS = {
    "optimizer": "sgd",
    "parametrisation": "mean_field",
    "lr_schedule": "constant",
    "weight_decay": 0.0,
    "validation": 0.0,
}


def is_authors(cell: Cell) -> bool:
    """Whether a cell is backprop with the recipe of the RHM's authors, who stop at a loss."""
    alike = all(cell.setting(name) == value for name, value in AUTHORS.items())
    return alike and cell.setting("stop_loss") > 0


REFERENCES: Mapping[str, Callable[[Study, Kind], Curve | None]] = {
    "the RHM authors' recipe": lambda study, kind: study.best_curve(
        kind, [curve for curve in study.curves[kind] if is_authors(curve.last)]
    ),
    "backprop at its best": lambda study, kind: study.best_curve(kind),
}


def collect(study: Study, limits: Mapping[str, float]) -> list[Endpoint]:
    """An endpoint for each reference and subfamily: at least one rule needs no more data."""
    most = limits["ratio_at_most"]
    return [
        Endpoint(
            f"{subfamily}, against {name}",
            [
                beside(study, kind, find(study, kind), f"{name} has no P*", subfamily, most)
                for kind in study.kinds
            ],
        )
        for name, find in REFERENCES.items()
        for subfamily in SUBFAMILIES
    ]


def beside(
    study: Study,
    kind: Kind,
    reference: Curve | None,
    why: str,
    subfamily: str,
    below: float,
    wanted: Callable[[Cell], bool] | None = None,
) -> Part:
    """The part of "at least one rule of the subfamily has a P* below so many times another"."""
    depth = study.grounds[kind].depth
    if reference is None:
        return Part(kind, None, depth=depth, lacking=(f"{why} on {kind.name}",))
    own = [c for c in study.curves[kind] if c.last.subfamily == subfamily]
    own = [curve for curve in own if wanted is None or wanted(curve.last)]
    entries = [_entry(curve, reference, below) for curve in own]
    if not entries:
        lacking = f"no data curve of a {subfamily} rule on {kind.name}"
        return Part(kind, None, depth=depth, reference=solves(reference.last), lacking=(lacking,))
    return Part(
        kind,
        some(entry.chance for entry in entries),
        entries,
        depth=depth,
        reference=solves(reference.last),
        nature=lowest_tier(entries),
    )


def _entry(curve: Curve, reference: Curve, below: float) -> Entry:
    ratio = curve.beside(reference)
    if ratio is None:
        return Entry(curve.last, OPEN, note="no grammar in common with backprop")
    return Entry(curve.last, Chance(ratio.below(below), ratio.above(below)), ratio)


CLAIM = Claim("4a", "Layerwise rules need no more data than backprop", THRESHOLDS, collect)

"""Claim 4b: in deep trees layerwise rules need less data than backprop."""

from collections.abc import Mapping

from synaptree.claims.second.base import SUBFAMILIES, Claim
from synaptree.claims.second.cells import Cell
from synaptree.claims.second.data import beside
from synaptree.claims.second.outcome import Endpoint
from synaptree.claims.second.study import Study

THRESHOLDS = {
    # P*(rule) / P*(backprop at its best): the ratio's upper bound
    "ratio_below": 1,
    # of the kinds of grammar that are asked
    "m": 4,
    "L_at_least": 5,
}


def siblings_below(cell: Cell) -> bool:
    """Whether layers below the top compare siblings, and the top one inputs of a class (T1)."""
    return cell.tier == "T1" and all(view == "sibling" for view in cell.views[:-1])


def collect(study: Study, limits: Mapping[str, float]) -> list[Endpoint]:
    """An endpoint for each subfamily: at least one rule needs less data in every deep kind."""
    deep = [k for k in study.kinds if k.m == limits["m"] and limits["L_at_least"] <= k.L]
    lacking = () if deep else (f"no kind with m={limits['m']:g} and L ≥ {limits['L_at_least']:g}",)
    return [
        Endpoint(
            subfamily,
            [
                beside(
                    *(study, kind, study.best_curve(kind), "backprop at its best has no P*"),
                    *(subfamily, limits["ratio_below"], siblings_below),
                )
                for kind in deep
            ],
            lacking=lacking,
        )
        for subfamily in SUBFAMILIES
    ]


CLAIM = Claim(
    "4b",
    "In deep trees layerwise rules that compare siblings need less data than backprop",
    THRESHOLDS,
    collect,
)

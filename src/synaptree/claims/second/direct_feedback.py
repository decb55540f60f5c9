"""Claim 1a: direct feedback fails at backprop's budget, with four times the data it needs."""

from collections.abc import Mapping

from synaptree.claims.second.base import Claim, not_asked, on_each_kind
from synaptree.claims.second.cells import Cell, options_of
from synaptree.claims.second.chance import Chance, every
from synaptree.claims.second.outcome import Endpoint, Entry, Part
from synaptree.claims.second.study import SAME, Ground, Study, share, solves, solves_said

THRESHOLDS = {
    # of backprop's P*, or of the least P at which it solves the kind where it has no data curve
    "data_at_least_times": 4,
    # of backprop's inputs, at least and at most
    "budget_times": 1,
}
FAMILIES = (
    "fixed direct feedback",
    "learned direct feedback",
    "perturbation",
    "vector units",
)
# The gradient of the network of vector units, in place of its rule.
OWN_GRADIENT = ("global_error_vector", "signal", "gradient")


def collect(study: Study, limits: Mapping[str, float]) -> list[Endpoint]:
    """An endpoint for each family: every rule of it fails on every kind."""
    return [Endpoint(family, on_each_kind(study, _part, family, limits)) for family in FAMILIES]


def is_own_gradient(cell: Cell) -> bool:
    """Whether the cell trains the network of vector units by its gradient."""
    rule, option, value = OWN_GRADIENT
    return cell.rule == rule and options_of(cell).get(option) == value


def _part(study: Study, ground: Ground, family: str, limits: Mapping[str, float]) -> Part:
    if family == "vector units" and (why := _why_no_vectors(study, ground)):
        return not_asked(ground, why)
    least = limits["data_at_least_times"] * study.backprop_needs(ground.kind)
    forms: dict[tuple[str, str, str], list[Cell]] = {}
    lacking: list[str] = []
    for cell in study.of(ground.kind):
        if cell.subfamily == family and not is_own_gradient(cell):
            forms.setdefault(cell.form, []).append(cell)
    entries: list[Entry] = []
    for of_form in forms.values():
        much = [c for c in of_form if least * (1 - SAME) <= c.P]
        equal = [c for c in much if _equal_budget(study, c, limits["budget_times"])]
        if not equal:
            what = "data" if not much else "budget"
            lacking.append(
                f"{of_form[0].label} on {ground.kind.name}: no run at P of {least:.0f} or more "
                f"with backprop's budget ({what})"
            )
            continue
        P = min(cell.P for cell in equal)
        entries += [solves(cell) for cell in equal if cell.P == P]
    if not entries:
        return not_asked(ground, *(lacking or [f"no {family} on {ground.kind.name}"]))
    fails = [Entry(e.cell, Chance(e.chance.no, e.chance.yes)) for e in entries]
    reference = None if ground.backprop is None else solves(ground.backprop)
    return Part(
        ground.kind,
        every(entry.chance for entry in fails),
        fails,
        min(entry.cell.P for entry in fails),
        ground.depth,
        reference,
        tuple(lacking),
    )


def _equal_budget(study: Study, cell: Cell, times: float) -> bool:
    """Whether a cell has the budget of backprop, which solves the kind at the same P."""
    backprop = study.backprop(cell.kind, cell.P)
    if backprop is None or share(backprop).answer != "yes":
        return False
    return abs(cell.inputs / (times * backprop.inputs) - 1) <= SAME


def _why_no_vectors(study: Study, ground: Ground) -> str:
    """Why vector units are not judged: their network must be able to learn the kind."""
    own = [cell for cell in study.of(ground.kind) if is_own_gradient(cell)]
    if not own:
        return f"the gradient of vector units was not run on {ground.kind.name}"
    if all(share(cell).answer != "yes" for cell in own):
        best = max(own, key=lambda cell: share(cell).hits)
        return f"the gradient of vector units {solves_said(best)} on {ground.kind.name}"
    return ""


CLAIM = Claim(
    "1a",
    "Direct feedback fails where backprop succeeds, at the same budget and with four times the "
    "data that backprop needs",
    THRESHOLDS,
    collect,
)

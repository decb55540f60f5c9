"""Claim 2a: masks are worth more where the weights are right."""

from collections.abc import Mapping, Sequence
from itertools import product

from synaptree.analysis.paired import mean_of, share_of
from synaptree.claims.second.base import Claim, not_asked, on_each_kind
from synaptree.claims.second.cells import Cell, options_of
from synaptree.claims.second.chance import OPEN, Chance, every
from synaptree.claims.second.outcome import Endpoint, Entry, Part
from synaptree.claims.second.study import Ground, Study, solves
from synaptree.training.solved import chance_error

THRESHOLDS = {
    # error that true masks save with backprop's weights − that they save with random weights: the
    # lower bound
    "interaction_above": 0.05,
    # of backprop's inputs, at least and at most: each corner is tuned at the same budget
    "budget_times": 1,
}
Corner = tuple[str, str]  # weights and masks
CORNERS: tuple[Corner, ...] = (
    ("W", "true"),
    ("W", "none"),
    ("random", "true"),
    ("random", "none"),
)
# Rules that are a corner of the laboratory under another name.
NAMED: Mapping[str, Corner] = {"backprop": ("W", "true"), "feedback_alignment": ("random", "true")}
WEIGHTS = {"transpose": "W", "random": "random"}


def corner(cell: Cell) -> Corner | None:
    """Which feedback weights and masks a cell's rule has; None for any other rule."""
    options = options_of(cell)
    if cell.source:
        return None
    if cell.rule in NAMED:
        return NAMED[cell.rule]
    if cell.rule == "symmetric_direct" and options.get("feedback", "weights") == "weights":
        return "W", "none"
    if cell.rule != "masking" or options.get("own_gate", True) is not True:
        return None
    found = WEIGHTS.get(options.get("weights", "transpose"), ""), options.get("masks", "none")
    return found if found in CORNERS else None


def collect(study: Study, limits: Mapping[str, float]) -> list[Endpoint]:
    """One endpoint: the interaction of weights and masks on every kind."""
    return [Endpoint("interaction", on_each_kind(study, _part, limits))]


def _part(study: Study, ground: Ground, limits: Mapping[str, float]) -> Part:
    times = limits["budget_times"]
    equal = study.at_budget(ground, study.of(ground.kind, ground.P), times, times)
    at = {each: [cell for cell in equal if corner(cell) == each] for each in CORNERS}
    if missing := [each for each in CORNERS if not at[each]]:
        words = ", ".join(f"{weights} weights with {masks} masks" for weights, masks in missing)
        return not_asked(ground, f"no run with {words} on {ground.kind.name} P={ground.P}")
    # Where a corner was run in several settings, the statement must be right with each of them.
    entries = [_entry(four, limits["interaction_above"]) for four in product(*at.values())]
    reference = None if ground.backprop is None else solves(ground.backprop)
    chance = every(entry.chance for entry in entries)
    return Part(ground.kind, chance, entries, ground.P, ground.depth, reference)


def _entry(cells: Sequence[Cell], above: float) -> Entry:
    """The interaction of four cells, in the order of `CORNERS`, and the Shapley shares."""
    seeds = sorted(set.intersection(*(set(cell.seeds) for cell in cells)))
    if not seeds:
        return Entry(cells[1], OPEN, note="no grammar in common")
    both, weights, masks, neither = (cell.errors_on(seeds) for cell in cells)
    guess = chance_error(cells[0].kind.n)
    interaction = mean_of((weights - both) - (neither - masks), farthest=guess)
    whole = neither - both
    # What each adds to the other one and by itself, in halves.
    of_weights = ((neither - weights) + (masks - both)) / 2
    others = {
        "weights": mean_of(of_weights),
        "masks": mean_of(whole - of_weights),
        "share of weights": share_of(of_weights, whole),
        "share of masks": share_of(whole - of_weights, whole),
        **{f"{w} weights, {m} masks": mean_of(c.errors) for (w, m), c in _named(cells)},
    }
    chance = Chance(interaction.above(above), interaction.below(above))
    return Entry(cells[1], chance, interaction, others=others)


def _named(cells: Sequence[Cell]) -> list[tuple[Corner, Cell]]:
    return list(zip(CORNERS, cells, strict=True))


CLAIM = Claim(
    "2a",
    "The masks of the layers above are worth more where the feedback weights are right",
    THRESHOLDS,
    collect,
)

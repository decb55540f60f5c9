"""Each claim of the second registration in worlds where it is true, false and undecided.

Wrong verdicts are at most 5% of the draws of each world, and clear worlds are mostly decided.
"""

from functools import partial

import numpy as np
import pytest
from worlds import (
    DEEP,
    DEEPER,
    UNIFORM,
    audit,
    backprop,
    cell,
    corners,
    curves,
    portrait,
    solver,
)

from synaptree.claims import second
from synaptree.claims.second.base import judge_study
from synaptree.claims.second.study import Study

DRAWS = 1000
CLAIMS = {claim.number: claim for claim in second.CLAIMS}
CONTRASTIVE, OTHER = ("clapp", "infonce"), ("lpl", "vicreg")
LOCAL = {"connectivity": "local", "batch": 4, "steps_asked": 96000}
AUDITS = {**audit("clapp", heard=1), **audit("infonce", heard=5), **audit("lpl", heard=0)}


def fixed_feedback(chances, rng):
    """Claim 1a: backprop needs a quarter of the P that rules are compared at."""
    cells = [backprop(rng, kind, P=P) for kind in (UNIFORM, DEEP) for P in (16384, 65536)]
    for kind in (UNIFORM, DEEP):
        for rule, chance in zip(("dfa", "drtp", "pepita"), chances, strict=True):
            cells.append(solver(rng, rule, chance, kind))
    return cells


def appetite(ratio, rng):
    return curves(rng, {"backprop": 8192, "dfa": 8192 * ratio})


def never(rng):
    """A rule that no amount of data helps."""
    far = [cell("dfa", rng.uniform(0.5, 0.8, 20), P=P) for P in (16384, 65536, 131072)]
    return curves(rng, {"backprop": 8192}) + far


def unmasked(chance, rng):
    wide = {"steps_asked": 15000, "width": 256}
    long = [
        solver(rng, "symmetric_direct", chance, settings=s) for s in ({"steps_asked": 15000}, wide)
    ]
    return [backprop(rng), *long]


def feedback_alignment(chance, rng):
    return [backprop(rng, kind) for kind in (UNIFORM, DEEP)] + [
        solver(rng, "feedback_alignment", chance, kind) for kind in (UNIFORM, DEEP)
    ]


def layerwise(contrastive, other, rng):
    pairs = [*zip(CONTRASTIVE, contrastive, strict=True), *zip(OTHER, other, strict=True)]
    return [backprop(rng), *(solver(rng, rule, chance) for rule, chance in pairs)]


def data(ratios, rng, kind=DEEP):
    """Claim 4: P* of a contrastive and of another rule, beside backprop's."""
    clapp, lpl = ratios
    # Steps of 1.5, so that interpolation between sizes favours no rule at that ratio.
    sizes = [round(16384 * 1.5**step) for step in range(-4, 5)]
    needs = {"backprop": 16384, "clapp": 16384 * clapp, "lpl": 16384 * lpl}
    return curves(rng, needs, kind, sizes)


def authors_data(ratios, rng):
    """The same with the reference of the RHM's authors alone."""
    recipe = {"optimizer": "sgd", "parametrisation": "mean_field", "stop_loss": 1e-3}
    cells = data(ratios, rng)
    for each in cells:
        if each.rule == "backprop":
            each.settings.update(recipe)
    return cells


def hierarchy(found, rng):
    rules = [solver(rng, rule, 1.0) for rule in ("clapp", "infonce", "lpl")]
    return [portrait(rng, backprop(rng), 1.0), *(portrait(rng, rule, found) for rule in rules)]


def plasticity(chance, rng):
    forms = [solver(rng, rule, chance, settings=LOCAL) for rule in ("clapp", "lpl")]
    return [backprop(rng), *forms, solver(rng, "infonce", 1.0, settings=LOCAL | {"batch": 128})]


# Claim, whether it is right, the world, and the least share of draws in which that is found.
WORLDS = {
    "1a true": ("1a", True, partial(fixed_feedback, (0.02, 0.02, 0.02)), 0.95),
    "1a false": ("1a", False, partial(fixed_feedback, (0.02, 0.02, 0.97)), 0.95),
    "1a undecided": ("1a", None, partial(fixed_feedback, (0.02, 0.5, 0.02)), 0.95),
    "1b true": ("1b", True, partial(appetite, 6), 0.95),
    "1b never": ("1b", True, never, 0.95),
    "1b false": ("1b", False, partial(appetite, 1.2), 0.95),
    "1b undecided": ("1b", None, partial(appetite, 2), 0.95),
    "2a true": ("2a", True, partial(corners, effect=0.6, chance=0.7), 0.95),
    # What masks save with the right weights is less than what they save with random ones.
    "2a false": ("2a", False, lambda rng: _substitutes(rng), 0.95),
    "2a undecided": ("2a", None, partial(corners, effect=0.05, chance=1.0), 0.95),
    "2a undecided, rare": ("2a", None, partial(corners, effect=0.6, chance=1 / 12), 0.95),
    "2b true": ("2b", True, partial(unmasked, 0.03), 0.95),
    "2b false": ("2b", False, partial(unmasked, 0.97), 0.95),
    "2b undecided": ("2b", None, partial(unmasked, 0.5), 0.95),
    "2c true": ("2c", True, partial(feedback_alignment, 0.97), 0.95),
    "2c false": ("2c", False, partial(feedback_alignment, 0.03), 0.95),
    "2c undecided": ("2c", None, partial(feedback_alignment, 0.5), 0.95),
    "3 true": ("3", True, partial(layerwise, (0.97, 0.1), (0.97, 0.5)), 0.95),
    "3 false": ("3", False, partial(layerwise, (0.05, 0.05), (0.05, 0.05)), 0.95),
    "3 undecided": ("3", None, partial(layerwise, (0.5, 0.02), (0.5, 0.5)), 0.95),
    "4a true": ("4a", True, partial(data, (1.0, 1.0)), 0.95),
    "4a true, authors": ("4a", True, partial(authors_data, (0.9, 0.9)), 0.95),
    "4a false": ("4a", False, partial(data, (3.0, 2.5)), 0.95),
    "4a undecided": ("4a", None, partial(data, (1.5, 1.5)), 0.95),
    "4b true": ("4b", True, partial(data, (0.5, 0.4), kind=DEEPER), 0.95),
    "4b false": ("4b", False, partial(data, (2.0, 3.0), kind=DEEPER), 0.95),
    "4b undecided": ("4b", None, partial(data, (1.0, 1.0), kind=DEEPER), 0.95),
    "5 true": ("5", True, partial(hierarchy, 0.97), 0.95),
    "5 false": ("5", False, partial(hierarchy, 0.03), 0.95),
    "5 undecided": ("5", None, partial(hierarchy, 0.5), 0.95),
    "6 true": ("6", True, partial(plasticity, 0.97), 0.95),
    "6 false": ("6", False, partial(plasticity, 0.03), 0.95),
    "6 undecided": ("6", None, partial(plasticity, 0.5), 0.95),
}
RIGHT = {True: {"holds"}, False: {"fails"}, None: {"mixed"}}
WRONG = {
    True: {"fails"},
    False: {"holds", "holds within"},
    None: {"holds", "holds within", "fails"},
}


def _substitutes(rng):
    """Either right weights or true masks are enough."""
    cells = corners(rng, 0.0, 1.0)
    cells[2] = cell("feedback_alignment", rng.uniform(0, 0.02, 20))
    return cells


@pytest.mark.parametrize("name", WORLDS)
def test_verdicts_are_rarely_wrong(name):
    number, truth, world, power = WORLDS[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    wrong = right = 0
    for _ in range(DRAWS):
        (outcome,) = judge_study(Study(world(rng), AUDITS), [CLAIMS[number]])
        verdicts = {e.verdict for e in outcome.primary if e.asked}
        assert verdicts
        wrong += bool(verdicts & WRONG[truth])
        right += verdicts <= RIGHT[truth]
    assert wrong <= 0.05 * DRAWS, f"{wrong} wrong of {DRAWS}"
    assert right >= power * DRAWS, f"{right} right of {DRAWS}"

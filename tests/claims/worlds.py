"""Synthetic worlds: cells of rules that solve a grammar with a given probability, and P* laws.

A world is a function of a random generator that returns cells. `frame_of` writes cells as the rows
of a frame, as `load` would give them.
"""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from synaptree import rules
from synaptree.audit.matrix import Audit
from synaptree.audit.quantities import QUANTITIES
from synaptree.claims.second.cells import Cell, Kind
from synaptree.rules.facts import label_tier

DEEP = Kind(8, 8, 6, 2, 4)
UNIFORM = Kind(8, 8, 8, 2, 3)
DEEPER = Kind(8, 8, 4, 2, 5)
SEEDS = tuple(range(200, 220))
SIZES = (2048, 4096, 8192, 16384, 32768, 65536, 131072)
PLAIN = 65536
BUDGET = {"steps_asked": 3000, "batch": 128, "width": 128}
SIBLINGS, OF_CLASS = "sibling", "same_class"


@cache
def _known(rule, options):
    return rules.rule_class(rule).facts, rules.get(rule, **dict(options)).label


def cell(rule, errors, kind=DEEP, P=PLAIN, views=(), depth=3, seeds=SEEDS, settings=None,
         **options):  # fmt: skip
    """A cell of a rule of the package with these errors."""
    facts, label = _known(rule, tuple(options.items()))
    if not views and facts.family == "layerwise":
        views = (SIBLINGS,) * (kind.L - 1) + (OF_CLASS,)
    own = BUDGET | (settings or {})
    extra = [f"{name}={value}" for name, value in own.items() if BUDGET.get(name) != value]
    return Cell(
        kind=kind,
        P=P,
        rule=rule,
        label=", ".join([label, " ".join(extra)]) if extra else label,
        seeds=tuple(seeds),
        errors=np.array(errors, float),
        options=json.dumps(options),
        family=facts.family,
        subfamily=facts.subfamily,
        views=tuple(views),
        tier=label_tier(tuple(views)),
        depth=depth,
        settings=own,
    )


def bimodal(rng, chance, n=20):
    """Errors of a rule that solves a grammar with this probability, and is far off otherwise."""
    solved = rng.random(n) < chance
    return np.where(solved, rng.uniform(0, 0.02, n), rng.uniform(0.3, 0.875, n))


def solver(rng, rule, chance, kind=DEEP, **given):
    """A rule that solves a grammar with this probability."""
    n = len(given.get("seeds", SEEDS))
    return cell(rule, bimodal(rng, chance, n), kind, **given)


def backprop(rng, kind=DEEP, **given):
    """Backprop, which solves."""
    return solver(rng, "backprop", 1.0, kind, **given)


def curves(rng, needs, kind=DEEP, sizes=SIZES, spread=0.25, own=0.15, seeds=SEEDS):
    """Data curves of rules by name: P* is what `needs` says, up to what grammars differ by.

    Every grammar has an ease of its own, which all rules share, and each rule luck beside it; so
    the mean curves of two rules differ by the ratio of their needs alone.
    """
    ease = rng.normal(0, spread, len(seeds))
    found = []
    for rule, need in needs.items():
        at = need * np.exp(ease + rng.normal(0, own, len(seeds)))
        for P in sizes:
            errors = 0.875 / (1 + 9 * (P / at) ** 3)
            found.append(cell(rule, errors, kind, P, seeds=seeds))
    return found


def corners(rng, effect, chance, kind=DEEP):
    """The four corners of weights and masks; missing masks do harm where the weights are right.

    effect: the error that they cost on a grammar, with this chance.
    """
    n = len(SEEDS)
    harm = np.where(rng.random(n) < chance, effect, 0.0)
    far = rng.uniform(0.6, 0.8, n)
    return [
        cell("backprop", np.zeros(n), kind),
        cell("masking", np.clip(harm + rng.normal(0, 0.01, n), 0, 1), kind, masks="none"),
        cell("feedback_alignment", far, kind),
        cell("masking", far + rng.normal(0, 0.02, n), kind, weights="random", masks="none"),
    ]


def portrait(rng, those, found, shift=0.1):
    """The cell with probes and sensitivities; it finds a grammar's hierarchy with this chance."""
    L, n = those.kind.L, len(those.seeds)
    yes = rng.random(n) < found
    probe = np.tile(np.eye(L) * 0.999, (n, 1, 1)) - rng.uniform(0, 0.002, (n, 1, 1))
    probe[~yes, 1, 1] -= shift
    moved = np.full((n, L, L), 0.2) + rng.uniform(0, 0.01, (n, L, L))
    return replace(those, probe=probe, sensitivity=moved)


def audit(rule, heard=0, of=5, used=(), **options):
    """A made-up audit: what the rule uses, and how many other inputs it hears."""
    needs = {q.key: "yes" if q.key in used else "no" for q in QUANTITIES}
    label = rules.get(rule, **options).label
    return {
        (rule, json.dumps(options)): Audit(label, needs, {}, {}, {}, False, "", {}, (heard, of))
    }


def frame_of(cells, **columns):
    """The rows of a frame that has these cells."""
    rows = []
    for each in cells:
        steps = [None] * len(each.seeds) if each.steps is None else each.steps
        for i, seed in enumerate(each.seeds):
            row = each.kind._asdict() | dict(each.settings) | columns
            row |= {
                "P": each.P, "rule": each.rule, "rule_options": each.options, "seed": seed,
                "label": rules.get(each.rule, **json.loads(each.options)).label,
                "views": ",".join(each.views), "test_error": each.errors[i], "status": "done",
                "diverged": False,
            }  # fmt: skip
            for name in ("probe", "sensitivity"):
                measured = getattr(each, name)
                row[name] = None if measured is None else measured[i].tolist()
            if steps[i] is not None:
                ends = np.isfinite(steps[i])
                row |= {
                    "curve_step": [steps[i] if ends else 9000],
                    "curve_test_error": [0.0 if ends else 0.5],
                }
            rows.append(row)
    return pd.DataFrame(rows)

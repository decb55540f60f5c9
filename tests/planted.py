"""Shared by tests of searches: search files, and problems whose best setting is known."""

import math

from synaptree.study.search.file import parse_search
from synaptree.study.search.outcomes import Outcome
from synaptree.study.search.race import Decisions

CHANCE = 0.75  # of four classes

FILE = """
seeds: 0-3
settings: {settings}
widenings: {widenings}
defaults: {{v: 4, n: 4, s: 2, width: 8, tests: 64}}
kinds: {{shallow: {{L: 2, m: 3, P: 64, budget: 9_600}}, deep: {{L: 3, m: 2, P: 64, budget: 960}}}}
spaces: {{direct: {{lr: [0.001, 0.003, 0.01], batch: {{choice: [16, 32]}}}}}}
rules: [{{rule: [backprop, dfa]}}]
"""


def searched(text=FILE, settings=6, widenings=2):
    """The search of a file without faults."""
    found, faults = parse_search(text.format(settings=settings, widenings=widenings))
    assert faults == []
    return found


def distance(spec, lr, worst=0.7):
    """An error that grows with the distance of the learning rate from the best one, by factors."""
    return min(worst, 0.02 + 0.1 * abs(math.log10(spec.lr / lr)))


def played(search, error, inputs=lambda spec: 1.0, loss=lambda spec: 0.0, failed=()):
    """The winners where errors are a function of a run's spec, and the runs in their order.

    A run that is not asked for has no outcome, so a decision that needed it would be a KeyError.
    """
    outcomes, ran = {}, []
    decisions = Decisions(search, outcomes)
    for each in decisions:
        for spec in each.specs:
            assert spec.run_id not in outcomes, "a run was asked for twice"
            ran.append(spec)
            failure = spec.run_id in failed
            outcomes[spec.run_id] = (
                Outcome(CHANCE, 1e9, math.inf, failed=True)
                if failure
                else Outcome(error(spec), inputs(spec), loss(spec))
            )
    return decisions.winners(), ran

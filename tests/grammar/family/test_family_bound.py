"""No trained network has a smaller error than Bayes, whatever the variant."""

import pytest
import torch
from torch import nn

from synaptree.grammar.family import (
    CorrelationFree,
    MixedRules,
    Noise,
    OwnRules,
    Sparse,
    TreeGrammar,
    Zipf,
)
from synaptree.grammar.family.bayes import bayes_error
from synaptree.grammar.family.data import draw_part, encoded
from synaptree.grammar.family.tasks import class_of_string, inputs_and_targets, last_token
from synaptree.grammar.rhm import RandomHierarchyModel

PLAIN = RandomHierarchyModel(4, 4, 2, 2, 2, 0)
ALIKE = OwnRules([[[[0, 1], [1, 1]], [[1, 0], [1, 1]]]], ambiguous=True)  # 1 1 tells nothing
VARIANTS = {
    "noisy": TreeGrammar(PLAIN, noise=Noise(0.15)),
    "broken": TreeGrammar(PLAIN, noise=Noise(0, 0.2)),
    "zipf": TreeGrammar(PLAIN, Zipf(1.0), Zipf(0.0), noise=Noise(0.1)),
    "sparse": TreeGrammar(PLAIN, sparse=Sparse(1), noise=Noise(0.1)),
    "mixed": TreeGrammar(MixedRules(4, 2, (1, 1), (2, 3), 2, 0), noise=Noise(0.1)),
    "packed": TreeGrammar(
        MixedRules(4, 2, (1, 1), (2, 3), 2, 0), noise=Noise(0.1), layout="packed"
    ),
    "free": TreeGrammar(CorrelationFree(4, 4, 2, 2, 2, 0), noise=Noise(0.1)),
    "own": TreeGrammar(ALIKE),
}


@pytest.mark.parametrize("task", [class_of_string, last_token])
@pytest.mark.parametrize("name", VARIANTS)
def test_a_trained_network_is_no_better_than_bayes_and_not_much_worse(name, task):
    grammar = VARIANTS[name]
    asked = task(grammar)
    P, tests = 8192, 8192
    torch.manual_seed(0)
    d = grammar.d * grammar.v
    answers = max(grammar.n, grammar.symbols[0])
    network = nn.Sequential(nn.Linear(d, 128), nn.ReLU(), nn.Linear(128, answers))
    optimiser = torch.optim.Adam(network.parameters(), 0.01)

    def batch(P, seed):
        x, y = inputs_and_targets(grammar, asked, draw_part(grammar, P, seed))
        return encoded(grammar, x, "one-hot").flatten(1), torch.from_numpy(y)

    x, y = batch(P, 0)
    for rows in torch.randint(P, (200, 256)):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
        optimiser.step()
    x, y = batch(tests, 1)
    error = float((network(x).argmax(dim=1) != y).double().mean())
    best = bayes_error(grammar, asked, P=500)
    spread = (0.25 / tests) ** 0.5
    assert error > best.low - 5 * spread
    # As near as this, so that a Bayes error that is far too low would be found as well.
    assert error < best.high + 0.5 * (best.chance - best.low) + 5 * spread

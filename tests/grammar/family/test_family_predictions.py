"""What theory predicts: it reduces to the plain law, and stands on correlations that are exact."""

import numpy as np
import pytest

from synaptree.errors import SynaptreeError
from synaptree.grammar.exact import predicted_sample_complexity
from synaptree.grammar.family import (
    CorrelationFree,
    MixedRules,
    Noise,
    OwnRules,
    Sparse,
    TreeGrammar,
    Zipf,
)
from synaptree.grammar.family.laws import joint
from synaptree.grammar.family.predictions import (
    Predicted,
    mixed_sample_complexity,
    predicted,
    rule_sample_complexity,
    sparse_sample_complexity,
    zipf_sample_complexity,
)
from synaptree.grammar.rhm import RandomHierarchyModel

PLAIN = RandomHierarchyModel(8, 8, 4, 2, 3, 0)
MIXED = MixedRules(8, 8, (2, 6), (2, 3), 3, 0)
SIZES = [(8, 8, 4, 2, 3), (6, 4, 3, 3, 1), (10, 7, 1, 2, 4)]


@pytest.mark.parametrize("sizes", SIZES)
def test_every_law_reduces_to_the_plain_one(sizes):
    v, n, m, s, L = sizes
    plain = predicted_sample_complexity(v, n, m, s, L).supervised
    assert plain == n * m**L
    assert sparse_sample_complexity(n, m, L, 0) == plain
    assert sparse_sample_complexity(n, m, L, 0, shared=True) == plain
    assert np.allclose(zipf_sample_complexity(n, m, L, Zipf(-1)), [plain] * m)
    equal = [[1 / m] * m] * L
    for level in range(1, L + 1):  # the levels above a node are a plain grammar of their own
        assert np.allclose(rule_sample_complexity(n, equal, level), n * m ** (L - level + 1))
    assert mixed_sample_complexity(v, m, m + 2, 1, 0.5) == v * (m + 2)
    assert predicted(TreeGrammar(RandomHierarchyModel(*sizes, 0))).supervised == plain
    ranked = predicted(TreeGrammar(RandomHierarchyModel(*sizes, 0), Zipf(-1)))
    assert ranked.supervised == pytest.approx(plain)


def test_blanks_and_depth_multiply():
    assert sparse_sample_complexity(8, 4, 3, 2) == 8 * 4**3 * 27
    assert sparse_sample_complexity(8, 4, 3, 2, shared=True) == 8 * 4**3 * 9
    one, two = (mixed_sample_complexity(16, 4, 64, L, 0.5) for L in (2, 3))
    assert two / one == pytest.approx(2 * 4 / 0.5**2)
    assert mixed_sample_complexity(16, 4, 64, 2, 1.0) == 2 * 16 * 64 * 4


@pytest.mark.parametrize("levels", [(1,), (2,), (3,), None], ids=str)
def test_the_correlation_with_the_class_is_what_the_law_of_rules_says(levels):
    """Over random grammars, E Σ_a (p(a|y) - p(a))² at level 1 is (1-1/n)·Π c·Σ f² over the levels
    above, where c = (1-1/v)·N/(N-1) corrects for N = v**s tuples that are drawn without
    replacement. The law has the product without corrections: n / (P_k f_k)."""
    v, n, m, s, L = 6, 4, 3, 2, 3
    zipf = Zipf(1.0, levels)
    law = zipf_sample_complexity(n, m, L, zipf)
    f = zipf.probabilities(m) if levels is None or 1 in levels else np.full(m, 1 / m)
    kept = n / (law * f)
    assert np.allclose(kept, kept[0])
    measured = []
    for seed in range(150):
        grammar = TreeGrammar(RandomHierarchyModel(v, n, m, s, L, seed), zipf)
        given = n * joint(grammar, (L, 0), (1, 1))
        measured.append(((given - given.mean(axis=0)) ** 2).sum(axis=1).mean())
    correction = (1 - 1 / v) * v**s / (v**s - 1)
    expected = (1 - 1 / n) * correction ** (L - 1) * kept[0]
    spread = np.std(measured) / len(measured) ** 0.5
    assert abs(np.mean(measured) - expected) < 5 * spread
    assert spread < 0.05 * expected


@pytest.mark.parametrize("a", [0.5, 1.0, 2.0])
def test_rules_not_yet_learned_are_used_as_rarely_as_the_exponent_says(a):
    m = 10**6
    zipf = Zipf(a, (1,))
    law, f = zipf_sample_complexity(8, m, 2, zipf), zipf.probabilities(m)
    # Beyond a few ranks, and where the last rules hold little of the tail.
    sizes = law[[100, 1000]]
    left = [f[law > P].sum() for P in sizes]
    exponent = -np.log(left[1] / left[0]) / np.log(sizes[1] / sizes[0])
    grammar = TreeGrammar(PLAIN, zipf)
    assert exponent == pytest.approx(predicted(grammar).error_exponent, rel=0.04)


def test_theory_speaks_where_it_speaks():
    assert predicted(TreeGrammar(PLAIN)).supervised == 8 * 4**3
    sparse = predicted(TreeGrammar(PLAIN, sparse=Sparse(2)))
    assert (sparse.supervised, sparse.supervised_shared) == (8 * 4**3 * 27, 8 * 4**3 * 9)
    assert predicted(TreeGrammar(PLAIN, Zipf(3.0, (1,)))).error_exponent == 0.75
    ranked = predicted(TreeGrammar(PLAIN, Zipf(1.0)))
    assert ranked.error_exponent is None
    assert [len(row) for row in ranked.by_rule] == [4, 4, 4]
    assert ranked.supervised == max(map(max, ranked.by_rule))
    assert np.allclose(ranked.by_rule[0], zipf_sample_complexity(8, 4, 3, Zipf(1.0)))
    assert np.allclose(ranked.by_rule[2], 8 / Zipf(1.0).probabilities(4))
    free = predicted(TreeGrammar(CorrelationFree(8, 8, 4, 2, 3, 0)))
    assert (free.supervised, free.latent_from_siblings) == (8 * 4**3, float("inf"))
    packed = predicted(TreeGrammar(MIXED, layout="packed"))
    assert packed.supervised == mixed_sample_complexity(8, 2, 6, 3, 0.25)


@pytest.mark.parametrize(
    "grammar",
    [
        TreeGrammar(PLAIN, noise=Noise(0.1)),
        TreeGrammar(PLAIN, prior=Zipf(1.0)),
        TreeGrammar(PLAIN, Zipf(1.0), sparse=Sparse(1)),
        TreeGrammar(PLAIN, sparse=Sparse(1, "B")),
        TreeGrammar(PLAIN, sparse=Sparse(1, jitter=False)),
        TreeGrammar(CorrelationFree(8, 8, 4, 2, 3, 0), Zipf(1.0)),
        TreeGrammar(MIXED),
        TreeGrammar(MIXED, Zipf(1.0), layout="packed"),
        TreeGrammar(MixedRules(8, 4, (2, 6), (2, 3), 2, 0), layout="packed"),
        TreeGrammar(OwnRules(RandomHierarchyModel(4, 4, 2, 2, 2, 0).rules)),
    ],
)
def test_theory_is_silent_elsewhere(grammar):
    assert predicted(grammar) == Predicted()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sparse_sample_complexity(8, 4, 3, -1), "predicted s0: -1; expected an integer"),
        (lambda: rule_sample_complexity(8, []), "one row of them for each level"),
        (lambda: rule_sample_complexity(8, [[0.5, 0.6]]), "probabilities: a sum of 1.1"),
        (lambda: rule_sample_complexity(8, [[0.5, 0.5]], 2), "predicted level: 2; expected"),
        (lambda: mixed_sample_complexity(8, 2, 6, 3, 0), "predicted share2: 0; expected"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(SynaptreeError, match=message):
        call()


def test_a_rule_that_is_never_used_is_never_learned():
    assert rule_sample_complexity(8, [[1.0, 0.0], [0.5, 0.5]]).tolist() == [16, float("inf")]

"""Random small grammars of the family, for hypothesis."""

from itertools import pairwise

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from synaptree.grammar.family import (
    CorrelationFree,
    MixedRules,
    Noise,
    OwnRules,
    Sparse,
    TreeGrammar,
    Zipf,
)
from synaptree.grammar.rhm import RandomHierarchyModel

seeds = st.integers(0, 2**40)


@st.composite
def sources(draw, kinds=("plain", "mixed", "own", "free")):
    kind, L, seed = draw(st.sampled_from(kinds)), draw(st.integers(1, 2)), draw(seeds)
    if kind == "plain":
        v, s = draw(st.integers(2, 3)), draw(st.integers(2, 3))
        n = draw(st.integers(2, 3))
        return RandomHierarchyModel(v, n, draw(st.integers(1, v ** (s - 1) // 2)), s, L, seed)
    if kind == "mixed":
        return MixedRules(3, 2, (draw(st.integers(1, 2)), draw(st.integers(1, 2))), (2, 3), L, seed)
    if kind == "free":
        return CorrelationFree(4, draw(st.sampled_from([2, 4])), 2, 2, L, seed)
    return own_rules(draw, L)


def own_rules(draw, L):
    """Ragged, of sizes 1..3, with features of their own at each level; ambiguous as they come."""
    counts = [draw(st.integers(2, 3)) for _ in range(L + 1)]
    rules, likely = [], []
    for below, owners in pairwise(counts):
        child = st.integers(0, below - 1)
        rule = st.lists(child, min_size=1, max_size=3 if L == 1 else 2).map(tuple)
        rules.append([draw(st.lists(rule, min_size=1, max_size=3)) for _ in range(owners)])
        weights = [draw(vectors(len(rows))) for rows in rules[-1]]
        likely.append(weights)
    return OwnRules(rules, likely, tokens=counts[0], ambiguous=True)


def vectors(count):
    numbers = st.lists(st.integers(0, 5), min_size=count, max_size=count).filter(any)
    return numbers.map(lambda each: tuple(np.array(each) / sum(each)))


@st.composite
def grammars(draw, most=3000, **chosen):
    """A grammar with any dials that fit; `chosen` are kept."""
    source = chosen.pop("source", None) or draw(sources())
    L = TreeGrammar(source).L
    level = st.one_of(st.none(), st.integers(1, L).map(lambda one: (one,)))
    zipf = st.builds(Zipf, st.sampled_from([-1, 0, 0.5, 2]), level)
    epsilon = st.sampled_from([0.0, 0.0, 0.1, 0.6])
    jitter, form = st.booleans(), st.sampled_from("AB")
    dials = {
        "probabilities": draw(st.one_of(st.none(), zipf)),
        "prior": draw(st.one_of(st.none(), zipf, vectors(TreeGrammar(source).n))),
        "sparse": draw(st.one_of(st.none(), st.builds(Sparse, st.just(1), form, jitter))),
        "noise": draw(st.one_of(st.none(), st.builds(Noise, epsilon, epsilon, level))),
    }
    dials["layout"] = "aligned" if dials["sparse"] else draw(st.sampled_from(["aligned", "packed"]))
    grammar = TreeGrammar(source, **(dials | chosen))
    assume(trees(grammar) <= most)
    return grammar


def trees(grammar):
    """About how many trees an enumeration visits."""
    below = [1.0] * grammar.symbols[0]
    for table in grammar.expansions:
        torn = np.mean(below) ** table.places * table.features**table.places
        below = [
            sum(float(np.prod([below[c] for c in row])) for row in rows) + torn * (table.broken > 0)
            for rows in table.children
        ]
    return sum(below)

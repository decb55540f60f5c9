"""Joint distributions and Bayes errors against sums over all trees, and against samples."""

from itertools import combinations

import numpy as np
import pytest
from every_tree import every_tree
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_variants import grammars

from synaptree.grammar import exact
from synaptree.grammar.exact import mutual_information
from synaptree.grammar.family import (
    TreeGrammar,
)
from synaptree.grammar.family.bayes import all_strings, bayes_error
from synaptree.grammar.family.laws import budget, joint, marginal, siblings
from synaptree.grammar.family.tasks import (
    class_of_string,
    hidden_places,
    last_token,
    latent_of_node,
    masked_tokens,
    next_token,
)
from synaptree.grammar.rhm import RandomHierarchyModel

often = settings(max_examples=40)


def channel(grammar):
    noise = grammar.noise.tokens if grammar.noise else 0.0
    table = np.eye(grammar.symbols[0])
    table[: grammar.v, : grammar.v] *= 1 - noise
    table[: grammar.v, : grammar.v] += noise / grammar.v
    return table


@often
@given(grammars(), st.data())
def test_joints_are_the_sum_over_all_trees(grammar, data):
    prior, levels = every_tree(grammar)
    nodes = [(k, i) for k, row in enumerate(levels) for i in range(row.shape[1])]
    first, second = data.draw(st.sampled_from(nodes)), data.draw(st.sampled_from(nodes))
    counted = np.zeros((grammar.symbols[first[0]], grammar.symbols[second[0]]))
    one, two = (levels[level][:, node] for level, node in (first, second))
    np.add.at(counted, (one, two), prior)
    assert np.abs(joint(grammar, first, second) - counted).max() < 1e-12
    assert np.abs(marginal(grammar, first) - counted.sum(axis=1)).max() < 1e-12
    if first != second:
        rows = channel(grammar) if first[0] == 0 else np.eye(len(counted))
        columns = channel(grammar) if second[0] == 0 else np.eye(counted.shape[1])
        seen = rows.T @ counted @ columns
        assert np.abs(joint(grammar, first, second, seen=True) - seen).max() < 1e-12


@often
@given(grammars())
def test_siblings_and_the_budget_are_the_sum_over_all_trees(grammar):
    prior, levels = every_tree(grammar)
    for entry in budget(grammar):
        level, places = entry["level"], grammar.places[entry["level"]]
        symbols, row = grammar.symbols[level], levels[level]
        between = []
        for a, b in combinations(range(places), 2):
            pair = np.zeros((symbols, symbols))
            np.add.at(pair, (row[:, a::places], row[:, b::places]), prior[:, None])
            pair /= row.shape[1] // places
            assert np.abs(siblings(grammar, level, (a, b)) - pair).max() < 1e-12
            between.append(mutual_information(pair))
        of_class = []
        for node in range(row.shape[1]):
            table = np.zeros((grammar.n, symbols))
            np.add.at(table, (levels[-1][:, 0], row[:, node]), prior)
            of_class.append(mutual_information(table))
        assert entry["class_feature"] == pytest.approx(np.mean(of_class), abs=1e-12)
        assert entry["siblings"] == pytest.approx(np.mean(between or [0]), abs=1e-12)


def test_a_plain_grammar_has_the_laws_of_the_plain_model():
    model = RandomHierarchyModel(4, 3, 2, 2, 3, 1)
    grammar = TreeGrammar(model)
    for level in range(1, 4):
        for node in range(2 ** (3 - level)):
            table = exact.class_patch(model, level, node, of="feature")
            assert np.allclose(joint(grammar, (3, 0), (level, node)), table, atol=1e-15)
    for level in (1, 2):
        assert np.allclose(siblings(grammar, level), exact.siblings(model, level, of="feature"))
        pairs = exact.describe(model)["bits"][level - 1]
        here = budget(grammar)[level]
        assert here["class_feature"] == pytest.approx(pairs["class_patch"], abs=1e-12)
        assert here["same_class"] == pytest.approx(pairs["same_class"], abs=1e-12)
    assert grammar.derivations == model.size
    assert len(all_strings(grammar)) == model.size


# Bayes errors ------------------------------------------------------------------------------------


def tasks(grammar):
    made = [class_of_string(grammar), latent_of_node(grammar, 0, 0), last_token(grammar)]
    if grammar.L > 1:
        made.append(latent_of_node(grammar, 1, grammar.nodes(1) - 1))
    hidden = not (grammar.layout == "packed" and grammar.has_blank and grammar.length is None)
    made += [next_token(grammar, 1)] if hidden and shortest(grammar) > 1 else []
    if shortest(grammar) > 1:
        made.append(masked_tokens(grammar, (0, -1)))
    return made


def shortest(grammar):
    if grammar.layout == "aligned":
        return grammar.d
    return int((every_tree(grammar)[1][0] < grammar.v).sum(axis=1).min())


def error_by_trees(grammar, task):
    """1 - Σ max p(evidence, answer), by visiting each tree and everything it may look like."""
    prior, levels = every_tree(grammar)
    noise = grammar.noise.tokens if grammar.noise else 0.0
    mass = [{} for _ in range(task.asked)]
    for p, tree in zip(prior, zip(*levels, strict=True), strict=True):
        for q, x in looks(grammar, tree[0], noise):
            row = x[None].astype(int)
            places = hidden_places(grammar, task, row)[0]
            shown = row[0].copy()
            shown[places] = -1
            for k in range(task.asked):
                latent = task.latent
                answer = row[0, places[k]] if latent is None else tree[latent[0]][latent[1]]
                table = mass[k].setdefault(tuple(shown.tolist()), {})
                table[int(answer)] = table.get(int(answer), 0.0) + p * q
    best = [sum(max(table.values()) for table in each.values()) for each in mass]
    return 1 - np.mean(best)


def looks(grammar, clean, noise):
    """Everything that clean tokens may be seen as, with its probability."""
    found = [(1.0, [])]
    for token in clean.tolist():
        if token == grammar.v or not noise:
            found = [(p, [*x, token]) for p, x in found]
        else:
            found = [
                (p * ((1 - noise) * (token == other) + noise / grammar.v), [*x, other])
                for p, x in found
                for other in range(grammar.v)
            ]
    for p, x in found:
        row = sorted(x, key=lambda token: token == grammar.v) if grammar.layout == "packed" else x
        yield p, np.array(row)


@often
@given(grammars(most=300), st.data())
def test_bayes_errors_are_the_sum_over_all_trees(grammar, data):
    noisy = grammar.noise is not None and grammar.noise.tokens > 0
    assume(not noisy or grammar.v**grammar.d <= 300)
    task = data.draw(st.sampled_from(tasks(grammar)))
    found = bayes_error(grammar, task, P=50)
    summed = error_by_trees(grammar, task)
    if found.exact:
        assert found.error == pytest.approx(summed, abs=1e-12)
        assert found.low == found.error == found.high
    else:
        assert grammar.noisy
        assert found.low <= summed + 1e-12
        assert summed <= found.high + 1e-12
    assert found.error <= found.chance + 1e-12

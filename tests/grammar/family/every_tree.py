"""The slow oracle: every tree of a tiny grammar, one by one, straight from the definitions."""

from itertools import product

import numpy as np

from synaptree.grammar.family.sources import source_of


def every_tree(grammar):
    """All trees: their probabilities (T,), and for each level their symbols (T, nodes)."""
    found = [
        (p * q, levels)
        for y, p in enumerate(grammar.class_probabilities)
        for q, levels in below(grammar, grammar.L, y)
        if p * q > 0
    ]
    return (
        np.array([p for p, _ in found]),
        [np.array([levels[level] for _, levels in found]) for level in range(grammar.L + 1)],
    )


def below(grammar, level, symbol):
    """Trees below one node: (probability, the symbols of levels 0..level)."""
    if level == 0:
        return [(1.0, [[symbol]])]
    features = source_of(grammar.source).symbols[level - 1]
    places = grammar.places[level - 1]
    if level < grammar.L and symbol == source_of(grammar.source).symbols[level]:
        ways = [(1.0, [features] * places)]
    else:
        ways = expanded(grammar, level, symbol, features, places)
    trees = []
    for p, children in ways:
        for parts in product(*(below(grammar, level - 1, int(child)) for child in children)):
            q = p * np.prod([part for part, _ in parts])
            levels = [[one for _, tree in parts for one in tree[k]] for k in range(level)]
            trees.append((q, [*levels, [symbol]]))
    return trees


def expanded(grammar, level, symbol, features, places):
    rules = grammar.rules[level - 1]
    broken = grammar.noise.at(level) if grammar.noise else 0.0
    ways = []
    for number, p in enumerate(rules.probabilities[symbol]):
        children = [int(c) for c in rules.tuples[symbol, number] if c >= 0]
        if p == 0:
            continue
        placements = where(grammar, level, symbol, number, len(children))
        for placement in placements:
            q = p / len(placements)
            if broken < 1:
                ways.append((q * (1 - broken), laid(children, placement, features, places)))
            if broken:
                every = list(product(range(features), repeat=len(children)))
                ways += [
                    (q * broken / len(every), laid(one, placement, features, places))
                    for one in every
                ]
    return ways


def where(grammar, level, symbol, number, size):
    sparse = grammar.sparse
    if sparse is None:
        return [tuple(range(size))]
    if not sparse.jitter:  # which place was drawn is no law, so it is read from the table
        table = grammar.expansions[level - 1]
        [row] = np.flatnonzero(
            (table.rule[symbol] == number) & (table.probabilities[symbol] > 0)
        ).tolist()
        return [tuple(np.flatnonzero(table.children[symbol, row] != table.features).tolist())]
    block = sparse.s0 + 1
    every = product(range(size * block), repeat=size)
    if sparse.form == "A":
        return [one for one in every if [place // block for place in one] == list(range(size))]
    return [one for one in every if list(one) == sorted(set(one))]


def laid(children, placement, blank, places):
    row = [blank] * places
    for child, place in zip(children, placement, strict=True):
        row[place] = int(child)
    return row


def likelihoods(grammar, clean, x):
    """p(x is seen | clean tokens) for each tree: (T,); -1 in x is not seen."""
    noise = grammar.noise.tokens if grammar.noise else 0.0
    v = grammar.v
    found = np.empty(len(clean))
    for row, tokens in enumerate(clean):
        tokens = tokens.tolist()
        if grammar.layout == "packed":
            tokens.sort(key=lambda token: token == v)
        p = 1.0
        for token, here in zip(tokens, x, strict=True):
            if grammar.layout == "packed" and (token == v) != (here == v):
                p = 0.0  # the length is always seen
            elif here == -1:
                continue
            elif token == v or here == v:
                p *= token == here
            else:
                p *= (1 - noise) * (token == here) + noise / v
        if grammar.length is not None and sum(token != v for token in tokens) != grammar.length:
            p = 0.0
        found[row] = p
    return found


def posteriors(grammar, trees, x):
    """log p(x) and the posterior of each level, (nodes, symbols)."""
    prior, levels = trees
    joint = prior * likelihoods(grammar, levels[0], x)
    if grammar.length is not None:
        tokens = (levels[0] < grammar.v).sum(axis=1)
        joint = joint / prior[tokens == grammar.length].sum()
    total = joint.sum()
    tables = []
    for level, symbols in enumerate(levels):
        table = np.zeros((symbols.shape[1], grammar.symbols[level]))
        for node in range(symbols.shape[1]):
            np.add.at(table[node], symbols[:, node], joint / total)
        tables.append(table)
    return np.log(total), tables

"""Strings of every variant drawn as trees, and what is known of a string drawn on its tree.

Names are as in `grammar.draw`. A dot is a place of the string where no token stands.
"""

import numpy as np
from numpy.typing import ArrayLike

from synaptree.errors import SynaptreeError, checked_integer
from synaptree.grammar.derivation import Samples
from synaptree.grammar.discs import Node
from synaptree.grammar.family.posterior import Known, posterior
from synaptree.grammar.family.tasks import HIDDEN
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.grammar.picture import BROKEN, Picture, level_letter, level_titles

_SURE = 1 - 1e-9  # of a blank, above which nothing is drawn


def draw_tree(grammar: TreeGrammar, samples: Samples, row: int = 0) -> Picture:
    """The tree of one of the samples, with the number of the rule in use at each node.

    `×` is a broken rule. Where tokens are seen through noise, what is seen of them is below the
    tree, and replaced tokens have a dashed ring. A packed string is drawn packed.
    """
    checked_integer("draw row", row, 0, len(samples.x) - 1)
    symbols = [latent[row].tolist() for latent in samples.latents]
    titles = level_titles(grammar.L)
    levels = [
        [_derived(grammar, symbols, level, number) for number in range(grammar.nodes(level))]
        for level in range(grammar.L + 1)
    ]
    x = samples.x[row].tolist()
    blanks = tuple(place for place, token in enumerate(x) if token == grammar.v)
    columns = list(range(grammar.d))
    if grammar.layout == "packed":
        stands = np.array(symbols[0]) < grammar.v
        columns = np.minimum(stands.cumsum() - stands, grammar.d - 1).tolist()
    seen: list[tuple[int, Node]] = []
    if grammar.noise is not None and grammar.noise.tokens:
        for column, clean in zip(columns, symbols[0], strict=True):
            if clean < grammar.v:
                hint = f"seen at place {column}: {x[column]}; the token is {clean}"
                replaced = x[column] != clean
                seen.append((column, Node(str(x[column]), x[column], "", hint, (), replaced)))
    tokens = " ".join("·" if token == grammar.v else str(token) for token in x)
    title = f"Derivation of one string: class {symbols[-1][0]}, seen {tokens}"
    places = grammar.places
    return Picture(title, titles, levels, places, columns, grammar.d, blanks, tuple(seen))


def draw_posterior(grammar: TreeGrammar, x: ArrayLike, known: Known | None = None) -> Picture:
    """What one string `x`, (d,), tells of every node: p(symbol | what is seen), as shares of discs.

    A node has the name of its likeliest symbol, with that symbol's probability in percent at its
    right. -1 in x is a place that is not seen, and has a dashed ring below the tree.
    """
    string = np.asarray(x)
    if string.shape != (grammar.d,):
        raise SynaptreeError(f"draw x: shape {string.shape}; expected ({grammar.d},): one string")
    found = posterior(grammar, string, range(grammar.L + 1), known)
    titles = level_titles(grammar.L)
    levels: list[list[Node | None]] = []
    for level in range(grammar.L + 1):
        levels.append([])
        for number, row in enumerate(found.latents[level][0].tolist()):
            levels[-1].append(_likely(grammar, level, number, row))
    seen: list[tuple[int, Node]] = []
    blanks: list[int] = []
    for place, token in enumerate(string.tolist()):
        if token == grammar.v:
            blanks.append(place)
        else:
            name = "?" if token == HIDDEN else str(token)
            hint = f"seen at place {place}: {'nothing' if token == HIDDEN else token}"
            seen.append((place, Node(name, token, "", hint, (), token == HIDDEN)))
    words = " ".join({HIDDEN: "?", grammar.v: "·"}.get(t, str(t)) for t in string.tolist())
    return Picture(
        f"What a string tells of its tree: seen {words}",
        titles,
        levels,
        grammar.places,
        range(grammar.d),
        grammar.d,
        tuple(blanks),
        tuple(seen),
        label="%",
    )


def _derived(
    grammar: TreeGrammar, symbols: list[list[int]], level: int, number: int
) -> Node | None:
    """A node with the rule that it expands by; None for a blank."""
    symbol = symbols[level][number]
    if level < grammar.L and grammar.has_blank and symbol == grammar.symbols[level] - 1:
        return None
    name = f"{level_letter(level, grammar.L)}{symbol}"
    hint = f"{level_titles(grammar.L)[level]}, node {number}: {name}"
    if level == 0:
        return Node(name, symbol, hint=hint)
    table = grammar.expansions[level - 1]
    below = symbols[level - 1][number * table.places : (number + 1) * table.places]
    same = (table.children[symbol] == below).all(axis=1) & (table.probabilities[symbol] > 0)
    if not same.any():
        return Node(name, symbol, BROKEN, f"{hint}, a broken rule")
    rule = int(table.rule[symbol, same.argmax()])
    likely = grammar.rules[level - 1].probabilities[symbol, rule]
    return Node(name, symbol, str(rule), f"{hint}, rule {rule} of probability {likely:.3g}")


def _likely(grammar: TreeGrammar, level: int, number: int, row: list[float]) -> Node | None:
    """A node of which a distribution is known; None where surely no feature stands."""
    features = len(row) - (grammar.has_blank and level < grammar.L)
    if sum(row[features:]) > _SURE:
        return None
    shares = tuple(round(share, 3) for share in row[:features])
    symbol = shares.index(max(shares))
    name = f"{level_letter(level, grammar.L)}{symbol}"
    every = ", ".join(
        f"{level_letter(level, grammar.L)}{other} {share:.1%}"
        for other, share in enumerate(shares)
        if share
    )
    note = f"{100 * shares[symbol]:.0f}" if level else ""
    hint = f"{level_titles(grammar.L)[level]}, node {number}: {every}"
    return Node(name, symbol, note, hint, shares)

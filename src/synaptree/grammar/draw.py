"""One derivation as a tree: text for a terminal, SVG for a page.

A feature is named by the letter of its level and its number (`a3` is feature 3 of level 1, `b5`
of level 2, ...); classes and tokens are bare numbers. The number on a branching is the production
rule in use there, 0..m-1.
"""

from numpy.typing import ArrayLike

from synaptree.errors import SynaptreeError
from synaptree.grammar.derivation import Derivation
from synaptree.grammar.discs import Node
from synaptree.grammar.picture import Picture, level_letter, level_titles
from synaptree.grammar.rhm import RandomHierarchyModel


def tree_text(model: RandomHierarchyModel, x: ArrayLike) -> str:
    """The derivation of one string `x`, (d,), drawn from the class down to the tokens.

    At most 80 columns wide; where the tree does not fit, an indented outline with the same facts.
    Raises SynaptreeError if x is not one string of the language.
    """
    return draw_string(model, x).text()


def tree_svg(model: RandomHierarchyModel, x: ArrayLike) -> str:
    """The same tree as a self-contained SVG: each feature a named disc, its rule at the right.

    The same x gives the same bytes. Lines and legend follow the page's colour scheme.
    Raises SynaptreeError if x is not one string of the language.
    """
    return draw_string(model, x).svg()


def synonyms(model: RandomHierarchyModel, x: ArrayLike) -> list[tuple[str, list[str], int]]:
    """The features down the left edge of one string's tree, from the class, with their synonyms.

    For each feature its name, the m tuples that it can expand into, and the index of the tuple that
    it expands into here.
    Raises SynaptreeError if x is not one string of the language.
    """
    parsed = _parsed(model, x)
    features: list[tuple[str, list[str], int]] = []
    for level in range(model.L, 0, -1):
        feature, rule = int(parsed.latents[level][0, 0]), int(parsed.choices[level - 1][0, 0])
        letter = level_letter(level - 1, model.L)
        tuples = model.rules[level - 1][feature].tolist()
        texts = [" ".join(f"{letter}{child}" for child in children) for children in tuples]
        features.append((f"{level_letter(level, model.L)}{feature}", texts, rule))
    return features


def draw_string(model: RandomHierarchyModel, x: ArrayLike) -> Picture:
    """The derivation of one string `x`, (d,), as a picture.

    Raises SynaptreeError if x is not one string of the language.
    """
    parsed = _parsed(model, x)
    titles = level_titles(model.L)
    levels: list[list[Node | None]] = []
    for level, latent in enumerate(parsed.latents):
        letter, rules = level_letter(level, model.L), None
        if level:
            rules = parsed.choices[level - 1][0].tolist()
        levels.append([])
        for number, feature in enumerate(latent[0].tolist()):
            hint = f"{titles[level]}, node {number}: {letter}{feature}"
            rule = "" if rules is None else str(rules[number])
            hint += f", rule {rule} of {model.m}" if rule else ""
            levels[-1].append(Node(f"{letter}{feature}", feature, rule, hint))
    tokens = " ".join(str(token) for token in parsed.latents[0][0].tolist())
    title = (
        f"Derivation of one string of the grammar v={model.v} n={model.n} m={model.m} s={model.s}"
        f" L={model.L} seed={model.seed}: class {parsed.latents[-1][0, 0]}, tokens {tokens}"
    )
    return Picture(title, titles, levels, [model.s] * model.L, range(model.d), model.d)


def _parsed(model: RandomHierarchyModel, x: ArrayLike) -> Derivation:
    """The derivation of one string."""
    parsed = model.parse(x)
    if len(parsed.latents[0]) != 1:
        raise SynaptreeError(
            f"tree: {len(parsed.latents[0])} strings given; expected one, of shape ({model.d},)"
        )
    return parsed

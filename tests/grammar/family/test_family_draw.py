"""Pictures of every variant show the tree and the string, all of them and nothing else."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import grammar_pictures
import numpy as np
import pytest
from hypothesis import given, settings
from random_variants import grammars, seeds

from synaptree.errors import SynaptreeError
from synaptree.grammar.family import Noise, OwnRules, Sparse, TreeGrammar
from synaptree.grammar.family.draw import draw_posterior, draw_tree
from synaptree.grammar.family.level_rules import ABSENT
from synaptree.grammar.family.posterior import posterior
from synaptree.grammar.rhm import RandomHierarchyModel

SPACE = "{http://www.w3.org/2000/svg}"
PLAIN = RandomHierarchyModel(4, 3, 2, 2, 2, 0)
often = settings(max_examples=60)


def standing(grammar, samples, row, level):
    """(node, symbol) of a level, blanks left out."""
    blank = grammar.symbols[level] - 1 if grammar.has_blank and level < grammar.L else -1
    here = samples.latents[level][row].tolist()
    return [(number, symbol) for number, symbol in enumerate(here) if symbol != blank]


def letters(grammar, level, symbol):
    return f"{'abc'[level - 1] if 0 < level < grammar.L else ''}{symbol}"


def nodes_of(svg):
    """The words at each disc, and its classes, in the order drawn."""
    root = ET.fromstring(svg)
    groups = root.findall(f"{SPACE}g")
    words = [[text.text for text in group.findall(f"{SPACE}text")] for group in groups]
    rings = [group.find(f"{SPACE}circle[@class='mark']") is not None for group in groups]
    return root, words, rings


@often
@given(grammars(most=1e9), seeds)
def test_a_tree_shows_every_feature_its_rule_and_the_string(grammar, seed):
    samples = grammar.sample(3, seed)
    root, words, rings = nodes_of(draw_tree(grammar, samples, 2).svg())
    for level in range(grammar.L, 0, -1):
        below = dict(standing(grammar, samples, 2, level - 1))
        for number, symbol in standing(grammar, samples, 2, level):
            name, rule = words.pop(0)
            assert not rings.pop(0)
            assert name == letters(grammar, level, symbol)
            places = range(
                number * grammar.places[level - 1], (number + 1) * grammar.places[level - 1]
            )
            children = [below[place] for place in places if place in below]
            tuples = grammar.rules[level - 1].tuples[symbol].tolist()
            tuples = [[child for child in row if child != ABSENT] for row in tuples]
            if rule == "×":
                assert grammar.noise.at(level) > 0
                assert children not in tuples or grammar.sparse is not None
            else:
                assert tuples[int(rule)] == children
                assert grammar.rules[level - 1].probabilities[symbol, int(rule)] > 0
    tokens = [symbol for _, symbol in standing(grammar, samples, 2, 0)]
    assert [words.pop(0) for _ in tokens] == [[str(token)] for token in tokens]
    rings = rings[len(tokens) :]
    x = [token for token in samples.x[2].tolist() if token != grammar.v]
    if grammar.noise is not None and grammar.noise.tokens:
        assert words == [[str(token)] for token in x]
        assert rings == [one != two for one, two in zip(x, tokens, strict=True)]
    else:
        assert words == []
        assert x == tokens
    blanks = root.findall(f"{SPACE}circle[@class='blank']")
    assert len(blanks) == grammar.d - len(x)
    count = sum(len(standing(grammar, samples, 2, level)) for level in range(grammar.L + 1))
    assert len(root.findall(f"{SPACE}path")) == count - 1  # a tree


@often
@given(grammars(most=1e9), seeds)
def test_text_shows_the_string_in_its_places(grammar, seed):
    samples = grammar.sample(1, seed)
    lines = draw_tree(grammar, samples).text().split("\n")
    assert max(map(len, lines)) <= max(80, 2 * grammar.d + 6)
    x = ["·" if token == grammar.v else str(token) for token in samples.x[0].tolist()]
    last = lines[-1].split()
    if last[0] in ("tokens", "seen", "seen:"):
        assert last[1:] == x
    else:  # an outline of a string without blanks
        tokens = [token for line in lines if "→" in line for token in line.split("→")[1].split()]
        assert tokens == x
    for level in range(grammar.L, 0, -1):
        title = "class" if level == grammar.L else f"level {level}"
        names = [
            letters(grammar, level, symbol) for _, symbol in standing(grammar, samples, 0, level)
        ]
        rows = [line.split(title)[1].split() for line in lines if title in line]
        assert [row[0].strip(",") for row in rows] == names or rows == [names]


@often
@given(grammars(most=1e9), seeds)
def test_what_is_known_is_drawn_on_each_node(grammar, seed):
    x = grammar.sample(1, seed).x[0].astype(int)
    x[(x != grammar.v) & (np.arange(grammar.d) % 2 == 1)] = -1
    picture = draw_posterior(grammar, x)
    root, words, rings = nodes_of(picture.svg())
    found = posterior(grammar, x, range(grammar.L + 1))
    for level in range(grammar.L, -1, -1):
        table = found.latents[level][0].numpy()
        features = table.shape[1] - (grammar.has_blank and level < grammar.L)
        for number, row in enumerate(table):
            node = picture.levels[level][number]
            if row[:features].sum() < 1e-9:
                assert node is None
                continue
            assert np.abs(np.array(node.shares) - row[:features]).max() < 0.00051
            name, *percent = words.pop(0)
            rings.pop(0)
            likeliest = row[int(re.sub("[a-z]", "", name))]
            assert likeliest > row[:features].max() - 0.001
            if level:
                assert abs(int(percent[0]) - 100 * likeliest) < 0.56
    string = [token for token in x.tolist() if token != grammar.v]
    assert words == [["?" if token < 0 else str(token)] for token in string]
    assert rings == [token < 0 for token in string]
    assert len(root.findall(f"{SPACE}circle[@class='blank']")) == grammar.d - len(string)


def test_a_disc_is_divided_by_probability():
    half = TreeGrammar(
        OwnRules([[[[0], [1]], [[1], [2]]]], [[[0.25, 0.75], [0.5, 0.5]]], ambiguous=True)
    )
    svg = draw_posterior(half, [-1]).svg()
    root = ET.fromstring(svg)
    top, leaf = root.findall(f"{SPACE}g")[:2]
    assert [text.text for text in top.findall(f"{SPACE}text")] == ["0", "50"]
    # A quarter of 0.125, more than half of 0.625, and 0.25; angles from the corners of the sectors.
    cx, cy = (float(leaf.find(f"{SPACE}circle").attrib[key]) for key in ("cx", "cy"))
    angles = []
    for path in leaf.findall(f"{SPACE}path"):
        numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", path.attrib["d"])]
        (x1, y1), (x2, y2) = numbers[2:4], numbers[-2:]
        ends = [np.arctan2(x - cx, cy - y) / (2 * np.pi) for x, y in ((x1, y1), (x2, y2))]
        angles.append((ends[1] - ends[0]) % 1)
        assert numbers[7] == float(angles[-1] > 0.5)  # the flag of the larger arc
    assert np.allclose(angles, [0.125, 0.625, 0.25], atol=0.01)


def test_an_outline_says_where_blanks_are_and_which_rules_are_broken():
    grammar = TreeGrammar(PLAIN, sparse=Sparse(3), noise=Noise(0, 0.9))
    samples = grammar.sample(1, 1)
    lines = draw_tree(grammar, samples).text().split("\n")
    assert lines[0].startswith("class ")
    assert any("rule broken" in line for line in lines)
    assert lines[-1].split()[1:].count("·") == 64 - 4


def test_notebooks_show_the_svg():
    grammar = TreeGrammar(PLAIN)
    picture = draw_tree(grammar, grammar.sample(1, 0))
    assert picture._repr_svg_() == picture.svg()
    assert draw_tree(grammar, grammar.sample(1, 0)).svg() == picture.svg()


@pytest.mark.parametrize("name", grammar_pictures.NAMES)
def test_pictures_of_the_page_are_up_to_date(name):
    written = (grammar_pictures.PICTURES / f"{name}.svg").read_text("utf-8")
    assert written == grammar_pictures.svg(name)


def test_the_page_shows_every_picture_and_no_other():
    page = (Path(grammar_pictures.PICTURES).parent / "grammar.md").read_text("utf-8")
    shown = re.findall(r'<img src="grammar/([\w-]+)\.svg" width="(\d+)" alt="[^"]+">', page)
    assert sorted(name for name, _ in shown) == sorted(grammar_pictures.NAMES)
    assert {path.stem for path in grammar_pictures.PICTURES.iterdir()} == set(
        grammar_pictures.NAMES
    )
    for name, width in shown:  # so that all discs of the page are of one size
        assert f'viewBox="0 0 {width} ' in grammar_pictures.svg(name)


def test_pictures_show_what_they_are_to_show():
    noisy, mixed = grammar_pictures.svg("noise"), grammar_pictures.svg("mixed")
    assert ">×<" in noisy
    assert 'class="mark"' in noisy
    assert 'class="blank"' in mixed


SAMPLES = TreeGrammar(PLAIN).sample(2, 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw_tree(TreeGrammar(PLAIN), SAMPLES, 2), "draw row: 2; expected an integer"),
        (lambda: draw_posterior(TreeGrammar(PLAIN), SAMPLES.x), r"draw x: shape \(2, 4\); expec"),
        (lambda: draw_posterior(TreeGrammar(PLAIN), [0, 1, 2, 9]), "posterior x: 9 at place 3"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(SynaptreeError, match=message):
        call()

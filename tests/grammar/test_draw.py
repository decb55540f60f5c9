"""The drawn tree shows the derivation, all of it and nothing else."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from synaptree.errors import SynaptreeError
from synaptree.grammar.draw import synonyms, tree_svg, tree_text
from synaptree.grammar.rhm import RandomHierarchyModel

SIZES = [
    (8, 8, 8, 2, 4),
    (8, 8, 4, 2, 1),
    (4, 4, 3, 3, 2),
    (300, 4, 120, 2, 2),
    (16, 12, 8, 2, 5),
    (8, 8, 8, 2, 7),
    (5, 30, 2, 4, 2),
]


def drawn(sizes):
    model = RandomHierarchyModel(*sizes, seed=0)
    x = model.sample(3, 1).x[2]
    return model, x, model.parse(x)


def named(model, level, features):
    letter = "abcdefg"[level - 1] if 0 < level < model.L else ""
    return [f"{letter}{feature}" for feature in features.tolist()]


def titles(model):
    return ["tokens", *(f"level {level}" for level in range(1, model.L)), "class"]


@pytest.mark.parametrize("sizes", [s for s in SIZES if s[3] ** s[4] <= 16])
def test_text_shows_every_feature_and_rule_in_order(sizes):
    model, x, parsed = drawn(sizes)
    text = tree_text(model, x)
    lines = text.split("\n")
    assert max(map(len, lines)) <= 80
    assert len(lines) == 2 * model.L + 1
    assert "\x1b" not in text
    for row, level in enumerate(range(model.L, -1, -1)):
        title = titles(model)[level]
        assert lines[2 * row].startswith(title)
        shown = lines[2 * row][len(title) :].split()
        assert shown == named(model, level, parsed.latents[level][0])
        if level:
            rules = re.findall(r"\d+", lines[2 * row + 1])
            assert rules == [str(rule) for rule in parsed.choices[level - 1][0].tolist()]
            assert lines[2 * row + 1].count("┌") == lines[2 * row + 1].count("┐") == len(rules)


def test_text_of_the_design_grammar_is_aligned():
    model, x, _ = drawn((8, 8, 8, 2, 4))
    lines = tree_text(model, x).split("\n")
    for above, arms, below in zip(lines[::2], lines[1::2], lines[2::2], strict=False):
        starts = [match.start() for match in re.finditer(r"(?<=  )[a-d]?\d", below)]
        assert starts == [match.start() for match in re.finditer("[┌┐]", arms)]
        parents = [match.start() for match in re.finditer(r"(?<=  )[a-d]?\d", above)]
        assert parents[-len(starts) // 2 :] == [m.start() for m in re.finditer(r"\d", arms)]


@pytest.mark.parametrize("sizes", [s for s in SIZES if s[3] ** s[4] > 16])
def test_a_wide_tree_becomes_an_outline(sizes):
    model, x, parsed = drawn(sizes)
    text = tree_text(model, x)
    assert max(map(len, text.split("\n"))) <= 80
    tokens = [token for line in re.findall("→ (.*)", text) for token in line.split()]
    assert tokens == [str(token) for token in x.tolist()]
    for level in range(1, model.L + 1):
        found = re.findall(rf"{titles(model)[level]} (\w+), rule (\d+)", text)
        rules = [str(rule) for rule in parsed.choices[level - 1][0].tolist()]
        names = named(model, level, parsed.latents[level][0])
        assert found == list(zip(names, rules, strict=True))


@pytest.mark.parametrize("sizes", SIZES)
def test_svg_is_well_formed_self_contained_and_complete(sizes):
    model, x, parsed = drawn(sizes)
    svg = tree_svg(model, x)
    assert svg == tree_svg(model, x.astype(np.int64)[None])  # same string, same bytes
    space = "{http://www.w3.org/2000/svg}"
    root = ET.fromstring(svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    title = root.find(f"{space}title").text
    assert f"class {parsed.latents[-1][0, 0]}, tokens {' '.join(map(str, x.tolist()))}" in title
    assert not re.search(r"href|url\(|<script|@import", svg)
    assert "currentColor" in svg
    assert "prefers-color-scheme" in svg
    nodes = root.findall(f"{space}g")
    wanted = []
    for level in range(model.L, -1, -1):
        for node, name in enumerate(named(model, level, parsed.latents[level][0])):
            rule = [str(parsed.choices[level - 1][0, node])] if level else []
            wanted.append([name, *rule])
    assert [[t.text for t in node.findall(f"{space}text")] for node in nodes] == wanted
    assert len(root.findall(f"{space}path")) == len(nodes) - 1  # a tree
    for circle in root.iter(f"{space}circle"):
        x0, y0, r = (float(circle.attrib[key]) for key in ("cx", "cy", "r"))
        assert r <= x0 <= width - r
        assert r <= y0 <= height - r


def test_svg_gives_each_small_feature_a_colour_of_its_own():
    model, x, _ = drawn((8, 8, 8, 2, 7))
    pairs = set(re.findall(r'fill="(#\w{6})"/><text[^>]*>[a-z]?(\d)<', tree_svg(model, x)))
    assert len(pairs) == len({c for c, _ in pairs}) == len({f for _, f in pairs}) == 8


@pytest.mark.parametrize("sizes", [(4, 4, 3, 2, 3), (3, 2, 2, 3, 2), (5, 3, 1, 2, 1)])
def test_synonyms_are_the_rules_of_the_features_down_the_left_edge(sizes):
    model, x, parsed = drawn(sizes)
    found = synonyms(model, x)
    assert len(found) == model.L
    for level, (name, tuples, used) in zip(range(model.L, 0, -1), found, strict=True):
        feature = parsed.latents[level][0, :1]
        assert [name] == named(model, level, feature)
        rules = model.rules[level - 1][int(feature[0])]
        assert tuples == [" ".join(named(model, level - 1, each)) for each in rules]
        here = parsed.latents[level - 1][0, : model.s]
        assert tuples[used] == " ".join(named(model, level - 1, here))


@pytest.mark.parametrize("draw", [tree_text, tree_svg, synonyms])
def test_mistakes_are_named(draw):
    model = RandomHierarchyModel(4, 4, 2, 2, 2, 0)
    with pytest.raises(
        SynaptreeError, match=r"tree: 2 strings given; expected one, of shape \(4,\)"
    ):
        draw(model, model.sample(2, 0).x)
    with pytest.raises(SynaptreeError, match="parse x: shape"):
        draw(model, [0, 1])

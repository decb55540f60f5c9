"""One derivation as a tree: text for a terminal, SVG for a page.

A feature is named by the letter of its level and its number (`a3` is feature 3 of level 1, `b5`
of level 2, ...); classes and tokens are bare numbers. The number on a branching is the production
rule in use there, 0..m-1.
"""

from html import escape

from numpy.typing import ArrayLike

from synaptree.errors import SynaptreeError
from synaptree.grammar.rhm import RandomHierarchyModel

_WIDTH = 80  # columns of a terminal
# Okabe & Ito's palette, safe for the colour-blind, each with the text colour readable on it.
_COLOURS = (
    ("#56b4e9", "#000"),
    ("#e69f00", "#000"),
    ("#009e73", "#000"),
    ("#f0e442", "#000"),
    ("#cc79a7", "#000"),
    ("#0072b2", "#fff"),
    ("#d55e00", "#000"),
    ("#999999", "#000"),
)
_STYLE = (
    ".synaptree-tree{color:#222;font:12px system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){.synaptree-tree{color:#ddd}}"
    ".synaptree-tree path{stroke:currentColor;stroke-opacity:.45;fill:none}"
    ".synaptree-tree text{text-anchor:middle}"
    ".synaptree-tree .level{text-anchor:start;fill:currentColor}"
    ".synaptree-tree .rule{text-anchor:start;fill:currentColor;font-size:9px}"
)


def tree_text(model: RandomHierarchyModel, x: ArrayLike) -> str:
    """The derivation of one string `x`, (d,), drawn from the class down to the tokens.

    At most 80 columns wide; where the tree does not fit, an indented outline with the same facts.
    Raises SynaptreeError if x is not one string of the language.
    """
    names, rules = _labels(model, x)
    titles = _titles(model)
    margin = max(map(len, titles)) + 2
    room = (_WIDTH - margin) // model.d
    widest = max(len(name) for level in names for name in level)
    # A cell holds a name and a gap; the narrowest branching also has to hold a rule's number.
    cell = max(widest + 1, -(-(len(str(model.m - 1)) + 1) // (model.s - 1)), 2)
    if cell > room:
        return _outline(model, names, rules)
    cell = min(room, max(cell, 4))
    centres = [[(i * cell) + cell // 2 for i in range(model.d)]]
    for _ in range(model.L):
        below = centres[-1]
        groups = [below[i : i + model.s] for i in range(0, len(below), model.s)]
        centres.append([(group[0] + group[-1]) // 2 for group in groups])
    lines: list[str] = []
    for level in range(model.L, -1, -1):
        row = [
            (centre - (len(name) - 1) // 2, name)
            for centre, name in zip(centres[level], names[level], strict=True)
        ]
        lines.append(titles[level].ljust(margin) + _row(row))
        if level:
            arms: list[tuple[int, str]] = []
            for node, rule in enumerate(rules[level - 1]):
                below = centres[level - 1][node * model.s : (node + 1) * model.s]
                arms.append((below[0], _branching(below, centres[level][node], rule)))
            lines.append("  rule".ljust(margin) + _row(arms))
    return "\n".join(line.rstrip() for line in lines)


def tree_svg(model: RandomHierarchyModel, x: ArrayLike) -> str:
    """The same tree as a self-contained SVG: each feature a named disc, its rule at the right.

    The same x gives the same bytes. Lines and legend follow the page's colour scheme.
    Raises SynaptreeError if x is not one string of the language.
    """
    names, rules = _labels(model, x)
    titles = _titles(model)
    step, rise, left, top = 36, 64, 76, 30
    radius = 14
    width, height = left + model.d * step + 8, top + model.L * rise + radius + 12
    across = [[left + (i + 0.5) * step for i in range(model.d)]]
    for _ in range(model.L):
        below = across[-1]
        across.append(
            [(below[i] + below[i + model.s - 1]) / 2 for i in range(0, len(below), model.s)]
        )
    lines: list[str] = []
    discs: list[str] = []
    for level in range(model.L, -1, -1):
        y = top + (model.L - level) * rise
        discs.append(f'<text class="level" x="8" y="{y + 4}">{escape(titles[level])}</text>')
        for node, (at, name) in enumerate(zip(across[level], names[level], strict=True)):
            fill, ink = _COLOURS[int(name.lstrip("abcdefghijklmnopqrstuvwxyz")) % len(_COLOURS)]
            if level < model.L:
                lines.append(
                    f'<path d="M{across[level + 1][node // model.s]:g} {y - rise}L{at:g} {y}"/>'
                )
            rule = ""
            if level:
                number = rules[level - 1][node]
                rule = f'<text class="rule" x="{at + radius + 3:g}" y="{y + 3}">{number}</text>'
            hint = f"{titles[level]}, node {node}: {name}"
            hint += f", rule {rules[level - 1][node]} of {model.m}" if level else ""
            discs.append(
                f'<g><title>{escape(hint)}</title><circle cx="{at:g}" cy="{y}" r="{radius}"'
                f' fill="{fill}"/><text x="{at:g}" y="{y + 4}" fill="{ink}">{escape(name)}</text>'
                f"{rule}</g>"
            )
    title = (
        f"Derivation of one string of the grammar v={model.v} n={model.n} m={model.m} s={model.s}"
        f" L={model.L} seed={model.seed}: class {names[-1][0]}, tokens {' '.join(names[0])}"
    )
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" class="synaptree-tree" role="img"'
            f' viewBox="0 0 {width} {height}" width="100%" style="max-width:{width}px">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            *lines,
            *discs,
            "</svg>\n",
        ]
    )


def synonyms(model: RandomHierarchyModel, x: ArrayLike) -> list[tuple[str, list[str], int]]:
    """The features down the left edge of one string's tree, from the class, with their synonyms.

    For each feature its name, the m tuples that it can expand into, and the index of the tuple that
    it expands into here.
    Raises SynaptreeError if x is not one string of the language.
    """
    names, rules = _labels(model, x)
    features: list[tuple[str, list[str], int]] = []
    for level in range(model.L, 0, -1):
        name, letter = names[level][0], _letter(model, level - 1)
        feature = int(name.removeprefix(_letter(model, level)))
        tuples = model.rules[level - 1][feature].tolist()
        texts = [" ".join(f"{letter}{child}" for child in children) for children in tuples]
        features.append((name, texts, int(rules[level - 1][0])))
    return features


def _labels(model: RandomHierarchyModel, x: ArrayLike) -> tuple[list[list[str]], list[list[str]]]:
    """Names of the nodes of levels 0..L, and rule numbers of those of levels 1..L."""
    parsed = model.parse(x)
    if len(parsed.latents[0]) != 1:
        raise SynaptreeError(
            f"tree: {len(parsed.latents[0])} strings given; expected one, of shape ({model.d},)"
        )
    names = [
        [_letter(model, level) + str(feature) for feature in latent[0].tolist()]
        for level, latent in enumerate(parsed.latents)
    ]
    return names, [[str(rule) for rule in choice[0].tolist()] for choice in parsed.choices]


def _letter(model: RandomHierarchyModel, level: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[level - 1] if 0 < level < model.L else ""


def _titles(model: RandomHierarchyModel) -> list[str]:
    return ["tokens", *(f"level {level}" for level in range(1, model.L)), "class"]


def _branching(below: list[int], centre: int, rule: str) -> str:
    """`┌───2───┐` above the children, with the rule's number below the parent."""
    arm = ["─"] * (below[-1] - below[0] + 1)
    for child in below:
        arm[child - below[0]] = "┬"
    arm[0], arm[-1] = "┌", "┐"
    start = centre - below[0] - (len(rule) - 1) // 2
    arm[start : start + len(rule)] = rule
    return "".join(arm)


def _row(items: list[tuple[int, str]]) -> str:
    """One line with each text at its column."""
    line = ""
    for column, text in items:
        line = line.ljust(column) + text
    return line


def _outline(model: RandomHierarchyModel, names: list[list[str]], rules: list[list[str]]) -> str:
    """One line per node above the tokens, indented by depth; its tokens end a level-1 line."""
    titles = _titles(model)
    lines: list[str] = []

    def visit(level: int, node: int, first: str, rest: str) -> None:
        line = f"{first}{titles[level]} {names[level][node]}, rule {rules[level - 1][node]}"
        children = range(node * model.s, (node + 1) * model.s)
        if level == 1:
            lines.append(f"{line} → {' '.join(names[0][child] for child in children)}")
            return
        lines.append(line)
        for child in children:
            last = child == children[-1]
            visit(
                level - 1,
                child,
                rest + ("└─ " if last else "├─ "),
                rest + ("   " if last else "│  "),
            )

    visit(model.L, 0, "", "")
    return "\n".join(lines)

"""Pictures of the teaching pages that show trees: the grammar, its synonyms, and all views."""

from typing import Any

from question_canvas import BLUE, FAINT, INK, ORANGE, SOFT, Canvas, tree

from synaptree.grammar.rhm import RandomHierarchyModel

DRAWN = RandomHierarchyModel(v=4, n=4, m=2, s=2, L=3, seed=2)
STRING = [1, 2, 3, 1, 2, 2, 0, 1]
OTHER = [2, 2, 2, 2, 0, 1, 2, 2]  # of the same class
NEAR = [1, 2, 1, 1, 2, 2, 0, 1]  # of another class
EXCHANGED = 2  # the level at whose first node a synonym is chosen
TITLES = ("tokens", "level 1", "level 2", "class")
Latents = list[list[int]]


def latents(x: list[int]) -> Latents:
    """The features of levels 0..L of one string."""
    return [level[0].tolist() for level in DRAWN.parse(x).latents]


def choices(x: list[int]) -> list[list[int]]:
    """The rules in use at levels 1..L."""
    return [level[0].tolist() for level in DRAWN.parse(x).choices]


def unchanged(old: Latents, new: Latents) -> set[tuple[int, int]]:
    """The nodes (level, number) at which both trees have the same feature."""
    pairs = [zip(a, b, strict=True) for a, b in zip(old, new, strict=True)]
    return {(l, k) for l, both in enumerate(pairs) for k, (a, b) in enumerate(both) if a == b}


def grammar_rules() -> str:
    """Every feature with its two writings, from classes down to tokens."""
    canvas = Canvas("The rules of a small grammar: each feature with its two writings")
    heads = (
        "Classes, each written as one of two pairs of level 2",
        "Features of level 2, as pairs of level 1",
        "Features of level 1, as pairs of tokens",
    )
    for row, level in enumerate((3, 2, 1)):
        y = 22 + row * 98
        canvas.text(10, y, heads[row], SOFT, left=True)
        for feature, writings in enumerate(DRAWN.rules[level - 1].tolist()):
            x = 48 + 88 * feature
            for side, (first, second) in zip((-22, 22), writings, strict=True):
                canvas.line(x, y + 24, x + side, y + 62)
                canvas.feature(x + side - 9, y + 62, level - 1, first, 3, 9)
                canvas.feature(x + side + 9, y + 62, level - 1, second, 3, 9)
            canvas.feature(x, y + 24, level, feature, 3, 11)
    return canvas.svg(308)


def hidden_tree() -> str:
    """One string with its tree, its levels named."""
    canvas = Canvas("One string of class 1 and the hidden tree above it")
    canvas.box(74, 187, 280, 38, "#f2f2f2", corner=8)
    for level, title in enumerate(TITLES):
        canvas.text(10, 30 + (3 - level) * 58 + 4, title, SOFT, left=True)
    known = latents(STRING), choices(STRING)
    tree(canvas, known[0], 78, 30, step=34, rise=58, radius=14, rules=known[1])
    canvas.text(214, 244, "a network sees only this row", SOFT)
    return canvas.svg(258)


def synonyms() -> str:
    """The string; a synonym in one place; other strings of the class and of another one."""
    canvas = Canvas("Three strings of class 1 and one of class 3, with their trees")
    exchanged = DRAWN.synonym(STRING, level=EXCHANGED, seed=0, nodes=[0]).tolist()
    rows = (
        (STRING, "One string of class 1"),
        (exchanged, "A synonym for its left half: pale is what stays"),
        (OTHER, "Another string of class 1"),
        (NEAR, "A string of class 3: pale is as in the first"),
    )
    for row, (x, title) in enumerate(rows):
        y = 20 + row * 152
        canvas.text(10, y, title, SOFT, left=True)
        pale = unchanged(latents(STRING), latents(x)) if row % 2 else set()
        tree(canvas, latents(x), 36, y + 20, step=36, rise=33, radius=12, pale=pale)
    return canvas.svg(620)


def bars(canvas: Canvas, tokens: list[tuple[float, float]], marked: dict[int, str]) -> None:
    """Layer 1 below the tokens, one bar for each position, with words on those that are marked."""
    for place in range(len(tokens) // 2):
        (first, y), (second, _) = tokens[2 * place : 2 * place + 2]
        middle, half = (first + second) / 2, (second - first) * 0.92
        word = marked.get(place)
        colour = {None: FAINT, "z": BLUE}.get(word, ORANGE)
        for x in (first, second):
            canvas.line(x, y + 10, middle, y + 24, colour, 1 if word is None else 2)
        fill = "#fff" if word is None else colour
        canvas.box(middle - half, y + 24, 2 * half, 18, fill, colour, dashed=word is None)
        if word:
            canvas.text(middle, y + 57, word, colour, bold=True)


def one_input(view: str, pair: dict[str, Any]) -> str:
    """A view that compares two positions of one string."""
    canvas = Canvas(f"The view {view} on the tree of one string")
    ((_, place),) = pair["context"]
    tokens = tree(canvas, pair["strings"][0], 36, 22, step=36, rise=36, radius=12)
    bars(canvas, tokens, {0: "z", place: "context"})
    canvas.text(180, 210, "z: the activity of layer 1 at its first position", SOFT)
    return canvas.svg(224)


def several(view: str, pair: dict[str, Any]) -> str:
    """A view that compares strings: the first one, and those that make its context."""
    canvas = Canvas(f"The view {view} on the trees of {len(pair['strings'])} strings")
    context = dict(pair["context"])
    first = pair["strings"][0]
    for number, string in enumerate(pair["strings"]):
        left, top = 10 + 178 * (number % 2), 40 + 200 * (number // 2)
        head = "this input" if not number else "another input"
        canvas.text(left + 84, top - 22, head, INK)
        pale = unchanged(first, string) if number else set()
        tokens = tree(canvas, string, left, top, pale=pale)
        bars(canvas, tokens, {context[number]: "context"} if number in context else {0: "z"})
    height = 44 + 200 * ((len(pair["strings"]) + 1) // 2)
    canvas.text(180, height - 18, "pale: the same feature as in this input", SOFT)
    return canvas.svg(height)


def movie(view: str, pair: dict[str, Any]) -> str:
    """Frames of a clip, with what has changed since the frame before."""
    canvas = Canvas(f"The view {view}: the first frames of a clip")
    canvas.text(96, 22, "class", SOFT)
    canvas.text(226, 22, "tokens", SOFT)
    before: Latents | None = None
    for row, string in enumerate(pair["clip"]):
        y = 46 + 30 * row
        canvas.text(10, y + 4, f"frame {row + 1}", SOFT, left=True)
        pale = set() if before is None else unchanged(before, string)
        canvas.feature(96, y, 3, string[3][0], 3)
        for place, token in enumerate(string[0]):
            canvas.add(f'<g opacity="{0.3 if (0, place) in pale else 1}">')
            canvas.feature(132 + 27 * place, y, 0, token, 3)
            canvas.add("</g>")
        if row < 2:
            canvas.box(119, y - 13, 53, 26, "none", (BLUE, ORANGE)[row], line=2, corner=12)
        before = string
    end = 46 + 30 * len(pair["clip"])
    canvas.text(
        10, end + 2, "blue: z; orange: its context; pale: as one frame before", SOFT, left=True
    )
    return canvas.svg(end + 16)


def unit_halves(view: str, pair: dict[str, Any]) -> str:
    """Units of one position, whose halves take turns."""
    canvas = Canvas(f"The view {view}: one position, and the two halves of its units")
    for row, half in enumerate(pair["halves"]):
        y = 34 + 70 * row
        canvas.text(10, y + 4, "one step" if row == 0 else "the next", SOFT, left=True)
        for place, token in enumerate(pair["strings"][0][0][:2]):
            canvas.feature(86 + 24 * place, y, 0, token, 3, 11)
        canvas.line(124, y, 146, y, SOFT, arrow=True)
        for unit, compared in enumerate(half):
            canvas.box(152 + 24 * unit, y - 10, 20, 20, BLUE if compared else ORANGE)
        for compared, word in ((1, "z"), (0, "context")):
            places = [unit for unit, one in enumerate(half) if one == compared]
            middle = 162 + 24 * (sum(places) / len(places))
            canvas.text(middle, y + 27, word, BLUE if compared else ORANGE, bold=True)
    return canvas.svg(140)


def tiers(found: dict[str, str]) -> str:
    """Three stacks of layers: where labels enter."""
    canvas = Canvas("Label tiers: where labels enter a network of three layers")
    for column, (names, tier) in enumerate(found.items()):
        x = 8 + 117 * column
        canvas.text(x + 55, 22, tier, INK, bold=True, size=14)
        rows = ["readout", *reversed(names.split(" "))]
        for row, name in enumerate(rows):
            y = 34 + 38 * row
            labels = name == "readout" or name.startswith(("same_class", "trace"))
            canvas.box(x, y, 110, 28, ORANGE if labels else "#fff", ORANGE if labels else FAINT)
            canvas.text(x + 55, y + 18, name, "#000", size=11, bold=labels)
            if row:
                canvas.line(x + 55, y, x + 55, y - 9, SOFT, arrow=True)
    canvas.text(180, 206, "orange: reads labels, or compares one class", SOFT)
    return canvas.svg(220)

"""Pictures of the teaching pages that show synapses, networks and what was measured of them."""

import textwrap
from itertools import pairwise
from math import log2
from typing import Any

from question_canvas import BLUE, FAINT, GREY, INK, ORANGE, SOFT, Canvas

CELL = 29
TITLES = {"readout_only": "random features", "dfa": "DFA", "infonce": "InfoNCE"}
Matrix = list[list[float]]


def shade(value: float) -> str:
    """From white at 0 to dark blue at 1."""
    dark = (8, 69, 126)
    return "#" + "".join(f"{round(255 + (part - 255) * value):02x}" for part in dark)


def matrix(canvas: Canvas, x: float, y: float, table: Matrix, *, ring: bool = False) -> None:
    """Probe accuracies, the first layer at the bottom; ring: frames each layer's own level."""
    rows = len(table)
    for layer, row in enumerate(table):
        top = y + (rows - 1 - layer) * CELL
        canvas.text(x - 9, top + 19, str(layer + 1), SOFT)
        for level, value in enumerate(row):
            left = x + level * CELL
            canvas.box(left, top, CELL - 1, CELL - 1, shade(value))
            ink = "#fff" if value > 0.7 else INK
            canvas.text(left + CELL / 2, top + 19, f"{value:.2f}", ink, size=11)
    for level in range(rows):
        canvas.text(x + (level + 0.5) * CELL, y + rows * CELL + 13, str(level + 1), SOFT)
    if ring:
        for layer in range(rows):
            left, top = x + layer * CELL - 1, y + (rows - 1 - layer) * CELL - 1
            canvas.box(left, top, CELL + 1, CELL + 1, "none", ORANGE, line=2.5)


def start(results: dict[str, Any]) -> str:
    """What the layers of three networks tell of each level."""
    canvas = Canvas("How well each layer of three networks tells each level of the tree")
    for column, (rule, found) in enumerate(results.items()):
        x = 26 + 117 * column
        canvas.text(x + 43, 22, TITLES[rule], INK, bold=True)
        canvas.text(x + 43, 39, f"{found['error']:.1%} wrong", SOFT)
        matrix(canvas, x, 52, found["probe"])
    canvas.text(180, 174, "rows: layers; columns: levels, of which 3 is the class", SOFT)
    canvas.text(180, 191, "dark: a linear reader of the layer tells the level", SOFT)
    return canvas.svg(204)


def depth(kinds: list[dict[str, Any]]) -> str:
    """Probes of untrained networks on three kinds of grammar."""
    canvas = Canvas("What the layers of untrained networks tell, and what is left to learn")
    x = 22.0
    for kind in kinds:
        rows = len(kind["probe"])
        middle = x + rows * CELL / 2
        canvas.text(middle, 22, f"L={kind['L']} m={kind['m']}", INK, bold=True)
        matrix(canvas, x, 34 + (4 - rows) * CELL, kind["probe"], ring=True)
        canvas.text(middle, 186, f"D = {kind['depth']}", ORANGE, bold=True)
        x += rows * CELL + 19
    canvas.text(180, 208, "rows: layers; columns: levels; framed: a layer's own level", SOFT)
    return canvas.svg(222)


def data(curve: dict[str, Any]) -> str:
    """The test error against the number of training strings, and P*."""
    canvas = Canvas("The test error of backprop against the number of training strings")
    left, right, top, bottom = 52, 346, 30, 200
    first, last = log2(256), log2(max(curve["P"]))

    def across(P: float) -> float:
        return left + (log2(P) - first) / (last - first) * (right - left)

    def up(error: float) -> float:
        return bottom - error / 0.8 * (bottom - top)

    for error in (0, 0.25, 0.5, 0.75):
        canvas.line(left, up(error), right, up(error), "#dddddd")
        canvas.text(left - 22, up(error) + 4, f"{error:.0%}", SOFT)
    for P in (256, 1024, 4096, 16384):
        canvas.text(min(across(P), right - 14), bottom + 18, str(P), SOFT)
    needs, low, high = curve["needs"]
    canvas.box(across(low), top, across(high) - across(low), bottom - top, "#fbe3d6")
    canvas.line(across(needs), top, across(needs), bottom, ORANGE, 1.5)
    canvas.text(across(needs) + 8, top + 12, f"P* = {needs:.0f}", ORANGE, left=True, bold=True)
    canvas.line(left, up(0.0875), right, up(0.0875), SOFT, dashed=True)
    canvas.text(right - 132, up(0.0875) - 6, "a tenth of chance error", SOFT, left=True)
    places = [
        (across(P), *map(up, found)) for P, found in zip(curve["P"], curve["errors"], strict=True)
    ]
    for (x1, y1, *_), (x2, y2, *_) in pairwise(places):
        canvas.line(x1, y1, x2, y2, INK, 1.5)
    for x, y, lowest, highest in places:
        canvas.line(x, lowest, x, highest, INK)
        canvas.circle(x, y, 3, INK)
    canvas.text(10, 18, "test error", SOFT, left=True)
    canvas.text((left + right) / 2, bottom + 36, "P, training strings", SOFT)
    return canvas.svg(248)


def tag(canvas: Canvas, x: float, y: float, number: int) -> None:
    canvas.circle(x, y, 9, INK)
    canvas.text(x, y + 4, str(number), "#fff", bold=True)


def gate(canvas: Canvas, x: float, y: float, colour: str) -> None:
    """A unit with its gate, a bent line: flat, then rising."""
    canvas.circle(x, y, 19, "#fff", colour)
    canvas.add(f'<path d="M{x - 11:g} {y + 5:g}h10l10 -12" stroke="{colour}" stroke-width="2.5"/>')


def synapse() -> str:
    """One synapse, and where what it might use comes from."""
    canvas = Canvas("One synapse, and five things that it might use in order to change")
    x, below, own, above, out = 76, 268, 190, 112, 36
    canvas.line(x, below - 14, x, own + 19, BLUE, 3)
    canvas.box(x - 8, own + 20, 16, 7, BLUE)
    for side in (20, 132):
        canvas.line(side, own - 12, x, above + 19)
        canvas.circle(side, own, 12, "#fff", FAINT)
    canvas.line(x, own - 19, x, above + 19, SOFT, 2)
    canvas.box(x - 7, above + 20, 14, 6, SOFT)
    canvas.line(x, above - 19, x, out + 12, SOFT, 2)
    gate(canvas, x, own, BLUE)
    gate(canvas, x, above, SOFT)
    canvas.circle(x, below, 14, "#fff", BLUE)
    canvas.text(x, below + 4, "x", BLUE, bold=True)
    canvas.box(x - 34, out - 14, 68, 26, "#fff", SOFT, corner=6)
    canvas.text(x, out + 3, "output")
    for end in (20, 57, 132):
        canvas.line(142, out, 142, own - 34, ORANGE, 1.5, dashed=True)
        canvas.line(142, own - 34, end, own - 34, ORANGE, 1.5, dashed=True)
        canvas.line(end, own - 34, end, own - 13, ORANGE, 1.5, arrow=True)
    canvas.line(x + 34, out, 142, out, ORANGE, 1.5, dashed=True)
    places = (
        (x + 22, below - 16),
        (x + 29, own + 17),
        (142, 92),
        (x - 20, above + 27),
        (x - 30, above - 8),
    )
    for number, place in enumerate(places, start=1):
        tag(canvas, *place, number)
    words = (
        ("is at the synapse", BLUE, ((1, "presynaptic activity"), (2, "the unit's own gate"))),
        ("must be sent", ORANGE, ((3, "one number or vector,\nthe same for all units"),)),
        (
            "belongs to others",
            SOFT,
            ((4, "weights of other synapses"), (5, "gates of other units:\nmasks")),
        ),
    )
    y = 34.0
    for head, colour, lines in words:
        canvas.text(164, y, head, colour, left=True, bold=True)
        y += 22
        for number, line in lines:
            tag(canvas, 173, y - 4, number)
            y = canvas.lines(189, y, line) + 6
        y += 16
    return canvas.svg(296)


def ladder(knows: dict[str, list[str]]) -> str:
    """The rules, by the most that each of their synapses must know."""
    canvas = Canvas("The package's rules by the most that a synapse must know")
    y = 26.0
    for step, (name, rules) in enumerate(knows.items()):
        for box in range(len(knows) - 1):
            full = box < step
            canvas.box(
                10 + 13 * box, y - 10, 11, 11, ORANGE if full else "#fff", ORANGE if full else FAINT
            )
        canvas.text(84, y, name, INK, left=True, bold=True)
        words = textwrap.fill(", ".join(rules), 40, break_on_hyphens=False)
        y = canvas.lines(84, y + 17, words, SOFT) + 12
    return canvas.svg(y - 10)


def families() -> str:
    """How three kinds of rules tell layers what to learn."""
    canvas = Canvas("Backprop, direct feedback and layerwise rules, side by side")
    columns = ((62, "backprop", GREY), (180, "direct feedback", ORANGE), (298, "layerwise", BLUE))
    rows = (112, 160, 208)
    canvas.text(121, 22, "error from the top", SOFT)
    canvas.line(14, 30, 228, 30, FAINT)
    canvas.text(298, 22, "self-supervised", SOFT)
    canvas.line(250, 30, 346, 30, FAINT)
    for x, name, colour in columns:
        canvas.text(x, 48, name, colour, bold=True)
        shift = -26 if name == "layerwise" else 0
        names = ("layer 3", "layer 2", "layer 1")
        for y, word in zip(rows, names, strict=True):
            canvas.box(x - 25 + shift, y - 12, 50, 24, "#fff", INK, corner=5)
            canvas.text(x + shift, y + 4, word, size=11)
            canvas.line(x - 12 + shift, y + 36, x - 12 + shift, y + 12, FAINT, 1.5, arrow=True)
        canvas.line(x - 12 + shift, rows[0] - 12, x - 12 + shift, 78, FAINT, 1.5, arrow=True)
        canvas.box(x - 25 + shift, 58, 50, 20, "#f2f2f2", INK, corner=5)
        canvas.text(x + shift, 72, "output", size=11)
        canvas.text(x - 12 + shift, 258, "input", SOFT, size=11)
    for y in rows:
        canvas.line(74, y - 34 if y > rows[0] else 78, 74, y - 12, GREY, 2.5, arrow=True)
        canvas.line(222, y, 206, y, ORANGE, 2.5, arrow=True)
        canvas.box(304, y - 12, 50, 24, "#fff", BLUE, dashed=True, corner=5)
        canvas.text(329, y + 4, "context", BLUE, size=11)
        canvas.line(304, y, 297, y, BLUE, 2.5, arrow=True)
    canvas.line(205, 68, 222, 68, ORANGE, 2.5)
    canvas.line(222, 67, 222, rows[-1] + 1, ORANGE, 2.5)
    notes = (
        "layer by layer,\nthrough weights\nand masks",
        "straight to\neach layer,\nno masks",
        "each layer has\na loss of its own,\nno error",
    )
    for (x, _, _), note in zip(columns, notes, strict=True):
        for number, line in enumerate(note.split("\n")):
            canvas.text(x, 284 + 16 * number, line, SOFT)
    return canvas.svg(330)

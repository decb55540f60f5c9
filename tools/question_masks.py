"""The picture of masks: three inputs, and the way of the error to one synapse in three rules.

At this synapse the three inputs look alike; only the gates above it tell them apart. The picture
moves, unless the reader has asked for less motion: then it shows at once where it would end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from question_canvas import CONTROL, GREY, INK, ORANGE, SOFT, WORDS, Canvas

POSITION, UNIT = 2, 4  # the synapse's unit in layer 1
COLUMN, STEP = 118, 13  # between inputs, and between units
RISE = 38  # from layer to layer
LEAST = 0.06  # of the largest part of a row; smaller ones are left out
CYCLE, FIRST, EACH, PART, END, TIMES = 18, 0.4, 4.2, 0.8, 17.0, 3  # seconds: see `_moves`
PARTS = 5  # the output, layers 3 to 1, and what arrives
Array = NDArray[np.float64]
Line = tuple[int, int, int, float]  # the part in which it appears, from, to, and what it carries


@dataclass(frozen=True)
class Way:
    """How a rule sends the error down.  name: in measured.json."""

    title: str
    note: str
    name: str
    colour: str


WAYS = (
    Way("Backprop", "through open gates only", "signal", GREY),
    Way("Backprop's weights alone", "as if all gates were open", "unmasked", CONTROL),
    Way("Direct feedback", "past all layers, by weights of its own", "direct", ORANGE),
)


def arrives(string: dict[str, Any], way: str) -> float:
    """The teaching signal at the unit, per unit of the error at the output."""
    return string[way][0][POSITION][UNIT] / float(np.linalg.norm(string["error"]))


def lines(found: dict[str, Any], string: dict[str, Any], way: str) -> list[Line]:
    """The ways from the outputs to the unit, with the part of the signal that each carries: what
    arrives at the unit along it, summed over all ways that go through it."""
    e = np.array(string["error"]) / np.linalg.norm(string["error"])
    if way == "direct":
        sent = np.array(found["feedback"])[POSITION, :, UNIT] * e
        return [(1, k, UNIT, float(value)) for k, value in enumerate(sent)]
    above = POSITION // 2
    W2, W3, W_out = (np.array(W) for W in (*found["weights"], found["readout"]))
    units = W2.shape[1]
    down = W2[POSITION % 2 * units + UNIT]
    between = W3[above % 2 * units :][:units]
    if way == "signal":
        down = down * (np.array(string["h"][1][above]) > 0)
        between = between * (np.array(string["h"][2][0]) > 0)
    at_top: Array = W_out @ e
    sent = W_out.T * e[:, None] * (down @ between), at_top[:, None] * (between * down[:, None]).T
    found_lines = [
        (part, a, b, float(value))
        for part, table in enumerate(sent, start=1)
        for (a, b), value in np.ndenumerate(table)
    ]
    last = (between @ at_top) * down
    return found_lines + [(3, a, UNIT, float(value)) for a, value in enumerate(last)]


def masks(found: dict[str, Any]) -> str:
    """Three inputs beside each other, and three ways below each other."""
    canvas = Canvas("Three inputs, and the way of the error to one synapse in three rules")
    canvas.style = _moves(len(found["strings"]))
    _heads(canvas, found["strings"])
    for number, way in enumerate(WAYS):
        top = 60 + 180 * number
        canvas.add(
            f'<text x="6" y="{top}" class="l" fill="{SOFT}"><tspan font-weight="600"'
            f' fill="{WORDS.get(way.colour, way.colour)}">{way.title}</tspan>: {way.note}</text>'
        )
        each = [lines(found, string, way.name) for string in found["strings"]]
        largest = max(abs(value) for way_lines in each for *_, value in way_lines)
        for column, string in enumerate(found["strings"]):
            shown = [line for line in each[column] if abs(line[-1]) > LEAST * largest]
            _panel(canvas, column, top + 20, string, shown, way, largest)
    words = (
        "rows, from the top: output, layer 3, layer 2, layer 1",
        "square: a unit, filled if its gate is open",
        "line: thicker where it carries more to the framed unit",
        "number: what arrives there, for an error of size 1",
    )
    for number, line in enumerate(words):
        canvas.text(180, 606 + 16 * number, line, SOFT)
    return canvas.svg(666)


def _heads(canvas: Canvas, strings: list[dict[str, Any]]) -> None:
    """Each input, with a frame around the two tokens that the synapse's unit reads."""
    for column, string in enumerate(strings):
        left = 6 + COLUMN * column
        canvas.text(left + 52, 16, f"input {'ABC'[column]}", bold=True)
        canvas.box(left + STEP * 2 * POSITION - 1, 22, 2 * STEP + 1, 18, "none", INK, corner=4)
        for place, token in enumerate(string["x"]):
            canvas.text(left + STEP * (place + 0.5), 35, str(token), SOFT)


def _panel(
    canvas: Canvas, column: int, top: float, string: dict[str, Any], shown: list[Line], way: Way,
    largest: float,
) -> None:  # fmt: skip
    left = 6 + COLUMN * column

    def place(part: int, unit: int) -> tuple[float, float]:
        """Of a unit; part 0 is the output, which has half as many."""
        step = STEP if part else 2 * STEP
        return left + step * (unit + 0.5), top + RISE * part

    for part in range(1, PARTS - 1):
        canvas.add(f'<g class="s{column}{part}">')
        for _, a, b, value in (line for line in shown if line[0] == part):
            direct = way.name == "direct"
            ends = *place(part - 1, a), *place(3 if direct else part, b)
            width = 0.5 + 3 * abs(value) / largest
            canvas.line(*ends, way.colour, width, dashed=direct)
        canvas.add("</g>")
    canvas.add(f'<g class="s{column}0">')
    for unit, value in enumerate(string["error"]):
        size = abs(value) / np.linalg.norm(string["error"])
        canvas.circle(*place(0, unit), round(1.5 + 3.5 * size, 1), way.colour, way.colour)
    canvas.add("</g>")
    for part, units in enumerate(_column(string), start=1):
        for unit, h in enumerate(units):
            x, y = place(part, unit)
            canvas.box(x - 4.5, y - 4.5, 9, 9, INK if h > 0 else "#fff", SOFT, corner=1)
    x, y = place(3, UNIT)
    canvas.box(x - 7, y - 7, 14, 14, "none", way.colour, line=2)
    canvas.add(f'<g class="s{column}4">')
    number = f"{arrives(string, way.name):+.1f}".replace("-", "−")
    canvas.text(x, y + 24, number, way.colour, bold=True, size=14)
    canvas.add("</g>")


def _column(string: dict[str, Any]) -> Iterator[list[float]]:
    """Pre-activations of the units above and beside the synapse's, from the top layer down."""
    for layer in (2, 1, 0):
        yield string["h"][layer][POSITION >> layer]


def _moves(columns: int) -> str:
    """Rules of style that let the parts of each column appear one after another.

    All stay until END, and the picture begins again after CYCLE seconds. After TIMES it rests.
    """
    rules = list[str]()
    for column in range(columns):
        for part in range(PARTS):
            begin = FIRST + EACH * column + PART * part
            before, after, end = (100 * t / CYCLE for t in (begin, begin + PART / 2, END))
            name = f"s{column}{part}"
            rules.append(
                f"@keyframes {name}{{0%,{before:.1f}%{{opacity:0}}"
                f"{after:.1f}%,{end:.1f}%{{opacity:1}}to{{opacity:0}}}}"
                f".{name}{{animation:{name} {CYCLE}s {TIMES}}}"
            )
    return f"@media(prefers-reduced-motion:no-preference){{{''.join(rules)}}}"

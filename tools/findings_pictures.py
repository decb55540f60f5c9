"""Write docs/findings/NAME.svg: one picture for each page of findings, from committed results.

python tools/findings_pictures.py

They are as wide as a phone.  A disc fills with the share of grammars solved, as on the scoreboard.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import ceil, cos, floor, log2, pi, sin
from pathlib import Path

import findings_bounds
import findings_depth as data
import findings_error as rules
import findings_hierarchy as levels
import findings_layers as layers
import findings_local as places
from findings import (
    DEEP,
    KINDS,
    backprop,
    cell,
    error,
    kind_said,
    label_of,
    shape,
    study,
    there,
    title,
)  # fmt: skip
from question_canvas import BLUE, CONTROL, FAINT, GREY, INK, SOFT, WIDTH, Canvas

from synaptree.claims.second.cells import Cell
from synaptree.training.solved import chance_error

PICTURES = Path(__file__).parent.parent / "docs" / "findings"
ROW, RADIUS = 23, 7
COLUMNS = (172, 238, 304)  # of the three kinds
SHORT = {"dfa (error=sign)": "DFA, error's sign", rules.LEAST_SQUARES: "Least squares"}
SHORT |= {data.BEST: "backprop, best", data.AUTHORS: "backprop, authors"}
LIGHT, DARK = (240, 246, 251), (0, 90, 150)  # a high error, and none


def disc(canvas: Canvas, x: float, y: float, share: float) -> None:
    """A disc that fills clockwise from the top."""
    canvas.circle(x, y, RADIUS, INK if share == 1 else "#fff")
    if 0 < share < 1:
        angle = 2 * pi * share
        end = f"{x + RADIUS * sin(angle):.2f} {y - RADIUS * cos(angle):.2f}"
        canvas.add(
            f'<path d="M{x:g} {y:g}V{y - RADIUS:g}A{RADIUS} {RADIUS} 0 {int(share > 0.5)} 1 {end}Z"'
            f' style="fill:{INK}"/>'
        )


def solved(canvas: Canvas, x: float, y: float, found: Cell | None) -> None:
    """A disc with its count; a dash if the rule was not run."""
    if found is None:
        canvas.text(x, y + 4, "not run", SOFT, size=11)
        return
    disc(canvas, x - 18, y, float(found.solved.mean()))
    count = f"{int(found.solved.sum())}/{len(found.seeds)}"
    canvas.text(x - 6, y + 4, count, left=True, size=11)


def board(words: str, groups: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Rules in groups, with a disc on each kind of grammar."""
    canvas = Canvas(words)
    canvas.text(12, 22, "grammars solved", SOFT, left=True)
    for x, (name, kind) in zip(COLUMNS, KINDS.items(), strict=True):
        canvas.text(x, 22, name, bold=True)
        canvas.text(x, 37, f"L={kind.L} m={kind.m}", SOFT, size=11)
        canvas.text(x, 52, f"{study().grounds[kind].depth}", SOFT, size=11)
    canvas.text(12, 37, "levels L, synonyms m", SOFT, left=True, size=11)
    canvas.text(12, 52, "levels left to learn", SOFT, left=True, size=11)
    y = 61.0
    for group, labels in groups:
        canvas.line(12, y, WIDTH - 12, y)
        canvas.text(12, y + 17, group, left=True, bold=True)
        y += 24
        for label in labels:
            canvas.text(16, y + 12, SHORT.get(label) or title(label), left=True)
            for x, kind in zip(COLUMNS, KINDS.values(), strict=True):
                solved(canvas, x, y + 8, there(label, kind))
            y += ROW
        y += 2
    return canvas.svg(y + 6)


def direct_feedback() -> str:
    """Rules with direct feedback, beside backprop and a control."""
    return board(
        "Which direct feedback rules solve which kinds of grammar",
        (
            ("fixed feedback", rules.FIXED),
            ("learned feedback", rules.LEARNED),
            ("perturbation", rules.PERTURBED),
            ("for comparison", ("backprop", rules.LEAST_SQUARES)),
        ),
    )


def layerwise() -> str:
    """Layerwise rules, beside backprop."""
    return board(
        "Which layerwise rules solve which kinds of grammar",
        (
            ("contrastive", layers.CONTRASTIVE),
            ("non-contrastive", layers.RULES[len(layers.CONTRASTIVE) :]),
            ("for comparison", ("backprop",)),
        ),
    )


def masks() -> str:
    """Weights and masks, a square of four for each kind."""
    canvas = Canvas("Test error with right or random feedback weights, with and without masks")
    rows = (
        ("backprop's weights", ("backprop", rules.UNMASKED)),
        ("random weights", (rules.ALIGNED, rules.NEITHER)),
    )
    lefts, wide, tall = (136, 246), 102, 46
    for x, word in zip(lefts, ("true masks", "no masks"), strict=True):
        canvas.text(x + wide / 2, 20, word, bold=True)
    y = 30.0
    for name, kind in KINDS.items():
        canvas.text(12, y + 14, name, left=True, bold=True)
        left = f"{shape(kind)}; {study().grounds[kind].depth} left to learn"
        canvas.text(12, y + 30, left, SOFT, left=True)
        y += 38
        for word, labels in rows:
            canvas.text(12, y + 27, word, left=True)
            for x, label in zip(lefts, labels, strict=True):
                _square(canvas, (x, y, wide, tall), cell(label, kind))
            y += tall + 4
        y += 8
    canvas.text(12, y + 8, "darker: lower test error, mean over grammars", SOFT, left=True)
    return canvas.svg(y + 20)


def _square(canvas: Canvas, place: tuple[float, float, float, float], found: Cell) -> None:
    share = 1 - float(found.errors.mean()) / chance_error(found.kind.n)
    fill = [round(a + share * (b - a)) for a, b in zip(LIGHT, DARK, strict=True)]
    x, y, wide, tall = place
    canvas.box(x, y, wide, tall, f"rgb({fill[0]},{fill[1]},{fill[2]})", SOFT)
    ink = "#fff" if share > 0.75 else INK
    canvas.text(x + wide / 2, y + 20, f"error {error(found)}", ink, bold=True)
    solved_ = f"{int(found.solved.sum())} of {len(found.seeds)} solved"
    canvas.text(x + wide / 2, y + 36, solved_, ink, size=11)


def hierarchy() -> str:
    """How far layers move under synonyms of lower levels."""
    canvas = Canvas("How far layers move if synonyms of lower levels are exchanged")
    left, right, y, rise = 124, WIDTH - 26, 30.0, 33
    canvas.text(12, 20, "movement by synonyms of lower levels", left=True, bold=True)
    for kind in levels.TWO:
        own = [(title(label_of(e.cell), [kind]), e.cell) for k, e in levels.solving() if k == kind]
        known = [("backprop", backprop(kind)), *own, ("untrained", cell("readout_only", kind))]
        canvas.text(12, y + 16, f"{kind_said(kind)}: {shape(kind)}", left=True, bold=True)
        y += 28
        for share in (0, 0.5, 1):
            x = left + share * (right - left)
            canvas.line(x, y - 4, x, y + rise * len(known) - 2)
            canvas.text(x, y - 8, f"{100 * share:.0f}%", SOFT, size=11)
        for name, found in known:
            canvas.line(12, y - 4, WIDTH - 12, y - 4, "#e4e4e4")
            canvas.text(12, y + rise / 2 + 1, name, left=True)
            _dots(canvas, found, left, right, y + rise / 2 - 3)
            y += rise
        y += 10
    canvas.text(12, y + 6, "numbers: layers; 100%: as far as two unrelated inputs", SOFT, left=True)
    return canvas.svg(y + 18)


def _dots(canvas: Canvas, found: Cell, left: float, right: float, y: float) -> None:
    """A numbered disc for each layer, moved apart where they would cover each other."""
    taken: list[tuple[float, float]] = []
    for layer, value in sorted(enumerate(levels.moved(found), 2), key=lambda pair: pair[1]):
        x = left + float(value) * (right - left)
        heights = (y, y - 10, y + 10)
        free = [h for h in heights if all(abs(x - a) >= 13 or h != b for a, b in taken)]
        height = free[0]
        taken.append((x, height))
        canvas.circle(round(x, 1), height, 6, "#fff", "#0072B2")
        canvas.text(round(x, 1), height + 4, str(layer), "#00507d", size=11)


def local() -> str:
    """The forms on the deep kind, and what keeps each from being local."""
    canvas = Canvas("Which forms of layerwise rules are local, and which of them learn")
    heads = (
        (176, "shares", "weights"),
        (238, "hears", "many"),
        (304, "grammars", "solved"),
    )
    for x, one, two in heads:
        canvas.text(x, 20, one, bold=True)
        canvas.text(x, 35, two, bold=True)
    y = 44.0
    for kind, found in places.judged_forms():
        if kind != DEEP:
            continue
        local_ = found.note == "local"
        canvas.line(12, y, WIDTH - 12, y)
        name = title(label_of(found.cell), [kind]).replace(" (statistics=running)", ", running")
        canvas.text(12, y + 18, name, left=True, bold=local_)
        for x, word in ((176, "shares"), (238, "hears")):
            if word in found.note:
                canvas.box(x - 6, y + 8, 12, 12, "#D55E00", INK)
            else:
                canvas.text(x, y + 18, "no", SOFT, size=11)
        solved(canvas, 304, y + 14, found.cell)
        y += 28
    canvas.line(12, y, WIDTH - 12, y)
    canvas.text(12, y + 18, "bold: local, nothing that a synapse cannot know", SOFT, left=True)
    return canvas.svg(y + 30)


def depth() -> str:
    """P* against L at m=4: backprop, the layerwise rules, and the law and the oracle of each."""
    canvas = Canvas("Training strings that each rule needs, against the depth of the hierarchy")
    lines, depths = data.by_m()[4], data.levels(4)
    laws = findings_bounds.laws(4, depths)
    left, right, top, bottom = 52, 222, 46, 300
    of_labels, _ = laws.values()
    known = [at.estimate.value for own in lines.values() for at in own.values() if at.known]
    ends = [log2(P) for P in (0.8 * min(*known, *of_labels), of_labels[-1] * 1.2)]

    def place(L: float, P: float) -> tuple[float, float]:
        along = (L - depths[0]) / (depths[-1] - depths[0])
        up = (log2(P) if P else ends[0]) - ends[0]  # intervals may begin at zero, or be open
        up = min(max(up / (ends[1] - ends[0]), 0), 1)
        return left + along * (right - left), bottom - up * (bottom - top)

    canvas.text(12, 20, "training strings needed (P*), m=4", left=True, bold=True)
    for power in range(ceil(ends[0]), floor(ends[1]) + 1):
        _, y = place(depths[0], 2**power)
        canvas.line(left - 8, y, right + 8, y, "#e4e4e4")
        canvas.text(left - 28, y + 4, f"{2**power}", SOFT, size=11)
    for L in depths:
        canvas.text(place(L, 2 ** ends[0])[0], bottom + 18, f"L={L}", SOFT)
    words: list[tuple[float, str, str]] = []
    for name, strings in laws.items():
        points = [place(L, P) for L, P in zip(depths, strings, strict=True)]
        _path(canvas, points, FAINT, dashed=True)
        words.append((points[-1][1], name.split(",")[0], SOFT))
    for oracle, name in findings_bounds.NAMES.items():
        found = findings_bounds.oracles()[oracle][4].items()
        points = [place(L, at.estimate.value) for L, at in found if at.known and at.estimate]
        _path(canvas, points, CONTROL, dashed=False)
        words.append((points[-1][1], name, CONTROL))
    for name, own in lines.items():
        known = {L: at for L, at in sorted(own.items()) if at.known}
        if len(known) < 2:
            continue
        colour = GREY if name in (data.BEST, data.AUTHORS) else BLUE
        points = [place(L, at.estimate.value) for L, at in known.items()]
        _path(canvas, points, colour, dashed=name == data.AUTHORS)
        for (x, y), (L, at) in zip(points, known.items(), strict=True):
            canvas.line(x, place(L, at.estimate.low)[1], x, place(L, at.estimate.high)[1], colour)
            canvas.circle(round(x, 1), round(y, 1), 3, colour, colour)
        if max(known) == depths[-1]:
            words.append((points[-1][1], SHORT.get(name) or data.NAMES[name], colour))
    y = 0.0
    for at, name, colour in sorted(words):
        y = max(at + 4, y + 14)
        canvas.text(right + 12, round(y, 1), name.split(" (")[0], colour, left=True, size=11)
    canvas.text(12, bottom + 40, "bars: 95% intervals over ten grammars", SOFT, left=True)
    return canvas.svg(bottom + 54)


def _path(
    canvas: Canvas, points: Sequence[tuple[float, float]], colour: str, *, dashed: bool
) -> None:
    for one, two in pairwise(points):
        canvas.line(*one, *two, colour, 1.6, dashed=dashed)


DRAW: dict[str, Callable[[], str]] = {
    "direct-feedback": direct_feedback,
    "masks": masks,
    "layerwise": layerwise,
    "hierarchy": hierarchy,
    "local": local,
    "depth": depth,
}

if __name__ == "__main__":
    for picture, draw in DRAW.items():
        (PICTURES / f"{picture}.svg").write_text(draw(), "utf-8")

"""Small SVG drawings on a white card, 360 units wide, so that a phone shows them at full size."""

from collections.abc import Collection, Sequence
from html import escape

from synaptree.grammar.discs import Node, disc
from synaptree.grammar.picture import level_letter
from synaptree.plots import COLOURS
from synaptree.plots import INK as INK

WIDTH = 360
SHOWN = 480  # pixels on a wide screen
SOFT, FAINT = "#555555", "#bbbbbb"
GREY, CONTROL, ORANGE, BLUE = (
    COLOURS[family] for family in ("reference", "control", "direct feedback", "layerwise")
)
WORDS = {ORANGE: "#A84600", CONTROL: "#8A5C00"}  # of words, for which these are too light
_STYLE = (
    "text{font:12px system-ui,sans-serif;text-anchor:middle}"
    ".l text,text.l{text-anchor:start}.rule{fill:#555;font-size:11px}"
    "path,line{fill:none}"
)


class Canvas:
    """Collects shapes; `svg` puts them on a card.  style: rules beside those of all cards."""

    def __init__(self, title: str) -> None:
        self.title, self.parts, self.style = title, list[str](), ""

    def add(self, *parts: str) -> None:
        self.parts += parts

    def text(
        self, x: float, y: float, words: str, fill: str = INK, *,
        left: bool = False, bold: bool = False, size: int = 12,
    ) -> None:  # fmt: skip
        """A line of text, centred at x or beginning there."""
        fill = WORDS.get(fill, fill)
        style = ("font-weight:600;" if bold else "") + (f"font-size:{size}px" if size != 12 else "")
        look = (' class="l"' if left else "") + (f' style="{style}"' if style else "")
        self.add(f'<text x="{x:g}" y="{y:g}" fill="{fill}"{look}>{escape(words)}</text>')

    def lines(self, x: float, y: float, words: str, fill: str = INK, rise: int = 16) -> float:
        """Lines of text that begin at x; the place below the last one."""
        for number, line in enumerate(words.split("\n")):
            self.text(x, y + number * rise, line, fill, left=True)
        return y + (words.count("\n") + 1) * rise

    def line(
        self, x1: float, y1: float, x2: float, y2: float, stroke: str = FAINT, width: float = 1,
        *, dashed: bool = False, arrow: bool = False,
    ) -> None:  # fmt: skip
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        self.add(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}"'
            f' stroke-width="{width:.2g}"{dash}/>'
        )
        if arrow:
            long = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
            a, b = 7 * (x2 - x1) / long, 7 * (y2 - y1) / long
            corners = [(x2, y2), (x2 - a - b / 2, y2 - b + a / 2), (x2 - a + b / 2, y2 - b - a / 2)]
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
            self.add(f'<polygon points="{points}" fill="{stroke}"/>')

    def box(
        self, x: float, y: float, width: float, height: float, fill: str = "none",
        stroke: str = "none", *, line: float = 1, dashed: bool = False, corner: float = 2,
    ) -> None:  # fmt: skip
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        self.add(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
            f' rx="{corner:g}" fill="{fill}" stroke="{stroke}" stroke-width="{line:g}"{dash}/>'
        )

    def circle(self, x: float, y: float, radius: float, fill: str, stroke: str = INK) -> None:
        self.add(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{fill}" stroke="{stroke}"/>')

    def feature(
        self, x: float, y: float, level: int, symbol: int, L: int, radius: int = 10, note: str = ""
    ) -> None:
        """A disc with the name of a feature, as in all drawn trees."""
        name = f"{level_letter(level, L)}{symbol}"
        self.add(disc(Node(name, symbol, note), x, y, radius))

    def svg(self, height: float) -> str:
        """The drawing, which takes this height."""
        size = f'width="{SHOWN}" height="{height * SHOWN / WIDTH:g}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}'
                f' viewBox="0 0 {WIDTH} {height:g}">',
                f"<title>{escape(self.title)}</title>",
                f"<style>{_STYLE}{self.style}</style>",
                f'<rect width="{WIDTH}" height="{height:g}" rx="8" fill="#fff"/>',
                *self.parts,
                "</svg>\n",
            ]
        )


def tree(
    canvas: Canvas,
    latents: Sequence[Sequence[int]],
    left: float,
    top: float,
    *,
    step: float = 21,
    rise: float = 34,
    radius: int = 10,
    rules: Sequence[Sequence[int]] | None = None,
    pale: Collection[tuple[int, int]] = (),
) -> list[tuple[float, float]]:
    """Draw a binary tree.  latents: the features of levels 0..L.  rules: of levels 1..L, which are
    written beside the nodes.  pale: nodes (level, number) that are drawn faintly.

    Returns where its tokens are.
    """
    L = len(latents) - 1
    across = [[left + (place + 0.5) * step for place in range(len(latents[0]))]]
    for _ in range(L):
        below = across[-1]
        across.append([(a + b) / 2 for a, b in zip(below[::2], below[1::2], strict=True)])
    for level in range(L):
        for number, x in enumerate(across[level]):
            y = top + (L - level) * rise
            canvas.line(across[level + 1][number // 2], y - rise, x, y)
    for level in range(L, -1, -1):
        for number, symbol in enumerate(latents[level]):
            place = across[level][number], top + (L - level) * rise
            note = str(rules[level - 1][number]) if rules and level else ""
            if (level, number) in pale:
                canvas.circle(*place, radius, "#fff", "none")
                canvas.add('<g opacity=".3">')
                canvas.feature(*place, level, symbol, L, radius, note)
                canvas.add("</g>")
            else:
                canvas.feature(*place, level, symbol, L, radius, note)
    return [(x, top + L * rise) for x in across[0]]

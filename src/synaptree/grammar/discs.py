"""One node of a drawn tree as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import cos, pi, sin

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
    ".synaptree-tree .rule{text-anchor:start;fill:currentColor;font-size:11px}"
)
# Only pictures that have one of these carry its style.
_BLANK_STYLE = ".synaptree-tree .blank{fill:currentColor;fill-opacity:.35}"
_MARK_STYLE = (
    ".synaptree-tree .mark{fill:none;stroke:currentColor;stroke-width:1.5;stroke-dasharray:3 2}"
    ".synaptree-tree .plain{fill:currentColor}"
)
_SHARE_STYLE = (
    ".synaptree-tree .share{stroke:none}"
    ".synaptree-tree .rim{fill:none;stroke:currentColor;stroke-opacity:.6}"
    ".synaptree-tree .on{fill:#000;stroke:#fff;stroke-width:2.5;paint-order:stroke}"
)
RADIUS = 14


@dataclass(frozen=True)
class Node:
    """One place of the tree.

    `name`: what stands there. `symbol`: its number, which picks the colour. `note`: at its right,
    such as the number of the rule in use. `hint`: what a pointer on it shows. `shares`: for a
    node of which only a distribution is known, the probability of each symbol. `marked`: whether
    it is drawn with a dashed ring instead of a disc.
    """

    name: str
    symbol: int
    note: str = ""
    hint: str = ""
    shares: tuple[float, ...] = ()
    marked: bool = False


def style(nodes: Sequence[Node], blanks: bool) -> str:
    """The style sheet of a picture with these nodes."""
    return (
        _STYLE
        + (_BLANK_STYLE if blanks else "")
        + (_MARK_STYLE if any(node.marked for node in nodes) else "")
        + (_SHARE_STYLE if any(node.shares for node in nodes) else "")
    )


def level_name(title: str, y: int) -> str:
    return f'<text class="level" x="8" y="{y + 4}">{escape(title)}</text>'


def disc(node: Node, at: float, y: float, radius: int = RADIUS) -> str:
    """A node as SVG."""
    fill, ink = _COLOURS[node.symbol % len(_COLOURS)]
    note = ""
    if node.note:
        note = (
            f'<text class="rule" x="{at + radius + 3:g}" y="{y + 3:g}">{escape(node.note)}</text>'
        )
    place = f'cx="{at:g}" cy="{y:g}" r="{radius}"'
    name = f'x="{at:g}" y="{y + 4:g}"'
    if node.shares:
        shape = f'{_sectors(node.shares, at, y, radius)}<circle class="rim" {place}/>'
        word = f'<text {name} class="on">{escape(node.name)}</text>'
    elif node.marked:
        shape = f'<circle class="mark" {place}/>'
        word = f'<text {name} class="plain">{escape(node.name)}</text>'
    else:
        shape = f'<circle {place} fill="{fill}"/>'
        word = f'<text {name} fill="{ink}">{escape(node.name)}</text>'
    return f"<g><title>{escape(node.hint)}</title>{shape}{word}{note}</g>"


def _sectors(shares: Sequence[float], at: float, y: float, radius: int) -> str:
    """A disc that is divided by probability, clockwise from the top, one colour a symbol."""
    parts: list[str] = []
    turned = 0.0
    for symbol, share in enumerate(shares):
        fill, _ = _COLOURS[symbol % len(_COLOURS)]
        if share >= 0.999:
            parts.append(
                f'<circle class="share" cx="{at:g}" cy="{y:g}" r="{radius}" fill="{fill}"/>'
            )
        elif share >= 0.001:
            ends = [2 * pi * part for part in (turned, turned + share)]
            (x1, y1), (x2, y2) = ((at + radius * sin(end), y - radius * cos(end)) for end in ends)
            parts.append(
                f'<path class="share" fill="{fill}" style="fill:{fill}" d="M{at:g} {y:g}'
                f"L{x1:.1f} {y1:.1f}A{radius} {radius} 0 {int(share > 0.5)} 1"
                f' {x2:.1f} {y2:.1f}Z"/>'
            )
        turned += share
    return "".join(parts)

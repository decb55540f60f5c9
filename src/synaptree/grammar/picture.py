"""A tree as a picture: text for a terminal, SVG for a page.

What is drawn, a derivation or what is known of one, is put together in `grammar.draw` and
`grammar.family.draw`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeVar

from synaptree.grammar.discs import RADIUS, Node, disc, level_name, style

_WIDTH = 80  # columns of a terminal
Number = TypeVar("Number", int, float)
BROKEN = "×"  # the note of a node whose children no rule of its feature produces
_STEP, _RISE, _LEFT, _TOP = 36, 64, 76, 30  # of the SVG, in pixels


@dataclass(frozen=True)
class Picture:
    """A tree that draws itself as `text()`, as `svg()`, and in a notebook.

    `title`: a line that says what it shows. `titles`: of levels 0..L. `levels`: the nodes of levels
    0..L; None where no feature stands. `places`: nodes below each node of levels 1..L. `columns`:
    where each node of level 0 is drawn. `d`: how many columns there are. `blanks`: columns of the
    string in which no token stands. `seen`: below the tree, by column, what is seen of its tokens.
    `label`: what a note is.
    """

    title: str
    titles: Sequence[str]
    levels: Sequence[Sequence[Node | None]]
    places: Sequence[int]
    columns: Sequence[int]
    d: int
    blanks: Sequence[int] = ()
    seen: tuple[tuple[int, Node], ...] = ()
    label: str = "rule"

    def text(self) -> str:
        """At most 80 columns wide; where the tree does not fit, an indented outline with the same
        facts."""
        margin = max(map(len, self.titles)) + 2
        nodes = self._nodes()
        widest = max(len(node.name) for node in nodes)
        note = max(len(node.note) for node in nodes)
        spans = [below[-1] - below[0] for below in self._columns_below()]
        # A cell holds a name and a gap; the narrowest branching also has to hold a note.
        narrow = max(min(spans, default=1), 1)
        cell = max(widest + 1, -(-(note + 1) // narrow), 2)
        room = (_WIDTH - margin) // self.d
        if cell > room:
            return "\n".join([*self._outline(), *self._string()])
        return "\n".join(self._rows(margin, min(room, max(cell, 4))))

    def svg(self) -> str:
        """Self-contained, each feature a named disc with its note at the right.

        The same picture gives the same bytes. Lines and legend follow the page's colour scheme.
        """
        leaves = [_LEFT + (column + 0.5) * _STEP for column in self.columns]
        across = self._across(leaves, lambda first, last: (first + last) / 2)
        L = len(self.places)
        rows = L + bool(self.seen)
        width = _LEFT + self.d * _STEP + 8
        height = _TOP + rows * _RISE + RADIUS + 12
        lines: list[str] = []
        discs: list[str] = []
        for level in range(L, -1, -1):
            y = _TOP + (L - level) * _RISE
            discs.append(level_name(self.titles[level], y))
            for number, node in enumerate(self.levels[level]):
                if node is None:
                    continue
                at = across[level][number]
                if level < L:
                    above = across[level + 1][number // self.places[level]]
                    lines.append(f'<path d="M{above:g} {y - _RISE}L{at:g} {y}"/>')
                discs.append(disc(node, at, y))
        y = _TOP + rows * _RISE
        if self.seen:
            discs.append(level_name("seen", y))
            discs += [disc(node, _LEFT + (column + 0.5) * _STEP, y) for column, node in self.seen]
        discs += [
            f'<circle class="blank" cx="{_LEFT + (column + 0.5) * _STEP:g}" cy="{y}" r="3"/>'
            for column in self.blanks
        ]
        return "\n".join(
            [
                '<svg xmlns="http://www.w3.org/2000/svg" class="synaptree-tree" role="img"'
                f' viewBox="0 0 {width} {height}" width="100%" style="max-width:{width}px">',
                f"<title>{escape(self.title)}</title>",
                f"<style>{style(self._nodes(), bool(self.blanks))}</style>",
                *lines,
                *discs,
                "</svg>\n",
            ]
        )

    def _repr_svg_(self) -> str:
        return self.svg()

    def _nodes(self) -> list[Node]:
        """All that is drawn."""
        tree = [node for level in self.levels for node in level if node is not None]
        return tree + [node for _, node in self.seen]

    def _below(self, level: int, number: int) -> list[int]:
        """The numbers of the children of a node that stand somewhere."""
        places = self.places[level - 1]
        children = range(number * places, (number + 1) * places)
        return [child for child in children if self.levels[level - 1][child] is not None]

    def _across(
        self, leaves: Sequence[Number], middle: Callable[[Number, Number], Number]
    ) -> list[list[Number]]:
        """Where the nodes of levels 0..L are, each above the middle of its children."""
        across = [list(leaves)]
        for level, places in enumerate(self.places, 1):
            under = across[-1]
            across.append([])
            for number in range(len(self.levels[level])):
                every = range(number * places, (number + 1) * places)
                below = self._below(level, number) or every
                across[-1].append(middle(under[below[0]], under[below[-1]]))
        return across

    def _columns_below(self) -> list[list[int]]:
        """The columns of the children of each node of level 1 that has any."""
        every = [self._below(1, number) for number in range(len(self.levels[1]))]
        return [[self.columns[child] for child in below] for below in every if below]

    def _rows(self, margin: int, cell: int) -> list[str]:
        """The tree, line by line."""
        leaves = [column * cell + cell // 2 for column in self.columns]
        centres = self._across(leaves, lambda first, last: (first + last) // 2)
        lines: list[str] = []
        for level in range(len(self.places), -1, -1):
            row = [
                (centre - (len(node.name) - 1) // 2, node.name)
                for centre, node in zip(centres[level], self.levels[level], strict=True)
                if node is not None
            ]
            if level == 0 and not self.seen:
                row = sorted(row + [(column * cell + cell // 2, "·") for column in self.blanks])
            lines.append(self.titles[level].ljust(margin) + _row(row))
            if level:
                arms: list[tuple[int, str]] = []
                for number, node in enumerate(self.levels[level]):
                    if node is not None:
                        below = [centres[level - 1][child] for child in self._below(level, number)]
                        arms.append(_branching(below, centres[level][number], node.note))
                lines.append(f"  {self.label}".ljust(margin) + _row(arms))
        if self.seen:
            row = [
                (column * cell + cell // 2 - (len(node.name) - 1) // 2, node.name)
                for column, node in self.seen
            ]
            row = sorted(row + [(column * cell + cell // 2, "·") for column in self.blanks])
            lines.append("seen".ljust(margin) + _row(row))
        return [line.rstrip() for line in lines]

    def _outline(self) -> list[str]:
        """One line per node above the tokens, indented by depth; its tokens end a level-1 line."""
        lines: list[str] = []

        def visit(level: int, number: int, first: str, rest: str) -> None:
            node = self.levels[level][number]
            assert node is not None
            note = f"{self.label} broken" if node.note == BROKEN else f"{self.label} {node.note}"
            line = f"{first}{self.titles[level]} {node.name}, {note}"
            children = self._below(level, number)
            if level == 1:
                tokens = [self.levels[0][child] for child in children]
                names = " ".join(token.name for token in tokens if token is not None)
                lines.append(f"{line} → {names}")
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

        visit(len(self.places), 0, "", "")
        return lines

    def _string(self) -> list[str]:
        """What is seen in one line, where the tree alone does not say it."""
        if not self.seen and not self.blanks:
            return []
        tokens = zip(self.columns, self.levels[0], strict=True)
        tree = [(column, node) for column, node in tokens if node is not None]
        words = {column: node.name for column, node in self.seen or tree}
        words |= dict.fromkeys(self.blanks, "·")
        return [f"seen: {' '.join(words[column] for column in sorted(words))}"]


def level_letter(level: int, L: int) -> str:
    """The letter before the features of a level; classes and tokens are bare numbers."""
    return "abcdefghijklmnopqrstuvwxyz"[level - 1] if 0 < level < L else ""


def level_titles(L: int) -> list[str]:
    """The names of levels 0..L."""
    return ["tokens", *(f"level {level}" for level in range(1, L)), "class"]


def _branching(below: list[int], centre: int, note: str) -> tuple[int, str]:
    """`┌───2───┐` above the children, with the note below the parent; and where it begins."""
    if len(below) < 2:
        return centre - (len(note) - 1) // 2, note
    arm = ["─"] * (below[-1] - below[0] + 1)
    for child in below:
        arm[child - below[0]] = "┬"
    arm[0], arm[-1] = "┌", "┐"
    start = centre - below[0] - (len(note) - 1) // 2
    arm[start : start + len(note)] = note
    return below[0], "".join(arm)


def _row(items: list[tuple[int, str]]) -> str:
    """One line with each text at its column."""
    line = ""
    for column, text in items:
        line = line.ljust(column) + text
    return line

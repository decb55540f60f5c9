"""Equations on the pages of the site: those of rules, and those between dollar signs.

Both are written as in docstrings, see `equations`."""

import re
from typing import Any

from docutils import nodes
from sphinx.transforms import SphinxTransform

from docs_site.equations import blocks, in_text, mathml

MARK = re.compile(r"(``?)(.+?)\1|\*(?=\w)(.+?)\*")


def raw(html: str) -> nodes.raw:
    """HTML as it stands."""
    return nodes.raw("", html, format="html")


class RuleEquations(SphinxTransform):
    """On the pages of rules: docstrings as running text and typeset equations."""

    default_priority = 350

    def apply(self, **_: Any) -> None:
        """Typeset the equations of one page."""
        if self.env.docname.partition("/")[0] != "rules":
            return
        for block in list(self.document.findall(nodes.literal_block)):
            if block.get("language") == "text":
                block.replace_self(docstring(block.astext()))
        for text in list(self.document.findall(nodes.Text)):
            if not _verbatim(text):
                text.parent.replace(text, running(text.astext()))


def docstring(text: str) -> list[nodes.Element]:
    """A rule's docstring, without the marks of its source."""
    found: list[nodes.Element] = []
    for equations, lines in blocks(text):
        if equations:
            rows = "".join(f"<div>{mathml(line)}</div>" for line in lines)
            found.append(raw(f'<div class="equations" tabindex="0">{rows}</div>'))
        else:
            found.append(nodes.paragraph("", "", *marked(" ".join(lines))))
    return found


def marked(text: str) -> list[nodes.Node]:
    """Running text in which backquotes mark code, and asterisks words that are introduced."""
    found: list[nodes.Node] = []
    end = 0
    for mark in MARK.finditer(text):
        found.append(nodes.Text(text[end : mark.start()]))
        code, word = mark[2], mark[3]
        found.append(nodes.literal("", code) if code else nodes.emphasis("", word))
        end = mark.end()
    return [*found, nodes.Text(text[end:])]


def running(text: str) -> list[nodes.Node]:
    """Running text with its symbols typeset."""
    return [raw(mathml(piece)) if math else nodes.Text(piece) for piece, math in in_text(text)]


def _verbatim(text: nodes.Text) -> bool:
    node: nodes.Node | None = text.parent
    while node is not None:
        if isinstance(
            node, nodes.literal | nodes.literal_block | nodes.raw | nodes.math | nodes.math_block
        ):
            return True
        node = node.parent
    return False


def visit_math(self: Any, node: nodes.math) -> None:
    """An equation within a sentence."""
    self.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def visit_block(self: Any, node: nodes.math_block) -> None:
    """An equation in a line of its own."""
    self.body.append(self.starttag(node, "div", CLASS="equations", tabindex="0"))
    self.body.append(f"{mathml(node.astext())}</div>\n")
    raise nodes.SkipNode

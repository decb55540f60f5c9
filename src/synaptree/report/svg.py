"""A matplotlib Figure as small SVG, in which every mark can say its value.

matplotlib writes each style in full on each element, six decimals and an id for everything: some
five times what a page needs.  Here styles are shared classes, places have one decimal, and only ids
that something refers to are kept.  The bytes depend on the figure and its name alone.
"""

import html
import io
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.figure import Figure

TIP = "tip:"  # begins the gid of an artist that shows something under the pointer
UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
PATH = re.compile(r"[A-Za-z]|" + NUMBER.pattern)
SIZED = {"x", "y", "width", "height", "transform", "viewBox"}
REFERENCE = re.compile(r"url\(#([^)]*)\)")
MARKS = {"use", "path", "text", "image"}  # elements that stand for one point, cell or line


def tip(artist: Artist, text: str, parts: Sequence[str] = ()) -> None:
    """Say what an artist shows under the pointer.

    parts: what each of its marks adds to the text, in the order in which they are drawn.
    """
    artist.set_gid(TIP + json.dumps([text, *parts]))


def svg(figure: Figure, name: str) -> str:
    """The figure as an SVG element whose ids begin with its name, so that a page can hold many."""
    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}), warnings.catch_warnings():
        # Text stays text: the reader's fonts may have what ours lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        metadata = {"Date": None, "Creator": None}
        figure.savefig(out, format="svg", metadata=metadata, transparent=True)
    text = UNPRINTABLE.sub("", out.getvalue())
    return _Writer(name).write(ElementTree.fromstring(text[text.index("<svg") :]))


class _Writer:
    """Writes matplotlib's tree of elements anew: see `svg`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.classes: dict[str, str] = {}  # of each style
        self.ids: dict[str, str] = {}  # of each id that something refers to

    def write(self, root: Element) -> str:
        """The whole SVG."""
        for element in root.iter():
            for value in element.attrib.values():
                if reference := REFERENCE.search(value):
                    self._id(reference[1])
                elif value.startswith("#"):
                    self._id(value[1:])
        body = "".join(part for child in root for part in self._element(child))
        shared = "".join(f"#{self.name} .{c}{{{style}}}" for style, c in self.classes.items())
        about = {name: root.attrib[name] for name in ("width", "height", "viewBox")}
        return (
            f'<svg id="{self.name}" xmlns="http://www.w3.org/2000/svg"{self._attributes(about)}>'
            f"<style>#{self.name} *{{stroke-linejoin:round}}{shared}</style>{body}</svg>"
        )

    def _id(self, old: str) -> str:
        return self.ids.setdefault(old, f"{self.name}-{len(self.ids) + 1}")

    def _element(self, element: Element) -> Iterator[str]:
        tag = element.tag.partition("}")[2]
        if tag in ("metadata", "style"):
            return
        gid = element.attrib.get("id", "")
        if gid.startswith(TIP):
            yield from self._with_tips(element, json.loads(gid.removeprefix(TIP)))
            return
        inner = "".join(part for child in element for part in self._element(child))
        text = html.escape(element.text or "", quote=False) if tag in ("text", "tspan") else ""
        attributes = self._attributes(element.attrib)
        if tag in ("g", "defs") and not (inner and (attributes or tag == "defs")):
            yield inner
        elif inner or text:
            yield f"<{tag}{attributes}>{text}{inner}</{tag}>"
        else:
            yield f"<{tag}{attributes}/>"

    def _with_tips(self, element: Element, tips: list[str]) -> Iterator[str]:
        """A group that says something, and, where there are parts, each of its marks too."""
        text, *parts = tips
        defs = [child for child in element.iter() if child.tag.endswith("}defs")]
        yield from (part for each in defs for part in self._element(each))
        inside = {id(child) for each in defs for child in each.iter()}
        marks = [
            child
            for child in element.iter()
            if child.tag.partition("}")[2] in MARKS and id(child) not in inside
        ]
        drawn = ["".join(self._element(mark)) for mark in marks]
        if parts:
            drawn = [
                _titled(mark, part) for mark, part in zip(drawn, map(_plain, parts), strict=True)
            ]
        clips = [c for child in element.iter() if (c := child.attrib.get("clip-path"))]
        clip = self._attributes({"clip-path": clips[0]}) if clips and "<use" in drawn[0] else ""
        yield f"<g{clip}><title>{_plain(text)}</title>{''.join(drawn)}</g>"

    def _attributes(self, attributes: dict[str, str]) -> str:
        return "".join(
            f' {name}="{html.escape(value)}"' for name, value in self._kept(attributes) if value
        )

    def _kept(self, attributes: dict[str, str]) -> Iterator[tuple[str, str]]:
        for name, value in attributes.items():
            name = name.partition("}")[2] or name
            if name == "id":
                yield name, self.ids.get(value, "")
            elif name == "style":
                style = re.sub(r"([:;,]) ", r"\1", _font(value))
                yield "class", self.classes.setdefault(style, _letters(len(self.classes)))
            elif name == "d":
                yield name, short_path(value)
            elif name == "clip-path":
                yield name, REFERENCE.sub(lambda m: f"url(#{self._id(m[1])})", value)
            elif name == "href" and value.startswith("#"):
                yield name, f"#{self._id(value[1:])}"
            elif name in SIZED:
                value = re.sub(r"rotate\(-?0 [^)]*\)", "", value)
                yield name, NUMBER.sub(lambda m: short(m[0]), value)
            else:
                yield name, value


def _plain(text: str) -> str:
    return html.escape(UNPRINTABLE.sub("", text), quote=False)


def _titled(mark: str, text: str) -> str:
    """An element with a title inside: what pointing at it shows."""
    if mark.endswith("/>"):
        return f"{mark[:-2]}><title>{text}</title></{mark[1 : mark.index(' ')]}>"
    at = mark.rindex("</")
    return f"{mark[:at]}<title>{text}</title>{mark[at:]}"


def _font(style: str) -> str:
    """A style without matplotlib's own list of fonts: the reader's sans-serif is meant."""
    return re.sub(r"(font(?:-family)?:[^;]*?)'[^;]*sans-serif[^;]*", r"\1sans-serif", style)


def _letters(number: int) -> str:
    """0, 1, … as a, b, …, z, aa, ab, …"""
    letters = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(97 + letter) + letters
    return letters


@cache
def short(number: str) -> str:
    """A place with one decimal, a small one with two.

    The last digits of a layout are chance, and many places lie halfway between two decimals: they
    are moved a little off, so that chance does not decide how they are rounded.
    """
    value = float(number)
    text = f"{value + 1.7e-4:.{2 if abs(value) < 10 else 1}f}".rstrip("0").rstrip(".")
    text = re.sub(r"^(-?)0\.", r"\1.", text)
    return "0" if text in ("-0", "-", "") else text


def short_path(d: str) -> str:
    """A path with short places; straight lines as steps from the point before."""
    tokens = PATH.findall(d)
    out: list[str] = []
    x = y = 0.0  # the pen, as it was written
    command, i = "", 0
    while i < len(tokens):
        if tokens[i].isalpha():
            command, i = tokens[i], i + 1
            if command in "zZ":
                out.append("z")
                continue
        count = {"M": 2, "L": 2, "C": 6, "Q": 4}[command]
        places = [short(token) for token in tokens[i : i + count]]
        i += count
        if command == "L":
            steps = [short(f"{float(p) - q:.2f}") for p, q in zip(places, (x, y), strict=True)]
            out.append("l" + _joined(steps))
            x, y = x + float(steps[0]), y + float(steps[1])
        else:
            out.append(command + _joined(places))
            x, y = float(places[-2]), float(places[-1])
    return "".join(out)


def _joined(numbers: list[str]) -> str:
    return re.sub(" -", "-", " ".join(numbers))

"""Equations as the docstrings of rules write them, such as ``T_l = W_{l+1}ᵀ e``, in MathML.

Browsers typeset MathML by themselves: the site needs neither scripts nor fonts for it.  All
characters stay as they were written, in their order; only ``_``, ``^`` and braces go.
"""

import re
from html import escape
from unicodedata import normalize

# Small letters that stand above the line, and what they are the small form of.
RAISED = "ᵀ⁰¹²³⁴⁺⁻"
# Words that are written as words.  Other letters next to each other are factors, each one a symbol.
SHORT_WORDS = {"at", "or", "is", "of", "if", "in", "by", "as", "to", "no", "on"}
NO_BREAK = "\u00a0"
LETTER = rf"[^\W\d_{RAISED}][\u0300-\u036f]*"
TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<number>\d+(?:\.\d+)?)|(?P<raised>[{RAISED}]+)"
    rf"|(?P<letters>(?:{LETTER})+(?:-[a-z]{{3,}}|(?<=[^\W\d_]{{3}})'s\b)*)|(?P<other>.)"
)
# What `_` and `^` move: braces with all that is in them, or a symbol and the index after it.
SCRIPT = re.compile(rf"\{{(?P<braced>[^{{}}]*)\}}|(?P<plain>\d+|{LETTER}[a-z]?)")
WORDS_AFTER = re.compile(rf" (?:{'|'.join(sorted(SHORT_WORDS))}|[a-z]{{3,}})\b")
WIDE_GAP = re.compile(r"\s{3,}")
# A line that can only be an equation, even where nothing sets it apart from running text.
EQUATION = re.compile(r"\S{1,12} [=∝←] .*")
# In running text: a word in which something stands below or above the line.
INLINE = re.compile(
    rf"(?<![\w`])(?:{LETTER}){{1,2}}['*°]?[_^](?:\{{[^{{}}]+\}}|[a-zA-Z0-9]{{1,2}}(?![a-z0-9_]))"
    rf"[{RAISED}'*°]*"
)


def mathml(equation: str) -> str:
    """One equation.  Wide gaps stay wide, and words among the symbols stay words."""
    parts = [f"<mrow>{_row(part)}</mrow>" for part in WIDE_GAP.split(equation.strip())]
    gap = '<mspace width="2.5em"></mspace>'
    return f"<math>{gap.join(parts)}</math>"


def in_text(text: str) -> list[tuple[str, bool]]:
    """Running text in pieces, and for each piece whether it is an equation."""
    pieces: list[tuple[str, bool]] = []
    end = 0
    for found in INLINE.finditer(text):
        pieces += [(text[end : found.start()], False), (found[0], True)]
        end = found.end()
    return [piece for piece in [*pieces, (text[end:], False)] if piece[0]]


def blocks(docstring: str) -> list[tuple[bool, list[str]]]:
    """The paragraphs of a docstring as lines, and for each whether it consists of equations."""
    found: list[tuple[bool, list[str]]] = []
    for block in re.split(r"\n\s*\n", docstring.strip("\n")):
        lines = block.splitlines()
        set_apart = all(line.startswith("    ") for line in lines)
        equations = set_apart or all(EQUATION.fullmatch(line) for line in lines)
        found.append((equations, [line.strip() for line in lines]))
    return found


def _row(text: str) -> str:
    """The symbols of an equation, each with what stands below and above it."""
    atoms: list[tuple[str, str, str]] = []  # symbol, below, above
    place = 0
    while place < len(text):
        if text[place] in "_^" and atoms and (script := SCRIPT.match(text, place + 1)):
            symbol, below, above = atoms.pop()
            inner = _row(script["braced"] if script["braced"] is not None else script["plain"])
            atoms.append(
                (symbol, below + inner, above)
                if text[place] == "_"
                else (symbol, below, above + inner)
            )
            place = script.end()
            continue
        token = TOKEN.match(text, place)
        assert token is not None
        place = token.end()
        _add(atoms, token)
    return "".join(_with_scripts(*atom) for atom in atoms)


def _add(atoms: list[tuple[str, str, str]], token: re.Match[str]) -> None:
    """One token more, as a symbol of its own, or above the one before it."""
    text, kind = token[0], token.lastgroup
    if kind == "space":
        return
    if kind == "raised" or (text in "'*°" and atoms and atoms[-1][0].startswith("<mi>")):
        above = "".join(_raised(sign) for sign in text)
        if atoms:
            symbol, below, before = atoms.pop()
            atoms.append((symbol, below, before + above))
        else:
            atoms.append(("<mrow></mrow>", "", above))
    elif kind == "number":
        atoms.append((f"<mn>{text}</mn>", "", ""))
    elif kind == "letters":
        atoms.extend((symbol, "", "") for symbol in _letters(text, token))
    else:
        atoms.append((f"<mo{_plain(text)}>{escape(text)}</mo>", "", ""))


def _raised(sign: str) -> str:
    sign = normalize("NFKC", sign) if sign in RAISED else {"'": "′"}.get(sign, sign)
    tag = "mn" if sign.isdigit() else "mi" if sign.isalpha() else "mo"
    return f"<{tag}>{sign}</{tag}>"


def _plain(sign: str) -> str:
    """Brackets and bars keep their size; nothing in one line wants taller ones."""
    return ' stretchy="false"' if sign in "()[]{}|‖⟨⟩" else ' lspace="0" rspace="0"' * (sign == "½")


def _letters(text: str, token: re.Match[str]) -> list[str]:
    """A word, as softmax; or symbols that stand side by side, as W c in Wc."""
    if len(text) < 3 and text not in SHORT_WORDS:
        return [_letter(letter) for letter in re.findall(LETTER, text)]
    before, after = token.string[: token.start()], token.string[token.end() :]
    left = NO_BREAK if re.search(r"[\w)\]] $", before) else ""
    right = NO_BREAK if after.startswith(" ") and not WORDS_AFTER.match(after) else ""
    return [f"<mtext>{left}{escape(text, quote=False)}{right}</mtext>"]


def _letter(letter: str) -> str:
    """A symbol; browsers make those upright that have a mark above, unless told otherwise."""
    marked = ' class="marked"' if len(normalize("NFD", letter)) > 1 else ""
    return f"<mi{marked}>{letter}</mi>"


def _with_scripts(symbol: str, below: str, above: str) -> str:
    if below and above:
        return f"<msubsup>{symbol}<mrow>{below}</mrow><mrow>{above}</mrow></msubsup>"
    if below:
        return f"<msub>{symbol}<mrow>{below}</mrow></msub>"
    return f"<msup>{symbol}<mrow>{above}</mrow></msup>" if above else symbol

"""The streams that commands print to. Text is readable on every console; a failure is reported."""

import codecs
import io
import os
import sys
import unicodedata
from contextlib import suppress

# Replacements for our characters outside ASCII, for consoles that cannot print them.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("─━═╌┄‐‑–—−", "-"),
        **dict.fromkeys("│┃║┆", "|"),
        **dict.fromkeys("·•⋅", "."),
        **dict.fromkeys("′’‘", "'"),
        **dict.fromkeys("“”", '"'),
        "×": "x", "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "±": "+-", "…": "...", "≈": "~",
        "⊙": "(.)", "⊗": "(x)", "√": "sqrt", "∞": "inf", "∝": "~", "∈": "in", "✓": "+",
        "●": "@", "◕": "O", "◔": "o", "○": ".", "✗": "-", "\u0303": "~", "Σ": "sum", "∂": "d",
    }
)  # fmt: skip


def make_printable() -> None:
    """Let both streams print any text, whatever their encoding, even if they were closed.

    A character that the console lacks becomes a similar one, or its number, as ``\\u5b66``.
    """
    codecs.register_error("synaptree", _plain_for)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:  # closed; the number must not go to the next file that is opened
            _occupy(number)
            nowhere = io.FileIO(number, "w", closefd=False)
            setattr(sys, name, io.TextIOWrapper(nowhere, "utf-8", write_through=True))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="synaptree")


def _occupy(number: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)


def _plain_for(fault: UnicodeError) -> tuple[str, int]:
    if not isinstance(fault, UnicodeEncodeError):
        raise fault
    text = fault.object[fault.start : fault.end]
    return "".join(map(_plain, text)), fault.end


def _plain(character: str) -> str:
    text = unicodedata.normalize("NFKD", character.translate(_PLAIN))
    text = "".join(c for c in text if not unicodedata.combining(c))
    name = unicodedata.name(character, "")
    if not text.isascii() and "GREEK" in name:
        return name.split()[-1].lower()
    if not text.isascii() and "BOX DRAWINGS" in name:
        return "+"
    return text if text and text.isascii() else character.encode("unicode_escape").decode()


def finish() -> None:
    """Print what is still in the buffers.  Raises OSError if that is not possible."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def failure() -> str:
    """The reason why a stream cannot be written, or "". Such a stream is discarded from then on."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.write("\n")  # a flush that has failed once does not fail again
            stream.flush()
        except OSError as fault:
            silence(number)
            return (fault.strerror or str(fault)).lower()
    return ""


def silence(number: int) -> None:
    """Discard a stream from now on, so that nothing fails again when Python ends."""
    with suppress(OSError):
        _occupy(number)

"""The one exception for a user's mistake, and the sentence that says what would have been right."""

from collections.abc import Iterable
from difflib import get_close_matches


class SynaptreeError(ValueError):
    """A user's mistake: one line that says where, what was given and what was expected.

    The command line prints it without a traceback and exits with code 2.
    """


def unknown(what: str, given: str, known: Iterable[str]) -> SynaptreeError:
    """The error for a name that does not exist, with the nearest one that does."""
    names = sorted(known)
    near = get_close_matches(given, names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return SynaptreeError(f"{what}: {given!r} is unknown; expected one of {', '.join(names)}{hint}")

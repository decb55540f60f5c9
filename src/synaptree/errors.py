"""The one exception for a user's mistake, and the sentence that says what would have been right."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from numbers import Integral
from pathlib import Path
from reprlib import Repr
from typing import Any

MOST_SHOWN = 80  # characters of a wrong value that an error repeats
MOST_LISTED = 150  # characters of valid names that it lists

_BRIEF = Repr()
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = MOST_SHOWN
_BRIEF.maxlist = _BRIEF.maxtuple = _BRIEF.maxdict = _BRIEF.maxset = _BRIEF.maxarray = 20


class SynaptreeError(ValueError):
    """A user's mistake: one line that says where, what was given and what was expected.

    The command line prints it without a traceback and exits with its code.
    """

    exit_code = 2


class WorkersError(SynaptreeError):
    """No mistake of the user's: this machine could not start the workers of a study."""

    exit_code = 3


def shown(value: object) -> str:
    """A wrong value as an error repeats it: one line of at most `MOST_SHOWN` characters.

    Text is quoted, as by `repr`, which also escapes control characters.  Whatever its size or type,
    this is quick and raises nothing.
    """
    try:
        text = " ".join(_BRIEF.repr(value).split())
    except Exception:  # an integer of too many digits, or an object that cannot be shown
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def several(count: int, noun: str) -> str:
    """A number of things, as ``1 run`` or ``3 runs``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def in_one_line(fault: BaseException) -> str:
    """What was raised, as ``ValueError: text``, without the text's line breaks."""
    return f"{type(fault).__name__}: {' '.join(str(fault).split())}"


def checked_integer(where: str, value: object, least: int, most: int | None = None) -> int:
    """`value` as an int if it is an integer (no bool) within the bounds, or a SynaptreeError."""
    if isinstance(value, Integral) and value is not True and value is not False:
        number = int(value)
        if number >= least and (most is None or number <= most):
            return number
    bounds = f">= {least}" if most is None else f"from {least} to {most}"
    raise SynaptreeError(f"{where}: {shown(value)}; expected an integer {bounds}")


def choice(
    what: str, given: object, known: Iterable[Any], synonyms: Mapping[str, str] | None = None
) -> Any:
    """The known name that is written here, whatever its case, with ``-`` or blanks for ``_``.

    Raises SynaptreeError as `unknown` makes it.
    """
    names = list(known)
    if isinstance(given, str):
        if given in names:
            return given
        plain = squeezed(given[: 2 * MOST_SHOWN])
        for name in names:
            if squeezed(name) == plain:
                return name
    raise unknown(what, given, names, synonyms)


def unknown(
    what: str, given: object, known: Iterable[str], synonyms: Mapping[str, str] | None = None
) -> SynaptreeError:
    """The error for a name that does not exist, with the one that was probably meant.

    synonyms: other names that people use for known ones, `squeezed`.  Otherwise the nearest name is
    suggested, whatever its case.  what: what the name is of; may be empty.
    """
    names = sorted(known)
    plain = given[:MOST_SHOWN].lower() if isinstance(given, str) else ""
    by_lower = {name.lower(): name for name in names}
    near = (synonyms or {}).get(squeezed(plain))
    if near is None and (close := get_close_matches(plain, by_lower, n=1, cutoff=0.5)):
        near = by_lower[close[0]]
    hint = f"; did you mean {near!r}?" if near else ""
    listed = ", ".join(names)
    if len(listed) > MOST_LISTED:
        few = get_close_matches(plain, by_lower, n=5, cutoff=0.0)
        listed = f"{', '.join(by_lower[name] for name in few)} or {len(names) - len(few)} others"
    where = f"{what}: " if what else ""
    return SynaptreeError(f"{where}{shown(given)} is unknown; expected one of {listed}{hint}")


def near_file(path: Path, *endings: str) -> str:
    """A hint for a file that is not there: the one in its folder that was probably meant.

    endings: of names that are looked at, as ``.npz``.  Empty where none comes near, unless it is
    the only one.
    """
    try:
        names = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in endings)
    except (OSError, ValueError):
        return ""
    if path.name in names:
        return ""
    stems = {Path(name).stem: name for name in names}  # endings make all names alike
    if near := get_close_matches(path.stem[:MOST_SHOWN], stems, n=1):
        return f"; did you mean {str(path.parent / stems[near[0]])!r}?"
    return f"; there is {shown(names[0])}" if len(names) == 1 else ""


def squeezed(name: str) -> str:
    """A name in lower case, without what people write between words."""
    return name.lower().translate({ord(between): None for between in " -_"})

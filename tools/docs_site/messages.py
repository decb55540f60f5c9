"""What some mistakes are answered with, for the page on errors."""

from typing import Any

import synaptree
from docs_site.tables import cell, code, table


def messages() -> str:
    """What some mistakes are answered with."""
    made: list[tuple[str, dict[str, Any]]] = [
        ("a rule that does not exist", {"rule": "dfaa"}),
        ("a setting that does not exist", {"learning_rate": 0.1}),
        ("a value of the wrong kind", {"steps": 1.5}),
        ("a value out of range", {"width": 0}),
        ("a rule without its views", {"rule": "clapp"}),
        ("more rules than tuples", {"m": 40}),
    ]
    rows = ((cell(what), code(_message(settings))) for what, settings in made)
    return table(("mistake", "message"), rows)


def _message(settings: dict[str, Any]) -> str:
    sound = {"rule": "dfa", "v": 8, "n": 8, "m": 4, "L": 3, "P": 512}
    try:
        synaptree.make_spec(**{**sound, **settings})
    except synaptree.SynaptreeError as fault:
        return str(fault)
    raise AssertionError(f"{settings} is no mistake")

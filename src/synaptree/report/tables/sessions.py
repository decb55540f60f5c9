"""How the results were made: one entry for each driver that worked on them."""

from collections.abc import Sequence
from typing import Any

from synaptree.errors import several
from synaptree.grammar.exact import fact_text
from synaptree.study.progress import duration


def facts(session: dict[str, Any]) -> dict[str, str]:
    """What a session says of itself, for a reader."""
    shown = {k.replace("_", " "): fact_text(v) for k, v in session.items() if v is not None}
    wall = session.get("wall_s")
    if isinstance(wall, int | float):
        workers = session.get("workers")
        where = several(workers, "worker") if workers else "a cluster of workers"
        shown["wall time"] = f"{duration(wall)} on {where}"
        shown.pop("wall s", None)
    return shown


def commands(sessions: Sequence[dict[str, Any]]) -> list[str]:
    """The commands that made the results, each once."""
    return list(dict.fromkeys(each["command"] for each in sessions if each.get("command")))

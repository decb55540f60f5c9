"""Audits of the rules in a folder of results. Provisional: the rules branch has the real one."""

import json
from collections.abc import Iterable
from pathlib import Path

from synaptree.audit.matrix import Audit, audited
from synaptree.rules import ONLINE, names


def audits(folder: Path | None, forms: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Audit]:
    """The audits of these rules (name, options as JSON) and of their online forms."""
    del folder  # nothing is kept yet
    ours = [(rule, options) for rule, options in forms if rule in names()]
    online = [(rule, json.dumps(ONLINE[rule])) for rule, _ in ours if rule in ONLINE]
    return {form: audited(*form) for form in [*ours, *online]}

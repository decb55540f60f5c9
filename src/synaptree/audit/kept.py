"""Audits that are kept in a folder of results, so that judging and reporting need not train."""

import json
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from synaptree.audit.matrix import Audit, audit
from synaptree.errors import SynaptreeError
from synaptree.rules import Rule, get, names, online_form
from synaptree.safely import read_plain, write

FILE = "audits.json"
LARGEST = 2**24  # bytes of a file that is read


def audits(
    folder: Path | None, forms: Iterable[tuple[str, str]], write_new: bool = True
) -> dict[tuple[str, str], Audit]:
    """The audits of rules and of their online forms.

    forms: rule names and their options as JSON, as in a frame's rows; rules from outside the
    package, and rules that cannot be audited, are left out.  The result has the same keys, and for
    an online form the rule's name and ``json.dumps(rule.online_options)``.
    folder: where audits are kept, in ``audits.json``; the ones that it lacks are computed, and with
    `write_new` added to it, if it can be written.  None: all are computed.
    """
    wanted: dict[tuple[str, str], Rule] = {}
    for name, options in forms:
        if name in names(former=True):
            wanted[name, options] = rule = get(name, **json.loads(options))
            if online := online_form(name):
                wanted[name, json.dumps(dict(rule.online_options))] = online
    kept = {} if folder is None else _read(folder / FILE)
    missing = {_key(rule) for rule in wanted.values()} - kept.keys()
    for key in sorted(missing):
        # Options at the edge of what numbers hold: their numbers overflow in the audit too.
        with suppress(ArithmeticError, RuntimeError):
            kept[key] = _audit(key)
    if folder is not None and missing and write_new:
        with suppress(SynaptreeError):
            write(folder, FILE, _text(kept))
    return {form: kept[key] for form, rule in wanted.items() if (key := _key(rule)) in kept}


@cache
def _audit(key: str) -> Audit:
    """The audit of a rule by its `_key`, computed once a process."""
    options = json.loads(key)
    return audit(get(options.pop("name"), **options))


def _key(rule: Rule) -> str:
    """The rule and the options that differ from their defaults."""
    changed = rule.model_dump(mode="json", exclude_defaults=True)
    return json.dumps({"name": rule.name} | changed, sort_keys=True, ensure_ascii=False)


def _read(path: Path) -> dict[str, Audit]:
    """The audits in a file; none where it is missing, a link, or not what `_write` writes."""
    try:
        rows = json.loads(read_plain(path, LARGEST))
        return {key: Audit.from_json(row) for key, row in rows.items()}
    except (ValueError, AttributeError, RecursionError):
        return {}


def _text(kept: dict[str, Audit]) -> str:
    """The file's text, an audit a line."""
    text = json.dumps({key: kept[key].to_json() for key in sorted(kept)}, ensure_ascii=False)
    return text.replace('"}, "{', '"},\n"{') + "\n"

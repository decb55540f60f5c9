"""Rows that nobody wrote: each field of a row is replaced by what it should not be."""

import copy
import json

MISSING = object()
HUGE = 10**30
VALUES = {
    "missing": MISSING, "null": None, "text": "zzz", "empty": "", "number": 7, "negative": -1.5,
    "huge": HUGE, "float": 1e308, "bool": True, "list": [1.5], "none": [], "lists": [["x"], []],
    "object": {"a": 1}, "long": "x" * 20_000,
}  # fmt: skip


def fields(value, path=()):
    """The path of every field of a row, and of the first entry of every list."""
    if path:
        yield path
    inner = dict(enumerate(value[:1])) if isinstance(value, list) else value
    for key, each in inner.items() if isinstance(inner, dict) else ():
        yield from fields(each, (*path, key))


def replaced(row, path, value):
    row = copy.deepcopy(row)
    inner = row
    for key in path[:-1]:
        inner = inner[key]
    if value is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return row


def hostile(row):
    """Every field × every value, with what was done, and lines that are hardly JSON."""
    for path in fields(row):
        for name, value in VALUES.items():
            line = json.dumps(replaced(row, path, value)).encode()
            yield f"{'.'.join(map(str, path))}: {name}", line
    for path in fields(row):
        for token in (b"NaN", b"Infinity", b"9" * 5000, b"1e999", b"[" * 3000 + b"]" * 3000):
            mark = json.dumps(replaced(row, path, "MARK")).encode()
            yield f"{path} as {token[:9]}", mark.replace(b'"MARK"', token)

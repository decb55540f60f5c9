"""The columns of a frame of results, and which of them are settings and which measurements.

Both are read from the classes that define them: the settings from `RunSpec`, the measurements from
`Result` with its learning curve and its portrait.  A field that is added there is a column here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, cast, get_args, get_type_hints

from synaptree.sources.dataset import Dataset
from synaptree.sources.dials import Variant
from synaptree.training.loop import Result
from synaptree.training.spec import RunSpec

if TYPE_CHECKING:  # rows have columns, too, and need no frame
    import pandas as pd

GRAMMAR = ("v", "n", "m", "s", "L")  # the columns that make a kind of grammar
BY_DEPTH = ("L", "v", "n", "m", "s")  # the same, in the order in which kinds are listed
ORIGIN = ("variant", "data")  # what makes another kind of it; empty for plain grammars
# Which rule a run had: one name may stand for several rules, told apart by options and source file.
RULE = ("label", "rule", "rule_options", "family", "source")
# What follows from the rule and its views: see `rules.facts`.
DERIVED = ("subfamily", "tier", "passes")

# The column of each field of RunSpec.  `seed` counts grammars; `steps` is how many were made.
_RENAMED = {"grammar_seed": "seed", "steps": "steps_asked"}
ASKED = {name: _RENAMED.get(name, name) for name in RunSpec.model_fields if name != "rule"}
DEFAULTS = {
    column: str(field.default) if isinstance(field.default, Dataset | Variant) else field.default
    for name, column in ASKED.items()
    if not (field := RunSpec.model_fields[name]).is_required()
}
SEEDS = tuple(column for name, column in ASKED.items() if name.endswith("_seed"))
SETTINGS = tuple(c for c in ASKED.values() if c not in (*GRAMMAR, "P", *SEEDS))

# The curve has errors of its own, beside the final ones.
_PREFIX = {"curve": "curve_", "portrait": ""}


def parts(record: type) -> Iterator[tuple[str, Any, type | None]]:
    """The measured fields of `Result`: name, type, and the dataclass that is in it, if one is."""
    hints = get_type_hints(record)
    for field in fields(record):
        if field.name not in ("spec", "trained"):
            hint = hints[field.name]
            inner = [kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)]
            yield field.name, hint, cast(type, inner[0]) if inner else None


def _measurements(record: type) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, _, inner in parts(record):
        if inner is None:
            yield name, (name,)
        else:
            prefix = _PREFIX.get(name, f"{name}_")
            yield from ((f"{prefix}{field.name}", (name, field.name)) for field in fields(inner))


# The column of each measurement, and where in a row it is.
MEASUREMENTS: Mapping[str, tuple[str, ...]] = dict(_measurements(Result))
# What happened to a run, beside what was asked and what was measured.
RECORD = ("run_id", "status", "error", "code_version")


def finished(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The runs of a frame that ended without an error."""
    return frame[frame["status"] == "done"]


def failed(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The runs of a frame that ended in an error."""
    return frame[frame["status"] == "failed"]


# The columns that `states` reads.
BECAME = ("status", "diverged", "collapsed", "stopped")


def state(run: Mapping[Any, Any]) -> str:
    """What became of a run: done, failed, or, beside its numbers, diverged, stopped, collapsed."""
    if run["status"] != "done":
        return "failed"
    words = [word for word in ("diverged", "stopped") if run.get(word) is True]
    lost = run.get("collapsed")
    if isinstance(lost, list) and lost:
        layers = cast(list[object], lost)
        words.append(f"collapsed in layer {', '.join(map(str, layers))}")
    return ", ".join(words) or "done"


def states(runs: "pd.DataFrame") -> str:
    """What a reader of a group's numbers must know, as ``diverged in 2 of 5 runs, stopped in 1``.

    Empty where all runs ended as they should.  What older runs did not record is not counted.
    """
    counts = {
        "diverged": _true(runs, "diverged"),
        "failed": len(failed(runs)) if "status" in runs else 0,
        "collapsed": _true(runs, "collapsed"),
        "stopped": _true(runs, "stopped"),
    }
    of = f" of {len(runs)} runs" if len(runs) > 1 else ""
    words = [f"{word} in {n}{of}" if of else word for word, n in counts.items() if n]
    return ", ".join(words)


def _true(runs: "pd.DataFrame", column: str) -> int:
    """How many runs have True, or a list with something in it."""
    if column not in runs:
        return 0
    return sum(value is True or (isinstance(value, list) and bool(value)) for value in runs[column])


def asked(frame: "pd.DataFrame") -> list[str]:
    """The columns that say what a run was asked, but for its seeds; settings that only a later
    version knows are among them."""
    other = {*DERIVED, *SEEDS, *MEASUREMENTS, *RECORD}
    return [str(name) for name in frame if name not in other]


def kind_name(kind: Mapping[Any, Any], leave_out: str = "") -> str:
    """The name of a kind of grammar, as ``v=8 n=8 m=4 s=2 L=3``, from a row or a mapping.

    That of a variant ends in its dials, and that of data of one's own in their name; these have no
    m."""
    found = (kind.get(name) for name in ORIGIN)
    text = (str, Variant, Dataset)  # in a frame, what is missing may be NaN
    variant, data = (str(each) if isinstance(each, text) else "" for each in found)
    left_out = (leave_out, "m" if data else "")
    sizes = [f"{name}={kind[name]}" for name in GRAMMAR if name not in left_out]
    return " ".join(filter(None, [*sizes, variant, data]))


def is_other(frame: "pd.DataFrame") -> "pd.Series[bool]":
    """Which runs are on a variant of the grammar or on data of one's own."""
    there = [name for name in ORIGIN if name in frame]
    return (frame[there].fillna("") != "").any(axis=1)


def plain(frame: "pd.DataFrame") -> "pd.DataFrame":
    """The runs of a frame on plain grammars, of which budgets and trees are known."""
    return frame[~is_other(frame)]


def one_a_grammar(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Of runs with one label on one grammar, which differ in data or network, the one with the
    lowest seeds, so that every grammar has the same weight."""
    order = [name for name in ("data_seed", "network_seed") if name in frame]
    alike = [name for name in ("label", *BY_DEPTH, "P", *ORIGIN, "seed") if name in frame]
    if not order:
        return frame
    return frame.sort_values(order, kind="stable").drop_duplicates(alike).sort_index()


def by_kind(frame: "pd.DataFrame") -> "Iterator[tuple[str, pd.DataFrame]]":
    """The finished runs at each kind of grammar and P, with its name, shallow grammars first."""
    keys = [*BY_DEPTH, "P", *(name for name in ORIGIN if name in frame)]
    for values, runs in finished(frame).groupby(keys):
        kind = dict(zip(keys, cast(tuple[Any, ...], values), strict=True))
        yield f"{kind_name(kind)} P={kind['P']}", runs

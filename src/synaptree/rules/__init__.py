"""The learning rules: one rule, one file. `registry` lists them and finds those of other packages.

Every class of the package's rules can be imported from here, as in ``from synaptree.rules import
DFA``; its file is loaded when it is asked for.
"""

from synaptree.rules.base import (
    Batch,
    Factors,
    Facts,
    Reading,
    Rule,
    State,
    Teaching,
    Tensors,
)
from synaptree.rules.loading import adopt
from synaptree.rules.registry import (
    SYNONYMS,
    check_class,
    find,
    get,
    loaded,
    named,
    names,
    online_form,
    parted,
    rule_class,
    rule_name,
)
from synaptree.rules.source import Source, source_of

__all__ = [
    "SYNONYMS",
    "Batch",
    "Factors",
    "Facts",
    "Reading",
    "Rule",
    "Source",
    "State",
    "Teaching",
    "Tensors",
    "adopt",
    "check_class",
    "find",
    "get",
    "loaded",
    "named",
    "names",
    "online_form",
    "parted",
    "rule_class",
    "rule_name",
    "source_of",
]


def __getattr__(name: str) -> type[Rule]:
    if not name.startswith("_"):
        for rule in map(rule_class, names(former=True)):
            if rule.__name__ == name:
                return rule
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

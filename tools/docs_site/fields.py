"""The fields of a run, and the columns of a frame of results, with what each means.

Names, values and defaults come from the classes; meanings come from their docstrings, and from
`WORDS` where a docstring says nothing of a field.  A test keeps every name explained.
"""

from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from docs_site.docstrings import meanings
from docs_site.tables import cell, code, table
from synaptree.measures.portrait import Portrait
from synaptree.results import columns
from synaptree.training.curve import LearningCurve
from synaptree.training.result import Result
from synaptree.training.spec import RunSpec

# Of a run, where the docstring of RunSpec does not say it of this field alone, or says more than a
# cell can hold; what is left out stands below the table.
WORDS = {
    "rule": "the learning rule: a name, a name with options, or a file of your own",
    "v": "features to choose from at each level below the class",
    "n": "classes",
    "m": "ways to write each feature",
    "s": "features of the next level that each feature is written as",
    "L": "levels of the tree; level L is the class",
    "P": "training strings; in a study file also multiples of n·m^L, as `4x`",
    "width": "units at each position of a layer",
    "parametrisation": "how weights and outputs scale with the width",
    "connectivity": (
        "positions of a layer share their weights, or each has its own for its patch (local), or "
        "for the whole layer below (full)"
    ),
    "optimizer": "what turns gradients into weight changes",
    "lr": "learning rate: the size of each weight change; 0.1 for SGD, where none is given",
    "momentum": "momentum of SGD; Adam ignores it",
    "lr_schedule": "the course of the learning rate",
    "steps": "weight updates",
    "evaluations": "points of the learning curve",
    "variant": "dials that change the grammar, as ``zipf=1,noise=0.05``; empty for the plain one",
    "data": "data of your own, not a grammar's strings: a `Dataset`, or the path of its file",
    "schedule": "whether all layers learn together, or one after the other from below",
    "stop_loss": "the mean training loss below which a run ends; 0 never ends it",
    "validation": "the part of the P strings that is held back, for early stopping",
    "grammar_seed": "draws the grammar",
    "data_seed": "draws the strings",
    "network_seed": "draws the weights",
}
# Of results.
MEASURED = {
    "run_id": "the hash of the settings",
    "status": "done or failed",
    "error": "how a failed run ended; empty for others",
    "code_version": "the version and the commit that trained the run",
    "label": "the rule with its options, as tables and figures name it",
    "rule": "the name of the rule",
    "rule_options": "its options, as JSON",
    "family": "reference, control, direct feedback or layerwise",
    "source": "the hash of the code of a rule of your own; empty for the package's rules",
    "subfamily": "the group within the family that the second registration speaks of",
    "tier": "where labels enter a layerwise run: T0, T1 or T2",
    "passes": "how often an input goes through all weights in an update, up or down; empty for a "
    "rule of your own in older results",
    "steps": "weight updates that were made",
    "test_error": "share of wrong classes among strings that were never trained on",
    "train_error": "share of wrong classes among strings that were trained on",
    "curve_step": "learning curve: the steps after which the run was evaluated",
    "curve_train_loss": "learning curve: mean loss since the last evaluation",
    "curve_train_error": "learning curve: mean error since the last evaluation",
    "probe": "accuracy of a linear reader of each level, on strings that it was not fitted to",
    "rank": "effective rank of each layer",
    "dead": "share of each layer's units that are 0 for all inputs",
    "spread": "how much each layer's activity varies",
    "wall_s": "seconds that all replicas of the group took together",
    "replicas": "how many runs trained together, as one batched network",
    "bayes_low": "lower end of the 95% interval of bayes_error",
    "bayes_high": "upper end of the 95% interval of bayes_error",
    "bayes_error": "error of the best possible answers; empty for data of your own",
}
BOUNDS = {"ge": "at least", "gt": "above", "lt": "below"}
KINDS = {int: "whole number", float: "number", str: "text"}


def study_fields() -> str:
    """The fields of a run: what may be written there, the default and the meaning."""
    said = said_of_fields()
    rows = (
        (code(name), cell(values(field)), default(field), cell(said[name]))
        for name, field in RunSpec.model_fields.items()
    )
    return table(("field", "values", "default", "meaning"), rows)


def said_of_fields() -> dict[str, str]:
    """What each field of a run means."""
    return meanings(RunSpec) | WORDS


def values(field: FieldInfo) -> str:
    """What may be written in a field."""
    hint: Any = field.annotation
    if get_origin(hint) is Literal:
        return ", ".join(map(str, get_args(hint)))
    if hint not in KINDS:
        return {"Rule": "rule", "Dataset": "file"}.get(getattr(hint, "__name__", ""), "list")
    bounds = [
        f"{word} {getattr(mark, sign):g}"
        for mark in field.metadata
        for sign, word in BOUNDS.items()
        if getattr(mark, sign, None) is not None
    ]
    return f"{KINDS[hint]} {' and '.join(bounds)}".strip()


def default(field: FieldInfo) -> str:
    """What a field is if nothing is written there."""
    if field.is_required():
        return "(required)"
    empty = field.default in ("", ()) or not str(field.default)
    return "none" if empty else code(field.default)


def frame_columns() -> str:
    """The columns of a frame of results, in groups."""
    said = said_of_columns()
    return "\n\n".join(
        f"## {title}\n\n"
        + table(("column", "meaning"), ((code(name), cell(said[name])) for name in names))
        for title, names in column_groups().items()
    )


def column_groups() -> dict[str, list[str]]:
    """All columns of a frame: which run it is, what was asked, and what was measured."""
    which = [*columns.RECORD, *columns.RULE, *columns.DERIVED]
    return {
        "Which run": which,
        "What was asked": list(columns.ASKED.values()),
        "What was measured": list(columns.MEASUREMENTS),
    }


def said_of_columns() -> dict[str, str]:
    """What each column means."""
    fields = said_of_fields()
    asked = {column: fields[name] for name, column in columns.ASKED.items()}
    curve = {f"curve_{name}": text for name, text in meanings(LearningCurve).items()}
    return meanings(Portrait, Result) | curve | asked | MEASURED

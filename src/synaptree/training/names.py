"""How the settings of a run may be named: its rule, and what other packages call the others."""

from collections.abc import Container, Mapping
from typing import Any, cast

from synaptree import rules
from synaptree.errors import SynaptreeError, shown
from synaptree.rules import Rule

# `squeezed`, and what a setting is called here.
SYNONYMS = {
    **dict.fromkeys(("learningrate", "eta", "stepsize"), "lr"),
    **dict.fromkeys(("batchsize", "minibatch"), "batch"),
    **dict.fromkeys(("hidden", "hiddensize", "units", "channels"), "width"),
    **dict.fromkeys(("epochs", "iterations", "updates"), "steps"),
    **dict.fromkeys(("layers", "levels", "depth", "numlayers"), "L"),
    **dict.fromkeys(("classes", "numclasses", "nclasses"), "n"),
    **dict.fromkeys(("samples", "trainsize", "ntrain"), "P"),
    "seeds": "seed",
}


def as_rule(value: Any) -> Any:
    """A rule from its name, or from what `RunSpec.model_dump` makes of it."""
    if isinstance(value, str):
        return rules.named(value)
    if isinstance(value, Rule):
        if value.source is not None:
            rules.check_class(type(value))
        return value
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise SynaptreeError(
            f"rule: {shown(value)} given; expected a name, as dfa, or rules.get('dfa', scale=2)"
        )
    value = cast(dict[str, Any], value)
    options = {name: option for name, option in value.items() if name not in ("name", "source")}
    if "source" not in value:
        return rules.get(value.get("name"), **options)
    rule = rules.loaded(value["name"], str(value["source"]))
    if rule is None:
        raise SynaptreeError(
            f"rule {value['name']}: made by a file with hash {value['source']}, which is not "
            "loaded; expected its path, as in my_rules.py:MyRule"
        )
    return rule(**options)


def refuse_options(settings: Mapping[str, Any], known: Container[str]) -> None:
    """Raise SynaptreeError for an option of the rule that is given as a setting of the run."""
    rule: object = settings.get("rule")
    if not isinstance(rule, str):
        return
    bare, options = rules.parted(rule)
    for name, value in settings.items():
        if name not in known and name in rules.rule_class(bare).model_fields:
            own = options | {name: shown(value).strip("'")}
            words = ", ".join(f"{option}={text}" for option, text in own.items())
            raise SynaptreeError(
                f"run: {name} given, which is an option of {bare}; expected rule='{bare}({words})'"
            )

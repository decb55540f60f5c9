"""Where rules are found: in this package, in a file, or in an installed package.

A *reference* names a rule wherever one is asked for:

    dfa                        a rule of this package
    path/to/my_rules.py:MyRule a class in a file
    path/to/my_rules.py        the only rule in a file
    their_rule                 an entry point of an installed package, in the group synaptree.rules

A file is executed only for such a reference, or when `adopt` is given its text.
"""

import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from synaptree.errors import SynaptreeError, choice, shown, squeezed, unknown
from synaptree.rules.base import Rule
from synaptree.rules.checks import faults_of_class
from synaptree.rules.loading import broken, load, only
from synaptree.rules.source import class_in, source_of

GROUP = "synaptree.rules"  # of entry points
# The package's rules, each the name of its file. Reports list them in this order.
PACKAGE = (
    "backprop",
    "readout_only",
    "feedback_alignment",
    "sign_symmetry",
    "kolen_pollack",
    "predictive_coding",
    "equilibrium_propagation",
    "dendritic_microcircuits",
    "difference_target_propagation",
    "greedy_local",
    "end_to_end_ssl",
    "dfa",
    "drtp",
    "direct_kolen_pollack",
    "forward_dfa",
    "symmetric_direct",
    "global_error_vector",
    "node_perturbation",
    "pepita",
    "error_broadcast",
    "masking",
    "least_squares_feedback",
    "clapp",
    "clapp_pp",
    "infonce",
    "nt_xent",
    "scff",
    "lpl",
    "vicreg",
    "barlow_twins",
    "oja",
    "soft_hebb",
)
# Names that only earlier results hold: symmetric_direct is masking without masks, bit for bit.
FORMER = ("symmetric_direct",)
# What else people call the rules, without _ and - : for hints alone.
SYNONYMS = {
    "backpropagation": "backprop",
    "bp": "backprop",
    "bt": "barlow_twins",
    "chl": "equilibrium_propagation",
    "contrastivehebbianlearning": "equilibrium_propagation",
    "cpc": "infonce",
    "dendriticerror": "dendritic_microcircuits",
    "directfeedbackalignment": "dfa",
    "dkp": "direct_kolen_pollack",
    "e2e": "end_to_end_ssl",
    "dtp": "difference_target_propagation",
    "ebd": "error_broadcast",
    "endtoend": "end_to_end_ssl",
    "ep": "equilibrium_propagation",
    "eqprop": "equilibrium_propagation",
    "fa": "feedback_alignment",
    "ff": "scff",
    "forwardforward": "scff",
    "gevb": "global_error_vector",
    "greedyinfomax": "infonce",
    "hebb": "oja",
    "hebbian": "oja",
    "interneurons": "dendritic_microcircuits",
    "kp": "kolen_pollack",
    "microcircuits": "dendritic_microcircuits",
    "np": "node_perturbation",
    "pc": "predictive_coding",
    "randomfeatures": "readout_only",
    "randomfeedback": "feedback_alignment",
    "simclr": "nt_xent",
    "ss": "sign_symmetry",
    "usf": "sign_symmetry",
    "targetpropagation": "difference_target_propagation",
    "weightperturbation": "node_perturbation",
}


def names(former: bool = False) -> list[str]:
    """The names of the package's rules: references, direct feedback, controls, layerwise.

    former: also those that only earlier results hold.
    """
    return [name for name in PACKAGE if former or name not in FORMER]


def rule_class(reference: str) -> type[Rule]:
    """The class of a rule.  A name of the package may be in any case, with - for _.

    Raises SynaptreeError, in one line, for an unknown name (with the one that was probably meant),
    and for a file that does not exist, does not run, or has no such rule.
    """
    rule = find(reference)
    if reference not in PACKAGE:
        check_class(rule, reference)
    return rule


def find(reference: str) -> type[Rule]:
    """`rule_class`, of a class that is not yet looked at."""
    if not isinstance(reference, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SynaptreeError(
            f"rule: {shown(reference)} given; expected a name, as dfa, or my_rules.py:MyRule"
        )
    if reference in PACKAGE:
        return _packaged(reference)
    path, colon, name = reference.rpartition(":")
    if not colon or not path.endswith(".py"):
        path, name = reference, ""
    if path.endswith(".py"):
        return only(load(Path(path)), path, name)
    entries = list(entry_points(group=GROUP, name=reference))
    if len(entries) > 1:
        raise SynaptreeError(
            f"rule {reference}: {len(entries)} installed packages have this entry point "
            f"({', '.join(entry.value for entry in entries)}); expected one"
        )
    if entries:
        return _entered(entries[0])
    known = [*PACKAGE, *(entry.name for entry in entry_points(group=GROUP))]
    meant = dict(SYNONYMS)
    if reference.isidentifier() and (own := class_in(Path(), reference)):
        meant[squeezed(reference)] = own
    return find(choice("rule", reference, known, meant))


def check_class(rule: type[Rule], where: str = "") -> None:
    """Raise SynaptreeError for a class from outside the package that is not yet a rule."""
    if faults := faults_of_class(rule):
        raise SynaptreeError(f"rule {where or rule.__name__}: {faults[0]}")


def get(name: str, /, **options: Any) -> Rule:
    """A rule from a reference, with its options as keywords.

    Raises SynaptreeError as `rule_class` does, and for a wrong option.
    """
    rule = rule_class(name)
    known = [field for field in rule.model_fields if field != "name"]
    for option in options.keys() - known:
        where = f"{rule.kind()}: option"
        if not known:
            raise SynaptreeError(f"{where} {shown(option)} given, but it has no options")
        raise unknown(where, option, known)
    return rule(**options)


def named(text: str, /, **more: Any) -> Rule:
    """A rule from a reference behind which options may stand, as ``my_rules.py:MyRule(gain=5)``.

    more: options as keywords, which count where both name one.  Raises as `get` does.
    """
    name, options = parted(text)
    return get(name, **{**options, **more})


def parted(text: str) -> tuple[str, dict[str, str]]:
    """A reference without the options that stand behind it, and these options.

    Raises SynaptreeError for an option that is not NAME=VALUE.
    """
    form = re.fullmatch(r"(?P<name>.*?)(?:\((?P<options>.*)\))?\s*", text, re.DOTALL)
    assert form is not None
    options: dict[str, str] = {}
    for option in re.split(r",(?=\s*\w+\s*=)", (form["options"] or "").strip(" ,")):
        name, equals, value = option.partition("=")
        if option and not (equals and name.strip()):
            raise SynaptreeError(
                f"rule {form['name']}: option {shown(option)} given; expected NAME=VALUE, as in "
                "my_rules.py:MyRule(gain=5)"
            )
        if option:
            options[name.strip()] = value.strip(" ,").strip("'\"")
    return form["name"], options


def rule_name(rule: type[Rule]) -> str:
    """The name of a rule's class."""
    return str(rule.model_fields["name"].default)


def online_form(reference: str) -> Rule | None:
    """The rule with the options with which it learns from one object at a time, or None."""
    options = rule_class(reference).online_options
    return get(reference, **options) if options else None


def loaded(name: str, sha256: str) -> type[Rule] | None:
    """The rule of this name from a file with this hash, if one is in this process."""
    for rule in _subclasses(Rule):
        source = source_of(rule)
        if source is not None and source.sha256 == sha256 and rule_name(rule) == name:
            return rule
    return None


# Rules of this package and of installed ones ------------------------------------------------------


@cache
def _entered(entry: EntryPoint) -> type[Rule]:
    """The class of an entry point."""
    where = f"rule {entry.name}: the entry point {entry.value}"
    try:
        rule = entry.load()
    except Exception as fault:
        raise broken(where, fault) from fault
    if not (inspect.isclass(rule) and issubclass(rule, Rule)):
        raise SynaptreeError(f"{where} is no rule; expected a subclass of synaptree.rules.Rule")
    return rule


@cache
def _packaged(name: str) -> type[Rule]:
    module = import_module(f"synaptree.rules.{name}")
    return only(module, f"{name}.py", "")


def _subclasses(rule: type[Rule]) -> Iterator[type[Rule]]:
    for subclass in rule.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)

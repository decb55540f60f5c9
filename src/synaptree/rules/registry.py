"""Where rules are found: in this package, in a file, or in an installed package.

A *reference* names a rule wherever one is asked for:

    dfa                        a rule of this package
    path/to/my_rules.py:MyRule a class in a file
    path/to/my_rules.py        the only rule in a file
    their_rule                 an entry point of an installed package, in the group synaptree.rules

A file is executed only for such a reference, or when `adopt` is given its text.
"""

import inspect
import linecache
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from synaptree.errors import SynaptreeError, choice, shown, unknown
from synaptree.rules.base import Rule
from synaptree.rules.source import LOADED, Source, hash_of, read_text, source_of

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
    "cpc": "infonce",
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
    "kp": "kolen_pollack",
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
        return _only(_load(Path(path)), path, name)
    for entry in entry_points(group=GROUP, name=reference):
        return _entered(entry)
    known = [*PACKAGE, *(entry.name for entry in entry_points(group=GROUP))]
    return rule_class(choice("rule", reference, known, SYNONYMS))


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


def adopt(sources: Sequence[Source]) -> None:
    """Make the rules of files available under the module names that they have in the process that
    loaded them, so that pickled rules can be read here. Only files that `rule_class` loaded are
    executed; other modules Python imports itself.

    Raises SynaptreeError for a text that does not have its hash.
    """
    for source in sources:
        if hash_of(source.text) != source.sha256:
            raise SynaptreeError(
                f"rule {source.file}: its text has the hash {hash_of(source.text)}; expected "
                f"{source.sha256}"
            )
        if source.module == _module_name(source.file, source.sha256):
            _execute(source, f"<{source.file}>")


# Rules of this package and of installed ones ------------------------------------------------------


@cache
def _packaged(name: str) -> type[Rule]:
    (rule,) = _rules_in(import_module(f"synaptree.rules.{name}"))
    return rule


@cache
def _entered(entry: EntryPoint) -> type[Rule]:
    """The class of an entry point."""
    where = f"rule {entry.name}: the entry point {entry.value}"
    try:
        rule = entry.load()
    except Exception as fault:
        raise _broken(where, fault) from fault
    if not (inspect.isclass(rule) and issubclass(rule, Rule)):
        raise SynaptreeError(f"{where} is no rule; expected a subclass of synaptree.rules.Rule")
    _check_class(rule, where)
    return rule


# Rules in files -----------------------------------------------------------------------------------


def _module_name(file: str, sha256: str) -> str:
    stem = re.sub(r"\W", "_", Path(file).stem)
    return f"synaptree_file_{stem}_{sha256}"


def _load(path: Path) -> ModuleType:
    text = read_text(path)
    sha256 = hash_of(text)
    source = Source(path.name, sha256, text, _module_name(path.name, sha256))
    return _execute(source, str(path))


def _execute(source: Source, filename: str) -> ModuleType:
    """The module of a file, executed once a process and registered, so that it can be pickled."""
    if source.module in LOADED:
        return sys.modules[source.module]
    module = ModuleType(source.module)
    module.__file__ = filename
    # Tracebacks and `inspect` then show the text that was run, even where the file is not.
    lines = source.text.splitlines(keepends=True)
    linecache.cache[filename] = (len(source.text), None, lines, filename)
    sys.modules[source.module] = module
    LOADED[source.module] = source
    try:
        exec(compile(source.text, filename, "exec"), module.__dict__)
        for rule in _rules_in(module):
            _check_class(rule, f"rule {filename}:{rule.__name__}")
    except BaseException as fault:
        del sys.modules[source.module], LOADED[source.module]
        if isinstance(fault, SynaptreeError) or not isinstance(fault, Exception):
            raise
        raise _broken(f"rule {filename}", fault) from fault
    return module


def _rules_in(module: ModuleType) -> list[type[Rule]]:
    """The rules that a module defines itself; a class without `teach` is only a base of rules."""
    return [
        each
        for each in dict.fromkeys(filter(inspect.isclass, vars(module).values()))
        if issubclass(each, Rule)
        and each.__module__ == module.__name__
        and not inspect.isabstract(each)
    ]


def _subclasses(rule: type[Rule]) -> Iterator[type[Rule]]:
    for subclass in rule.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _only(module: ModuleType, path: str, name: str) -> type[Rule]:
    """The rule of a class name in a file, or without a name the only rule in it."""
    by_name = {rule.__name__: rule for rule in _rules_in(module)}
    if not by_name:
        raise SynaptreeError(
            f"rule {path}: holds no rule; expected a subclass of synaptree.rules.Rule"
        )
    if name:
        if name not in by_name:
            raise unknown(f"rule {path}", name, by_name)
        return by_name[name]
    if len(by_name) > 1:
        raise SynaptreeError(
            f"rule {path}: holds {len(by_name)} rules; expected one of "
            f"{', '.join(f'{path}:{each}' for each in by_name)}"
        )
    return next(iter(by_name.values()))


def _check_class(rule: type[Rule], where: str) -> None:
    """Raise SynaptreeError for a class without a name or facts, or with a name of the package."""
    name = rule.model_fields["name"].default
    if not isinstance(name, str):
        raise SynaptreeError(f'{where}: has no name; expected name: Literal["my_rule"] = "my_rule"')
    if not hasattr(rule, "facts"):
        raise SynaptreeError(f"{where}: has no facts; expected facts: ClassVar[Facts] = Facts(…)")
    if name in PACKAGE:
        raise SynaptreeError(
            f"{where}: is named {name!r}, as a rule of the package is; expected another name"
        )


def _broken(where: str, fault: Exception) -> SynaptreeError:
    """The error for code that does not run, with the last line of its traceback."""
    text = " ".join(str(fault).split())
    last = traceback.extract_tb(fault.__traceback__)[-1]
    if last.filename != __file__:
        text += f" (line {last.lineno} of {Path(last.filename).name})"
    return SynaptreeError(
        f"{where}: does not run ({type(fault).__name__}: {text}); expected Python that can be "
        "imported"
    )

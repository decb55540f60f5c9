"""Which rules are to be judged: references with options, as ``my_rules.py:MyRule(gain=5)``."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from synaptree import rules
from synaptree.audit.matrix import Audit, audit
from synaptree.check.rule import check_rule
from synaptree.errors import SynaptreeError, in_one_line, shown
from synaptree.rules import Rule
from synaptree.rules.facts import SUBFAMILIES

Reference = str | Rule | type[Rule]


@dataclass(frozen=True, eq=False)
class Asked:
    """A rule that keeps to the contract, as it was named, with its audit."""

    name: str
    rule: Rule
    audit: Audit

    @property
    def subfamilies(self) -> list[str]:
        """What the facts could name as the subfamily, where they name none; otherwise empty.

        Only a rule that is given forward weights can be a control of direct feedback.
        """
        facts = self.rule.facts
        if facts.subfamily:
            return []
        given_weights = self.audit.found["weight_transport"]
        known = filter(None, SUBFAMILIES[facts.family])
        return [name for name in known if name != "control" or given_weights]


def asked(references: Reference | Sequence[Reference]) -> list[Asked]:
    """The rules, checked and audited.  Raises SynaptreeError, in one line, for the first fault."""
    many = references if isinstance(references, list | tuple) else [references]
    found = [_found(cast(Reference, reference)) for reference in many]
    if not found:
        raise SynaptreeError("rule: none given; expected at least one, as my_rules.py:MyRule")
    ids: dict[str, str] = {}
    for name, rule in found:
        same = f"{type(rule).__qualname__} {rule.source} {rule.model_dump_json()}"
        if same in ids:
            raise SynaptreeError(f"rule {name}: stands twice; expected each rule once")
        ids[same] = name
    return [_checked(name, rule) for name, rule in found]


def public(reference: Reference) -> str:
    """A reference as it may be kept beside results: without the folder of its file."""
    if not isinstance(reference, str):
        return _name_of(reference)
    path, colon, rest = reference.partition(".py")
    return f"{Path(path).name}{colon}{rest}"


def _found(reference: Reference) -> tuple[str, Rule]:
    """The rule that a reference names, and its name."""
    if isinstance(reference, str):
        rule = rules.named(reference)
    elif inspect.isclass(reference):
        rules.check_class(reference)
        rule = cast(Any, reference)()
    else:
        rule = reference
    if not isinstance(rule, Rule):
        raise SynaptreeError(
            f"rule: {shown(reference)} given; expected a rule, or as in my_rules.py:MyRule"
        )
    if rule.source is None:
        raise SynaptreeError(
            f"rule: {rule.name} is the package's own, and in the results already; expected one of "
            "yours, as my_rules.py:MyRule"
        )
    return public(reference), rule


def _name_of(rule: Rule | type[Rule]) -> str:
    return rule.label if isinstance(rule, Rule) else rule.__name__


def _checked(name: str, rule: Rule) -> Asked:
    """A rule that keeps to the contract.  What its facts say is for the judgement, not for this."""
    if faults := check_rule(rule, facts=False):
        more = f" (and {len(faults) - 1} more faults)" if len(faults) > 1 else ""
        raise SynaptreeError(f"{name}: {faults[0]}{more}; see `synaptree check`")
    try:
        return Asked(name, rule, audit(rule))
    except Exception as fault:
        raise SynaptreeError(
            f"{name}: the audit raises {in_one_line(fault)}; expected teach to run on any batch"
        ) from None

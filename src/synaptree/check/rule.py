"""The check of a rule: everything that the contract asks, and all faults at once."""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from synaptree.audit.matrix import audit
from synaptree.audit.record import small_run
from synaptree.check.alike import faults_of_company, faults_of_repeating, faults_of_training
from synaptree.check.trial import REPLICAS, STEPS, Trial, attempt, seen
from synaptree.errors import SynaptreeError, in_one_line, shown
from synaptree.rules import Rule, State, Teaching, find, get, parted
from synaptree.rules.checks import faults_of_class, faults_of_state, faults_of_teaching
from synaptree.training.spec import RunSpec

# What a need of the facts means, as a sentence about updates.
NEEDS = {
    "labels": "depend on the label or the output's error",
    "weight_transport": "depend on weights of layers above",
    "error_network": "depend on masks, or on all feedback weights, of layers above",
    "downstream_masks": "depend on masks of layers above",
    "other_samples": "depend on other inputs of the batch",
}
OTHER_DEVICE = ("same device", "two devices", "device type", "different device")


def check_rule(rule: Rule | type[Rule] | str, *, facts: bool = True) -> list[str]:
    """What is wrong with a rule: a line for each fault, which says what to write.  Empty for none.

    rule: an instance, a class, whose options are then at their defaults, or a reference, as
    ``my_rules.py:MyRule(gain=5)``.  The rule makes some steps on a small network and is audited,
    which takes seconds; a form that learns online is checked as well.  As a test:

        def test_my_rule():
            assert synaptree.check_rule("my_rules.py:MyRule") == []

    facts: whether to compare them with what the audit finds.
    """
    try:
        name, options = parted(rule) if isinstance(rule, str) else ("", {})
        found: Any = find(name) if isinstance(rule, str) else rule
        of_class = found if inspect.isclass(found) else type(found)
        if not (inspect.isclass(of_class) and issubclass(of_class, Rule)):
            return [f"rule: {shown(rule)} given; expected a rule, or as in my_rules.py:MyRule"]
        if faults := faults_of_class(of_class):
            return faults
        if name:
            found = get(name, **options)
        instance: Any = cast(Any, of_class)() if found is of_class else found
        faults = _once(_of_form(instance, facts))
        if not faults and instance.online_options and not instance.online:
            online = instance.model_copy(update=dict(instance.online_options))
            faults = [f"with online_options, {fault}" for fault in _once(_of_form(online, facts))]
        return faults
    except SynaptreeError as fault:
        return [str(fault)]


def _once(faults: Iterable[str]) -> list[str]:
    """The faults, each said of the first layer that has it."""
    alike: dict[str, str] = {}
    for fault in faults:
        alike.setdefault(re.sub(r"\d+", "", fault), fault)
    return list(alike.values())


def _of_form(rule: Rule, facts: bool) -> Iterator[str]:
    """The faults of a rule with its options: in one step, in some, and in what it declares."""
    spec = small_run(rule, STEPS)
    company = attempt(spec, range(REPLICAS))
    faults = [
        *_of_step(company),
        *faults_of_repeating(spec, company),
        *_of_views(rule, company),
        *_of_precision(rule),
        *_of_device(spec),
    ]
    if not company.raised and isinstance(company.taught, Teaching):
        faults += faults_of_company(spec, company)
    yield from faults
    if not faults:
        yield from faults_of_training(spec)
        if facts:
            yield from _of_facts(rule)


def _of_step(trial: Trial) -> Iterator[str]:
    """What is wrong with what `init` and `teach` return, raise and change."""
    net = trial.net
    if trial.where == "teach" or not trial.raised:
        faults = faults_of_state(net, trial.state)
        yield from faults
        if not faults and not trial.raised:
            yield from faults_of_teaching(net, trial.state, trial.batch, trial.taught)
    if trial.raised and not _reads_views(trial):
        R, B = trial.batch.labels.shape
        yield (
            f"{trial.raised}; expected it to run with R = {R} replicas, B = {B} inputs, L = "
            f"{net.L} layers of H = {net.width} units and n = {net.n} classes"
        )
    for name in trial.changed:
        own = "" if name.startswith(("net", "batch")) else ", or keep it in State(running=…)"
        yield f"teach: changes {name}, which it is only shown; write .clone() first{own}"


def _of_views(rule: Rule, trial: Trial) -> Iterator[str]:
    """Whether a rule that is given two views reads both, and any other reads none."""
    family = rule.facts.family
    if _reads_views(trial):
        yield (
            f"views: teach reads a second view, but rules of the family {family} are given none; "
            'write family="layerwise" in facts'
        )
    elif rule.needs_views and not trial.raised and not trial.views.indexed:
        yield (
            f"views: rules of the family {family} are given two views, but teach reads no second "
            "one; read batch.contexts, or write another family in facts"
        )


def _reads_views(trial: Trial) -> bool:
    """Whether a rule without views reads contexts, or fails in going through them."""
    if trial.batch.contexts is not trial.contexts:
        return False
    failed = trial.contexts.iterated and bool(trial.raised)
    return trial.contexts.indexed or trial.views.indexed or failed


def _of_precision(rule: Rule) -> Iterator[str]:
    """Faults that are seen in float32 alone, as of tensors that are always float64."""
    trial = attempt(small_run(rule, STEPS, "float32"), range(REPLICAS))
    if trial.raised and "dtype" in trial.raised:
        yield f"{trial.raised}; expected the network's type: write dtype=net.dtype"
    if isinstance(trial.state, State):
        faults = faults_of_state(trial.net, trial.state)
        yield from faults
        if not faults and not trial.raised:
            yield from faults_of_teaching(trial.net, trial.state, trial.batch, trial.taught)


def _of_device(spec: RunSpec) -> Iterator[str]:
    """Whether the rule works where its network is not on the CPU.

    The network is on a device without numbers, so a rule that looks at some cannot be followed.
    """
    trial = attempt(spec, range(REPLICAS), device="meta")
    elsewhere = "when the network is on another device; write device=net.device"
    for name, t in seen(trial):
        if t.device != trial.net.device:
            yield f"{name} is on {t.device} {elsewhere}"
            return
    if trial.mixed:
        yield f"{trial.mixed[0]} of tensors on two devices {elsewhere}"
    elif any(words in trial.raised for words in OTHER_DEVICE):
        yield f"{trial.raised} {elsewhere}"


def _of_facts(rule: Rule) -> Iterator[str]:
    """Whether the audit finds what the facts declare."""
    try:
        found = audit(rule)
    except Exception as fault:
        yield f"audit: raises {in_one_line(fault)}; expected teach to run on any batch"
        return
    for name in found.lies:
        here, verb = found.found[name], NEEDS[name]
        says = f"finds that updates {verb}" if here else f"finds no update that would {verb}"
        yield (
            f"facts: {name}={found.declared[name]} is declared, but the audit {says}; write "
            f"{name}={here}"
        )

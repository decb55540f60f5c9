"""What is dishonest in a rule: dependences that the audit finds and its facts deny."""

from collections.abc import Iterator

from synaptree.audit.compare import SEVERITY
from synaptree.audit.matrix import Audit
from synaptree.audit.quantities import QUANTITIES
from synaptree.audit.settling import SETTLING
from synaptree.check.rule import NEEDS
from synaptree.report.words import listed

# The quantities of the audit that each of the facts is about.
ABOUT = {
    "labels": ("label", "error"),
    "weight_transport": ("weights_above", "both_ways"),
    "error_network": ("masks_above", "feedback_above"),
    "downstream_masks": ("masks_above",),
    "other_samples": ("other_inputs",),
}
TITLES = {quantity.key: quantity.title for quantity in (*QUANTITIES, *SETTLING)}


def denied(audit: Audit) -> list[str]:
    """What the rule uses although its facts say that it does not, a sentence each."""
    return [*_denied(audit), *_learned(audit)]


def idle(audit: Audit) -> list[str]:
    """The facts that are declared although the audit finds no such dependence."""
    return [name for name in audit.lies if audit.declared[name]]


def _denied(audit: Audit) -> Iterator[str]:
    for name in audit.lies:
        if audit.found[name]:
            keys = [key for key in ABOUT[name] if _used(audit.needs.get(key, "none"))]
            layers = sorted(
                {l for key in keys for l, need in enumerate(audit.layers[key], 1) if _used(need)}
            )
            where = f"layer{'s' * (len(layers) > 1)} {listed([str(l) for l in layers])}"
            found = listed([TITLES[key] for key in keys])
            yield (
                f"not what it says: its facts declare {name}=False, but the audit finds that "
                f"updates {NEEDS[name]} ({found}, in {where} of {len(audit.layers[keys[0]])})"
            )


def _learned(audit: Audit) -> Iterator[str]:
    """Whether the rule's own parameters learn from the label behind the back of its facts."""
    used = [key for key in ABOUT["labels"] if audit.learning.get(key, "none") == "yes"]
    if used and not audit.declared["labels"] and not audit.found["labels"]:
        yield (
            "not what it says: its facts declare labels=False, but the audit finds that the "
            f"rule's own parameters learn from {listed([TITLES[key] for key in used])}"
        )


def _used(need: str) -> bool:
    """Whether a quantity is used, at least as one broadcast number."""
    order = [str(each) for each in SEVERITY]
    return order.index(need) >= order.index("scalar")

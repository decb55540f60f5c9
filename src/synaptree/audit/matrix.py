"""The matrix rule × quantity, and what follows from it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Tensor

from synaptree.audit.quantities import (
    ALL,
    QUANTITIES,
    Focus,
    Quantity,
    others,
    serves,
    with_strangers,
)
from synaptree.audit.record import Record, record
from synaptree.rules import Factors, Rule, get

Need = Literal["no", "scalar", "vector", "yes", "unclear", "none"]
# none: there is no such thing for this rule.  no: the update stays the same, bit for bit.
# scalar, vector: it enters only as one number, or as one short vector, broadcast to the layer.
# unclear: the rule runs the network again, and the change cannot be told from that.
SEVERITY: tuple[Need, ...] = ("none", "no", "scalar", "vector", "unclear", "yes")


@dataclass(frozen=True)
class Audit:
    """What a rule's synapses need.

    needs: of each quantity, the most that any layer needs.  layers: of each quantity, layers 1..L.
    declared, found: what the rule's `Facts` say and what the audit says of the same.
    second_pass: whether the rule runs the network a second time.
    others: how many of the other objects of the batch matter, of how many.
    learning: of each quantity, whether the learning of the rule's own parameters (predictions,
    projections, feedback weights) needs it; empty where there are none. Quantities that are asked
    of one input, position or unit at a time are left out: such learning sums over them.
    """

    label: str
    needs: Mapping[str, Need]
    layers: Mapping[str, Sequence[Need]]
    declared: dict[str, bool]
    found: dict[str, bool]
    second_pass: bool
    sentence: str
    learning: Mapping[str, Need]
    others: tuple[int, int]

    @property
    def lies(self) -> list[str]:
        """The facts that the audit contradicts."""
        return [name for name in self.found if self.declared[name] != self.found[name]]


def audit(rule: Rule) -> Audit:
    """Change one quantity at a time, and compare the update of each layer, bit for bit."""
    seen = record(rule)
    numbers = range(1, seen.L + 1)
    layers: dict[str, list[Need]] = {q.key: [need(seen, q, l) for l in numbers] for q in QUANTITIES}
    needs: dict[str, Need] = {key: worst(found) for key, found in layers.items()}
    facts = rule.declared
    strangers = heard(seen)
    names = ("labels", "weight_transport", "error_network", "downstream_masks", "other_samples")
    return Audit(
        label=rule.label,
        needs=needs,
        layers=layers,
        declared={name: getattr(facts, name) for name in names},
        found=verdicts(needs),
        second_pass=seen.forwards > 0,
        sentence=sentence(needs, seen.forwards > 0, gated(seen), strangers == 1),
        learning=learning(seen),
        others=(strangers, len(others(seen))),
    )


@cache
def audited(rule: str, options: str) -> Audit:
    """The audit of a rule with options written as JSON, once a process."""
    return audit(get(rule, **json.loads(options)))


def verdicts(needs: Mapping[str, Need]) -> dict[str, bool]:
    """What the rule's facts should say.  One broadcast number transports no weights."""

    def wants(*keys: str, least: Need = "vector") -> bool:
        return any(SEVERITY.index(needs[key]) >= SEVERITY.index(least) for key in keys)

    return {
        "labels": wants("label", "error", least="scalar"),
        "weight_transport": needs["weights_above"] in ("vector", "yes"),
        "error_network": "yes" in (needs["masks_above"], needs["feedback_above"]),
        "downstream_masks": needs["masks_above"] == "yes",
        "other_samples": wants("other_inputs", least="scalar"),
    }


def gated(seen: Record) -> bool:
    """Whether the synapse multiplies by its unit's own gate."""
    factors = [f for layer in range(1, seen.L + 1) for f in terms(seen, layer)]
    return not factors or any(bool((f.post != 1).any()) for f in factors)


def heard(seen: Record) -> int:
    """How many of the other objects, changed one at a time, change the first object's update."""
    focus: Focus = (slice(seen.batch.members), ALL, ALL)
    found = 0
    for other in others(seen):
        changed = with_strangers(seen, [other])
        found += any(
            compare(terms(seen, layer), terms(changed, layer), focus) != "no"
            for layer in range(1, seen.L + 1)
        )
    return found


def sentence(
    needs: Mapping[str, Need], second_pass: bool, gated: bool = True, one_other: bool = False
) -> str:
    """What a synapse multiplies, in words."""
    third: list[str] = []
    if needs["masks_above"] == "yes":
        third.append("an error that came down through the masks of the layers above")
    elif needs["weights_above"] in ("vector", "yes"):
        third.append("the output's error through the weights of the layers above")
    elif needs["error"] == "vector":
        third.append("the output's error, broadcast")
    elif needs["label"] == "vector":
        third.append("the target, broadcast")
    elif second_pass:
        one = needs["label"] == "scalar" and needs["error"] == "no"
        did = "noise did to the loss, one number" if one else "the error did at the input"
        third.append(f"what {did}, in a second pass")
    elif needs["error"] == "yes":
        third.append("the output's error")
    elif needs["label"] == "yes":
        third.append("the error of the layer's own reader of the class")
    if needs["second_view"] not in ("none", "no"):
        through = " through the layer's own weights" if needs["own"] == "yes" else ""
        third.append(f"a prediction from the second view{through}")
    if needs["other_inputs"] == "yes":
        third.append("one other input" if one_other else "other inputs of the batch")
    elif needs["memory"] not in ("none", "no"):
        third.append("what the layer remembers of earlier inputs")
    if needs["units"] == "scalar":
        third.append("numbers that the whole layer shares")
    last = ", and ".join(third) or "what is in the layer itself"
    own = "the unit's own gate × " if gated else ""
    return f"presynaptic activity × {own}{last}"


def need(seen: Record, quantity: Quantity, layer: int) -> Need:
    """Whether the update of a layer needs a quantity; the most of several random changes."""
    before = terms(seen, layer)
    found: Need = "none"
    for seed in range(3):
        changed = quantity.change(seen, layer, torch.Generator().manual_seed(seed))
        if changed is None:
            return "none"
        after = terms(changed, layer)
        now = compare(before, after, quantity.focus(seen))
        if now in ("yes", "vector") and linear(seen, changed, quantity, before, after):
            now = "vector"
        if now == "yes" and quantity.rerun and seen.forwards:
            now = "unclear"
        if now == "no" and quantity.key in ("activity_above", "masks_above") and seen.forwards:
            now = "unclear"  # the second pass has its own, which the record does not hold
        found = worst([found, now])
    return found


def learning(seen: Record) -> dict[str, Need]:
    """What the learning of the rule's own parameters needs."""
    if not seen.state.learned and not seen.state.feedback:
        return {}
    found: dict[str, Need] = {}
    for quantity in QUANTITIES:
        if quantity.focus(seen) != (ALL, ALL, ALL):
            continue
        each: list[Need] = ["none"]
        for layer in range(1, seen.L + 1):
            before = own_updates(seen, layer)
            changed = quantity.change(seen, layer, torch.Generator().manual_seed(0))
            if changed is not None and before:
                after = own_updates(changed, layer)
                same = all(torch.equal(before[name], after[name]) for name in before)
                each.append("no" if same else "unclear" if seen.forwards else "yes")
        found[quantity.key] = worst(each)
    return found


def own_updates(seen: Record, layer: int) -> dict[str, Tensor]:
    """The updates of the rule's own tensors that belong to a layer."""
    taught = seen.rule.teach(seen.net, seen.own_state(), seen.batch, seen.streams())
    return {name: g for name, g in taught.own.items() if serves(name, layer, seen.L)}


def worst(found: Sequence[Need]) -> Need:
    """The most that was needed."""
    return SEVERITY[max(SEVERITY.index(need) for need in found)]


def terms(seen: Record, layer: int) -> list[Factors]:
    """The factors of the layer's update, one of each term of their sum."""
    found = seen.rule.factors(seen.net, seen.own_state(), seen.batch, seen.streams())[layer - 1]
    return found or []


def compare(before: Sequence[Factors], after: Sequence[Factors], focus: Focus) -> Need:
    """How two updates of a layer differ, within the focus."""

    def part(t: Tensor) -> Tensor:
        inputs, positions, units = focus
        return t[:, inputs, positions, units] if t.shape[3] > 1 else t[:, inputs, positions]

    def same(name: str) -> bool:
        return all(
            torch.equal(part(getattr(a, name)), part(getattr(b, name)))
            for a, b in zip(before, after, strict=True)
        )

    same_pre = all(
        torch.equal(a.pre[:, focus[0], focus[1]], b.pre[:, focus[0], focus[1]])
        for a, b in zip(before, after, strict=True)
    )
    if same("signal") and same_pre:
        return "no"
    return "scalar" if same("dendrite") and same_pre else "yes"


def linear(
    seen: Record, changed: Record, quantity: Quantity, before: list[Factors], after: list[Factors]
) -> bool:
    """Whether the signal is one fixed matrix times the quantity's short vector, or times its signs,
    for every input."""
    if quantity.key not in ("label", "error"):
        return False
    given: list[Tensor] = []
    for each in (seen, changed):
        onehot = torch.nn.functional.one_hot(each.batch.labels, each.net.n)
        given.append(onehot.to(each.batch.error) if quantity.key == "label" else each.batch.error)
    q = torch.cat(given, 1)
    T = torch.cat([sum_of(before), sum_of(after)], 1).flatten(2)
    for vector in (q, q.sign()):
        fit = torch.linalg.lstsq(vector, T, driver="gelsd").solution
        if float((vector @ fit - T).abs().max()) < 1e-9 * float(T.abs().max()):
            return True
    return False


def sum_of(factors: Sequence[Factors]) -> Tensor:
    """The teaching signal T_l of a layer, from the terms that it is the sum of."""
    return torch.stack([f.signal for f in factors]).sum(0)

"""The audit of a rule: which quantities each layer's update depends on, and what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch

from synaptree.audit.compare import SEVERITY, Need, broadcast, compare, worst
from synaptree.audit.quantities import ALL, QUANTITIES, Focus, Quantity, others, with_strangers
from synaptree.audit.record import Record, record
from synaptree.audit.sentence import sentence
from synaptree.audit.settling import SETTLING
from synaptree.rules import Rule, named
from synaptree.training.precision import arithmetic

FACTS = ("labels", "weight_transport", "error_network", "downstream_masks", "other_samples")


@dataclass(frozen=True)
class Audit:
    """What the synapses of a rule need to know.

    needs: of each quantity, the strongest need of any layer; those of `SETTLING` only for rules
    that settle.  layers: of each quantity, the needs of layers 1..L.
    declared, found: `FACTS` as the rule declares and as the audit finds them.
    second_pass: whether the rule runs the network a second time.
    others: how many of the other objects of the batch have an effect, and how many there are.
    learning: of each quantity, whether the learning of the rule's own parameters (predictions,
    projections, feedback weights) needs it; empty for a rule without any. Quantities of which only
    one input, position or unit is compared are left out, since such learning sums over them.
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

    def to_json(self) -> dict[str, Any]:
        """The audit in plain types, which `from_json` reads."""
        return {
            "rule": self.label,
            "needs": dict(self.needs),
            "layers": {key: list(needs) for key, needs in self.layers.items()},
            "declared": self.declared,
            "found": self.found,
            "contradicted": self.lies,
            "second_pass": self.second_pass,
            "others": {"matter": self.others[0], "of": self.others[1]},
            "sentence": self.sentence,
            "learning_of_own_parameters": dict(self.learning),
        }

    @classmethod
    def from_json(cls, data: Any) -> "Audit":
        """An audit from `to_json`.  Raises ValueError for anything else."""
        try:
            asked = [*QUANTITIES, *(q for q in SETTLING if q.key in data["needs"])]
            layers: dict[str, list[Need]] = {
                q.key: [_need(n) for n in data["layers"][q.key]] for q in asked
            }
            return cls(
                label=str(data["rule"]),
                needs={q.key: _need(data["needs"][q.key]) for q in asked},
                layers=layers,
                declared={name: bool(data["declared"][name]) for name in FACTS},
                found={name: bool(data["found"][name]) for name in FACTS},
                second_pass=bool(data["second_pass"]),
                sentence=str(data["sentence"]),
                learning={
                    q.key: _need(data["learning_of_own_parameters"][q.key])
                    for q in QUANTITIES
                    if q.key in data["learning_of_own_parameters"]
                },
                others=(int(data["others"]["matter"]), int(data["others"]["of"])),
            )
        except (KeyError, TypeError) as fault:
            raise ValueError(f"not an audit: {fault}") from None


def _need(value: object) -> Need:
    for need in SEVERITY:
        if value == need:
            return need
    raise ValueError(f"not a need: {value!r}")


def audit(rule: Rule | type[Rule] | str) -> Audit:
    """Change one quantity at a time, and compare the update of each layer, bit for bit.

    rule: an instance; or its class, whose options are then at their defaults; or a reference, as
    ``dfa`` or ``my_rules.py:MyRule(gain=5)``.
    """
    return _audited(rule if isinstance(rule, Rule) else _made(rule))


def _made(rule: type[Rule] | str) -> Rule:
    return named(rule) if isinstance(rule, str) else cast(Any, rule)()


def _audited(rule: Rule) -> Audit:
    with arithmetic("float64"):
        step = record(rule)
        layers: dict[str, list[Need]] = {
            q.key: [need(step, q, l) for l in range(1, step.L + 1)]
            for q in (*QUANTITIES, *(SETTLING if step.settlings else ()))
        }
        needs: dict[str, Need] = {key: worst(of_layers) for key, of_layers in layers.items()}
        effective = effective_others(step)
        return Audit(
            label=rule.label,
            needs=needs,
            layers=layers,
            declared={name: getattr(rule.declared, name) for name in FACTS},
            found=facts_from(needs),
            second_pass=step.forwards > 0,
            sentence=sentence(needs, step.forwards > 0, gated(step), effective == 1),
            learning=learning(step),
            others=(effective, len(others(step))),
        )


def facts_from(needs: Mapping[str, Need]) -> dict[str, bool]:
    """The facts that a rule should declare. One broadcast number transports no weights."""

    def at_least(least: Need, *keys: str) -> bool:
        return any(SEVERITY.index(needs[key]) >= SEVERITY.index(least) for key in keys)

    return {
        "labels": at_least("scalar", "label", "error"),
        "weight_transport": needs["weights_above"] in ("vector", "yes")
        or needs.get("both_ways") == "yes",
        "error_network": "yes" in (needs["masks_above"], needs["feedback_above"]),
        "downstream_masks": needs["masks_above"] == "yes",
        "other_samples": at_least("scalar", "other_inputs"),
    }


def gated(step: Record) -> bool:
    """Whether the synapse multiplies by its unit's own gate."""
    factors = [f for layer in range(1, step.L + 1) for f in step.terms(layer)]
    return not factors or any(bool((f.post != 1).any()) for f in factors)


def effective_others(step: Record) -> int:
    """How many of the other objects, changed one at a time, change the first object's update."""
    focus: Focus = (slice(step.batch.members), ALL, ALL)
    count = 0
    for other in others(step):
        changed = with_strangers(step, [other])
        count += any(
            compare(step.terms(layer), changed.terms(layer), focus) != "no"
            for layer in range(1, step.L + 1)
        )
    return count


def need(step: Record, quantity: Quantity, layer: int) -> Need:
    """Whether the update of a layer needs a quantity: the strongest of several random changes."""
    before = step.terms(layer)
    strongest: Need = "none"
    for seed in range(3):
        changed = quantity.change(step, layer, torch.Generator().manual_seed(seed))
        if changed is None:
            return "none"
        after = changed.terms(layer)
        now = compare(before, after, quantity.focus(step))
        if now == "yes" and broadcast(step, changed, quantity, layer):
            now = "vector"
        if now == "yes" and _hidden(quantity, step):
            now = "unclear"
        again = step.forwards or step.settlings
        if now == "no" and quantity.key in ("activity_above", "masks_above") and again:
            now = "unclear"  # the second pass has activity of its own, which is not in the record
        strongest = worst([strongest, now])
    return strongest


def _hidden(quantity: Quantity, step: Record) -> bool:
    """Whether the effect of a quantity cannot be told from that on what the rule runs itself."""
    if step.settlings and quantity.key == "masks_above":
        return False  # which was changed where the settling uses it, and nowhere else
    rerun = quantity.rerun and (step.forwards or step.settlings)
    return bool(rerun or (quantity.start and step.settlings))


def learning(step: Record) -> dict[str, Need]:
    """What the learning of the rule's own parameters needs."""
    if not step.state.trained():
        return {}
    needs: dict[str, Need] = {}
    for quantity in QUANTITIES:
        if quantity.focus(step) != (ALL, ALL, ALL):
            continue
        by_layer: list[Need] = ["none"]
        for layer in range(1, step.L + 1):
            before = step.own_updates(layer)
            changed = quantity.change(step, layer, torch.Generator().manual_seed(0))
            if changed is not None and before:
                same = all(map(torch.equal, before, changed.own_updates(layer)))
                by_layer.append("no" if same else "unclear" if step.forwards else "yes")
        needs[quantity.key] = worst(by_layer)
    return needs

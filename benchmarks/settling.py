"""What convergence costs: passes through the network, how far it is from rest, and the angle.

    python benchmarks/settling.py

One network in training and one minibatch, in float64: each rule that settles gives its update after
more and more steps. A pass is one way through all the weights, up or down; backprop makes two. The
residual is how far a last step would move the state, relative to the state: the median over inputs,
and over settlings the largest. Cosines are with the update of each layer that the rule tends to,
means of replicas.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from synaptree import rules
from synaptree.measures.alignment import cosines
from synaptree.network.settling import Settled
from synaptree.rules import Batch, Rule, State
from synaptree.rules.dendritic_microcircuits import DendriticMicrocircuits
from synaptree.rules.equilibrium_propagation import EquilibriumPropagation
from synaptree.rules.predictive_coding import PredictiveCoding
from synaptree.training.replicas import Replicas
from synaptree.training.spec import make_spec

STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128)
TRAINED = 300  # steps of backprop before this minibatch
FORMS: Sequence[Rule] = (
    PredictiveCoding(),
    PredictiveCoding(beta=0.1),
    EquilibriumPropagation(),
    EquilibriumPropagation(nudges="one_sided"),
    EquilibriumPropagation(nudges="clamped"),
    DendriticMicrocircuits(),
    PredictiveCoding(masks="none"),
    PredictiveCoding(masks="none", beta=0.1),
    EquilibriumPropagation(masks="none"),
)


def with_steps(rule: Rule, steps: int) -> Rule:
    """The rule with so many steps in each settling."""
    names = [name for name in ("steps", "free", "nudged") if hasattr(rule, name)]
    return rule.model_copy(update=dict.fromkeys(names, steps))


def settlings(rule: Rule, replicas: Replicas, batch: Batch) -> list[Settled]:
    """What the rule lets the network settle into."""
    if isinstance(rule, PredictiveCoding):
        return [rule.settle(replicas.net, batch)]
    if isinstance(rule, DendriticMicrocircuits):
        return [rule.settle(replicas.net, rule.init(replicas.net, replicas.streams), batch)]
    assert isinstance(rule, EquilibriumPropagation)
    free, nudged = rule.settle(replicas.net, batch)
    return [free, *(settled for _, settled in nudged)]


def limit(rule: Rule) -> Rule:
    """What the rule tends to at rest, as labels get weak."""
    if isinstance(rule, DendriticMicrocircuits):
        return rules.get("feedback_alignment")
    return rules.get("masking" if getattr(rule, "masks", "true") == "none" else "backprop")


def updates(rule: Rule, state: State, replicas: Replicas, batch: Batch) -> Sequence[Tensor | None]:
    """A rule's update of each layer."""
    net = replicas.net
    taught = rule.teach(net, state, batch, replicas.streams)
    return taught.updates(net, batch.activity, batch.error)[: net.L]


def row(rule: Rule, replicas: Replicas, batch: Batch) -> str:
    """A rule's passes, residual and cosines, as a row of a table."""
    residual = max(float(s.residual.median()) for s in settlings(rule, replicas, batch))
    state = rule.init(replicas.net, replicas.streams)  # with feedback weights, if it has any
    found, tends = (updates(each, state, replicas, batch) for each in (rule, limit(rule)))
    cells = " | ".join(f"{float(c):.3f}" for c in cosines(found, tends).mean(0))
    return f"| {rule.passes:g} | {residual:.1e} | {cells} |"


def section() -> list[str]:
    """A table for each rule that settles."""
    kind = {"v": 6, "n": 6, "m": 6, "L": 3, "P": 10368, "width": 64, "batch": 128}
    spec = make_spec(rule="backprop", **kind, lr=0.003, precision="float64")
    replicas = Replicas(spec.replicate(2))
    for _ in range(TRAINED):
        replicas.step()
    batch, net = replicas.observe().batch.plain(), replicas.net
    lines = [f"v=n=m=6, L=3, width 64, after {TRAINED} steps of backprop; 2 replicas.", ""]
    for form in FORMS:
        heads = " | ".join(f"layer {l}" for l in range(1, net.L + 1))
        lines += [f"**`{form.label}`**, cosines with `{limit(form).label}`", ""]
        lines += [f"| steps | passes | residual | {heads} |", "|---" * (3 + net.L) + "|"]
        lines += [f"| {steps} {row(with_steps(form, steps), replicas, batch)}" for steps in STEPS]
        lines.append("")
    return lines


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("\n".join(section()))

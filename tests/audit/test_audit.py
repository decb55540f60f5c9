"""The audit finds what rules need, catches lies, and holds every rule to its facts."""

from dataclasses import replace
from typing import ClassVar, Literal

import pytest
import torch

from synaptree import rules
from synaptree.audit.compare import sum_of
from synaptree.audit.matrix import audit
from synaptree.audit.quantities import QUANTITIES, scrambled
from synaptree.audit.record import record
from synaptree.audit.settling import SETTLING
from synaptree.audit.text import needed, verdict
from synaptree.rules import (
    CLAPP,
    DFA,
    Facts,
    Masking,
    PredictiveCoding,
    Rule,
    SymmetricDirect,
    Teaching,
)
from synaptree.rules.shared.chain import chain

VARIANTS = [(name, {}) for name in rules.names()]
ONLINE = [(name, rules.rule_class(name).online_options) for name in rules.names()]
VARIANTS += [(name, options) for name, options in ONLINE if options]
VARIANTS += [
    ("masking", {"weights": w, "masks": m})
    for w in ("transpose", "random", "sign", "interpolated:0.5")
    for m in ("true", "none", "other_input", "batch_mean", "mean_jacobian", "kept:0.5", "nearest:1")
]
VARIANTS += [
    ("masking", {"weights": w, "masks": m})
    for w in ("transpose", "random")
    for m in ("mixed:0.5", "mixed:1", "fresh", "fresh:0.5", "frozen", "only:3", "except:3")
]
VARIANTS += [("masking", {"masks": m}) for m in ("kept:0", "nearest:0", "mixed:0", "only:2,3")]
VARIANTS += [
    ("masking", {"masks": "true", "own_gate": False}),
    ("symmetric_direct", {"feedback": "mean_jacobian"}),
    ("global_error_vector", {"signal": "gradient"}),
    ("clapp_pp", {"context": "top"}),
    ("clapp_pp", {"context": "same"}),
    ("dfa", {"error": "sign", "feedback": "shared"}),
    ("scff", {"positive": "self"}),
    ("vicreg", {"dims": 0}),
    ("error_broadcast", {"entropy": 0.0}),
    ("predictive_coding", {"incremental": True}),
    ("equilibrium_propagation", {"nudges": "one_sided"}),
    ("equilibrium_propagation", {"nudges": "clamped"}),
    ("dendritic_microcircuits", {"start": "random"}),
    ("difference_target_propagation", {"reconstruction": "difference", "decoder": "linear"}),
]
VARIANTS += [
    (name, {"masks": masks})
    for name in ("predictive_coding", "equilibrium_propagation")
    for masks in ("none", "other_input")
]
VARIANTS += [("end_to_end_ssl", {"objective": o}) for o in ("clapp", "vicreg")]


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_no_rule_contradicts_its_facts(name, options):
    assert audit(rules.get(name, **options)).lies == []


def needs(name, **options):
    found = audit(rules.get(name, **options)).needs
    return {key: need for key, need in found.items() if need not in ("no", "none")}


# What a state that settles starts from, or is moved by.
START = ("weights_above", "weights_below", "activity_above", "positions", "units")
EXPECTED = [
    ("backprop", {}, {"weights_above": "yes", "masks_above": "yes", "error": "yes"}),
    ("feedback_alignment", {},
     {"masks_above": "yes", "feedback": "yes", "feedback_above": "yes", "error": "yes"}),
    ("dfa", {}, {"feedback": "yes", "error": "vector"}),
    ("dfa", {"error": "sign"}, {"feedback": "yes", "error": "vector"}),
    ("drtp", {}, {"feedback": "yes", "label": "vector"}),
    ("symmetric_direct", {}, {"weights_above": "yes", "error": "vector"}),
    ("global_error_vector", {}, {"error": "vector"}),
    ("node_perturbation", {},
     {"weights_above": "scalar", "weights_below": "scalar", "label": "scalar",
      "activity_above": "unclear", "masks_above": "unclear", "second_phase": "scalar"}),
    ("greedy_local", {}, {"label": "yes", "own": "yes", "units": "yes"}),
    ("clapp", {},
     {"other_inputs": "yes", "own": "yes", "units": "scalar", "second_view": "yes"}),
    ("clapp", {"negative": "previous"},
     {"memory": "yes", "own": "yes", "units": "scalar", "second_view": "yes"}),
    ("clapp_pp", {"context": "top"},
     {"activity_above": "yes", "other_inputs": "yes", "own": "yes", "units": "scalar",
      "second_view": "yes"}),
    ("infonce", {},
     {"other_inputs": "yes", "own": "yes", "units": "yes", "second_view": "yes"}),
    ("vicreg", {},
     {"other_inputs": "yes", "own": "yes", "units": "yes", "second_view": "yes"}),
    ("vicreg", {"statistics": "running"},
     {"memory": "yes", "own": "yes", "units": "yes", "second_view": "yes"}),
    ("oja", {}, {"units": "yes"}),
    ("predictive_coding", {},
     {"label": "yes", "masks_above": "yes", "settled": "yes", "both_ways": "yes",
      **dict.fromkeys(START, "unclear")}),
    ("equilibrium_propagation", {},
     {"label": "yes", "masks_above": "yes", "settled": "yes", "both_ways": "yes",
      "phases": "yes", **dict.fromkeys(START, "unclear")}),
    ("dendritic_microcircuits", {},
     {"label": "yes", "masks_above": "yes", "feedback": "yes", "feedback_above": "yes",
      "other_inputs": "yes", "settled": "yes", "lateral": "yes",
      **dict.fromkeys(START, "unclear")}),
    ("difference_target_propagation", {},
     {"activity_above": "yes", "feedback": "yes", "feedback_above": "yes", "error": "yes",
      "own": "yes", "own_of_others": "yes"}),
    ("readout_only", {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options", "expected"), EXPECTED)
def test_what_is_known_of_rules_comes_out(name, options, expected):
    assert needs(name, **options) == expected


def test_clapp_needs_one_other_input_and_infonce_all_of_them():
    assert audit(rules.get("clapp")).others == (1, 5)
    assert audit(rules.get("infonce")).others == (5, 5)
    assert audit(rules.get("vicreg")).others == (5, 5)
    assert audit(rules.get("dfa")).others == (0, 5)
    assert audit(rules.get("clapp", negative="previous")).others == (0, 0)


def learning(name, **options):
    found = audit(rules.get(name, **options)).learning
    return {key for key, need in found.items() if need == "yes"}


def test_what_the_learning_of_a_rules_own_weights_needs():
    assert learning("dfa") == set()
    assert learning("clapp") == {"own", "second_view"}
    assert learning("direct_kolen_pollack") == {"feedback", "error"}
    # Its signals are as blind as DFA's; the weights that carry them are not.
    assert {"weights_above", "masks_above"} <= learning("forward_dfa")
    assert not {"weights_above", "masks_above"} & set(needs("forward_dfa"))


# Planted lies ---------------------------------------------------------------------------------


class Peeking(Rule):
    """Says it is DFA, and looks at the forward weights of the layer above."""

    name: Literal["peeking"] = "peeking"
    facts: ClassVar[Facts] = DFA.facts

    def init(self, net, generators):
        return DFA().init(net, generators)

    def teach(self, net, state, batch, generators):
        honest = DFA().teach(net, state, batch, generators)
        T = list(honest.signals)
        T[0] = T[0] + 1e-9 * net.W[1].mean((1, 2)).view(-1, 1, 1, 1)
        return Teaching(T)


class Labelled(Rule):
    """Says it is CLAPP, and uses the label."""

    name: Literal["labelled"] = "labelled"
    facts: ClassVar[Facts] = CLAPP.facts

    def init(self, net, generators):
        return CLAPP().init(net, generators)

    def teach(self, net, state, batch, generators):
        honest = CLAPP().teach(net, state, batch.plain(), generators)
        right = 1 + 1e-9 * batch.labels.to(honest.signals[0].dtype)[:, :, None, None]
        return replace(honest, signals=[T * right for T in honest.signals], terms=None)


class Masked(Rule):
    """Says it is symmetric direct feedback, and uses one mask of the layer above."""

    name: Literal["masked"] = "masked"
    facts: ClassVar[Facts] = SymmetricDirect.facts

    def teach(self, net, state, batch, generators):
        z = batch.activity.z

        def mask(signal, at):
            if at is z[1]:
                signal = signal.clone()
                signal[..., 0] *= at[..., 0] > 0
            return signal

        return Teaching(chain(net, batch.error, batch.activity, mask=mask))


class Gossiping(Rule):
    """Says that it needs no other inputs, and subtracts the batch's mean."""

    name: Literal["gossiping"] = "gossiping"
    facts: ClassVar[Facts] = DFA.facts

    def init(self, net, generators):
        return DFA().init(net, generators)

    def teach(self, net, state, batch, generators):
        honest = DFA().teach(net, state, batch, generators)
        return Teaching([T - T.mean(1, keepdim=True) for T in honest.signals])


class Symmetric(Rule):
    """Says that it needs no weights of others, and settles through them."""

    name: Literal["symmetric"] = "symmetric"
    facts: ClassVar[Facts] = replace(PredictiveCoding.facts, weight_transport=False)

    def teach(self, net, state, batch, generators):
        return PredictiveCoding(steps=3).teach(net, state, batch, generators)


LIES = [
    (Symmetric(), "weight_transport", "both_ways"),
    (Peeking(), "weight_transport", "weights_above"),
    (Labelled(), "labels", "label"),
    (Masked(), "downstream_masks", "masks_above"),
    (Gossiping(), "other_samples", "other_inputs"),
]


@pytest.mark.parametrize(("rule", "fact", "quantity"), LIES)
def test_a_planted_lie_is_named(rule, fact, quantity):
    found = audit(rule)
    assert fact in found.lies
    assert found.needs[quantity] != "no"


def test_a_lie_of_modesty_is_one_too():
    class Boasting(Rule):
        name: Literal["boasting"] = "boasting"
        facts: ClassVar[Facts] = replace(DFA.facts, downstream_masks=True)

        def init(self, net, generators):
            return DFA().init(net, generators)

        def teach(self, net, state, batch, generators):
            return DFA().teach(net, state, batch, generators)

    assert audit(Boasting()).lies == ["downstream_masks"]


# The interventions ----------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", [*QUANTITIES, *SETTLING], ids=lambda q: q.key)
def test_an_intervention_changes_what_it_says_and_leaves_the_record(quantity):
    name = {"feedback": "feedback_alignment", "feedback_above": "feedback_alignment",
            "second_phase": "pepita",
            **dict.fromkeys([q.key for q in SETTLING], "equilibrium_propagation"),
            "lateral": "dendritic_microcircuits",
            }.get(quantity.key, "clapp")  # fmt: skip
    seen = record(rules.get(name, **({"negative": "previous"} if quantity.key == "memory" else {})))
    before = [t.clone() for t in (*seen.net.parameters(), *seen.batch.activity.z, seen.batch.error)]
    changed = [quantity.change(seen, l, torch.Generator().manual_seed(0)) for l in (1, 2, 3)]
    assert any(c is not None for c in changed)
    after = [*seen.net.parameters(), *seen.batch.activity.z, seen.batch.error]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("quantity", SETTLING, ids=lambda q: q.key)
def test_rules_that_do_not_settle_have_no_quantity_of_settling(quantity):
    for name in ("backprop", "pepita", "difference_target_propagation"):
        seen = record(rules.get(name))
        assert quantity.change(seen, 1, torch.Generator()) is None
        assert quantity.key not in audit(rules.get(name)).needs


def test_a_settling_in_one_phase_has_no_other_phase():
    assert "phases" not in needs("predictive_coding")


def test_what_settling_needs_is_said_in_words():
    found = audit(rules.get("equilibrium_propagation"))
    assert needed(found)[-3:] == [q.title for q in SETTLING if q.key != "lateral"]
    assert "which phase it is" in verdict(found)
    assert needed(audit(rules.get("dfa"))) == ["labels"]


def test_opening_masks_moves_no_sum_and_no_weight():
    seen = record(rules.get("backprop"))
    opened = next(q for q in QUANTITIES if q.key == "masks_above").change(
        seen, 1, torch.Generator().manual_seed(0)
    )
    for k in (1, 2):
        a, b = seen.batch.activity.z[k], opened.batch.activity.z[k]
        assert bool(((b > 0) & (a == 0)).any())
        into = seen.net.W[2] if k == 1 else seen.net.W_out
        x = (t.reshape(*t.shape[:2], 1, -1) for t in (a, b))
        first, second = (torch.einsum("rbni,rio->rbno", t, into) for t in x)
        assert torch.allclose(first, second, rtol=0, atol=1e-25)
    assert torch.equal(seen.batch.activity.z[0], opened.batch.activity.z[0])


def test_scrambled_numbers_are_other_numbers_of_the_same_signs():
    t = torch.tensor([[1.0, -2.0, 3.0, 0.5, -4.0]])
    other = scrambled(t, torch.Generator().manual_seed(1))
    assert not torch.equal(t, other)
    assert int((other < 0).sum()) == 2


# Factors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "options"), VARIANTS[: len(rules.names()) + 3])
def test_the_product_of_the_factors_is_the_update(name, options):
    seen = record(rules.get(name, **options))
    taught = seen.teach()
    if name != "oja":  # whose factors have this part too
        taught = replace(taught, shrink=None)
    updates = taught.updates(seen.net, seen.batch.activity, seen.batch.error)
    factors = seen.rule.factors(seen.net, seen.own_state(), seen.batch, seen.streams())
    for l, terms_of_layer in enumerate(factors, start=1):
        if updates[l - 1] is None:
            assert terms_of_layer == []
            continue
        parts = [
            seen.net.correlated(l, f.pre, f.modulator * f.dendrite * f.post) for f in terms_of_layer
        ]
        product, update = sum(parts), updates[l - 1]
        assert float((product - update).abs().max()) <= 1e-6 * float(update.abs().max())
        for f in terms_of_layer:
            assert f.modulator.shape == (*f.dendrite.shape[:3], 1)


@pytest.mark.parametrize(
    ("name", "count"), [("clapp", 2), ("clapp_pp", 4), ("node_perturbation", 1)]
)
def test_rules_with_a_broadcast_number_say_it(name, count):
    seen = record(rules.get(name))
    for l in (1, 2, 3):
        found = seen.terms(l)
        told = seen.teach().signals
        assert torch.allclose(sum_of(found), told[l - 1])
        assert len(found) == count
        if name != "node_perturbation":  # γ is 0 or ±1, over the number of inputs and positions
            places = seen.batch.labels.shape[1] * 2 ** (3 - l)
            values = torch.cat([f.modulator.flatten() for f in found]) * places
            assert bool(torch.isin(values.round(decimals=9), torch.tensor([-1.0, 0.0, 1.0])).all())


def test_masking_declares_what_its_dials_say():
    assert Masking(weights="random", masks="none").declared.error_network
    assert not Masking(weights="transpose", masks="none").declared.downstream_masks

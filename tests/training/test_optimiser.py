"""The kernels of torch, called directly, beside the classes of torch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from synaptree import make_spec, rules
from synaptree.errors import SynaptreeError
from synaptree.rules import State, Teaching
from synaptree.training.optimiser import Optimiser
from synaptree.training.replicas import Replicas
from synaptree.training.streams import generator

SMALL = {"v": 3, "n": 2, "m": 2, "L": 2, "P": 8, "width": 4, "batch": 4, "tests": 4}
SETTINGS = {
    "adam": {"optimizer": "adam", "lr": 0.03},
    "adam, decay": {"optimizer": "adam", "lr": 0.03, "weight_decay": 0.2},
    "sgd": {"optimizer": "sgd", "lr": 0.1, "momentum": 0.0},
    "sgd, momentum": {"optimizer": "sgd", "lr": 0.1, "momentum": 0.7, "weight_decay": 0.1},
    "sgd, mean field": {"optimizer": "sgd", "lr": 0.1, "parametrisation": "mean_field",
                        "weight_decay": 0.1},
}  # fmt: skip


def scene(changed):
    """A network of three replicas with feedback weights and others that learn beside it."""
    spec = make_spec(rule="backprop", **SMALL | changed)
    net = rules.get("backprop").network(
        *(spec.v, spec.n, spec.s, spec.L, spec.width),
        generators=[generator("network", r) for r in range(3)],
        parametrisation=spec.parametrisation,
        dtype=torch.float64,
    )
    g = torch.Generator().manual_seed(1)
    feedback, learned = (torch.randn(3, 2, 4, generator=g, dtype=torch.float64) for _ in range(2))
    return spec, net, State(learned={"W": [None, learned]}, feedback={"F": [feedback]})


def of_torch(spec, groups, factor):
    """The optimiser of torch for copies of the tensors; of the second group at the plain rate."""
    rates = [
        {"params": tensors, "lr": spec.lr * f, "weight_decay": spec.weight_decay / f}
        for tensors, f in zip(groups, (factor, 1.0), strict=True)
    ]
    if spec.optimizer == "sgd":
        return torch.optim.SGD(rates, momentum=spec.momentum)
    return torch.optim.AdamW(rates)


@pytest.mark.parametrize("changed", SETTINGS.values(), ids=SETTINGS)
@settings(max_examples=10)
@given(st.data())
def test_tensors_learn_as_with_the_optimisers_of_torch(changed, data):
    spec, net, state = scene(changed)
    optimiser = Optimiser(spec, net, state)
    mean_field = spec.optimizer == "sgd" and spec.parametrisation == "mean_field"
    factor = float(spec.width) if mean_field else 1.0

    def now():
        return [*net.parameters(), state.feedback["F"][0], state.learned["W"][1]]

    copies = [t.clone() for t in now()]
    theirs = of_torch(spec, [copies[:-1], copies[-1:]], factor)
    g = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    for step in range(6):
        lowered = data.draw(st.sampled_from([1.0, 0.5]))
        # Once the first step is made, any tensor may go without a gradient.
        rest = data.draw(st.sets(st.integers(0, len(copies) - 1))) if step else set()
        own_rests = bool(step) and data.draw(st.booleans())
        gradients = [torch.randn(t.shape, generator=g, dtype=t.dtype) for t in copies]
        if data.draw(st.booleans()):  # rules may give gradients that lie in memory in another order
            gradients = [t.permute(*reversed(range(t.ndim))).contiguous().permute(
                *reversed(range(t.ndim))) for t in gradients]  # fmt: skip
        k = len(copies) - 2
        given = [None if i in rest else t for i, t in enumerate(gradients)]
        if own_rests:
            given[k:] = [None, None]
        for group, rate in zip(theirs.param_groups, (factor, 1.0), strict=True):
            group["lr"] = spec.lr * rate * lowered
        for copy, gradient in zip(copies, given, strict=True):
            copy.grad = None if gradient is None else gradient.contiguous()
        theirs.step()
        own = {"F": [given[k]], "W": [None, given[k + 1]]}
        optimiser.set_factor(lowered)
        optimiser.step(given[:k], None if own_rests else Teaching([], own))
        for found, expected in zip(now(), copies, strict=True):
            assert torch.allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("changed", SETTINGS.values(), ids=SETTINGS)
def test_replicas_that_go_on_remember(changed):
    runs = []
    for leave in (False, True):
        spec, net, state = scene(changed)
        optimiser = Optimiser(spec, net, state)
        g = torch.Generator().manual_seed(5)
        keep = torch.tensor([2, 0])
        for step in range(6):
            left = leave and step >= 3
            if leave and step == 3:
                net.select(keep)
                state = state.select(keep)
                optimiser.select(net, state, keep)
            drawn = [
                torch.randn(3, *t.shape[1:], generator=g, dtype=t.dtype)[keep if left else ...]
                for t in (*net.parameters(), state.feedback["F"][0], state.learned["W"][1])
            ]
            own = {"F": drawn[-2:-1], "W": [None, drawn[-1]]}
            optimiser.step(drawn[:-2], Teaching([], own))
        last = [*net.parameters(), state.feedback["F"][0], state.learned["W"][1]]
        runs.append([t if leave else t[keep] for t in last])
    for found, expected in zip(*runs, strict=True):
        assert torch.allclose(found, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("wrong", [torch.zeros(3, 4, 2), torch.zeros(3, 2, 4)])
def test_a_gradient_that_does_not_fit_is_one_line(wrong):
    spec, net, state = scene(SETTINGS["adam"])
    updates = [torch.zeros_like(t) for t in net.parameters()]
    own = {"F": [wrong], "W": [None, torch.zeros(3, 2, 4, dtype=torch.float64)]}
    with pytest.raises(SynaptreeError, match=r"rule: gradient of shape \(3, [24], [24]\)"):
        Optimiser(spec, net, state).step(updates, Teaching([], own))


DEEP = {"v": 4, "n": 3, "m": 3, "L": 3, "P": 64, "width": 8, "tests": 8, "precision": "float64"}


@pytest.mark.parametrize("name", rules.names())
def test_a_step_is_adams_on_the_gradients_place_by_place(name):
    """The whole of it: tables, rows that are worked once, the gradients' order in memory."""
    rule = rules.get(name)
    views = {"views": "sibling,same_class"} if rule.needs_views else {}
    decay = {"weight_decay": 0.1} if rule.needs_decay else {}
    spec = make_spec(rule=rule, **DEEP, lr=0.01, steps=9, batch=32, **views, **decay)
    ours, same = (Replicas(spec.replicate(2)) for _ in range(2))
    batch = same.observe().batch.plain()
    teaching = rule.teach(same.net, same.state, batch, same.streams)
    updates = teaching.updates(same.net, batch.activity, batch.error)
    trained = same.state.trained()
    tensors = [*same.net.parameters(), *(t for _, _, t in trained)]
    gradients = [*updates, *(teaching.own[name][index] for name, index, _ in trained)]
    for tensor, gradient in zip(tensors, gradients, strict=True):
        tensor.grad = None if gradient is None else gradient.contiguous()
    torch.optim.AdamW(tensors, lr=spec.lr, weight_decay=spec.weight_decay).step()
    same.net.constrain()
    ours.step()
    found = [*ours.net.parameters(), *(t for _, _, t in ours.state.trained())]
    for f, e in zip(found, tensors, strict=True):
        # What is 0 but for rounding is not moved: ε in Adam's denominator is 1e-8.
        assert float((f - e).abs().max()) < 1e-7

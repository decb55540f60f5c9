"""One battery that every rule passes: its update is the gradient of its own loss, or its equation.

The losses and equations are written here again from the papers, as slow loops where the package is
vectorised, and differentiated by autograd with the layers' inputs and the contexts held constant.
"""

import pytest
import torch

from scene import (
    LAYERWISE,
    SHAPES,
    N,
    Scene,
    V,
    close,
    flat,
    layer_activity,
    raw_error,
    seen_by,
    slow_context,
    slow_updates,
)
from synaptree import rules
from synaptree.network.operations import gate
from synaptree.network.tree import Activity, TreeNet
from synaptree.rules.shared.masks import Masks
from synaptree.training.observation import output_error

# Backprop ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_backprop_is_autograd(shape):
    scene = Scene(rules.get("backprop"), *shape)
    parameters = scene.net.parameters()
    for p in parameters:
        p.requires_grad_()
    logits = scene.net.activity(scene.x).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), scene.y.flatten())
    expected = torch.autograd.grad(loss * 2, parameters)  # the mean within each of two replicas
    for p in parameters:
        p.requires_grad_(False)
    found, _ = scene.updates()
    for f, e in zip(found, expected, strict=True):
        close(f, e)
    assert float(scene.loss.mean()) == pytest.approx(float(loss.detach()), abs=1e-12)


# Layerwise rules: own loss, inputs of each layer and contexts constant ----------------------------

VIEWS = [("same_class",), ("trace:3",), ("sibling", "same_class"), ("sibling", "trace:2"),
         ("same_class", "trace:3")]  # fmt: skip


def predicted(W, c, r, p):
    return c @ (W[r] if W.ndim == 3 else W[r, p])


def clapp_loss(z, c, W, members, r, temperature):
    """max(0, 1 − zᵀWc) + max(0, 1 + z̃ᵀWc): mean over inputs and positions."""
    B, P = z.shape[1:3]
    total = 0
    for b in range(B):
        for p in range(P):
            prediction = predicted(W, c[r, b, p], r, p)
            other = z[r, (b - members) % B, p]
            total = total + (1 - z[r, b, p] @ prediction).clamp_min(0)
            total = total + (1 + other @ prediction).clamp_min(0)
    return total / (B * P)


def infonce_loss(z, c, W, members, r, temperature):
    """−log softmax over the objects' contexts of the same position and member."""
    B, P = z.shape[1:3]
    total = 0
    for b in range(B):
        rivals = range(b % members, B, members)
        for p in range(P):
            scores = torch.stack([z[r, b, p] @ predicted(W, c[r, o, p], r, p) for o in rivals])
            log_p = (scores / temperature).log_softmax(0)
            total = total - log_p[list(rivals).index(b)]
    return total / (B * P)


@pytest.mark.parametrize("views", VIEWS)
@pytest.mark.parametrize("predictor", ["position", "shared"])
@pytest.mark.parametrize("name", ["clapp", "infonce"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_layerwise_update_is_the_gradient_of_its_loss(name, predictor, views, shape):
    temperature = 0.7 if name == "infonce" else 1.0
    options = {"predictor": predictor} | ({"temperature": 0.7} if name == "infonce" else {})
    scene = Scene(rules.get(name, **options), *shape, views=views, objects=3)
    loss_of = {"clapp": clapp_loss, "infonce": infonce_loss}[name]
    found, own = scene.updates()
    teaching = scene.teach()
    L = scene.net.L
    for l in range(1, L + 1):
        W = scene.net.W[l - 1].clone().requires_grad_()
        b = scene.net.b[l - 1].clone().requires_grad_() if scene.net.b else None
        B_l = scene.state.learned["W"][l - 1].clone().requires_grad_()
        z = layer_activity(scene, l, W, b)
        c = slow_context(scene, scene.views[l - 1], z.detach())
        losses = torch.stack([loss_of(z, c, B_l, scene.members, r, temperature) for r in (0, 1)])
        wanted = [W, B_l] if b is None else [W, B_l, b]
        expected = torch.autograd.grad(losses.sum(), wanted)
        close(found[l - 1], expected[0])
        close(own["W"][l - 1], expected[1])
        if b is not None:
            close(found[L + l - 1], expected[2])
        close(teaching.loss[:, l - 1], losses.detach())


@pytest.mark.parametrize("name", ["clapp", "infonce"])
def test_a_layerwise_update_knows_no_label_and_no_layer_above(name):
    views = ("sibling", "same_class")
    scene = Scene(rules.get(name), 2, 3, views=views)
    before, own = scene.updates()
    scene.net.W[2].normal_()
    scene.net.W_out.normal_()
    activity = scene.net.activity(scene.x)
    error, _ = output_error(activity.logits, scene.y.flip(1))
    contexts = [v.context(z, 2, scene.members) for v, z in zip(scene.views, activity.z)]  # noqa: B905
    after, own_after = scene.updates(activity=activity, error=error, labels=scene.y.flip(1),
                                     contexts=contexts)  # fmt: skip
    for l in (0, 1):
        assert torch.equal(before[l], after[l])
        assert torch.equal(own["W"][l], own_after["W"][l])
    assert not torch.equal(before[2], after[2])


# Feedback rules: the papers' equations, one input and one unit at a time ------------------------


@pytest.mark.parametrize("feedback", ["position", "shared"])
@pytest.mark.parametrize("shape", SHAPES)
def test_dfa_is_nøklands_equation(shape, feedback):
    scene = Scene(rules.get("dfa", feedback=feedback), *shape)

    def signal(r, i, l, p):
        B = scene.state.fixed["B"][l - 1][r]
        return raw_error(scene, r, i) @ (B if feedback == "shared" else B[p])

    found, _ = scene.updates()
    for f, e in zip(found, slow_updates(scene, signal)):  # noqa: B905
        close(f, e)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_true_masks_and_transposed_weights_are_backprop_bit_for_bit(shape, dtype):
    masked = Scene(rules.get("masking", masks="true"), *shape, dtype=dtype)
    backprop = Scene(rules.get("backprop"), *shape, dtype=dtype)
    for f, e in zip(masked.updates()[0], backprop.updates()[0], strict=True):
        assert torch.equal(f, e)


def test_random_weights_equal_to_the_forward_ones_are_backprop():
    scene = Scene(rules.get("masking", weights="random", masks="true"), 2, 3)
    scene.state.fixed["F"] = [None, *scene.net.W[1:], scene.net.W_out]
    found, _ = scene.updates()
    scene.rule = rules.get("backprop")
    for f, e in zip(found, scene.updates()[0], strict=True):
        assert torch.equal(f, e)


def test_dfa_in_one_hidden_layer_is_feedback_alignment():
    dfa = Scene(rules.get("dfa"), 2, 1)
    chain = Scene(rules.get("masking", weights="random", masks="true"), 2, 1)
    chain.state.fixed["F"][1] = dfa.state.fixed["B"][0][:, 0].mT / chain.net.gain_out
    for f, e in zip(dfa.updates()[0], chain.updates()[0], strict=True):
        close(f, e)


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
def test_dfa_signals_have_the_size_of_backprops_at_the_top(parametrisation):
    g = [torch.Generator().manual_seed(0)]
    net = TreeNet(V, 8, 2, 2, 500, g, parametrisation)
    rule = rules.get("dfa", scale=3.0)
    B = rule.init(net, g).fixed["B"]
    assert float(B[1].std() / (net.gain_out * net.W_out.std())) == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
def test_random_feedback_has_the_size_of_the_weights_it_stands_for(parametrisation):
    g = [torch.Generator().manual_seed(0)]
    net = TreeNet(V, 8, 2, 3, 200, g, parametrisation)
    first, *F = rules.get("masking", weights="random").init(net, g).fixed["F"]
    assert first is None  # nothing is fed back through the first layer
    for found, W in zip(F, [*net.W[1:], net.W_out], strict=True):
        assert found.shape == W.shape
        assert float(found.std() / W.std()) == pytest.approx(1, rel=0.1)
        assert abs(float((found * W).sum() / (found.norm() * W.norm()))) < 0.1  # and is not it


@pytest.mark.parametrize("name", ["clapp", "infonce"])
def test_predictors_start_at_unit_gain(name):
    g = [torch.Generator().manual_seed(0)]
    net = TreeNet(V, N, 2, 2, 200, g)
    for predictor, places in (("position", [(2,), (1,)]), ("shared", [(), ()])):
        W = rules.get(name, predictor=predictor).init(net, g).learned["W"]
        for W_l, place in zip(W, places, strict=True):
            assert W_l.shape == (1, *place, 200, 200)
            assert float(W_l.std()) == pytest.approx(200**-0.5, rel=0.02)


@pytest.mark.parametrize("B", [2, 3, 8])
def test_every_input_is_taught_with_the_masks_of_one_other(B):
    scene = Scene(rules.get("masking", masks="other_input"), 2, 3, objects=B)
    sources = []
    for z in scene.activity.z[1:]:
        taught = []
        for b in range(B):  # only input b is active: whose signal do its masks let through?
            only = torch.zeros_like(z)
            only[:, b] = 1
            (source,) = Masks.read(scene.rule.masks).sources([only], [])
            passed = gate(torch.ones_like(z), source)
            taught.append(passed[0, :, 0, 0].nonzero().squeeze(1).tolist())
        sources.append(taught)
    assert sources[0] == sources[1]  # the same other input for every layer
    assert all(len(taught) == 1 and taught[0] != b for b, taught in enumerate(sources[0]))
    assert sorted(taught[0] for taught in sources[0]) == list(range(B))


# Locality: activities and the error held fixed, which other weights does a layer still see? -------


NOTHING = {1: [], 2: [], 3: [], 4: []}
SIGHT = [
    ("backprop", {}, {1: [], 2: [1], 3: [1, 2], 4: [1, 2, 3]}),
    ("masking", {"masks": "none"}, {1: [], 2: [1], 3: [1, 2], 4: [1, 2, 3]}),
    ("masking", {"weights": "random", "masks": "true"}, NOTHING),
    ("dfa", {}, NOTHING),
    ("clapp", {}, NOTHING),
    ("infonce", {}, NOTHING),
]


@pytest.mark.parametrize(("name", "options", "expected"), SIGHT)
def test_only_weight_transport_sees_the_weights_of_other_layers(name, options, expected):
    views = ("sibling", "trace:2") if name in LAYERWISE else ()
    assert seen_by(rules.get(name, **options), views) == expected


def test_dfa_does_not_see_the_masks_above_and_feedback_alignment_does():
    masked = rules.get("masking", weights="random", masks="true")
    for rule, sees in ((rules.get("dfa"), False), (masked, True)):
        scene = Scene(rule, 2, 3)
        before, _ = scene.updates()
        z = scene.activity.z
        other = Activity(scene.activity.x, scene.activity.h, [z[0], z[1], z[2].roll(1, 1)],
                         scene.activity.logits)  # fmt: skip
        after, _ = scene.updates(activity=other)
        assert [not torch.equal(a, b) for a, b in zip(before[:2], after[:2], strict=True)] == [
            sees
        ] * 2


# Laws of all rules --------------------------------------------------------------------------------


SUPERVISED = ["backprop", "dfa", "masking", "readout_only"]


@pytest.mark.parametrize("name", SUPERVISED)
def test_no_error_no_update(name):
    scene = Scene(rules.get(name), 2, 3)
    found, _ = scene.updates(error=torch.zeros_like(scene.error))
    assert all(g is None or not g.any() for g in found)


def test_readout_only_teaches_no_hidden_layer():
    scene = Scene(rules.get("readout_only"), 2, 3)
    found, _ = scene.updates()
    assert [g is None for g in found] == [True] * 6 + [False] * 2


def every(name):
    return Scene(rules.get(name), 2, 3, views=("sibling", "trace:2") if name in LAYERWISE else ())


@pytest.mark.parametrize("name", [n for n in rules.names() if rules.get(n).network is TreeNet])
def test_the_readout_learns_by_its_own_delta_rule(name):
    scene = every(name)
    found, _ = scene.updates()
    z = scene.activity.z[-1][:, :, 0]
    close(found[-2], torch.einsum("rbh,rbn->rhn", z, scene.error))
    close(found[-1], scene.error.sum(1, keepdim=True))


@pytest.mark.parametrize("name", rules.names())
def test_teaching_has_the_shapes_of_the_contract(name):
    scene = every(name)
    teaching = scene.teach()
    states, B = teaching.states, scene.x.shape[1]
    for T, z in zip(teaching.signals, scene.activity.z, strict=True):
        assert T is None or T.shape == (len(z), states * B, *z.shape[2:])
    trained = {(name, index): t for name, index, t in scene.state.trained()}
    own = flat(teaching.own)
    assert own.keys() == trained.keys()
    for key, gradient in own.items():
        assert gradient.shape == trained[key].shape
    for x, pre in zip(scene.activity.x, teaching.pre or scene.activity.x, strict=True):
        inputs = x.shape[1] * (1 if teaching.pre is None else states)
        assert pre.shape == (len(x), inputs, *x.shape[2:])


@pytest.mark.parametrize("name", rules.names())
def test_a_rule_changes_nothing_it_looks_at(name):
    scene = every(name)
    watched = [*scene.net.parameters(), *scene.activity.x, *scene.activity.h, *scene.activity.z,
               scene.error, *(t for _, _, t in scene.state.trained()),
               *(t for ts in scene.state.fixed.values() for t in ts if t is not None),
               *scene.state.whole.values()]  # fmt: skip
    before = [t.clone() for t in watched]
    first, _ = scene.updates()
    second, _ = scene.updates()
    assert all(torch.equal(a, b) for a, b in zip(before, watched, strict=True))
    for a, b in zip(first, second, strict=True):
        assert (a is None and b is None) or torch.equal(a, b)


@pytest.mark.parametrize("name", rules.names())
def test_replicas_do_not_meet(name):
    scene = every(name)
    before, _ = scene.updates()
    scene.x[1] = scene.x[1].flip(0)
    scene.net.W[0][1].normal_()
    scene.activity = scene.net.activity(scene.x)
    scene.error, _ = output_error(scene.activity.logits, scene.y)
    after, _ = scene.updates()
    for a, b in zip(before, after, strict=True):
        assert (a is None and b is None) or torch.allclose(a[0], b[0], atol=1e-15, rtol=1e-12)


@pytest.mark.parametrize("name", rules.names())
def test_facts_are_complete(name):
    facts = rules.rule_class(name).facts
    for text in (facts.title, facts.citation, facts.equation, facts.differences):
        assert text.strip()
    assert rules.get(name).label

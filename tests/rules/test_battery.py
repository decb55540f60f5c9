"""One battery that every rule passes: its update is the gradient of its own loss, or its equation.

The losses and equations are written here again from the papers, as slow loops where the package is
vectorised, and differentiated by autograd with the layers' inputs and the contexts held constant.
"""

from dataclasses import replace

import pytest
import torch

from synaptree import rules
from synaptree.network.tree import Activity, TreeNet, gate
from synaptree.rules import Batch
from synaptree.training.observation import output_error
from synaptree.views.registry import parse_view, per_layer
from synaptree.views.sibling import Sibling

V, N, WIDTH = 4, 3, 6
LAYERWISE = [name for name in rules.names() if rules.get(name).needs_views]
NETS = [(2, 3), (3, 2)]
SHAPES = [
    (s, L, parametrisation, connectivity)
    for s, L in NETS
    for parametrisation in ("standard", "mean_field")
    for connectivity in ("shared", "local")
]


class Scene:
    """A network whose biases are not zero, a rule and a batch, in float64."""

    def __init__(self, rule, s, L, parametrisation="standard", connectivity="shared", views=(),
                 objects=4, dtype=torch.float64):  # fmt: skip
        g = [torch.Generator().manual_seed(7 + r) for r in range(2)]
        self.rule = rule
        how = {"parametrisation": parametrisation, "connectivity": connectivity, "dtype": dtype}
        self.net = rule.network(V, N, s, L, WIDTH, generators=g, **how)
        for b in self.net.b:
            b.normal_(generator=g[0])
        self.state = rule.init(self.net, g)
        self.generators = g
        self.noise = [each.get_state() for each in g]
        self.views = [parse_view(name) for name in per_layer(views, L)] if views else []
        self.members = max((view.members for view in self.views), default=1)
        B = objects * self.members
        self.x = torch.randint(V, (2, B, s**L), generator=g[0])
        self.y = torch.randint(N, (2, B), generator=g[0])
        self.activity = self.net.activity(self.x)
        self.error, self.loss = output_error(self.activity.logits, self.y)

    def batch(self, **changed):
        s = self.net.s
        contexts = [v.context(z, s, self.members) for v, z in zip(self.views, self.activity.z)]  # noqa: B905
        given = {"activity": self.activity, "labels": self.y, "error": self.error}
        given |= {"contexts": contexts or [None] * self.net.L, "members": self.members}
        given["crossed"] = [v.needs_positions for v in self.views]
        given["second_view"] = lambda l, t: self.views[l - 1].context(t, s, self.members)
        return Batch(**given | changed)

    def teach(self, **changed):
        for g, state in zip(self.generators, self.noise, strict=True):
            g.set_state(state)  # rules that draw draw the same each time
        # What a rule moves itself begins anew with each call; where it went is in `after`.
        moved = {name: each.clone() for name, each in self.state.running.items()}
        self.after = replace(self.state, running=moved)
        return self.rule.teach(self.net, self.after, self.batch(**changed), self.generators)

    def updates(self, **changed):
        teaching = self.teach(**changed)
        batch = self.batch(**changed)
        return teaching.updates(self.net, batch.activity, batch.error), teaching.own


def close(found, expected):
    assert found.shape == expected.shape
    scale = expected.abs().max().clamp_min(1e-3)
    assert float((found - expected).abs().max() / scale) < 1e-10


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


def layer_input(scene, l):
    return scene.activity.x[l - 1]


def layer_activity(scene, l, W, b):
    """z_l as a function of W_l and b_l alone."""
    x = layer_input(scene, l)
    gain = scene.net.gains[l - 1]
    pattern = "rbni,rio->rbno" if W.ndim == 3 else "rbni,rnio->rbno"
    h = gain * torch.einsum(pattern, x, W)
    if b is not None:
        h = h + b.unsqueeze(1)
    return h.relu()


def slow_context(scene, view, z):
    """The context of each activity, one at a time, from the words of the view's definition."""
    R, B, P, _ = z.shape
    s, M = scene.net.s, scene.members
    c = torch.empty_like(z)
    for r in range(R):
        for b in range(B):
            first = b - b % M
            for p in range(P):
                if isinstance(view, Sibling):
                    parent = p - p % s
                    c[r, b, p] = z[r, b, parent + (p + 1 - parent) % s]
                else:
                    others = [first + (b - first + k) % M for k in range(1, view.K + 1)]
                    c[r, b, p] = sum(z[r, o, p] for o in others) / view.K
    return c


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
        B_l = scene.state.learned[f"W{l}"].clone().requires_grad_()
        z = layer_activity(scene, l, W, b)
        c = slow_context(scene, scene.views[l - 1], z.detach())
        losses = torch.stack([loss_of(z, c, B_l, scene.members, r, temperature) for r in (0, 1)])
        wanted = [W, B_l] if b is None else [W, B_l, b]
        expected = torch.autograd.grad(losses.sum(), wanted)
        close(found[l - 1], expected[0])
        close(own[f"W{l}"], expected[1])
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
        assert torch.equal(own[f"W{l + 1}"], own_after[f"W{l + 1}"])
    assert not torch.equal(before[2], after[2])


# Feedback rules: the papers' equations, one input and one unit at a time ------------------------


def slow_updates(scene, signal):
    """ΔW_l = mean over inputs of x ⊗ (φ'(h) ⊙ T), with ``signal(r, i, l, p)`` giving B·T."""
    net = scene.net
    grads = [torch.zeros_like(W) for W in net.W]
    B = scene.x.shape[1]
    for r in range(2):
        for i in range(B):
            for l in range(1, net.L + 1):
                for p in range(net.positions(l)):
                    opened = (scene.activity.h[l - 1][r, i, p] > 0).double()
                    delta = opened * signal(r, i, l, p) / B
                    outer = net.gains[l - 1] * torch.outer(scene.activity.x[l - 1][r, i, p], delta)
                    grads[l - 1][(r,) if net.connectivity == "shared" else (r, p)] += outer
    return grads


def raw_error(scene, r, i):
    """softmax(o) − onehot(y) of one input."""
    e = scene.activity.logits[r, i].softmax(-1)
    e[scene.y[r, i]] -= 1
    return e


@pytest.mark.parametrize("feedback", ["position", "shared"])
@pytest.mark.parametrize("shape", SHAPES)
def test_dfa_is_nøklands_equation(shape, feedback):
    scene = Scene(rules.get("dfa", feedback=feedback), *shape)

    def signal(r, i, l, p):
        B = scene.state.fixed[f"B{l}"][r]
        return raw_error(scene, r, i) @ (B if feedback == "shared" else B[p])

    found, _ = scene.updates()
    for f, e in zip(found, slow_updates(scene, signal)):  # noqa: B905
        close(f, e)


def slow_chain(scene, weights, masks):
    """T_l of one input by the chain rule, with other weights or masks; positions one at a time."""
    net, s, W_out = scene.net, scene.net.s, scene.net.W_out
    F_out = scene.state.fixed.get("F_out", W_out)
    B = scene.x.shape[1]

    def signal(r, i, l, p):
        T = net.gain_out * F_out[r] @ raw_error(scene, r, i)
        for k in range(net.L, l, -1):
            place = p // s ** (k - l)  # the position of layer k above position p of layer l
            slot = p // s ** (k - 1 - l) % s
            F = scene.state.fixed.get(f"F{k}", net.W[k - 1])[r]
            F = F if F.ndim == 2 else F[place]
            source = {"true": i, "none": i, "other_input": (i - 1) % B}[masks]
            mask = (scene.activity.h[k - 1][r, source, place] > 0).double()
            T = T if masks == "none" else T * mask
            H = scene.net.width
            T = net.gains[k - 1] * F[slot * H : (slot + 1) * H] @ T
        return T

    return signal


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_true_masks_and_transposed_weights_are_backprop_bit_for_bit(shape, dtype):
    masked = Scene(rules.get("masking", masks="true"), *shape, dtype=dtype)
    backprop = Scene(rules.get("backprop"), *shape, dtype=dtype)
    for f, e in zip(masked.updates()[0], backprop.updates()[0], strict=True):
        assert torch.equal(f, e)


def test_random_weights_equal_to_the_forward_ones_are_backprop():
    scene = Scene(rules.get("masking", weights="random", masks="true"), 2, 3)
    scene.state.fixed.update({"F2": scene.net.W[1], "F3": scene.net.W[2], "F_out": scene.net.W_out})
    found, _ = scene.updates()
    scene.rule = rules.get("backprop")
    for f, e in zip(found, scene.updates()[0], strict=True):
        assert torch.equal(f, e)


def test_dfa_in_one_hidden_layer_is_feedback_alignment():
    dfa = Scene(rules.get("dfa"), 2, 1)
    chain = Scene(rules.get("masking", weights="random", masks="true"), 2, 1)
    chain.state.fixed["F_out"] = dfa.state.fixed["B1"][:, 0].mT / chain.net.gain_out
    for f, e in zip(dfa.updates()[0], chain.updates()[0], strict=True):
        close(f, e)


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
def test_dfa_signals_have_the_size_of_backprops_at_the_top(parametrisation):
    g = [torch.Generator().manual_seed(0)]
    net = TreeNet(V, 8, 2, 2, 500, g, parametrisation)
    rule = rules.get("dfa", scale=3.0)
    B = rule.init(net, g).fixed
    assert float(B["B2"].std() / (net.gain_out * net.W_out.std())) == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
def test_random_feedback_has_the_size_of_the_weights_it_stands_for(parametrisation):
    g = [torch.Generator().manual_seed(0)]
    net = TreeNet(V, 8, 2, 3, 200, g, parametrisation)
    F = rules.get("masking", weights="random").init(net, g).fixed
    assert F.keys() == {"F2", "F3", "F_out"}  # nothing is fed back through the first layer
    for found, W in ((F["F2"], net.W[1]), (F["F3"], net.W[2]), (F["F_out"], net.W_out)):
        assert found.shape == W.shape
        assert float(found.std() / W.std()) == pytest.approx(1, rel=0.1)
        assert abs(float((found * W).sum() / (found.norm() * W.norm()))) < 0.1  # and is not it


@pytest.mark.parametrize("name", ["clapp", "infonce"])
def test_predictors_start_at_unit_gain(name):
    g = [torch.Generator().manual_seed(0)]
    net = TreeNet(V, N, 2, 2, 200, g)
    for predictor, places in (("position", [(2,), (1,)]), ("shared", [(), ()])):
        W = rules.get(name, predictor=predictor).init(net, g).learned
        for l, place in enumerate(places, start=1):
            assert W[f"W{l}"].shape == (1, *place, 200, 200)
            assert float(W[f"W{l}"].std()) == pytest.approx(200**-0.5, rel=0.02)


@pytest.mark.parametrize("B", [2, 3, 8])
def test_every_input_is_taught_with_the_masks_of_one_other(B):
    scene = Scene(rules.get("masking", masks="other_input"), 2, 3, objects=B)
    sources = []
    for z in scene.activity.z[1:]:
        taught = []
        for b in range(B):  # only input b is active: whose signal do its masks let through?
            only = torch.zeros_like(z)
            only[:, b] = 1
            (source,) = scene.rule.sources(scene.state, [only])
            passed = gate(torch.ones_like(z), source)
            taught.append(passed[0, :, 0, 0].nonzero().squeeze(1).tolist())
        sources.append(taught)
    assert sources[0] == sources[1]  # the same other input for every layer
    assert all(len(taught) == 1 and taught[0] != b for b, taught in enumerate(sources[0]))
    assert sorted(taught[0] for taught in sources[0]) == list(range(B))


# Locality: activities and the error held fixed, which other weights does a layer still see? -------


def seen_by(rule, views=()):
    """For each layer k whose weights are changed, which layers' updates change: {k: [l, ...]}."""
    scene = Scene(rule, 2, 3, views=views)
    before, _ = scene.updates()
    changed = {}
    for k, W in enumerate([*scene.net.W, scene.net.W_out], start=1):
        kept = W.clone()
        W.normal_()
        after, _ = scene.updates()
        W.copy_(kept)
        changed[k] = [l + 1 for l in range(3) if not torch.equal(before[l], after[l])]
    return changed


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
    for T, z in zip(teaching.signals, scene.activity.z, strict=True):
        assert T is None or T.shape == z.shape
    trained = scene.state.learned | scene.state.feedback
    assert teaching.own.keys() == trained.keys()
    for key, gradient in teaching.own.items():
        assert gradient.shape == trained[key].shape
    for x, pre in zip(scene.activity.x, teaching.pre or scene.activity.x, strict=True):
        assert pre.shape == x.shape


@pytest.mark.parametrize("name", rules.names())
def test_a_rule_changes_nothing_it_looks_at(name):
    scene = every(name)
    watched = [*scene.net.parameters(), *scene.activity.x, *scene.activity.h, *scene.activity.z,
               scene.error, *scene.state.learned.values(), *scene.state.feedback.values(),
               *scene.state.fixed.values()]  # fmt: skip
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

"""References: each update against the paper's equation, written here as slow loops or by autograd.

In float64, for both parametrisations, all kinds of connectivity, and two replicas.
"""

import pytest
import torch

from scene import NETS, SHAPES, Scene, close, flat, seen_by, slow_chain, slow_updates
from synaptree import SynaptreeError, make_spec, rules
from synaptree.network.tree import TreeNet
from synaptree.rules import Batch
from synaptree.training.observation import output_error
from synaptree.training.replicas import Replicas

CHAINS = ["feedback_alignment", "sign_symmetry", "kolen_pollack"]


def check(scene, weights):
    found, own = scene.updates()
    expected = slow_updates(scene, slow_chain(scene, "true", weights))
    for f, e in zip(found[: scene.net.L], expected, strict=True):
        assert e.abs().max() > 1e-6  # or the test would show nothing
        close(f, e)
    return found, own


def above(net):
    """The weights that the error comes down through, ordered as F."""
    return [None, *net.W[1:], net.W_out]


def pairs(F, net):
    """F and the forward weights that it stands for, where there are any."""
    assert F[0] is None
    return list(zip(F[1:], above(net)[1:], strict=True))


# Feedback alignment -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_feedback_alignment_goes_down_fixed_weights(shape):
    scene = Scene(rules.get("feedback_alignment"), *shape)
    assert [F.shape for F, _ in pairs(scene.state.fixed["F"], scene.net)] == [
        W.shape for W in above(scene.net)[1:]
    ]
    check(scene, scene.state.fixed["F"])


@pytest.mark.parametrize("shape", SHAPES)
def test_feedback_alignment_is_the_corner_of_the_masking_laboratory(shape):
    alone = Scene(rules.get("feedback_alignment"), *shape)
    corner = Scene(rules.get("masking", weights="random", masks="true"), *shape)
    for f, e in zip(alone.updates()[0], corner.updates()[0], strict=True):
        assert torch.equal(f, e)


@pytest.mark.parametrize("s", [2, 3])
@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
def test_with_one_hidden_layer_dfa_is_feedback_alignment(s, parametrisation):
    dfa = Scene(rules.get("dfa"), s, 1, parametrisation)
    alignment = Scene(rules.get("feedback_alignment"), s, 1, parametrisation)
    alignment.state.fixed["F"][1] = dfa.state.fixed["B"][0][:, 0].mT / dfa.net.gain_out
    for f, e in zip(dfa.updates()[0], alignment.updates()[0], strict=True):
        close(f, e)


@pytest.mark.parametrize("name", ["feedback_alignment", "kolen_pollack"])
@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
def test_feedback_starts_as_large_as_the_weights_and_is_not_them(name, parametrisation):
    g = [torch.Generator().manual_seed(0)]
    net = TreeNet(8, 8, 2, 3, 100, g, parametrisation)
    state = rules.get(name, scale=3.0).init(net, g)
    for F, W in pairs((state.fixed | state.feedback)["F"], net):
        assert float(F.std() / W.std()) == pytest.approx(3, rel=0.1)
        assert abs(float((F * W).sum() / (F.norm() * W.norm()))) < 0.15


# Sign symmetry ------------------------------------------------------------------------------------


@pytest.mark.parametrize("magnitude", ["constant", "fixed", "batchwise"])
@pytest.mark.parametrize("shape", SHAPES)
def test_sign_symmetry_goes_down_the_signs_of_the_weights(shape, magnitude):
    scene = Scene(rules.get("sign_symmetry", magnitude=magnitude, scale=1.5), *shape)
    net = scene.net
    sizes = [*net.stds[1:], net.std_out]
    W = above(net)[1:]
    M = [torch.empty_like(each) for each in W]
    for r, state in enumerate(scene.noise):
        g = torch.Generator()
        g.set_state(state)  # where a step draws, each replica from its own stream
        for index, (each, size) in enumerate(zip(M, sizes, strict=True), start=1):
            if magnitude == "constant":
                each[r] = 1.5 * size
            elif magnitude == "fixed":
                each[r] = scene.state.fixed["F"][index][r].abs()
            else:
                each[r] = (1.5 * size * torch.randn(each.shape[1:], generator=g)).abs()
    signs = [torch.where(each > 0, 1.0, -1.0) for each in W]
    check(scene, [None, *(size * sign for size, sign in zip(M, signs, strict=True))])


@pytest.mark.parametrize("magnitude", ["constant", "fixed", "batchwise"])
@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
def test_sign_symmetrys_signals_are_of_backprops_size(parametrisation, magnitude):
    """At the top the signal is B e, whose size is that of B: its root mean square, on average."""
    g = [torch.Generator().manual_seed(0)]
    net = TreeNet(4, 3, 2, 2, 2000, g, parametrisation, dtype=torch.float64)
    activity = net.activity(torch.randint(4, (1, 8, 4), generator=g[0]))
    error, _ = output_error(activity.logits, torch.randint(3, (1, 8), generator=g[0]))
    batch = Batch(activity, torch.zeros(1, 8, dtype=torch.long), error, [None] * 2)
    rule = rules.get("sign_symmetry", magnitude=magnitude)
    signals = rule.teach(net, rule.init(net, g), batch, g).signals
    backprop = net.down_from_output(error)
    assert float(signals[-1].norm() / backprop.norm()) == pytest.approx(1, rel=0.1)


def test_magnitudes_are_drawn_once_or_for_each_batch():
    for magnitude, again in (("fixed", False), ("batchwise", True)):
        scene = Scene(rules.get("sign_symmetry", magnitude=magnitude), 2, 3)
        first = scene.teach().signals[0]
        scene.noise = [g.get_state() for g in scene.generators]  # go on where the step ended
        assert torch.equal(first, scene.teach().signals[0]) is not again


def test_sign_symmetry_knows_the_signs_of_the_weights_and_no_more():
    scene = Scene(rules.get("sign_symmetry"), 2, 3)
    before, _ = scene.updates()
    for W in (*scene.net.W[1:], scene.net.W_out):
        W.mul_(torch.rand(W.shape, generator=scene.generators[0]).double() + 0.1)
    for a, b in zip(before[:3], scene.updates()[0][:3], strict=True):
        assert torch.equal(a, b)
    scene.net.W_out.neg_()
    for a, b in zip(before[:3], scene.updates()[0][:3], strict=True):
        assert torch.equal(a, -b)


# Kolen-Pollack ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_kolen_pollacks_feedback_gets_what_the_weights_get(shape):
    scene = Scene(rules.get("kolen_pollack"), *shape)
    found, own = check(scene, scene.state.feedback["F"])
    L, W_out = scene.net.L, scene.net.W_out
    given = [None, *found[1:L], next(f for f in found if f.shape == W_out.shape)]
    assert own["F"][0] is None
    for f, g in zip(own["F"][1:], given[1:], strict=True):
        assert torch.equal(f, g)


SMALL = {"v": 4, "n": 4, "m": 3, "L": 3, "P": 256, "width": 16, "batch": 32, "tests": 128}
OPTIMISERS = {
    "sgd": {"optimizer": "sgd", "momentum": 0.0, "lr": 0.1},
    "adam": {"lr": 0.01},
    "adam, cosine": {"lr": 0.01, "lr_schedule": "cosine", "steps": 60},
}


def program(rule, parametrisation, connectivity="shared", **optimiser):
    given = SMALL | optimiser | {"weight_decay": 0.5, "precision": "float64"}
    given |= {"parametrisation": parametrisation, "connectivity": connectivity}
    return Replicas(make_spec(rule=rule, **given).replicate(2))


@pytest.mark.parametrize("connectivity", ["shared", "local"])
@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
@pytest.mark.parametrize("optimiser", OPTIMISERS.values(), ids=OPTIMISERS)
def test_feedback_minus_weights_decays(optimiser, parametrisation, connectivity):
    training = program("kolen_pollack", parametrisation, connectivity, **optimiser)

    def differences():
        return [F - W for F, W in pairs(training.state.feedback["F"], training.net)]

    start, left = differences(), 1.0
    moved = training.net.W[1].clone()
    for _ in range(60):
        training.step()
        lr = training.optimiser.groups[0].lr / training.spec.lr * optimiser["lr"]
        if "optimizer" in optimiser and parametrisation == "mean_field":
            lr /= SMALL["width"]  # this rate times larger, its decay as many times smaller
        left *= 1 - lr * 0.5
        for now, at_start in zip(differences(), start, strict=True):
            assert at_start.abs().max() > 0.1
            close(now, at_start * left)
    assert float((training.net.W[1] - moved).norm() / moved.norm()) > 0.01
    assert left < 0.9


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
@pytest.mark.parametrize("optimiser", OPTIMISERS.values(), ids=OPTIMISERS)
def test_kolen_pollack_that_starts_at_the_weights_is_backprop_for_ever(optimiser, parametrisation):
    ours = program("kolen_pollack", parametrisation, **optimiser)
    backprop = program("backprop", parametrisation, **optimiser)
    for F, W in pairs(ours.state.feedback["F"], ours.net):
        F.copy_(W)
    for _ in range(60):
        assert torch.equal(ours.step()[0], backprop.step()[0])
    for p, q in zip(ours.net.parameters(), backprop.net.parameters(), strict=True):
        assert torch.equal(p, q)


def test_kolen_pollack_without_decay_is_an_error():
    with pytest.raises(SynaptreeError, match="weight_decay: 0 given, but kolen_pollack"):
        make_spec(rule="kolen_pollack", **SMALL)


# Greedy local classifiers -------------------------------------------------------------------------


def local_logits(scene, l, W, b, C, r, i, p):
    """What position p of layer l makes of input i; the layer's input is held constant."""
    net, x = scene.net, scene.activity.x[l - 1][r, i, p]
    h = net.gains[l - 1] * x @ (W[r] if W.ndim == 3 else W[r, p])
    if b is not None:
        h = h + b[r, 0 if W.ndim == 3 else p]
    return h.relu() @ (C[r] if C.ndim == 3 else C[r, p])


@pytest.mark.parametrize("classifier", ["position", "shared"])
@pytest.mark.parametrize("shape", SHAPES)
def test_greedy_local_is_the_gradient_of_each_layers_cross_entropy(shape, classifier):
    scene = Scene(rules.get("greedy_local", classifier=classifier), *shape)
    net = scene.net
    found, own = scene.updates()
    losses = scene.teach().loss
    for l in range(1, net.L + 1):
        places = net.positions(l)
        leaves = [net.W[l - 1], scene.state.learned["C"][l - 1], *net.b[l - 1 : l]]
        leaves = [leaf.clone().requires_grad_() for leaf in leaves]
        W, C, b = [*leaves, None][:3]
        assert C.shape == (2, *([places] if classifier == "position" else []), net.width, net.n)
        loss = [0, 0]
        for r in range(2):
            for i in range(4):
                for p in range(places):
                    logits = local_logits(scene, l, W, b, C, r, i, p)
                    surprise = -torch.log(logits.exp()[scene.y[r, i]] / logits.exp().sum())
                    loss[r] = loss[r] + surprise / (4 * places)
        expected = torch.autograd.grad(sum(loss), leaves)
        close(found[l - 1], expected[0])
        close(own["C"][l - 1], expected[1])
        if b is not None:
            close(found[net.L + l - 1], expected[2])
        close(losses[:, l - 1], torch.stack(loss).detach())


def test_greedy_local_asks_the_output_nothing():
    scene = Scene(rules.get("greedy_local"), 2, 3)
    before = scene.teach().signals
    after = scene.teach(error=torch.zeros_like(scene.error)).signals
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_local_classifiers_start_at_unit_gain():
    g = [torch.Generator().manual_seed(0)]
    net = TreeNet(4, 8, 2, 2, 400, g)
    for C in rules.get("greedy_local").init(net, g).learned["C"]:
        assert float(C.std()) == pytest.approx(400**-0.5, rel=0.05)


# Laws ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHAINS)
def test_no_error_no_update(name):
    scene = Scene(rules.get(name), 2, 3)
    found, own = scene.updates(error=torch.zeros_like(scene.error))
    assert not any(g.any() for g in [*found, *flat(own).values()])


@pytest.mark.parametrize("name", ["feedback_alignment", "kolen_pollack"])
@pytest.mark.parametrize("s_L", NETS)
def test_a_chain_down_the_weights_themselves_is_backprop(name, s_L):
    scene = Scene(rules.get(name), *s_L)
    state = scene.state.fixed | scene.state.feedback
    for F, W in pairs(state["F"], scene.net):
        F.copy_(W)
    found, _ = scene.updates()
    scene.rule = rules.get("backprop")
    for f, e in zip(found, scene.updates()[0], strict=True):
        assert torch.equal(f, e)


NOTHING = {1: [], 2: [], 3: [], 4: []}
SIGHT = [
    ("feedback_alignment", NOTHING),
    ("kolen_pollack", NOTHING),
    ("greedy_local", NOTHING),
    ("sign_symmetry", {1: [], 2: [1], 3: [1, 2], 4: [1, 2, 3]}),
]


@pytest.mark.parametrize(("name", "expected"), SIGHT)
def test_which_weights_of_other_layers_an_update_sees(name, expected):
    assert seen_by(rules.get(name)) == expected

"""Rules whose network settles, and target propagation, against energies and gradients by autograd.

Energies are written here again from the papers; derivatives are autograd's, in float64.
"""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from scene import SHAPES, WIDTH, Scene, close, reads, sent_down
from synaptree import rules
from synaptree.network.tree import TreeNet
from synaptree.rules import Batch
from synaptree.training.evaluation import error_rate
from synaptree.training.observation import output_error
from synaptree.training.replicas import Replicas
from synaptree.training.spec import make_spec

SETTLING = ["predictive_coding", "equilibrium_propagation"]
ALL = [*SETTLING, "dendritic_microcircuits", "difference_target_propagation"]


def into(net, l, x, W=None, b=None):
    """``W_l x + b_l`` of patches x of layer l."""
    W = net.W[l - 1] if W is None else W
    h = net.gains[l - 1] * torch.einsum(
        "rbni,rio->rbno" if W.ndim == 3 else "rbni,rnio->rbno", x, W
    )
    b = net.b[l - 1] if b is None and net.b else b
    return h if b is None else h + b.unsqueeze(1)


def losses(net, z, y):
    logits = net.gain_out * torch.einsum("rbni,rio->rbo", z, net.W_out)
    logits = logits if net.b_out is None else logits + net.b_out
    flat = torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none")
    return flat.view_as(y)


def width_factor(net):
    return net.width if net.parametrisation == "mean_field" else 1


def free_energy(scene, h, beta, W=None, b=None, z=None):
    """F = ½ Σ ‖h_l − W_l z_{l−1} − b_l‖² + β loss, of each input."""
    net, F, x = scene.net, 0, scene.activity.x[0]
    for l in range(1, net.L + 1):
        weights = [None if each is None else each[l - 1] for each in (W, b)]
        F = F + (h[l - 1] - into(net, l, x, *weights)).square().sum((2, 3)) / 2
        of_layer = h[l - 1].relu() if z is None else z[l - 1]
        x = None if l == net.L else reads(net, l + 1, of_layer)
    return F + beta * width_factor(net) * losses(net, of_layer, scene.y)


def strengths(net, gamma):
    """γ_l = γ / ‖W_l‖² of layers 1..L, (R, 1, 1, 1), in the norm (Σ σ⁸)^⅛ of singular values."""
    found = []
    for W, gain in zip(net.W, net.gains, strict=True):
        W = W.detach()
        W = torch.cat(W.unbind(1), -1) if net.connectivity == "full" else W
        norm = (gain * torch.linalg.svdvals(W)).pow(8).sum(-1).pow(1 / 8)
        norm = norm if norm.ndim == 1 else norm.max(1).values
        found.append((gamma / norm**2).view(-1, 1, 1, 1))
    return found


def hopfield(scene, z, beta, gamma):
    """E = Σ κ_l (½ ‖z_l‖² − z_l · (W_l z_{l−1} + b_l)) + β loss, of each input."""
    net, E, x = scene.net, 0, scene.activity.x[0]
    gammas = strengths(net, gamma)
    for l in range(1, net.L + 1):
        own = z[l - 1].square() / 2 - z[l - 1] * into(net, l, x)
        kappa = math.prod(1 / each for each in gammas[l:])
        E = E + (kappa * own).sum((2, 3))
        x = None if l == net.L else reads(net, l + 1, z[l - 1])
    return E + beta * width_factor(net) * losses(net, z[-1], scene.y)


def holding(scene, free, d):
    """Σ κ_l d_l · (what reaches each layer in the free state, beyond its activity)."""
    _, kappa = scene.rule.strengths(scene.net)
    return sum((k * c * w).sum((2, 3)) for k, c, w in zip(kappa, d, free.way, strict=True))


def backprop(scene, name="backprop", **options):
    rule, scene.rule = scene.rule, rules.get(name, **options)
    updates, _ = scene.updates()
    scene.rule = rule
    return updates


def distance(found, expected):
    return max(float((f - e).norm() / e.norm()) for f, e in zip(found, expected, strict=True))


# Predictive coding --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_predictive_coding_with_a_weak_label_is_backprop(shape):
    rule = rules.get("predictive_coding", beta=1e-7, rate=0.3, steps=2500)
    scene = Scene(rule, *shape)
    found, _ = scene.updates()
    assert distance(found, backprop(scene)) < 1e-6


@pytest.mark.parametrize("shape", SHAPES)
def test_when_the_error_first_arrives_at_a_layer_its_update_is_backprops(shape):
    """Zero-divergence inference learning (Song et al. 2020), whatever the strength of the label:
    layer l at step L − l + 1, scaled by the rate of each of these steps."""
    scene = Scene(rules.get("predictive_coding"), *shape)
    expected, L = backprop(scene), scene.net.L
    for l in range(1, L + 1):
        scene.rule = rules.get("predictive_coding", beta=0.1, rate=0.05, steps=L - l + 1)
        found = scene.updates()[0][l - 1] / 0.05 ** (L - l + 1)
        assert distance([found], [expected[l - 1]]) < 1e-6


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_predictive_codings_update_is_the_slope_of_its_energy(shape, incremental):
    rule = rules.get("predictive_coding", beta=0.7, steps=4, incremental=incremental)
    scene = Scene(rule, *shape)
    net, L = scene.net, scene.net.L
    found, _ = scene.updates()
    W = [W.clone().requires_grad_() for W in net.W]
    b = [b.clone().requires_grad_() for b in net.b] or None
    total = 0
    for steps in range(1, 5) if incremental else [4]:  # the path is made of shorter settlings
        h = rule.model_copy(update={"steps": steps, "incremental": False}).settle(
            net, scene.batch()
        )
        total = total + free_energy(scene, h.state, rule.beta, W, b).sum()
    expected = torch.autograd.grad(total, [*W, *(b or [])])
    scale = rule.beta * width_factor(net) * scene.x.shape[1]
    for f, e in zip(found[: L + len(net.b)], expected, strict=True):
        assert e.abs().max() > 1e-6
        close(f, e / scale)


@pytest.mark.parametrize("shape", SHAPES)
def test_predictive_coding_settles_where_the_slope_of_its_energy_is_zero(shape):
    scene = Scene(rules.get("predictive_coding", beta=1e-4, steps=2500, rate=0.3), *shape)
    settled = scene.rule.settle(scene.net, scene.batch())
    h = [each.clone().requires_grad_() for each in settled.state]
    start = [each.clone().requires_grad_() for each in scene.activity.h]
    there, before = (
        torch.autograd.grad(free_energy(scene, state, 1e-4).sum(), state) for state in (h, start)
    )
    scale = max(float(g.norm()) for g in before)
    assert max(float(g.norm()) for g in there) < 1e-6 * scale
    assert any(not torch.equal(a, b) for a, b in zip(h, start, strict=True))


# Equilibrium propagation --------------------------------------------------------------------------

GAMMA = 0.1


def free_gradient(scene, gamma):
    """The gradient of the loss of the free state, through all the steps that lead there."""
    net = scene.net
    parameters, gammas = [*net.W, *net.b], strengths(net, gamma)
    for p in parameters:
        p.requires_grad_()
    z = list(scene.activity.z)
    for _ in range(60):
        new = []
        for l in range(1, net.L + 1):
            x = scene.activity.x[0] if l == 1 else reads(net, l, z[l - 2])
            h = into(net, l, x)
            if l < net.L:
                h = h + gammas[l] * net.gains[l] * sent_down(net, z[l], net.W[l])
            new.append(h.relu())
        z = new
    loss = losses(net, z[-1], scene.y).sum() / scene.x.shape[1]
    gradients = torch.autograd.grad(loss, parameters)
    for p in parameters:
        p.requires_grad_(False)
    return gradients


def propagated(shape, beta, nudges):
    rule = rules.get("equilibrium_propagation", beta=beta, gamma=GAMMA, nudges=nudges, free=300,
                     nudged=300)  # fmt: skip
    scene = Scene(rule, *shape)
    if scene.net.parametrisation == "mean_field":  # where β is in units of the width
        scene.rule = rule.model_copy(update={"beta": beta / WIDTH})
    found, _ = scene.updates()
    return distance(found[: scene.net.L + len(scene.net.b)], free_gradient(scene, GAMMA))


@pytest.mark.parametrize(("nudges", "order"), [("one_sided", 1), ("symmetric", 2)])
@pytest.mark.parametrize("shape", SHAPES)
def test_equilibrium_propagation_tends_to_the_gradient_with_its_order(shape, nudges, order):
    """Halving β halves the error of one-sided nudging, and quarters that of symmetric nudging."""
    errors = [propagated(shape, beta, nudges) for beta in (4e-3, 2e-3, 1e-3)]
    assert errors[0] < 0.05
    for larger, smaller in pairwise(errors):
        assert math.log2(larger / smaller) == pytest.approx(order, abs=0.15)


def test_with_weak_feedback_the_free_state_is_the_forward_pass_and_the_gradient_backprops():
    errors = []
    for gamma in (2e-2, 2e-3):
        rule = rules.get("equilibrium_propagation", beta=1e-3, gamma=gamma, free=50, nudged=50)
        scene = Scene(rule, 2, 3)
        free, _ = rule.settle(scene.net, scene.batch())
        moved = distance(free.state, scene.activity.z)
        errors.append((moved, distance(scene.updates()[0], backprop(scene))))
    for weak, weaker in zip(*errors, strict=True):
        assert weak < 0.5
        assert weaker == pytest.approx(weak / 10, rel=0.3)


@pytest.mark.parametrize("shape", [SHAPES[0], SHAPES[3]])
def test_clamped_it_is_contrastive_hebbian_learning(shape):
    """Xie & Seung's equations: x_l ← φ(W_l x_{l−1} + b_l + γ_{l+1} W_{l+1}ᵀ x_{l+1}), with softmax
    cells at the output that are free or the label, and ΔW_l ∝ x_l x_{l−1} clamped minus free."""
    rule = rules.get("equilibrium_propagation", nudges="clamped", gamma=GAMMA, beta=0.1, free=400,
                     nudged=400)  # fmt: skip
    scene = Scene(rule, *shape)
    net, beta, gammas = scene.net, 0.1 * width_factor(scene.net), strengths(scene.net, GAMMA)
    one_hot = torch.nn.functional.one_hot(scene.y, net.n).double()
    phases = []
    for clamped in (True, False):
        z = list(scene.activity.z)
        for _ in range(400):
            new = []
            for l in range(1, net.L + 1):
                h = into(net, l, scene.activity.x[0] if l == 1 else reads(net, l, z[l - 2]))
                if l < net.L:
                    h = h + gammas[l] * net.gains[l] * sent_down(net, z[l], net.W[l])
                else:
                    o = net.gain_out * torch.einsum("rbni,rio->rbo", z[-1], net.W_out)
                    o = o if net.b_out is None else o + net.b_out
                    said = one_hot if clamped else o.softmax(-1)
                    back = torch.einsum("rbo,rio->rbi", said, net.W_out)
                    h = h + beta * net.gain_out * back.unsqueeze(2)
                new.append(h.relu())
            z = new
        phases.append(z)
    found, _ = scene.updates()
    for l in range(1, net.L + 1):
        kappa = math.prod(1 / each for each in gammas[l:])
        products = []
        for z in phases:
            x = scene.activity.x[0] if l == 1 else reads(net, l, z[l - 2])
            pattern = "rbni,rbno->rio" if net.W[l - 1].ndim == 3 else "rbni,rbno->rnio"
            products.append(net.gains[l - 1] * torch.einsum(pattern, x, kappa * z[l - 1]))
        expected = (products[1] - products[0]) / (beta * scene.x.shape[1])
        assert distance([found[l - 1]], [expected]) < 1e-6


def test_contrastive_hebbian_learning_tends_to_backprop_as_feedback_weakens():
    errors = []
    for weak in (1e-2, 1e-3):
        rule = rules.get("equilibrium_propagation", nudges="clamped", beta=weak, gamma=weak,
                         free=50, nudged=50)  # fmt: skip
        scene = Scene(rule, 2, 3)
        errors.append(distance(scene.updates()[0], backprop(scene)))
    assert errors[0] < 0.05
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.1)


# Dendritic microcircuits --------------------------------------------------------------------------


def microcircuit(shape, beta, like_backprop=False, **options):
    rule = rules.get("dendritic_microcircuits", beta=beta, steps=10, **options)
    scene = Scene(rule, *shape)
    if scene.net.parametrisation == "mean_field":  # where β is in units of the width
        scene.rule = rule.model_copy(update={"beta": beta / WIDTH})
    if like_backprop:
        F = [W.clone() for W in [*scene.net.W[1:], scene.net.W_out]]
        scene.state.fixed["F"] = [None, *F]
        scene.state.running["P"] = [each.clone() for each in F]
    return scene


@pytest.mark.parametrize("like_backprop", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_microcircuits_tend_to_the_chain_with_their_feedback(shape, like_backprop):
    """In the self-predicting state: to feedback alignment with B, and to backprop where B is Wᵀ.
    Halving β halves the error."""
    errors = []
    for beta in (4e-4, 2e-4):
        scene = microcircuit(shape, beta, like_backprop)
        found, _ = scene.updates()
        name = "backprop" if like_backprop else "feedback_alignment"
        errors.append(distance(found, backprop(scene, name)))
    assert errors[0] < 1e-3
    assert errors[1] == pytest.approx(errors[0] / 2, rel=0.01)


@pytest.mark.parametrize("shape", SHAPES)
def test_apical_dendrites_rest_where_the_equations_say(shape):
    scene = microcircuit(shape, 0.3, start="random")
    net, rule, state = scene.net, scene.rule, scene.state
    F, Q, P = state.fixed["F"], state.running["Q"], state.running["P"]
    rule.learn_at_rest(net, state, scene.batch())  # random lateral weights may have no steady state
    a = rule.model_copy(update={"steps": 200}).settle(net, state, scene.batch()).state
    beta, (alpha, mu) = rule.beta * width_factor(net), (rule.apical, rule.teaching)
    x, u = scene.activity.x[0], []
    for l in range(1, net.L + 1):
        u.append(into(net, l, x) + alpha * a[l - 1])
        x = None if l == net.L else reads(net, l + 1, u[-1].relu())
    o = net.gain_out * torch.einsum("rbni,rio->rbo", u[-1].relu(), net.W_out)
    o = o if net.b_out is None else o + net.b_out
    e = o.softmax(-1) - torch.nn.functional.one_hot(scene.y, net.n)
    u.append((o - beta * e).unsqueeze(2))
    for l in range(1, net.L + 1):
        top = l == net.L
        gain = net.gain_out if top else net.gains[l]
        pattern = "rbni,rio->rbno" if Q[l - 1].ndim == 3 else "rbni,rnio->rbno"
        read = u[l - 1].relu() if top else reads(net, l + 1, u[l - 1].relu())
        v = gain * torch.einsum(pattern, read, Q[l - 1])
        v = v + state.running["q"][l - 1].unsqueeze(1) if net.b else v
        above, i = u[l], (1 - mu) * v + mu * u[l]
        above, i = (above, i) if top else (above.relu(), i.relu())
        back = sent_down(net, above, F[l]) - sent_down(net, i, P[l - 1])
        close(a[l - 1], gain * back)


@pytest.mark.parametrize("shape", SHAPES)
def test_interneurons_learn_to_predict_and_to_cancel(shape):
    """From random weights: before a label comes nothing is left at apical dendrites."""
    scene = microcircuit(shape, 0.3, start="random")
    net, rule = scene.net, scene.rule
    h = [*scene.activity.h, scene.activity.logits.unsqueeze(2)]

    def left():
        v = rule.predicted(net, scene.state, h)
        a, _ = rule.dendrites(net, scene.state, h, v)
        missed = [u - p for u, p in zip(h[1:], v, strict=True)]
        return [float(t.norm()) for t in (*a, *missed)]

    before = left()
    for _ in range(3):
        rule.learn_at_rest(net, scene.state, scene.batch())
    assert all(now < 1e-3 * was for now, was in zip(left(), before, strict=True))


def test_the_self_predicting_state_stays():
    scene = microcircuit((2, 3), 0.3)
    kept = {name: [t.clone() for t in ts] for name, ts in scene.state.running.items()}
    scene.rule.learn_at_rest(scene.net, scene.state, scene.batch())
    for name, tensors in kept.items():
        for a, b in zip(tensors, scene.state.running[name], strict=True):
            close(b, a)


# Settling with other masks ------------------------------------------------------------------------


@pytest.mark.parametrize("masks", ["none", "other_input"])
@pytest.mark.parametrize("shape", [SHAPES[0], SHAPES[3], SHAPES[4]])
def test_weak_labels_and_other_masks_are_the_masking_laboratory(shape, masks):
    scene = Scene(rules.get("predictive_coding", beta=1e-7, rate=0.3, steps=2500, masks=masks),
                  *shape)  # fmt: skip
    laboratory = backprop(scene, "masking", masks=masks)
    assert distance(scene.updates()[0], laboratory) < 1e-6
    errors = []
    for weak in (1e-3, 1e-4):
        scene.rule = rules.get("equilibrium_propagation", beta=weak / width_factor(scene.net),
                               gamma=weak, free=50, nudged=50, masks=masks)  # fmt: skip
        errors.append(distance(scene.updates()[0], laboratory))
    assert errors[0] < 0.05
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.1)
    assert distance(backprop(scene), laboratory) > 0.1  # which is not backprop here


# Both ---------------------------------------------------------------------------------------------

positive = st.floats(0.05, 2.0)


@settings(max_examples=40)
@given(
    name=st.sampled_from(SETTLING),
    shape=st.sampled_from(SHAPES),
    size=st.floats(0.2, 4.0),
    beta=positive,
    rate=positive,
    steps=st.integers(1, 30),
    masks=st.sampled_from(["true", "none", "other_input"]),
)
def test_energy_falls_along_every_settling(name, shape, size, beta, rate, steps, masks):
    """Also where weights are so strong that the steps are too long, or that nothing is at rest."""
    counts = {"steps": steps} if name == "predictive_coding" else {"free": steps, "nudged": steps}
    if name == "equilibrium_propagation":
        rate = min(rate, 1.0)
    scene = Scene(rules.get(name, beta=beta, rate=rate, masks=masks, **counts), *shape)
    for W in [*scene.net.W, scene.net.W_out]:
        W *= size
    scene.activity = scene.net.activity(scene.x)
    batch = scene.batch()
    if name == "predictive_coding":
        settled = scene.rule.settle(scene.net, batch)
        z = None if masks == "true" else scene.rule.responses(scene.net, batch, settled.state)
        runs = [(settled.energy, free_energy(scene, settled.state, beta, z=z))]
        traces = [torch.stack(settled.energy)]
    else:
        free, nudged = scene.rule.settle(scene.net, batch)
        factor, gamma = width_factor(scene.net), scene.rule.gamma
        at_rest = hopfield(scene, free.state, 0.0, gamma)
        runs = [(free.energy, at_rest)]
        traces = [torch.stack(free.energy)]
        for strength, of in nudged:  # the energy of a change is that beyond the free state's
            there = [z + d for z, d in zip(free.state, of.state, strict=True)]
            energy = hopfield(scene, there, strength / factor, gamma) - at_rest
            # With other masks a current holds the free state at rest.
            held = 0.0 if masks == "true" else holding(scene, free, of.state)
            # Only against the energy itself a small difference of two energies has its digits.
            runs.append(([e + at_rest for e in of.energy], at_rest + energy + held))
            traces.append(torch.stack(of.energy))
    for energies, energy in runs:
        close(energies[-1], energy)
    for trace in traces:
        assert bool((trace.diff(dim=0) <= 1e-14 * trace[:-1].abs()).all())
        assert bool((trace[-1] < trace[0]).any())


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
@pytest.mark.parametrize("name", ALL)
def test_a_replica_alone_is_as_in_company(name, tolerance):
    options = {"tolerance": tolerance} if name in SETTLING else {}
    rule = rules.get(name, **options)
    together, alone = (Scene(rule, 2, 3) for _ in range(2))
    for scene in (together, alone):
        scene.net.W[1][1] *= 1.5  # the other one takes more steps
        scene.activity = scene.net.activity(scene.x)
        scene.error, _ = output_error(scene.activity.logits, scene.y)
    keep = torch.tensor([0])
    alone.net.select(keep)
    alone.state = alone.state.select(keep)
    alone.generators, alone.noise = alone.generators[:1], alone.noise[:1]
    alone.x, alone.y = alone.x[:1], alone.y[:1]
    alone.activity = alone.net.activity(alone.x)
    alone.error, _ = output_error(alone.activity.logits, alone.y)
    for a, b in zip(alone.updates()[0], together.updates()[0], strict=True):
        close(a[0], b[0])
    if tolerance and name == "predictive_coding":
        steps = rule.settle(together.net, together.batch()).steps
        assert not torch.equal(steps[0], steps[1])


@pytest.mark.parametrize("name", SETTLING)
def test_an_input_stops_where_its_residual_is_small_and_the_others_go_on(name):
    tolerance = 0.02
    counts = {"steps": 40} if name == "predictive_coding" else {"free": 40}
    scene = Scene(rules.get(name, tolerance=tolerance, **counts), 2, 3, objects=32)

    def settle(rule):
        found = rule.settle(scene.net, scene.batch())
        return found if name == "predictive_coding" else found[0]

    settled = settle(scene.rule)
    assert len(set(settled.steps.flatten().tolist())) > 1
    early = settled.steps < 40
    assert bool((settled.residual[early] < tolerance).all())
    for steps in settled.steps.unique():  # each is where a settling of so many steps is
        counts = {key: int(steps) for key in counts}
        other = settle(scene.rule.model_copy(update={"tolerance": 0.0, **counts}))
        at = settled.steps == steps
        for a, b in zip(settled.state, other.state, strict=True):
            assert torch.allclose(a[at], b[at], rtol=1e-12, atol=1e-14)


# Difference target propagation --------------------------------------------------------------------


def invertible():
    """A chain of layers with as many units as classes, every unit open; its decoders inverses."""
    g = [torch.Generator().manual_seed(r) for r in range(2)]
    net = TreeNet(4, 5, 1, 3, 5, g, dtype=torch.float64)
    for layer, b in enumerate(net.b):
        b += 4 * 10.0**layer
    rule = rules.get("difference_target_propagation", decoder="linear", eta=0.3,
                     reconstruction="difference")  # fmt: skip
    state = rule.init(net, g)
    for F, W in zip(state.learned["F"][1:], [*net.W[1:], net.W_out], strict=True):
        F.copy_(torch.linalg.inv(W).mT)
    x = torch.randint(4, (2, 7, 1), generator=g[0])
    y = torch.randint(5, (2, 7), generator=g[0])
    activity = net.activity(x)
    assert all(bool((z > 0).all()) for z in activity.z)
    error, _ = output_error(activity.logits, y)
    taught = rule.teach(net, state, Batch(activity, y, error, [None] * 3), g)
    return net, error, taught


def test_with_inverse_decoders_targets_are_gauss_newtons():
    """The target of z_l is the nearest activity with which the output would be at o − η e."""
    net, error, taught = invertible()
    for l, T in enumerate(taught.signals, start=1):
        J = torch.eye(5, dtype=torch.float64).expand(2, 5, 5)
        for W in [*net.W[l:], net.W_out]:
            J = J @ W  # ∂o/∂z_l in a row, since all units are open
        steps = torch.linalg.lstsq(J.mT, error.mT).solution.mT
        close(T[:, :, 0], steps)


def test_inverse_decoders_have_learned_all_there_is():
    _, _, taught = invertible()
    assert all(float(g.abs().max()) < 1e-10 for g in taught.own["F"][1:])


@pytest.mark.parametrize("decoder", ["relu", "linear"])
@pytest.mark.parametrize("reconstruction", ["activity", "difference"])
@pytest.mark.parametrize("shape", SHAPES)
def test_decoders_learn_to_reconstruct(shape, reconstruction, decoder):
    rule = rules.get("difference_target_propagation", reconstruction=reconstruction,
                     decoder=decoder, sigma=0.3)  # fmt: skip
    scene = Scene(rule, *shape)
    net, L = scene.net, scene.net.L
    for c in scene.state.learned["c"]:
        c.normal_(generator=scene.generators[0])
        scene.noise = [g.get_state() for g in scene.generators]
    own = scene.teach().own
    drawn = []
    for r, state in enumerate(scene.noise):
        g = torch.Generator()
        g.set_state(state)
        drawn.append([0.3 * torch.randn(z[r].shape, generator=g) for z in scene.activity.z])
    for l in range(1, L + 1):
        F = scene.state.learned["F"][l].clone().requires_grad_()
        c = scene.state.learned["c"][l - 1].clone().requires_grad_()
        z = scene.activity.z[l - 1]
        xi = torch.stack([each[l - 1] for each in drawn]).double()

        def encode(z, l=l):
            if l == L:
                logits = net.gain_out * torch.einsum("rbni,rio->rbno", z, net.W_out)
                return logits if net.b_out is None else logits + net.b_out.unsqueeze(1)
            return into(net, l + 1, reads(net, l + 1, z)).relu()

        def decode(a, l=l, F=F, c=c):
            gain = net.gain_out if l == L else net.gains[l]
            g = gain * sent_down(net, a, F) + c.unsqueeze(2)
            return g.relu() if decoder == "relu" else g

        wrong = decode(encode(z + xi)) - (z + xi)
        if reconstruction == "difference":
            wrong = (decode(encode(z + xi)) - decode(encode(z)) - xi) / 0.3
        loss = wrong.square().sum() / (2 * z.shape[1] * z.shape[2])
        dF, dc = torch.autograd.grad(loss, [F, c], allow_unused=True)
        close(own["F"][l], dF)
        close(own["c"][l - 1], dc if dc is not None else torch.zeros_like(c))


@pytest.mark.parametrize("shape", SHAPES)
def test_targets_come_down_as_differences(shape):
    scene = Scene(rules.get("difference_target_propagation", eta=0.4), *shape)
    net, L, F, c = scene.net, scene.net.L, scene.state.learned["F"], scene.state.learned["c"]
    o = scene.activity.logits.unsqueeze(2)
    one_hot = torch.nn.functional.one_hot(scene.y, net.n).unsqueeze(2)
    t, said = o - 0.4 * (o.softmax(-1) - one_hot), o
    for l in range(L, 0, -1):
        gain = net.gain_out if l == L else net.gains[l]
        z = scene.activity.z[l - 1]

        def g(a, l=l, gain=gain):
            return (gain * sent_down(net, a, F[l]) + c[l - 1].unsqueeze(2)).relu()

        t, said = z + g(t) - g(said), z
        close(scene.teach().signals[l - 1], (z - t) / (0.4 * scene.x.shape[1]))


# What they cost, and that they learn --------------------------------------------------------------


class Products(TorchDispatchMode):
    """Counts the products of activities with matrices of the given shapes."""

    def __init__(self, *shapes):
        super().__init__()
        self.shapes, self.count = shapes, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket.__name__ in ("bmm", "baddbmm"):
            left, right = (tuple(factor.shape) in self.shapes for factor in args[-2:])
            self.count += right and not left  # no product of weights with each other
        return func(*args, **(kwargs or {}))


FORMS = [(name, {}) for name in rules.names() if name != "global_error_vector"] + [
    ("predictive_coding", {"steps": 7}),
    ("predictive_coding", {"steps": 3, "incremental": True}),
    ("equilibrium_propagation", {"nudges": "one_sided", "free": 5, "nudged": 4}),
    ("equilibrium_propagation", {"nudges": "clamped", "masks": "none"}),
    ("equilibrium_propagation", {"masks": "other_input"}),
    ("predictive_coding", {"steps": 3, "incremental": True, "masks": "none"}),
    ("dendritic_microcircuits", {"start": "random", "steps": 2}),
    ("difference_target_propagation", {"reconstruction": "difference"}),
    ("masking", {"weights": "random", "masks": "true"}),
    ("clapp_pp", {"context": "top"}),
    ("symmetric_direct", {}),
]


@pytest.mark.parametrize(("name", "options"), FORMS)
def test_passes_are_counted_as_the_facts_say(name, options):
    """Products with the weights of layers 2 and 3, or with feedback in their place."""
    rule = rules.get(name, **options)
    views = ("sibling", "same_class") if rule.needs_views else ()
    scene = Scene(rule, 2, 3, views=views, objects=5)
    shape = (2, 2 * WIDTH, WIDTH)
    with Products(shape, (2, WIDTH, 2 * WIDTH)) as counter:
        scene.net.forward(scene.activity.x[0])
        scene.teach()
    assert counter.count == 2 * rule.passes


EASY = {"v": 4, "n": 4, "m": 2, "L": 3, "P": 128, "width": 32, "batch": 32, "steps": 150,
        "lr": 0.01, "weight_decay": 0.0}  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_an_easy_grammar_is_learned_better_than_by_the_readout_alone(name):
    def test_error(rule):
        replicas = Replicas(make_spec(rule=rule, **EASY).replicate(3))
        for _ in range(EASY["steps"]):
            replicas.step()
        data = replicas.data
        return error_rate(replicas.net, data.test_x, data.test_y)

    assert float(test_error(name).mean()) < 0.6 * float(test_error("readout_only").mean())


@pytest.mark.parametrize("name", ALL)
def test_no_gradient_is_taken_by_autograd(name):
    with torch.inference_mode():  # in which autograd raises
        scene = Scene(rules.get(name), 2, 3)
        assert all(g.is_inference() for g in scene.updates()[0])

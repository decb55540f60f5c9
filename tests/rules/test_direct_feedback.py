"""Direct feedback: each update against the paper's equation, written here as slow loops.

In float64, for both parametrisations, shared and local connections, and two replicas.
"""

import pytest
import torch

from scene import NETS, SHAPES, Scene, close, raw_error, reads, seen_by, slow_chain, slow_updates
from synaptree import make_spec, rules
from synaptree.network.tree import Activity, TreeNet
from synaptree.rules import Batch
from synaptree.training.observation import output_error
from synaptree.training.replicas import Replicas

FEEDBACK = ["position", "shared"]


def hidden(scene, signal):
    """The updates of the hidden weights are those of the signals T_l: ``signal(r, i, l, p)``."""
    found, own = scene.updates()
    expected = slow_updates(scene, signal)
    assert any(e.abs().max() > 1e-6 for e in expected)  # or the test would show nothing
    for f, e in zip(found[: scene.net.L], expected, strict=True):
        close(f, e)
    return own


def at(B, r, p):
    """The feedback matrix (n, H) of one position."""
    return B[r] if B.ndim == 3 else B[r, p]


def one(scene, r, i, l, p):
    return scene.activity.z[l - 1][r, i, p]


# DFA with the sign of the error, DRTP -------------------------------------------------------------


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("shape", SHAPES)
def test_sign_dfa_sends_the_sign_of_the_error(shape, feedback):
    scene = Scene(rules.get("dfa", feedback=feedback, error="sign"), *shape)

    def signal(r, i, l, p):
        signs = [1.0 if e > 0 else -1.0 for e in raw_error(scene, r, i)]
        B = at(scene.state.fixed["B"][l - 1], r, p)
        return sum(sign * B[c] for c, sign in enumerate(signs))

    hidden(scene, signal)


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("shape", SHAPES)
def test_drtp_sends_the_target(shape, feedback):
    scene = Scene(rules.get("drtp", feedback=feedback), *shape)
    hidden(scene, lambda r, i, l, p: -at(scene.state.fixed["B"][l - 1], r, p)[scene.y[r, i]])


def test_drtp_is_dfa_with_the_target_for_the_error():
    drtp, dfa = Scene(rules.get("drtp"), 2, 3), Scene(rules.get("dfa"), 2, 3)
    target = torch.nn.functional.one_hot(drtp.y, 3).double()
    found = drtp.updates()[0][:3]
    for f, e in zip(found, dfa.updates(error=-target / 4)[0][:3], strict=True):
        close(f, e)


def test_drtp_waits_for_no_output():
    scene = Scene(rules.get("drtp"), 2, 3)
    before = scene.teach().signals
    after = scene.teach(error=torch.zeros_like(scene.error)).signals
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("name", ["dfa", "drtp"])
def test_scale_multiplies_the_feedback(name):
    small, large = (Scene(rules.get(name, scale=scale), 2, 3) for scale in (1.0, 4.0))
    for B, C in zip(small.state.fixed["B"], large.state.fixed["B"], strict=True):
        assert torch.equal(4 * B, C)


# Direct Kolen-Pollack -----------------------------------------------------------------------------


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("shape", SHAPES)
def test_direct_kolen_pollack_is_dfa_whose_feedback_follows_error_and_activity(shape, feedback):
    scene = Scene(rules.get("direct_kolen_pollack", feedback=feedback, decay=0.3), *shape)
    gain, inputs = scene.net.gain_out, scene.x.shape[1]
    B = scene.state.feedback["B"]

    own = hidden(scene, lambda r, i, l, p: gain * raw_error(scene, r, i) @ at(B[l - 1], r, p))
    for l in range(1, scene.net.L + 1):
        expected = 0.3 * gain * B[l - 1]
        for r in range(2):
            for i in range(inputs):
                for p in range(scene.net.positions(l)):
                    outer = torch.outer(raw_error(scene, r, i), one(scene, r, i, l, p)) / inputs
                    at(expected, r, p).add_(gain * outer)
        close(own["B"][l - 1], expected)


SMALL = {"v": 4, "n": 4, "m": 3, "L": 3, "P": 256, "width": 16, "batch": 32, "tests": 128}
OPTIMISERS = {
    "sgd": {"optimizer": "sgd", "momentum": 0.0, "lr": 0.1},
    "adam": {"lr": 0.01},
}


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
@pytest.mark.parametrize("optimiser", OPTIMISERS.values(), ids=OPTIMISERS)
def test_at_the_top_direct_feedback_comes_to_be_the_readout(optimiser, parametrisation):
    spec = make_spec(rule=rules.get("direct_kolen_pollack", decay=0), weight_decay=0.5, **SMALL,
                     **optimiser, parametrisation=parametrisation, precision="float64")  # fmt: skip
    program = Replicas(spec.replicate(2))

    def difference():
        return program.state.feedback["B"][2][:, 0].mT - program.net.W_out

    start = difference()
    assert start.abs().max() > 0.1
    for step in range(1, 41):
        program.step()
        close(difference(), start * (1 - spec.lr * 0.5) ** step)


# Forward DFA --------------------------------------------------------------------------------------


def jacobians(scene, r, i):
    """∂o/∂z_l of one input by autograd, (n, N_l, H) for each l: z_l moved, layers above follow."""
    net, L = scene.net, scene.net.L

    def outputs(l, z):
        for k in range(l + 1, L + 1):
            x, h = reads(net, k, z), []
            for p in range(net.positions(k)):
                W = net.W[k - 1][r] if net.connectivity == "shared" else net.W[k - 1][r, p]
                h.append(net.gains[k - 1] * x[p] @ W)
                if net.b:
                    h[-1] = h[-1] + net.b[k - 1][r, 0 if net.connectivity == "shared" else p]
            z = torch.stack(h).relu()
        return net.gain_out * z[0] @ net.W_out[r]

    jacobian = torch.autograd.functional.jacobian
    starts = [(l, one(scene, r, i, l, slice(None))) for l in range(1, L + 1)]
    return [jacobian(lambda z, l=l: outputs(l, z), start) for l, start in starts]


def noise_of(scene, shapes, std=1.0):
    """What the rule draws: for each replica from its own stream, layer after layer, in float32."""
    drawn = []
    for state in scene.noise:
        g = torch.Generator()
        g.set_state(state)
        drawn.append([(std * torch.randn(shape[1:], generator=g)).double() for shape in shapes])
    return [torch.stack(layer) for layer in zip(*drawn, strict=True)]


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("shape", SHAPES)
def test_forward_dfa_is_dfa_whose_feedback_follows_the_directional_derivative(shape, feedback):
    scene = Scene(rules.get("forward_dfa", feedback=feedback), *shape)
    net, B = scene.net, scene.state.learned["B"]
    assert not any(b.any() for b in B)  # as published
    for b in B:
        b.normal_(generator=torch.Generator().manual_seed(3))
    own = hidden(scene, lambda r, i, l, p: raw_error(scene, r, i) @ at(B[l - 1], r, p))
    u = noise_of(scene, [z.shape for z in scene.activity.z])
    expected = [b.clone() for b in B]
    for r in range(2):
        for i in range(4):
            J = jacobians(scene, r, i)
            moved = sum((J[k] * u[k][r, i]).sum((1, 2)) for k in range(net.L))
            for l in range(1, net.L + 1):
                places = net.positions(l)
                draws = 4 * (places if feedback == "shared" else 1)
                for p in range(places):
                    at(expected[l - 1], r, p).sub_(torch.outer(moved, u[l - 1][r, i, p]) / draws)
    for f, e in zip(own["B"], expected, strict=True):
        close(f, e)


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
def test_forward_dfa_converges_to_the_mean_jacobian(parametrisation):
    """Against the standard error of the mean: (Ju)_c u_j has variance |J_c|² + J_cj²."""
    scene, copies = Scene(rules.get("forward_dfa"), 2, 2, parametrisation), 20_000
    J = [[jacobians(scene, r, i) for i in range(4)] for r in range(2)]
    scene.x, scene.y = (t.repeat_interleave(copies, 1) for t in (scene.x, scene.y))
    scene.activity = scene.net.activity(scene.x)
    scene.error, _ = output_error(scene.activity.logits, scene.y)
    own = scene.teach().own  # B is 0, so that this is minus the mean over all these draws
    for l in (1, 2):
        for r in range(2):
            mean = sum(J[r][i][l - 1] for i in range(4)) / 4
            size = [sum(each.square().sum((1, 2)) for each in J[r][i]) for i in range(4)]
            variance = sum(size[i][:, None, None] + J[r][i][l - 1] ** 2 for i in range(4)) / 4
            error = (variance / (4 * copies)).sqrt()
            z = (-own["B"][l - 1][r].transpose(0, 1) - mean) / error
            assert float(z.abs().max()) < 5
            assert 0.5 < float(z.square().mean()) < 1.8  # and no smaller than chance has it
            assert float(mean.norm() / error.norm()) > 20  # so that 5 is tight


# Symmetric direct feedback ------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_symmetric_direct_is_the_product_of_the_weights(shape):
    scene = Scene(rules.get("symmetric_direct"), *shape)
    hidden(scene, slow_chain(scene, "none"))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_mean_jacobian_is_a_mean_of_jacobians(shape):
    scene = Scene(rules.get("symmetric_direct", feedback="mean_jacobian"), *shape)
    each = [[jacobians(scene, r, i) for i in range(4)] for r in range(2)]

    def signal(r, i, l, p):
        mean = sum(each[r][j][l - 1][:, p] for j in range(4)) / 4
        return raw_error(scene, r, i) @ mean

    hidden(scene, signal)


@pytest.mark.parametrize("shape", SHAPES)
def test_symmetric_direct_is_backprop_without_masks_bit_for_bit(shape):
    direct, masking = (Scene(rules.get(name), *shape) for name in ("symmetric_direct", "masking"))
    for f, e in zip(direct.updates()[0], masking.updates()[0], strict=True):
        assert torch.equal(f, e)


def test_the_mean_jacobian_of_a_single_input_is_backprop():
    mean, backprop = (
        Scene(rules.get(name, **options), 2, 3, objects=1)
        for name, options in [("symmetric_direct", {"feedback": "mean_jacobian"}), ("backprop", {})]
    )
    for f, e in zip(mean.updates()[0], backprop.updates()[0], strict=True):
        close(f, e)


@pytest.mark.parametrize("feedback", ["weights", "mean_jacobian"])
def test_nothing_is_between_the_top_layer_and_the_output(feedback):
    scene = Scene(rules.get("symmetric_direct", feedback=feedback), 2, 1)
    backprop = Scene(rules.get("backprop"), 2, 1)
    for f, e in zip(scene.updates()[0], backprop.updates()[0], strict=True):
        close(f, e)


# Node perturbation --------------------------------------------------------------------------------


def slow_forward(net, r, x, noise=None):
    """One forward pass of one input, (d, v): x, h, z, logits."""
    xs, hs, zs = [], [], []
    for l in range(1, net.L + 1):
        x, h = reads(net, l, x), []
        for p in range(net.positions(l)):
            W = net.W[l - 1][r] if net.connectivity == "shared" else net.W[l - 1][r, p]
            h.append(net.gains[l - 1] * x[p] @ W)
            if net.b:
                h[-1] = h[-1] + net.b[l - 1][r, 0 if net.connectivity == "shared" else p]
            if noise is not None:
                h[-1] = h[-1] + noise[l - 1][p]
        xs.append(x)
        hs.append(torch.stack(h))
        zs.append(hs[-1].clamp_min(0))
        x = zs[-1]
    logits = net.gain_out * zs[-1][0] @ net.W_out[r]
    return xs, hs, zs, logits if net.b_out is None else logits + net.b_out[r, 0]


def ungated(scene, post, pre):
    """dW and db = mean over inputs of Σ pre ⊗ post, positions one at a time, no gate."""
    net, inputs = scene.net, scene.x.shape[1]
    dW, db = [torch.zeros_like(W) for W in net.W], [torch.zeros_like(b) for b in net.b]
    for r in range(2):
        for i in range(inputs):
            for l in range(1, net.L + 1):
                for p in range(net.positions(l)):
                    T = post(r, i, l, p) / inputs
                    own = (r,) if net.connectivity == "shared" else (r, p)
                    dW[l - 1][own] += net.gains[l - 1] * torch.outer(pre(r, i, l, p), T)
                    if net.b:
                        db[l - 1][r, 0 if net.connectivity == "shared" else p] += T
    return [*dW, *db]


@pytest.mark.parametrize("shape", SHAPES)
def test_node_perturbation_is_noise_times_what_it_did_to_the_loss(shape):
    sigma = 0.03
    scene = Scene(rules.get("node_perturbation", sigma=sigma), *shape)
    net = scene.net
    xi = noise_of(scene, [h.shape for h in scene.activity.h], sigma)
    worse = torch.zeros(2, 4, dtype=torch.float64)
    for r in range(2):
        for i in range(4):
            x, y = torch.eye(net.v, dtype=torch.float64)[scene.x[r, i]], scene.y[r, i]
            noisy = slow_forward(net, r, x, [each[r, i] for each in xi])[-1]
            clean = slow_forward(net, r, x)[-1]
            loss = torch.nn.functional.cross_entropy
            worse[r, i] = loss(noisy, y) - loss(clean, y)
    found, _ = scene.updates()
    expected = ungated(
        scene,
        lambda r, i, l, p: worse[r, i] / sigma**2 * xi[l - 1][r, i, p],
        lambda r, i, l, p: scene.activity.x[l - 1][r, i, p],
    )
    for f, e in zip(found, expected):  # noqa: B905
        close(f, e)


@pytest.mark.parametrize("connectivity", ["shared", "local"])
@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
def test_node_perturbation_is_the_gradient_on_average(parametrisation, connectivity):
    scene = Scene(rules.get("node_perturbation"), 2, 2, parametrisation, connectivity)
    expected = Scene(rules.get("backprop"), 2, 2, parametrisation, connectivity).updates()[0][:2]
    scene.x, scene.y = (t.repeat_interleave(100_000, 1) for t in (scene.x, scene.y))
    scene.activity = scene.net.activity(scene.x)
    scene.error, _ = output_error(scene.activity.logits, scene.y)
    found, _ = scene.updates()
    for f, e in zip(found[:2], expected, strict=True):
        for r in range(2):
            cosine = float((f[r] * e[r]).sum() / (f[r].norm() * e[r].norm()))
            assert cosine > 0.95
            assert float((f[r] * e[r]).sum() / e[r].square().sum()) == pytest.approx(1, abs=0.1)


def test_node_perturbation_is_told_nothing_where_noise_does_nothing():
    scene = Scene(rules.get("node_perturbation"), 2, 3)
    scene.net.W_out.zero_()
    scene.activity = scene.net.activity(scene.x)
    assert not any(T.any() for T in scene.teach().signals)


@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
def test_float32_is_enough_for_the_noise(parametrisation):
    found = []
    for dtype in (torch.float32, torch.float64):
        g = [torch.Generator().manual_seed(1)]
        net = TreeNet(8, 8, 2, 3, 128, g, parametrisation, dtype=dtype)
        x = torch.randint(8, (1, 64, 8), generator=g[0])
        y = torch.randint(8, (1, 64), generator=g[0])
        activity = net.activity(x)
        error, _ = output_error(activity.logits, y)
        rule = rules.get("node_perturbation")
        teaching = rule.teach(net, rules.State(), Batch(activity, y, error, [None] * 3), g)
        found.append(teaching.signals[0].double())
    assert float((found[0] - found[1]).norm() / found[1].norm()) < 1e-3


# PEPITA -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_pepita_compares_two_passes(shape):
    scene = Scene(rules.get("pepita", scale=10.0), *shape)
    net = scene.net
    second = {}
    for r in range(2):
        for i in range(4):
            Fe = sum(e * scene.state.whole["F"][r, c] for c, e in enumerate(raw_error(scene, r, i)))
            onehot = [float(token == v) for token in scene.x[r, i] for v in range(net.v)]
            x = torch.tensor(onehot, dtype=torch.float64) + Fe
            second[r, i] = slow_forward(net, r, x.view(-1, net.v))
    found, _ = scene.updates()
    expected = ungated(
        scene,
        lambda r, i, l, p: net.gain_out * (one(scene, r, i, l, p) - second[r, i][2][l - 1][p]),
        lambda r, i, l, p: second[r, i][0][l - 1][p],
    )
    assert all(e.abs().max() > 1e-6 for e in expected)
    for f, e in zip(found, expected):  # noqa: B905
        close(f, e)


def test_pepitas_projection_has_the_published_size():
    g = [torch.Generator().manual_seed(0)]
    net = TreeNet(8, 8, 2, 4, 10, g)
    for scale in (1.0, 3.0):
        F = rules.get("pepita", scale=scale).init(net, g).whole["F"]
        assert F.shape == (1, 8, 16 * 8)
        bound = scale * 0.05 * (6 / 128) ** 0.5
        assert float(F.abs().max()) == pytest.approx(bound, rel=0.01)
        assert float(F.abs().mean()) == pytest.approx(bound / 2, rel=0.1)


# Laws ---------------------------------------------------------------------------------------------


ZERO = [
    ("dfa", {"error": "sign"}),
    ("direct_kolen_pollack", {"decay": 0}),
    ("forward_dfa", {}),
    ("symmetric_direct", {}),
    ("symmetric_direct", {"feedback": "mean_jacobian"}),
    ("pepita", {}),
]


@pytest.mark.parametrize(("name", "options"), ZERO)
def test_no_error_no_update(name, options):
    scene = Scene(rules.get(name, **options), 2, 3)
    for _, _, b in scene.state.trained():
        b.normal_()
    found, own = scene.updates(error=torch.zeros_like(scene.error))
    assert not any(g.any() for g in found)
    if name == "direct_kolen_pollack":
        assert not any(g.any() for g in own["B"])


NOTHING = {1: [], 2: [], 3: [], 4: []}
SIGHT = [
    ("dfa", {"error": "sign"}, NOTHING),
    ("drtp", {}, NOTHING),
    ("direct_kolen_pollack", {}, NOTHING),
    ("forward_dfa", {}, NOTHING),
    ("symmetric_direct", {}, {1: [], 2: [1], 3: [1, 2], 4: [1, 2, 3]}),
    # The second pass is a forward pass: every layer sees what is below, and itself.
    ("pepita", {}, {1: [1, 2, 3], 2: [2, 3], 3: [3], 4: []}),
    # All that comes back is the loss: of the whole network, but one number.
    ("node_perturbation", {}, {k: [1, 2, 3] for k in (1, 2, 3, 4)}),
]


@pytest.mark.parametrize(("name", "options", "expected"), SIGHT)
def test_which_weights_of_other_layers_an_update_sees(name, options, expected):
    assert seen_by(rules.get(name, **options)) == expected


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dfa", {"error": "sign"}),
        ("drtp", {}),
        ("direct_kolen_pollack", {}),
        ("forward_dfa", {}),
        ("symmetric_direct", {}),
    ],
)
def test_direct_feedback_does_not_see_the_masks_above(name, options):
    scene = Scene(rules.get(name, **options), 2, 3)
    for b in scene.state.learned.get("B", []):
        b.normal_(generator=torch.Generator().manual_seed(3))
    before = scene.teach().signals
    x, h, z = scene.activity.x, scene.activity.h, scene.activity.z
    other = Activity(x, h, [z[0], z[1].roll(1, 1), z[2].roll(1, 1)], scene.activity.logits)
    after = scene.teach(activity=other).signals
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("s_L", NETS)
def test_one_input_is_taught_whatever_the_others_are(s_L):
    for name in rules.names():
        rule = rules.get(name)
        if rule.facts.other_samples or name == "readout_only":
            continue
        scene = Scene(rule, *s_L)
        for b in scene.state.learned.get("B", []):
            b.normal_(generator=torch.Generator().manual_seed(3))
        before = scene.teach()
        scene.x[:, 1:] = scene.x[:, 1:].flip(2)
        scene.y[:, 1:] = (scene.y[:, 1:] + 1) % 3
        scene.activity = scene.net.activity(scene.x)
        scene.error, _ = output_error(scene.activity.logits, scene.y)
        after = scene.teach()
        pre = zip(before.pre or [], after.pre or [], strict=True)
        for a, b in [*zip(before.signals, after.signals, strict=True), *pre]:
            assert torch.allclose(a[:, 0], b[:, 0], atol=1e-14, rtol=1e-9), name

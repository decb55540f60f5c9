"""Direct feedback: each update against the paper's equation, written here as slow loops.

In float64, for both parametrisations, shared and local connections, and two replicas.
"""

import pytest
import torch
from test_battery import NETS, SHAPES, Scene, close, raw_error, seen_by, slow_chain, slow_updates

from synaptree import make_spec, rules
from synaptree.network import Activity, TreeNet
from synaptree.rules import Batch
from synaptree.training import Program, output_error

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
        B = at(scene.state.fixed[f"B{l}"], r, p)
        return sum(sign * B[c] for c, sign in enumerate(signs))

    hidden(scene, signal)


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("shape", SHAPES)
def test_drtp_sends_the_target(shape, feedback):
    scene = Scene(rules.get("drtp", feedback=feedback), *shape)
    hidden(scene, lambda r, i, l, p: -at(scene.state.fixed[f"B{l}"], r, p)[scene.y[r, i]])


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
    for B, C in zip(small.state.fixed.values(), large.state.fixed.values(), strict=True):
        assert torch.equal(4 * B, C)


# Direct Kolen-Pollack -----------------------------------------------------------------------------


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("shape", SHAPES)
def test_direct_kolen_pollack_is_dfa_whose_feedback_follows_error_and_activity(shape, feedback):
    scene = Scene(rules.get("direct_kolen_pollack", feedback=feedback, decay=0.3), *shape)
    gain, inputs = scene.net.gain_out, scene.x.shape[1]
    state = scene.state.feedback

    own = hidden(scene, lambda r, i, l, p: gain * raw_error(scene, r, i) @ at(state[f"B{l}"], r, p))
    for l in range(1, scene.net.L + 1):
        expected = 0.3 * gain * state[f"B{l}"]
        for r in range(2):
            for i in range(inputs):
                for p in range(scene.net.positions(l)):
                    outer = torch.outer(raw_error(scene, r, i), one(scene, r, i, l, p)) / inputs
                    at(expected, r, p).add_(gain * outer)
        close(own[f"B{l}"], expected)


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
    program = Program(spec.replicate(2))

    def difference():
        return program.state.feedback["B3"][:, 0].mT - program.net.W_out

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
            x = z.reshape(net.positions(k), -1)
            h = []
            for p in range(net.positions(k)):
                W = net.W[k - 1][r] if net.connectivity == "shared" else net.W[k - 1][r, p]
                h.append(net.gains[k - 1] * x[p] @ W)
                if net.b:
                    h[-1] = h[-1] + net.b[k - 1][r, p if net.connectivity == "local" else 0]
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
    net, B = scene.net, scene.state.learned
    assert not any(b.any() for b in B.values())  # as published
    for b in B.values():
        b.normal_(generator=torch.Generator().manual_seed(3))
    own = hidden(scene, lambda r, i, l, p: raw_error(scene, r, i) @ at(B[f"B{l}"], r, p))
    u = noise_of(scene, [z.shape for z in scene.activity.z])
    expected = {name: b.clone() for name, b in B.items()}
    for r in range(2):
        for i in range(4):
            J = jacobians(scene, r, i)
            moved = sum((J[k] * u[k][r, i]).sum((1, 2)) for k in range(net.L))
            for l in range(1, net.L + 1):
                places = net.positions(l)
                draws = 4 * (places if feedback == "shared" else 1)
                for p in range(places):
                    at(expected[f"B{l}"], r, p).sub_(torch.outer(moved, u[l - 1][r, i, p]) / draws)
    for name, e in expected.items():
        close(own[name], e)


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
            z = (-own[f"B{l}"][r].transpose(0, 1) - mean) / error
            assert float(z.abs().max()) < 5
            assert 0.5 < float(z.square().mean()) < 1.8  # and no smaller than chance has it
            assert float(mean.norm() / error.norm()) > 20  # so that 5 is tight


# Symmetric direct feedback ------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_symmetric_direct_is_the_product_of_the_weights(shape):
    scene = Scene(rules.get("symmetric_direct"), *shape)
    hidden(scene, slow_chain(scene, "transpose", "none"))


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

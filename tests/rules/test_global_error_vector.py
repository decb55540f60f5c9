"""GEVB against loops written from the paper, autograd, and what the paper proves."""

import pytest
import torch

from scene import Scene, close
from synaptree import make_spec, rules
from synaptree.errors import SynaptreeError
from synaptree.network.tree import TreeNet
from synaptree.training.loop import train
from synaptree.training.observation import output_error
from synaptree.training.replicas import Replicas

V, K = 4, 3
SHAPES = [
    (2, 3, "standard", "shared"),
    (3, 2, "mean_field", "shared"),
    (2, 2, "mean_field", "local"),
    (2, 3, "standard", "full"),
]


def scene(shape, signal="broadcast", mixed=True):
    made = Scene(rules.get("global_error_vector", signal=signal), *shape)
    if mixed:  # after some learning, ON and OFF units are not each other's opposites any more
        g = torch.Generator().manual_seed(0)
        for W in made.net.parameters():
            W += 0.3 * torch.rand(W.shape, generator=g, dtype=W.dtype)
        made.activity = made.net.activity(made.x)
        made.error, _ = output_error(made.activity.logits, made.y)
    return made


def weight(W, r, p):
    return W[r] if W.ndim == 3 else W[r, p]


def slow_forward(net, x, r, b):
    """For one input: what each layer reads (lists of vectors) at each position, and its gates."""
    s, H = net.s, net.units
    tokens = x[r, b].tolist()
    reads, gates = [], []
    below = None
    for l in range(net.L):
        read_l, gate_l, now = [], [], []
        for p in range(N := net.positions(l + 1)):
            W = weight(net.W[l], r, p)
            first, count = (0, N * s) if net.connectivity == "full" else (p * s, s)
            units = []
            if l == 0:
                chosen = [j * V + tokens[first + j] for j in range(count)]
                read_l.append(chosen)
                for i in range(H):
                    units.append([sum(W[c, k * H + i] for c in chosen) for k in range(K)])
            else:
                inputs = [below[first + j][i] for j in range(count) for i in range(H)]
                read_l.append(inputs)
                for i in range(H):
                    units.append(
                        [sum(W[j, i] * inputs[j][k] for j in range(count * H)) for k in range(K)]
                    )
            units = [[net.gains[l] * float(a) for a in unit] for unit in units]
            g = []
            for i, unit in enumerate(units):
                t = net.t[l][r, :, i]
                g.append(float(sum(float(t[k]) * unit[k] for k in range(K)) >= 0))
            gate_l.append(g)
            now.append([[g[i] * a for a in unit] for i, unit in enumerate(units)])
        reads.append(read_l)
        gates.append(gate_l)
        below = now
    logits = [
        net.gain_out * sum(float(net.W_out[r, i, 0]) * below[0][i][k] for i in range(H))
        for k in range(K)
    ]
    return reads, gates, below[0], logits


@pytest.mark.parametrize("shape", SHAPES)
def test_update_is_the_papers(shape):
    made = scene(shape)
    net = made.net
    R, B = made.x.shape[:2]
    expected = [torch.zeros_like(W) for W in net.W] + [torch.zeros_like(net.W_out)]
    size = net.gain_out * net.std_out
    for r in range(R):
        for b in range(B):
            reads, gates, top, logits = slow_forward(net, made.x, r, b)
            close(made.activity.logits[r, b], torch.tensor(logits, dtype=torch.float64))
            e = [float(each) for each in made.error[r, b]]
            for l in range(net.L):
                for p, g in enumerate(gates[l]):
                    into = weight(expected[l], r, p)
                    for i in range(net.units):
                        for j, given in enumerate(reads[l][p]):
                            if l == 0:
                                for k in range(K):
                                    into[given, k * net.units + i] += (
                                        net.gains[0] * size * g[i] * e[k]
                                    )
                            else:
                                inner = sum(e[k] * given[k] for k in range(K))
                                into[j, i] += net.gains[l] * size * g[i] * inner
            for i in range(net.units):
                expected[-1][r, i, 0] += net.gain_out * sum(e[k] * top[i][k] for k in range(K))
    found, _ = made.updates()
    for f, each in zip(found, expected, strict=True):
        close(f, each)


@pytest.mark.parametrize("shape", SHAPES)
def test_signal_gradient_is_autograd(shape):
    made = scene(shape, "gradient")
    parameters = made.net.parameters()
    for p in parameters:
        p.requires_grad_()
    # autograd through the published forward pass: gates are comparisons, hence constants
    logits = made.net.activity(made.x).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), made.y.flatten())
    expected = torch.autograd.grad(loss * 2, parameters)
    for p in parameters:
        p.requires_grad_(False)
    found, _ = made.updates()
    for f, each in zip(found, expected, strict=True):
        close(f, each)


def test_the_gradient_is_a_positive_multiple_of_the_error_at_every_unit():
    made = scene(SHAPES[0], "gradient")
    for T in made.teach().signals:
        vectors = T.unflatten(-1, (K, made.net.units))
        factor = vectors[:, :, :, :1] / made.error[:, :, None, :1, None]
        assert bool((factor >= 0).all())
        close(vectors, factor * made.error[:, :, None, :, None])


def test_signs_of_updates_match_above_the_first_layer_and_it_fails_with_negative_weights():
    def matched(made):
        gradient = Scene.updates(made)[0]
        made.rule = rules.get("global_error_vector")
        broadcast = made.updates()[0]
        one = slice(0, 1)  # the theorem is for a single input
        return [
            float((g[one].sign() == u[one].sign()).double().mean())
            for g, u in zip(gradient[:-1], broadcast[:-1], strict=True)
        ]

    shape = (2, 3, "standard", "local")  # and for units with a single position
    made = scene(shape, "gradient")
    made.error = made.error * (torch.arange(made.error.shape[1]) == 0).view(1, -1, 1)
    # where no path to the output is open the gradient is zero, and has no sign
    made.net.t = [torch.zeros_like(t) for t in made.net.t]
    made.activity = made.net.activity(made.x)
    assert matched(made) == [1.0, 1.0, 1.0]
    made = scene(shape, "gradient")
    made.net.t = [torch.zeros_like(t) for t in made.net.t]
    made.net.W_out.sub_(made.net.W_out.mean())
    made.activity = made.net.activity(made.x)
    assert min(matched(made)) < 0.9


def test_on_and_off_units_begin_as_opposites_and_say_what_weights_of_both_signs_would():
    made = scene(SHAPES[0], mixed=False)
    half = made.net.units // 2
    for z in made.activity.z:
        on, off = z.unflatten(-1, (K, 2, half)).unbind(-2)
        close(off, -on)
        assert float(on.abs().sum()) > 0
    w = made.net.W_out[:, :half] - made.net.W_out[:, half:]
    on = made.activity.z[-1].unflatten(-1, (K, 2, half))[..., 0, :].squeeze(2)
    close(made.activity.logits, torch.einsum("rbki,rio->rbk", on, w) * made.net.gain_out)


def test_weights_above_the_first_layer_stay_positive_and_the_first_layers_need_not():
    spec = make_spec(
        rule="global_error_vector", v=4, n=4, m=2, L=3, P=64, batch=32, width=16, lr=0.05, tests=32
    )
    program = Replicas(spec.replicate(2))
    clamped = False
    for _ in range(20):
        before = [W.clone() for W in program.net.W]
        program.step()
        clamped |= any(
            bool(((W == 0) & (b > 0)).any())
            for W, b in zip(program.net.W[1:], before[1:], strict=True)
        )
        assert all(bool((W >= 0).all()) for W in (*program.net.W[1:], program.net.W_out))
    assert clamped  # the constraint did something
    assert bool((program.net.W[0] < 0).any())
    program.select([1])
    program.step()
    assert program.net.t[0].shape[0] == 1


def test_it_learns_an_easy_grammar_and_broadcasting_nearly_as_well_as_the_gradient():
    error = {}
    for signal in ("broadcast", "gradient"):
        rule = rules.get("global_error_vector", signal=signal)
        spec = make_spec(
            rule=rule, v=4, n=4, m=2, L=3, P=400, batch=32, width=32, lr=0.01, steps=600, tests=64
        )
        result = train(spec, portrait=True)
        error[signal] = result.train_error
        assert result.portrait is not None
        # the first layer's updates point along backprop's, far beyond the null
        assert result.curve.alignment[0][0] > 0.3
    assert error["broadcast"] < 0.05
    assert error["gradient"] < 0.05


def test_odd_widths_are_refused_in_one_line():
    spec = make_spec(rule="global_error_vector", v=4, n=4, m=2, L=2, P=16, batch=8, width=5)
    with pytest.raises(SynaptreeError, match=r"width: 5 given.*as 6"):
        train(spec)


def test_other_rules_teach_a_network_without_such_bounds():
    assert rules.get("dfa").network is TreeNet

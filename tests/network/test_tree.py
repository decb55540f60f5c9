"""TreeNet against independent forward passes, and its initial weights against their laws."""

import pytest
import torch
from torch import nn

from scene import Scene, close, flat
from synaptree import rules
from synaptree.network.operations import apply, apply_transposed, correlate, gate
from synaptree.network.tree import TreeNet
from synaptree.training.observation import output_error

V, N, WIDTH = 5, 3, 7


def make(s=2, L=3, width=WIDTH, replicas=2, seed=0, **options):
    generators = [torch.Generator().manual_seed(seed + r) for r in range(replicas)]
    return TreeNet(V, N, s, L, width, generators, **{"dtype": torch.float64} | options)


def tokens(net, B=4, seed=1):
    d = net.s**net.L
    return torch.randint(V, (net.replicas, B, d), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("connectivity", ["shared", "local", "full"])
@pytest.mark.parametrize("parametrisation", ["standard", "mean_field"])
@pytest.mark.parametrize(("s", "L"), [(2, 3), (3, 2), (2, 1)])
def test_the_forward_pass_is_the_sum_over_each_patch(s, L, parametrisation, connectivity):
    net = make(s, L, parametrisation=parametrisation, connectivity=connectivity)
    for b in net.b:
        b.normal_()
    x = tokens(net)
    activity = net.activity(x)
    for r in range(net.replicas):
        for i in range(x.shape[1]):
            below = [nn.functional.one_hot(t, V).double() for t in x[r, i]]
            for l in range(1, L + 1):
                here = []
                for p in range(s ** (L - l)):
                    children = slice(p * s, (p + 1) * s)
                    patch = torch.cat(below if connectivity == "full" else below[children])
                    W = net.W[l - 1][r] if connectivity == "shared" else net.W[l - 1][r, p]
                    h = patch @ W
                    if parametrisation == "mean_field":
                        h = h / len(patch) ** 0.5
                    else:
                        h = h + net.b[l - 1][r, 0 if connectivity == "shared" else p]
                    assert torch.allclose(activity.x[l - 1][r, i, p], patch)
                    assert torch.allclose(activity.h[l - 1][r, i, p], h)
                    here.append(h.clamp_min(0))
                    assert torch.allclose(activity.z[l - 1][r, i, p], here[-1])
                below = here
            o = below[0] @ net.W_out[r]
            o = o / WIDTH if net.b_out is None else o + net.b_out[r, 0]
            assert torch.allclose(activity.logits[r, i], o)


def test_the_shared_network_is_a_stack_of_strided_convolutions():
    net = make(replicas=1)
    x = tokens(net)
    layers = []
    for l, W in enumerate(net.W):
        conv = nn.Conv1d(V if l == 0 else WIDTH, WIDTH, 2, 2).double()
        conv.weight.data = W[0].view(2, -1, WIDTH).permute(2, 1, 0)
        conv.bias.data = net.b[l][0, 0]
        layers += [conv, nn.ReLU()]
    onehot = nn.functional.one_hot(x[0], V).double().transpose(1, 2)
    z = nn.Sequential(*layers)(onehot)
    assert torch.allclose(net.activity(x).z[-1][0, :, 0], z[:, :, 0])


@pytest.mark.parametrize("connectivity", ["shared", "local", "full"])
def test_initial_weights_follow_their_law(connectivity):
    for parametrisation in ("standard", "mean_field"):
        net = make(
            L=2, width=400, parametrisation=parametrisation, connectivity=connectivity, replicas=1
        )
        d = 4 if connectivity == "full" else 2
        for W, fan_in in zip(net.W, (d * V, 2 * 400), strict=True):
            std = (2 / fan_in) ** 0.5 if parametrisation == "standard" else 1.0
            assert float(W.std()) == pytest.approx(std, rel=0.05)
            assert abs(float(W.mean())) < 5 * std / W.numel() ** 0.5
        std = 400**-0.5 if parametrisation == "standard" else 1.0
        assert float(net.W_out.std()) == pytest.approx(std, rel=0.1)
        assert len(net.b) == (2 if parametrisation == "standard" else 0)
        assert (net.b_out is None) == (parametrisation == "mean_field")
        assert net.learning_rate_factor == (1 if parametrisation == "standard" else 400)


def test_a_replica_depends_on_its_own_generator():
    both, second = make(replicas=2, seed=5), make(replicas=1, seed=6)
    for p, q in zip(both.parameters(), second.parameters(), strict=True):
        assert torch.equal(p[1:], q)
    # The first replica does not know how many stand beside it, either.
    for p, q in zip(both.parameters(), make(replicas=1, seed=5).parameters(), strict=True):
        assert torch.equal(p[:1], q)
    assert not torch.equal(both.W[0][0], both.W[0][1])


def test_both_precisions_start_alike():
    double, single = make(), make(dtype=torch.float32)
    for p, q in zip(double.parameters(), single.parameters(), strict=True):
        assert torch.equal(p.float(), q)


@pytest.mark.parametrize("connectivity", ["shared", "local", "full"])
def test_select_keeps_replicas(connectivity):
    net, same = (make(replicas=3, connectivity=connectivity) for _ in "ab")
    for each in (net, same):
        for k, p in enumerate(each.parameters()):
            p += torch.randn(p.shape, generator=torch.Generator().manual_seed(k))
    net.select(torch.tensor([2, 0]))
    assert net.replicas == 2
    for p, q in zip(net.parameters(), same.parameters(), strict=True):
        assert torch.equal(p, q[[2, 0]])
    x = tokens(same)
    assert torch.allclose(net.activity(x[[2, 0]]).logits, same.activity(x).logits[[2, 0]])


def test_the_gate_is_the_derivative_of_relu():
    h = torch.tensor([-1.0, 0.0, 2.0], dtype=torch.float64, requires_grad=True)
    T = torch.tensor([3.0, 4.0, 5.0], dtype=torch.float64)
    (h.relu() * T).sum().backward()
    assert torch.equal(gate(T, h.detach().relu()), h.grad)


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 5, 3, 4)], ids=["shared", "local"])
def test_products_against_einsum(shape):
    g = torch.Generator().manual_seed(0)
    W = torch.randn(shape, generator=g, dtype=torch.float64)
    x = torch.randn(2, 6, 5, 3, generator=g, dtype=torch.float64)
    delta = torch.randn(2, 6, 5, 4, generator=g, dtype=torch.float64)
    weights = "rio" if len(shape) == 3 else "rnio"
    assert torch.allclose(apply(x, W, 0.5), 0.5 * torch.einsum(f"rbni,{weights}->rbno", x, W))
    summed = torch.einsum(f"rbni,rbno->{weights}", x, delta)
    assert torch.allclose(correlate(x, delta, 2.0, W), 2 * summed)


def test_products_of_positions_that_read_the_same_against_einsum():
    g = torch.Generator().manual_seed(0)
    W = torch.randn(2, 5, 3, 4, generator=g, dtype=torch.float64)
    b = torch.randn(2, 5, 4, generator=g, dtype=torch.float64)
    x = torch.randn(2, 6, 1, 3, generator=g, dtype=torch.float64).expand(-1, -1, 5, -1)
    delta = torch.randn(2, 6, 5, 4, generator=g, dtype=torch.float64)
    h = 0.5 * torch.einsum("rbni,rnio->rbno", x, W) + b.unsqueeze(1)
    assert torch.allclose(apply(x, W, 0.5, b, same=True), h)
    back = torch.einsum("rbno,rnio->rbi", delta, W)
    assert torch.allclose(apply_transposed(delta, W, 0.5, same=True).squeeze(2), 0.5 * back)
    summed = torch.einsum("rbni,rbno->rnio", x, delta)
    assert torch.allclose(correlate(x, delta, 2.0, W, same=True), 2 * summed)


def children(net, l, W):
    """The weights of full connectivity (R, N, d, H) as those of each position's own children."""
    C = W.shape[2] // (net.positions(l) * net.s)
    by_place = W.unflatten(2, (-1, net.s * C))  # (R, N, N, s·C, H)
    return by_place.diagonal(dim1=1, dim2=2).permute(0, 3, 1, 2)


@pytest.mark.parametrize("rule", ["backprop", "dfa", "clapp", "oja"])
@pytest.mark.parametrize(("s", "L"), [(2, 3), (3, 2)])
def test_a_full_network_that_hears_only_its_own_children_is_a_local_one(rule, s, L):
    views = ("sibling",) * (L - 1) + ("same_class",) if rule == "clapp" else ()
    full, local = (
        Scene(rules.get(rule), s, L, connectivity=how, views=views) for how in ("full", "local")
    )
    for l, (W, W_local) in enumerate(zip(full.net.W, local.net.W, strict=True), start=1):
        W.zero_()
        children(full.net, l, W).copy_(W_local)
    for mine, other in zip([*full.net.b, full.net.W_out], [*local.net.b, local.net.W_out],
                           strict=True):  # fmt: skip
        mine.copy_(other)
    full.x, full.y, full.state = local.x, local.y, local.state
    for scene in (full, local):
        scene.activity = scene.net.activity(scene.x)
        scene.error, _ = output_error(scene.activity.logits, scene.y)
    for mine, other in zip(full.activity.z, local.activity.z, strict=True):
        close(mine, other)
    close(full.activity.logits, local.activity.logits)
    (found, own), (expected, own_local) = full.updates(), local.updates()
    for l in range(1, L + 1):
        assert l == L or float(found[l - 1].abs().sum()) > float(expected[l - 1].abs().sum())
        close(children(full.net, l, found[l - 1]), expected[l - 1])
    for mine, other in zip(found[L:], expected[L:], strict=True):  # biases and the readout
        close(mine, other)
    for mine, other in zip(flat(own).values(), flat(own_local).values(), strict=True):
        close(mine, other)

"""Two theorems of Zihan et al. (arXiv 2601.21683), as properties of this package's rules."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd.functional import hessian

from scene import close
from synaptree import rules
from synaptree.network.tree import Activity, TreeNet
from synaptree.rules import Batch, State

H, L, OBJECTS = 4, 3, 9


class LinearTree(TreeNet):
    """A chain of linear layers: one position, no ReLU, and so no masks."""

    def forward(self, patches, noise=None):
        z = []
        for W in self.W:
            patches = torch.einsum("rbni,rio->rbno", patches, W)
            z.append(patches)
        xs = [*[None] * self.L]
        return Activity(xs, z, z, self.readout(z[-1]))

    def gate(self, signal, z):
        return signal


def chain_of_layers(seed, orthonormal=True):
    """The network, its activity for pairs of one object, and the second view of each layer."""
    g = torch.Generator().manual_seed(seed)
    net = LinearTree(H, 2, 1, L, H, [g], dtype=torch.float64)
    if orthonormal:
        net.W = [torch.linalg.qr(W)[0] for W in net.W]
    common = torch.randn(1, OBJECTS, 1, 1, H, generator=g, dtype=torch.float64)
    apart = torch.randn(1, OBJECTS, 2, 1, H, generator=g, dtype=torch.float64)
    x = (common + 0.5 * apart).view(1, 2 * OBJECTS, 1, H)
    activity = net.forward(x)
    contexts = [z.view(1, OBJECTS, 2, 1, H).flip(2).view_as(z) for z in activity.z]
    nothing = x.new_zeros(1, 2 * OBJECTS, 2)
    return net, Batch(activity, nothing.long()[..., 0], nothing, contexts, members=2)


def slope_of(f, x):
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(f(x), x)[0]


def best_clapp(net, batch, decay=2000.0):
    """The minimum of CLAPP's loss + decay |B|², of each layer: with so much of it no hinge is out
    of its linear range, and B = −gradient(0) / (2 decay)."""
    rule = rules.get("clapp", predictor="shared")
    zero = {"W": [torch.zeros(1, H, H, dtype=torch.float64) for _ in range(L)]}
    slope = rule.teach(net, State(learned=zero), batch, []).own
    best = [-gradient / (2 * decay) for gradient in slope["W"]]
    for l, z in enumerate(batch.activity.z, start=1):
        u = torch.einsum("rbnh,rho,rcno->rbc", batch.contexts[l - 1], best[l - 1], z)
        assert float(u.abs().max()) < 1
    return best


def best_infonce(net, batch, decay=0.02):
    """The minimum of InfoNCE's loss + decay |B|², of each layer by itself, by Newton's method."""
    found = []
    for l, z in enumerate(batch.activity.z, start=1):
        anchors = z.view(OBJECTS, 2, H).transpose(0, 1)  # the same member of each object competes
        c = batch.contexts[l - 1].view(OBJECTS, 2, H).transpose(0, 1)

        def loss(flat, anchors=anchors, c=c):
            scores = anchors @ (c @ flat.view(H, H)).mT
            right = scores.diagonal(dim1=1, dim2=2)
            return (scores.logsumexp(2) - right).mean() + decay * flat.square().sum()

        flat = torch.zeros(H * H, dtype=torch.float64)
        for _ in range(40):
            step = torch.linalg.solve(hessian(loss, flat), slope_of(loss, flat))
            size = 1.0
            while loss(flat - size * step) > loss(flat) + 1e-9:  # near the minimum, rounding
                size /= 2
            flat = flat - size * step
        assert float(slope_of(loss, flat).abs().max()) < 1e-12
        found.append(flat.view(1, H, H))
    return found


BEST = {"clapp": best_clapp, "infonce": best_infonce}


def signals(objective, net, batch):
    """The layerwise signals, and those of the same loss backpropagated from the top."""
    best = BEST[objective](net, batch)
    local = rules.get(objective, predictor="shared").teach(
        net, State(learned={"W": best}), batch, []
    )
    top = State(learned={"W": [*[None] * (L - 1), best[-1]]})
    whole = rules.get("end_to_end_ssl", objective=objective).teach(net, top, batch, [])
    return local.signals, whole.signals


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), objective=st.sampled_from(sorted(BEST)))
def test_with_orthonormal_weights_and_the_best_predictions_local_is_global(seed, objective):
    """Theorem 3.1: each layer's own update is the gradient of the top layer's loss."""
    net, batch = chain_of_layers(seed)
    local, whole = signals(objective, net, batch)
    for a, b in zip(local, whole, strict=True):
        assert float((a - b).abs().max() / b.abs().max()) < 1e-9


@pytest.mark.parametrize("objective", sorted(BEST))
def test_without_orthonormal_weights_it_is_not(objective):
    net, batch = chain_of_layers(1, orthonormal=False)
    local, whole = signals(objective, net, batch)
    below = zip(local[:-1], whole[:-1], strict=True)
    cosines = [torch.nn.functional.cosine_similarity(a.flatten(), b.flatten(), 0) for a, b in below]
    assert all(float(c) < 0.99 for c in cosines)
    assert torch.allclose(local[-1], whole[-1], rtol=1e-12)


def unified(z_pos, z_neg, c_pos, c_neg, B, f):
    """T = ∂/∂z of f(z⁺ᵀ B c) and of f(−z⁻ᵀ B c), with the context c held constant."""
    slopes = []
    for z, c, sign in ((z_pos, c_pos, 1), (z_neg, c_neg, -1)):
        u = sign * (z * (c @ B.mT)).sum(-1)
        slope = slope_of(lambda each: f(each).sum(), u)
        slopes.append(sign * slope.unsqueeze(-1) * (c @ B.mT))
    return slopes


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), theta=st.floats(-2, 2, width=32, allow_subnormal=False))
def test_clapp_forward_forward_and_scff_are_one_formula(seed, theta):
    """With f, B and c of the paper's table: hinge, learned, the other view; softplus, identity,
    the activity itself (of which the gradient of z·z, both of whose factors move, is twice)."""
    g = torch.Generator().manual_seed(seed)
    net = TreeNet(4, 2, 2, 1, 5, [g], dtype=torch.float64)
    x = torch.randint(4, (1, 12, 2), generator=g)
    activity = net.activity(x)
    z, h = activity.z[0], activity.h[0]
    pairs = z.view(1, 6, 2, 1, 5)
    batch = Batch(
        activity,
        torch.zeros(1, 12),
        z.new_zeros(1, 12, 2),
        contexts=[pairs.flip(2).view_as(z)],
        members=2,
        second_view=lambda _, t: t.view(1, 6, 2, 1, 5).flip(2).reshape(t.shape),
    )
    mean = 1 / 12
    c = batch.contexts[0]

    clapp = rules.get("clapp", predictor="shared")
    state = clapp.init(net, [g])
    B = state.learned["W"][0][0].mT  # W maps a context (row) to a prediction: zᵀ B c
    pos, neg = unified(z, z, c, c.roll(-2, 1), B, lambda u: (1 - u).relu())
    close(clapp.teach(net, state, batch, []).signals[0], mean * (pos + neg))

    scff = rules.get("scff", theta_pos=theta, theta_neg=-theta)
    eye = torch.eye(5, dtype=torch.float64) / 5
    beside = batch.second_view(1, h)
    z_pos, z_neg = (h + beside).relu(), (h + beside.roll(-2, 1)).relu()
    softplus = torch.nn.functional.softplus
    pos, neg = unified(z_pos, z_neg, z_pos, z_neg, eye, lambda u: softplus(theta - u))
    found = scff.teach(net, State(), batch, []).signals[0]
    close(found, 2 * mean * (pos + neg))

    # Forward-forward: the same formula of single inputs; autograd of its loss is twice T as well.
    real, wrong = (z[:, i::2].clone().requires_grad_() for i in (0, 1))
    loss = softplus(theta - real.square().mean(-1)) + softplus(wrong.square().mean(-1) + theta)
    expected = torch.autograd.grad(loss.sum(), (real, wrong))
    with torch.no_grad():
        found = unified(real, wrong, real, wrong, eye, lambda u: softplus(theta - u))
    for T, gradient in zip(found, expected, strict=True):
        close(2 * T, gradient)

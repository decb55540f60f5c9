"""The layerwise rules against slow loops, autograd, another library, and each other."""

import pytest
import torch
from pytorch_metric_learning.losses import NTXentLoss, VICRegLoss

from scene import Scene, close, flat, layer_activity, slow_context
from synaptree import make_spec, rules
from synaptree.errors import SynaptreeError
from synaptree.network.operations import apply
from synaptree.network.synapse import updates
from synaptree.network.tree import TreeNet
from synaptree.training.loop import train
from synaptree.training.replicas import Replicas

VIEWS = [("same_class",), ("trace:3",), ("sibling", "trace:2")]
SHAPES = [(2, 3, "standard", "shared"), (3, 2, "mean_field", "local")]


# The losses, one position and one input at a time ------------------------------------------------


def covariance_of(p):
    n, D = p.shape
    mean = sum(p) / n
    C = [[0.0] * D for _ in range(D)]
    for i in range(D):
        for k in range(D):
            C[i][k] = sum((p[b, i] - mean[i]) * (p[b, k] - mean[k]) for b in range(n)) / (n - 1)
    return C


def vicreg_loss(p, q, rule, members):
    n, D = p.shape
    C = covariance_of(p)
    apart = sum((p[b, i] - q[b, i]) ** 2 for b in range(n) for i in range(D)) / (n * D)
    short = sum((1 - (C[i][i] + rule.epsilon) ** 0.5).clamp_min(0) for i in range(D)) / D
    mixed = sum(C[i][k] ** 2 for i in range(D) for k in range(D) if i != k) / D
    return rule.invariance * apart + rule.variance * short + rule.covariance * mixed


def lpl_loss(p, q, rule, members):
    n, D = p.shape
    C = covariance_of(p)
    apart = sum((p[b, i] - q[b, i]) ** 2 for b in range(n) for i in range(D)) / (n * D)
    hebb = sum((C[i][i] + rule.epsilon).log() for i in range(D)) / D
    mixed = sum(C[i][k] ** 2 for i in range(D) for k in range(D) if i != k) / (D * D - D)
    return apart - rule.hebbian * hebb + rule.decorrelation * mixed


def barlow_loss(p, q, rule, members):
    n, D = p.shape

    def hat(t):
        mean = t.sum(0) / n
        return (t - mean) / (((t - mean) ** 2).sum(0) / n + 1e-5).sqrt()

    a, b = hat(p), hat(q)
    total = 0
    for i in range(D):
        for k in range(D):
            c = (a[:, i] * b[:, k]).sum() / n
            total = total + ((c - 1) ** 2 if i == k else rule.redundancy * c**2)
    return total


def nt_xent_loss(p, q, rule, members):
    n = len(p)
    total = 0
    # a silent unit's length is held away from 0
    sizes = [p.norm(dim=1).clamp_min(1e-8), q.norm(dim=1).clamp_min(1e-8)]
    for i in range(n):
        scores = {
            j: (p[i] @ q[j]) / (sizes[0][i] * sizes[1][j]) / rule.temperature
            for j in range(n)
            if j == i or j // members != i // members
        }
        total = total - scores[i] + torch.stack(list(scores.values())).logsumexp(0)
    return total / n


PROJECTED = {
    "vicreg": (vicreg_loss, {"invariance": 1.5, "variance": 2.0, "covariance": 0.7}),
    "lpl": (lpl_loss, {"hebbian": 0.5, "decorrelation": 3.0}),
    "barlow_twins": (barlow_loss, {"redundancy": 0.2}),
    "nt_xent": (nt_xent_loss, {"temperature": 0.3}),
}


@pytest.mark.parametrize("views", VIEWS)
@pytest.mark.parametrize("dims", [3, 0])
@pytest.mark.parametrize("projection", ["position", "shared"])
@pytest.mark.parametrize("name", PROJECTED)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_projected_rule_is_the_gradient_of_its_loss(name, projection, dims, views, shape):
    loss_of, options = PROJECTED[name]
    scene = Scene(rules.get(name, dims=dims, projection=projection, **options), *shape,
                  views=views, objects=3)  # fmt: skip
    found, own = scene.updates()
    teaching = scene.teach()
    L = scene.net.L
    assert len(flat(own)) == (L if dims else 0)
    for l in range(1, L + 1):
        W = scene.net.W[l - 1].clone().requires_grad_()
        b = scene.net.b[l - 1].clone().requires_grad_() if scene.net.b else None
        z = layer_activity(scene, l, W, b)
        c = slow_context(scene, scene.views[l - 1], z.detach())
        wanted = [W] if b is None else [W, b]
        U = None
        if dims:
            U = scene.state.learned["U"][l - 1].clone().requires_grad_()
            wanted.append(U)
        losses = []
        for r in (0, 1):
            each = []
            for place in range(z.shape[2]):
                M = there = torch.eye(z.shape[-1], dtype=z.dtype)
                if U is not None:
                    s = scene.net.s
                    crossed = scene.views[l - 1].needs_positions
                    source = place - place % s + (place + 1) % s if crossed else place
                    M, there = (U[r] if U.ndim == 3 else U[r, i] for i in (place, source))
                q = c[r, :, place] @ there.detach()
                each.append(loss_of(z[r, :, place] @ M, q, scene.rule, scene.members))
            losses.append(sum(each) / len(each))
        expected = list(torch.autograd.grad(sum(losses), wanted))
        close(found[l - 1], expected.pop(0))
        if b is not None:
            close(found[L + l - 1], expected.pop(0))
        if dims:
            close(own["U"][l - 1], expected.pop(0))
        close(teaching.loss[:, l - 1], torch.stack(losses).detach())


def infonce_loss(z, predicted, rule, members):
    scores = z @ predicted.mT
    return -scores.log_softmax(-1).diagonal().mean()


@pytest.mark.parametrize("view", ["half_mask:neurons", "half_mask:redrawn"])
@pytest.mark.parametrize("name", [*PROJECTED, "infonce", "end_to_end_ssl"])
def test_of_two_halves_of_the_units_one_follows_the_gradient(name, view):
    """The update of a program against autograd of a loss on this half, the other half constant:
    layer 1 of a layerwise rule (every position), and all layers of the end-to-end reference."""
    loss_of, options = PROJECTED.get(name, (infonce_loss, {}))
    kind = {"v": 4, "n": 3, "m": 2, "L": 2, "P": 20, "batch": 6, "width": 6, "tests": 8}
    program = Replicas([make_spec(rule=rules.get(name, **options), views=view, **kind, lr=0.01,
                                 precision="float64")])  # fmt: skip
    program.step()  # the halves have changed places
    net, own = program.net, program.state.learned
    whole = name == "end_to_end_ssl"
    seen = program.observe()
    program.feed.position -= 1  # the same inputs again
    layer = net.L if whole else 1
    a = program.views[layer - 1].anchors(net.W[0], program.steps)
    weights = [W.clone().requires_grad_() for W in net.W[:layer]]
    x = seen.activity.x[0]
    for W, b in zip(weights, net.b, strict=False):
        z = apply(x, W, 1.0, b).relu()
        x = z.reshape(*z.shape[:2], -1, 2 * z.shape[-1]) if z.shape[2] > 1 else z
    losses = []
    for place in range(z.shape[2]):
        M = own["U" if "U" in own else "W"][layer - 1][0, place]
        p, q = z[0, :, place] * a, (z[0, :, place] * (1 - a)).detach() @ M
        losses.append(loss_of(p @ M if "U" in own else p, q, program.spec.rule, 1))
    expected = torch.autograd.grad(sum(losses) / len(losses), weights)
    found = []
    program.optimiser.step = lambda updates, _: found.extend(updates)
    program.step()
    for f, gradient in zip(found[:layer], expected, strict=True):
        close(f, gradient)


@pytest.mark.parametrize("positive", ["view", "self"])
@pytest.mark.parametrize("views", VIEWS)
@pytest.mark.parametrize("shape", SHAPES)
def test_scff_is_the_gradient_of_its_loss(positive, views, shape):
    rule = rules.get("scff", positive=positive, theta_pos=0.8, theta_neg=0.3)
    scene = Scene(rule, *shape, views=views, objects=3)
    found, _ = scene.updates()
    teaching = scene.teach()
    net, L = scene.net, scene.net.L
    for l in range(1, L + 1):
        W = net.W[l - 1].clone().requires_grad_()
        b = net.b[l - 1].clone().requires_grad_() if net.b else None
        x = scene.activity.x[l - 1]
        h = apply(x, W, net.gains[l - 1], b)
        second = slow_context(scene, scene.views[l - 1], h.detach())
        R, B, N, H = h.shape
        losses = []
        for r in range(R):
            total = 0
            for i in range(B):
                stranger = (i + scene.members) % B
                for p in range(N):
                    same = h[r, i, p].detach() if positive == "self" else second[r, i, p]
                    # x itself is constant where it is the second of the two, as any x' is
                    pos = (h[r, i, p] + same).relu().square().sum() / H
                    neg = (h[r, i, p] + second[r, stranger, p]).relu().square().sum() / H
                    total = total + torch.nn.functional.softplus(rule.theta_pos - pos)
                    total = total + torch.nn.functional.softplus(neg - rule.theta_neg)
            losses.append(total / (B * N))
        wanted = [W] if b is None else [W, b]
        expected = torch.autograd.grad(sum(losses), wanted)
        close(found[l - 1], expected[0])
        if b is not None:
            close(found[L + l - 1], expected[1])
        close(teaching.loss[:, l - 1], torch.stack(losses).detach())


def hinge(z, c, other, B):
    """CLAPP's loss of one input at one position, whose negative context is `other`."""
    return (1 - z @ (c @ B)).clamp_min(0) + (1 + z @ (other @ B)).clamp_min(0)


@pytest.mark.parametrize("context", ["same", "top", "both"])
@pytest.mark.parametrize("predictor", ["position", "shared"])
@pytest.mark.parametrize("views", VIEWS)
@pytest.mark.parametrize("shape", SHAPES)
def test_clapp_pp_is_the_gradient_of_its_loss(context, predictor, views, shape):
    rule = rules.get("clapp_pp", context=context, predictor=predictor)
    scene = Scene(rule, *shape, views=views, objects=3)
    found, own = scene.updates()
    teaching = scene.teach()
    L = scene.net.L
    top = slow_context(scene, scene.views[-1], scene.activity.z[-1])
    names = {"same": ["W"], "top": ["D"], "both": ["W", "D"]}[context]
    assert flat(own).keys() == {(name, index) for name in names for index in range(L)}
    for l in range(1, L + 1):
        W = scene.net.W[l - 1].clone().requires_grad_()
        b = scene.net.b[l - 1].clone().requires_grad_() if scene.net.b else None
        z = layer_activity(scene, l, W, b)
        same = slow_context(scene, scene.views[l - 1], z.detach())
        P = {name: scene.state.learned[name][l - 1].clone().requires_grad_() for name in names}
        R, B, N, _ = z.shape
        losses = []
        for r in range(R):
            total = 0
            for i in range(B):
                stranger = (i + scene.members) % B
                for p in range(N):
                    for name, M in P.items():
                        c = same[r, :, p] if name == "W" else top[r, :, 0]
                        M_p = M[r] if M.ndim == 3 else M[r, p]
                        # the loss of a context, told apart from the z of the object before,
                        # is the same sum over pairs as that of a z and the context after
                        total = total + hinge(z[r, i, p], c[i], c[stranger], M_p)
            losses.append(total / (B * N))
        wanted = [W, *([] if b is None else [b]), *P.values()]
        expected = list(torch.autograd.grad(sum(losses), wanted))
        close(found[l - 1], expected.pop(0))
        if b is not None:
            close(found[L + l - 1], expected.pop(0))
        for name in names:
            close(own[name][l - 1], expected.pop(0))
        close(teaching.loss[:, l - 1], torch.stack(losses).detach())


def test_clapp_pp_from_the_same_layer_is_clapp():
    pp = Scene(rules.get("clapp_pp", context="same"), 2, 3, views=("sibling", "trace:2"))
    clapp = Scene(rules.get("clapp"), 2, 3, views=("sibling", "trace:2"))
    assert pp.state.learned.keys() == clapp.state.learned.keys()
    for (f, own), (e, wanted) in [(pp.updates(), clapp.updates())]:
        assert all(torch.equal(a, b) for a, b in zip(f, e, strict=True))
        assert all(torch.equal(g, flat(wanted)[k]) for k, g in flat(own).items())


# Other people's code ------------------------------------------------------------------------------


def pairs(dims, **options):
    """The two-view case, in which the published losses are defined."""
    name = options.pop("name")
    scene = Scene(rules.get(name, dims=dims, projection="shared", **options), 2, 1,
                  views=("same_class",), objects=5)  # fmt: skip
    U = scene.state.learned["U"][0]
    z = scene.activity.z[0][:, :, 0]
    return scene, torch.einsum("rbh,rhd->rbd", z, U), U


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_nt_xent_of_pairs_is_pytorch_metric_learnings(temperature):
    scene, p, _ = pairs(4, name="nt_xent", temperature=temperature)
    loss = scene.teach().loss[:, 0]
    objects = torch.arange(p.shape[1]) // 2
    for r in (0, 1):
        close(loss[r], NTXentLoss(temperature=temperature)(p[r], objects))


def test_vicregs_gradient_is_pytorch_metric_learnings_and_its_terms_are():
    weights = {"invariance": 1.5, "variance": 0.75, "covariance": 0.5}
    scene, p, U = pairs(4, name="vicreg", **weights)
    swapped = p.view(2, -1, 2, 4).flip(2).view_as(p)
    # Their weights are cast to float32. Their variance term is the mean over both views: where one
    # is constant it counts half.
    theirs = VICRegLoss(
        invariance_lambda=1.5, variance_mu=2 * 0.75, covariance_v=0.5, eps=scene.rule.epsilon
    )
    T = scene.teach().signals[0][:, :, 0]
    for r in (0, 1):
        free = p[r].clone().requires_grad_()
        (G,) = torch.autograd.grad(theirs(free, ref_emb=swapped[r]), free)
        close(T[r], G @ U[r].mT)


# Online forms -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vicreg", "lpl"])
def test_running_statistics_that_forget_at_once_are_the_batches(name):
    # biased ones, 1/B, which is what a running average of one batch is
    shape, views = (2, 2, "standard", "shared"), ("same_class",)
    online = Scene(rules.get(name, statistics="running", decay=0.0, dims=3), *shape, views=views)
    B = online.x.shape[1]
    found = online.teach()
    z, c = online.activity.z[0], slow_context(online, online.views[0], online.activity.z[0])
    U = online.state.learned["U"][0]
    p = apply(z, U).requires_grad_()
    q = apply(c, U)
    total = 0
    for r in (0, 1):
        for place in range(z.shape[2]):
            x = p[r, :, place]
            C = torch.cov(x.mT, correction=0)
            off = C - torch.diag(C.diagonal())
            apart = (x - q[r, :, place]).square().mean()
            if name == "vicreg":
                short = (1 - (C.diagonal() + 1e-4).sqrt()).relu().mean()
                each = apart + short + off.square().sum() / 3
            else:
                each = (
                    apart - 0.1 * (C.diagonal() + 1e-4).log().mean() + 10 * off.square().sum() / 6
                )
            total = total + each / z.shape[2]
    (G,) = torch.autograd.grad(total, p)
    assert B > 2
    close(found.signals[0], torch.einsum("rbnd,rnhd->rbnh", G, U))


@pytest.mark.parametrize("name", ["vicreg", "lpl"])
def test_running_statistics_remember_and_one_object_is_enough(name):
    rule = rules.get(name, statistics="running", decay=0.9, dims=3)
    scene = Scene(rule, 2, 2, views=("same_class",), objects=1)
    p = apply(scene.activity.z[0], scene.state.learned["U"][0]).transpose(1, 2)
    mean = torch.zeros_like(p[:, :, :1])
    C = torch.eye(3, dtype=p.dtype).expand(2, 2, 3, 3)
    state = scene.state
    for _ in range(5):
        rule.teach(scene.net, state, scene.batch(), scene.generators)
        mean = 0.9 * mean + 0.1 * p.mean(2, keepdim=True)
        C = 0.9 * C + 0.1 * (p - mean).mT @ (p - mean) / 2
    close(state.running["M"][0], mean)
    close(state.running["C"][0], C)


def test_clapp_remembers_the_object_before():
    rule = rules.get("clapp", negative="previous")
    scene = Scene(rule, 2, 2, views=("same_class",), objects=3)
    net, state = scene.net, scene.state
    first = rule.teach(net, state, scene.batch(), scene.generators)
    del first
    c = slow_context(scene, scene.views[0], scene.activity.z[0])
    close(state.running["before"][0], c[:, -1:])
    found = rule.teach(net, state, scene.batch(), scene.generators)
    W = net.W[0].clone().requires_grad_()
    b = net.b[0].clone().requires_grad_()
    M = state.learned["W"][0].clone().requires_grad_()
    z = layer_activity(scene, 1, W, b)
    R, B, N, _ = z.shape
    total = 0
    for r in range(R):
        for i in range(B):
            before = c[r, i - 2] if i >= 2 else c[r, B - 1]
            for p in range(N):
                total = total + hinge(z[r, i, p], c[r, i, p], before[p], M[r, p]) / (B * N)
    expected = torch.autograd.grad(total, [W, b, M])
    gradients = updates(net, scene.activity, found.signals, scene.error)
    close(gradients[0], expected[0])
    close(gradients[2], expected[1])
    close(found.own["W"][0], expected[2])


ONLINE = [name for name in rules.names() if rules.online_form(name)]


@pytest.mark.parametrize("name", ONLINE)
def test_online_forms_train_from_one_object_at_a_time_and_the_others_say_they_cannot(name):
    kind = {"v": 4, "n": 4, "m": 2, "L": 2, "P": 16, "views": ("same_class",), "batch": 2}
    result = train(make_spec(rule=rules.online_form(name), width=8, steps=30, tests=16, **kind))
    assert not result.diverged
    with pytest.raises(SynaptreeError, match="at least 4"):
        make_spec(rule=name, **kind)


def test_the_memory_of_the_object_before_follows_its_replica():
    kind = {"v": 4, "n": 4, "m": 2, "L": 2, "P": 16, "views": ("same_class",), "batch": 4}
    spec = make_spec(rule=rules.get("clapp", negative="previous"), width=8, tests=16, **kind)
    program = Replicas(spec.replicate(3))
    program.step()
    kept = program.state.running["before"][0][[2]]
    program.select([2])
    assert torch.equal(program.state.running["before"][0], kept)


# End to end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "objective", ["clapp", "infonce", "nt_xent", "vicreg", "barlow_twins", "lpl"]
)
@pytest.mark.parametrize("shape", SHAPES)
def test_end_to_end_is_the_gradient_of_the_top_layers_loss(objective, shape):
    scene = Scene(rules.get("end_to_end_ssl", objective=objective), *shape, views=("trace:2",))
    net, L = scene.net, scene.net.L
    alone = rules.get(objective)
    found, own = scene.updates()
    parameters = [*net.W, *net.b]
    for p in parameters:
        p.requires_grad_()
    activity = net.activity(scene.x)
    # Each layerwise rule's signal at the top is the gradient there (tested above): a constant.
    taught = (
        alone.teach(
            net,
            alone_state(scene, alone),
            scene.batch(),
            scene.generators,
        )
        .signals[-1]
        .detach()
    )
    expected = torch.autograd.grad((activity.z[-1] * taught).sum(), parameters)
    for p in parameters:
        p.requires_grad_(False)
    for f, e in zip(found[: len(parameters)], expected, strict=True):
        close(f, e)
    assert all(index == L - 1 for _, index in flat(own))


def alone_state(scene, rule):
    """The layerwise rule's state, with the end-to-end rule's own tensors for the top layer."""
    state = rule.init(scene.net, scene.generators)
    for name, layers in scene.state.learned.items():
        state.learned[name][-1] = layers[-1]
    return state


# Hebbian floors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_ojas_rule_is_the_papers(shape):
    scene = Scene(rules.get("oja"), *shape)
    found, _ = scene.updates()
    net, L = scene.net, scene.net.L
    for l in range(1, L + 1):
        W, gain = net.W[l - 1], net.gains[l - 1]
        expected = torch.zeros_like(W)
        R, B, N, _ = scene.activity.h[l - 1].shape
        for r in range(R):
            for i in range(B):
                for p in range(N):
                    M = gain * (W[r] if W.ndim == 3 else W[r, p])
                    x, y = scene.activity.x[l - 1][r, i, p], scene.activity.h[l - 1][r, i, p]
                    into = expected[r] if W.ndim == 3 else expected[r, p]
                    into -= gain * torch.outer(x - M @ y, y) / (B * N)
        close(found[l - 1], expected)
        by_input = W[:, None, None] if W.ndim == 3 else W[:, None]
        explained = gain * (by_input @ scene.activity.h[l - 1].unsqueeze(-1)).squeeze(-1)
        left = scene.activity.x[l - 1] - explained
        close(scene.teach().loss[:, l - 1], left.square().mean((1, 2, 3)))
        if net.b:
            assert not found[L + l - 1].any()


def test_ojas_rule_finds_the_principal_subspace():
    g = torch.Generator().manual_seed(0)
    net = TreeNet(4, 2, 2, 1, 3, [g], dtype=torch.float64)
    basis = torch.linalg.qr(torch.randn(8, 8, generator=g, dtype=torch.float64))[0]
    x = torch.randn(1, 4000, 1, 8, generator=g, dtype=torch.float64)
    x = (x * torch.tensor([3, 2.5, 2, 0.5, 0.4, 0.3, 0.2, 0.1])) @ basis.mT
    rule = rules.get("oja")
    from synaptree.rules import Batch

    for _ in range(600):
        activity = net.forward(x)
        batch = Batch(activity, torch.zeros(1, 4000), x.new_zeros(1, 4000, 2), [None])
        taught = rule.teach(net, rule.init(net, []), batch, [])
        gradient = taught.updates(net, activity, batch.error)
        net.W[0] -= 0.02 * gradient[0]
    W = net.W[0][0]
    principal = torch.linalg.svd(x[0, :, 0], full_matrices=False)[2][:3]
    assert torch.allclose(W.mT @ W, torch.eye(3, dtype=W.dtype), atol=1e-8)
    assert torch.allclose(W @ W.mT, principal.mT @ principal, atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
def test_soft_hebb_is_the_papers(shape):
    scene = Scene(rules.get("soft_hebb", temperature=0.7), *shape)
    found, _ = scene.updates()
    net, L = scene.net, scene.net.L
    for l in range(1, L + 1):
        W, gain = net.W[l - 1], net.gains[l - 1]
        expected = torch.zeros_like(W)
        R, B, N, H = scene.activity.h[l - 1].shape
        for r in range(R):
            for i in range(B):
                for p in range(N):
                    M = W[r] if W.ndim == 3 else W[r, p]
                    x, u = scene.activity.x[l - 1][r, i, p], scene.activity.h[l - 1][r, i, p]
                    y = (u / 0.7).softmax(0)
                    into = expected[r] if W.ndim == 3 else expected[r, p]
                    for k in range(H):
                        s = 1 if k == int(u.argmax()) else -1
                        into[:, k] -= gain * s * y[k] * (x - u[k] * gain * M[:, k]) / (B * N)
        close(found[l - 1], expected)
        if net.b:
            assert not found[L + l - 1].any()

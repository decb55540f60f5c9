"""Shared by tests of networks and rules: a rule in a small scene, and equations as slow loops."""

from dataclasses import replace

import torch

from synaptree import rules
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
SHAPES += [(2, 3, "standard", "full"), (3, 2, "mean_field", "full")]


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
        contexts = [
            view.context(z, s, self.members)
            for view, z in zip(self.views, self.activity.z, strict=False)
        ]
        batch = Batch(
            self.activity,
            self.y,
            self.error,
            contexts or [None] * self.net.L,
            self.members,
            lambda l, t: self.views[l - 1].context(t, s, self.members),
            [v.needs_positions for v in self.views],
        )
        return replace(batch, **changed)

    def teach(self, **changed):
        for g, state in zip(self.generators, self.noise, strict=True):
            g.set_state(state)  # rules that draw draw the same each time
        # What a rule moves itself begins anew with each call; where it went is in `after`.
        moved = {
            name: [None if t is None else t.clone() for t in ts]
            for name, ts in self.state.running.items()
        }
        self.after = replace(self.state, running=moved)
        return self.rule.teach(self.net, self.after, self.batch(**changed), self.generators)

    def updates(self, **changed):
        teaching = self.teach(**changed)
        batch = self.batch(**changed)
        return teaching.updates(self.net, batch.activity, batch.error), teaching.own


def flat(tensors):
    """Tensors by name and layer, as one dictionary."""
    return {(k, i): t for k, ts in tensors.items() for i, t in enumerate(ts) if t is not None}


def close(found, expected):
    assert found.shape == expected.shape
    scale = expected.abs().max().clamp_min(1e-3)
    assert float((found - expected).abs().max() / scale) < 1e-10


def layer_activity(scene, l, W, b):
    """z_l as a function of W_l and b_l alone."""
    x = scene.activity.x[l - 1]
    gain = scene.net.gains[l - 1]
    pattern = "rbni,rio->rbno" if W.ndim == 3 else "rbni,rnio->rbno"
    h = gain * torch.einsum(pattern, x, W)
    if b is not None:
        h = h + b.unsqueeze(1)
    return h.relu()


def parents(net, l, p):
    """Who reads position p of layer l: positions of layer l + 1, and at which place each does."""
    if net.connectivity == "full":
        return [(q, p) for q in range(net.positions(l + 1))]
    return [(p // net.s, p % net.s)]


def reads(net, l, z):
    """What each position of layer l reads of what is below it, (..., N, C): (..., N_l, s·C)."""
    N = net.positions(l)
    if net.connectivity == "full":
        return torch.stack([z.flatten(-2)] * N, -2)
    return z.reshape(*z.shape[:-2], N, -1)


def sent_down(net, a, W):
    """``Wᵀ a`` of a layer or the output, (R, B, N, H), to (R, B, positions below, H)."""
    if W.ndim == 3:
        back = torch.einsum("rbno,rio->rbni", a, W)
    else:
        back = torch.einsum("rbno,rnio->rbni", a, W)
        back = back.sum(2) if net.connectivity == "full" else back
    return back.reshape(*a.shape[:2], -1, net.width)


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


def slow_chain(scene, masks, F=None):
    """T_l of one input by the chain rule, with other weights or masks; positions one at a time."""
    net, H = scene.net, scene.net.width
    F = [*net.W, net.W_out] if F is None else F
    B = scene.x.shape[1]

    def signal(r, i, l, p):
        if l == net.L:
            return net.gain_out * F[net.L][r] @ raw_error(scene, r, i)
        total = torch.zeros(H, dtype=net.dtype)
        for q, slot in parents(net, l, p):
            F_q = F[l][r] if F[l].ndim == 3 else F[l][r, q]
            source = {"true": i, "none": i, "other_input": (i - 1) % B}[masks]
            mask = (scene.activity.h[l][r, source, q] > 0).double()
            T = signal(r, i, l + 1, q)
            T = T if masks == "none" else T * mask
            total += net.gains[l] * F_q[slot * H : (slot + 1) * H] @ T
        return total

    return signal


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

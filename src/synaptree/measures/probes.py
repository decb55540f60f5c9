"""Linear probes: how well a layer predicts each level of the hidden hierarchy linearly."""

import torch
from torch import Tensor

ROWS = 4096  # examples that fit a reader, at least twice as many as it has inputs


def logits_of_probes(L: int, s: int, v: int, n: int, width: int) -> int:
    """How many logits the probes of a portrait have, which says how long they take."""
    places = sum(s ** max(0, layer - level) for layer in range(1, L + 1) for level in range(1, L))
    return max(ROWS, 2 * width) * (v * places + n * L)


def features_for(z: Tensor, layer: int, level: int, s: int) -> Tensor:
    """The activity that a probe of a level reads, one row for each node of that level.

    z: (R, P, N_l, H), activity of layer l, whose positions are the nodes of level l.  A node above
    layer l is read from all positions below it, side by side: (R, P, N_k, s**(k-l)·H).  A node
    below is read from the one position above it, by a reader for each of the s**(l-k) places, see
    `probe_accuracy`: (R, P, N_l, H).
    """
    R, P, N, H = z.shape
    if level <= layer:
        return z
    return z.reshape(R, P, N // s ** (level - layer), s ** (level - layer) * H)


def logistic_probe(
    x: Tensor, y: Tensor, classes: int, ridge: float = 1e-4, iterations: int = 60
) -> tuple[Tensor, Tensor]:
    """Multinomial logistic regressions of labels y (R, P, Q) on x (R, P, D), all R·Q at once.

    Each minimises the mean cross-entropy + ridge/2 · |W|² on features scaled to mean square 1, by
    Böhning's lower bound (Ann. Inst. Statist. Math. 44, 1992): the Hessian is nowhere above
    ½ xᵀx/P, so steps with that one matrix need no learning rate; Nesterov's momentum with restart
    where the gradient turns against it (O'Donoghue & Candès, 2015) speeds them up.

    Returns weights (R, D, Q, classes) and biases (R, Q, classes), on the scale of x, in its dtype.
    """
    R, P, D = x.shape
    Q = y.shape[2]
    # A diverging network's activity is so large that its squares overflow.
    largest = x.abs().amax((1, 2), keepdim=True).clamp_min(1e-12)
    x = x / largest
    centre = x.mean(1, keepdim=True)
    scale = (x - centre).square().mean((1, 2), keepdim=True).sqrt().clamp_min(1e-12)
    x = (x - centre) / scale
    # Classes before examples: a softmax over a short last axis is several times slower.
    onehot = torch.nn.functional.one_hot(y.long(), classes).to(x.dtype).permute(0, 2, 3, 1)
    eye = torch.eye(D, dtype=x.dtype, device=x.device)
    bound = torch.linalg.cholesky(x.mT @ x / (2 * P) + (ridge + 1e-6) * eye)
    W = x.new_zeros(R, D, Q * classes)
    b = x.new_zeros(R, 1, Q * classes)
    ahead_W, ahead_b, t = W, b, x.new_ones(R, Q, 1)
    for _ in range(iterations):
        logits = torch.baddbmm(ahead_b.mT, ahead_W.mT, x.mT).view(R, Q, classes, P)
        residual = logits.softmax(2).sub_(onehot).div_(P).view(R, Q * classes, P)
        grad_W = torch.baddbmm(ahead_W, x.mT, residual.mT, beta=ridge)
        grad_b = residual.sum(2, keepdim=True).mT
        next_W = ahead_W - torch.cholesky_solve(grad_W, bound)
        next_b = ahead_b - 2 * grad_b
        turn = (grad_W * (next_W - W)).sum(1) + (grad_b * (next_b - b)).sum(1)
        against = turn.view(R, Q, classes).sum(-1, keepdim=True) > 0
        t = torch.where(against, torch.ones_like(t), t)
        t_next = (1 + (1 + 4 * t * t).sqrt()) / 2
        momentum = ((t - 1) / t_next).expand(R, Q, classes).reshape(R, 1, Q * classes)
        ahead_W = next_W + momentum * (next_W - W)
        ahead_b = next_b + momentum * (next_b - b)
        W, b, t = next_W, next_b, t_next
    W = W / scale
    b = b - centre @ W
    W = W / largest
    return W.view(R, D, Q, classes), b.view(R, Q, classes)


def probe_accuracy(
    z: Tensor, latent: Tensor, layer: int, level: int, s: int, classes: int, train: int
) -> Tensor:
    """The accuracy of linear readers of one level's latents from one layer's activity, (R,).

    z: (R, P, N_l, H).  latent: (R, P, s**(L-k)), features of level k.  The first `train` inputs fit
    the readers, the others test them.  All nodes of a level share a reader, as they share rules;
    where the level lies below the layer, each place under a position has a reader of its own.
    """
    x = features_for(z, layer, level, s)
    R, P, nodes, D = x.shape
    y = latent.reshape(R, P, nodes, -1)  # the last axis: places under a position of the layer
    # Each input holds `nodes` examples, and more than a certain number would not help a reader.
    fitted = min(train, -(-max(ROWS, 2 * D) // nodes))
    W, b = logistic_probe(
        x[:, :fitted].reshape(R, fitted * nodes, D), y[:, :fitted].flatten(1, 2), classes
    )
    logits = torch.einsum("rpd,rdqc->rpqc", x[:, train:].flatten(1, 2), W) + b.unsqueeze(1)
    return (logits.argmax(-1) == y[:, train:].flatten(1, 2)).double().mean((1, 2))

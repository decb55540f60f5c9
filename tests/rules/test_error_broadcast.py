"""Error broadcast: the correlation by loops, the objective by autograd, what it must not need."""

import pytest
import torch

from scene import SHAPES, Scene, close
from synaptree import rules


def slow_correlations(scene, before, options):
    """R_l after one batch, by loops over inputs and positions."""
    rule, found = scene.rule, []
    R, B = scene.y.shape
    for l, z in enumerate(scene.activity.z, start=1):
        old = before[l - 1]
        mean = torch.zeros_like(old)
        for r in range(R):
            for p in range(z.shape[2]):
                for b in range(B):
                    seen = z[r, b, p] ** 2 if rule.g == "square" else z[r, b, p]
                    outer = torch.outer(scene.error[r, b], seen)  # e is already divided by B
                    if rule.feedback == "position":
                        mean[r, p] += outer
                    else:
                        mean[r] += outer / z.shape[2]
        found.append(rule.decay * old + (1 - rule.decay) * mean)
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"g": "square", "entropy": 0.0},
        {"feedback": "shared", "decay": 0.5},
        {"g": "square", "power": 0.3, "level": 2.0, "entropy": 0.2, "epsilon": 0.1},
    ],
)
def test_the_signal_is_the_correlation_times_the_error(shape, options):
    scene = Scene(rules.get("error_broadcast", **options), *shape)
    before = [R.clone() for R in scene.state.running["B"]]
    expected = slow_correlations(scene, before, options)
    signals = scene.teach().signals
    rule = scene.rule
    for l, (found, z) in enumerate(zip(signals, scene.activity.z, strict=True), start=1):
        R = expected[l - 1]
        close(scene.after.running["B"][l - 1], R)
        free = z.clone().requires_grad_()
        seen = free**2 if rule.g == "square" else free
        places = R if R.ndim == 4 else R.unsqueeze(1).expand(-1, z.shape[2], -1, -1)
        # R e is held: the paper drops the gradient through it.
        loss = (seen * torch.einsum("rpnh,rbn->rbph", places, scene.error)).sum()
        flat = free.flatten(1, 2)
        power = (flat**2).mean(1) - rule.level
        C = flat.mT @ flat / flat.shape[1] + rule.epsilon * torch.eye(z.shape[-1]).double()
        loss = loss + rule.power * (power**2).sum() - rule.entropy * 0.5 * torch.logdet(C).sum()
        close(found, torch.autograd.grad(loss, free)[0])


def test_following_the_signal_makes_error_and_activity_uncorrelated():
    """On a fixed batch with fixed errors, as one layer's activity moves along −T."""
    scene = Scene(rules.get("error_broadcast", decay=0.0, entropy=0.0), 2, 3, objects=64)
    z = [each.clone() for each in scene.activity.z]
    sizes = []
    for _ in range(400):
        activity = type(scene.activity)(
            scene.activity.x, scene.activity.h, z, scene.activity.logits
        )
        T = scene.teach(activity=activity).signals
        sizes.append(float(scene.after.running["B"][0].norm()))
        z = [each - 60 * t for each, t in zip(z, T, strict=True)]
    assert sizes[-1] < 0.05 * sizes[0]


def test_without_an_error_the_memory_fades_and_nothing_is_taught():
    scene = Scene(rules.get("error_broadcast", entropy=0.0), 2, 3)
    before = scene.state.running["B"][0].clone()
    found, _ = scene.updates(error=torch.zeros_like(scene.error))
    assert not any(g.any() for g in found)
    close(scene.after.running["B"][0], 0.999 * before)

"""How a network comes to rest, in energies whose lowest state is known."""

import pytest
import torch

from scene import SHAPES, Scene
from synaptree import rules
from synaptree.network.settling import settle

TARGETS = [torch.randn(2, 5, n, 4, generator=torch.Generator().manual_seed(n)).double()
           for n in (2, 1)]  # fmt: skip
CURVES = (1.0, 3.0)


def valley(state):
    """½ Σ c_l ‖u_l − t_l‖²"""
    parts = zip(state, TARGETS, CURVES, strict=True)
    energy = sum(c * (u - t).square().sum((2, 3)) / 2 for u, t, c in parts)
    return energy, [c * (t - u) for u, t, c in zip(state, TARGETS, CURVES, strict=True)]


START = [torch.zeros_like(t) for t in TARGETS]


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0, 30.0])  # beyond 2/3 a step can overshoot
def test_the_lowest_state_is_found_also_where_steps_are_too_long(rate):
    found = settle(valley, START, rate, 400)
    for u, t in zip(found.state, TARGETS, strict=True):
        assert torch.allclose(u, t, atol=1e-9)
    assert bool((torch.stack(found.energy).diff(dim=0) <= 1e-15).all())


def test_a_step_is_as_long_as_its_rate():
    found = settle(valley, START, 0.1, 1)
    for u, t, c in zip(found.state, TARGETS, CURVES, strict=True):
        assert torch.allclose(u, 0.1 * c * t)
    twice = settle(valley, START, 0.1, 2, keep=True)
    assert len(twice.path) == 2
    assert all(torch.equal(a, b) for a, b in zip(twice.path[0], found.state, strict=True))


def test_no_unit_goes_below_the_floor():
    found = settle(valley, START, 0.3, 200, floor=0.0)
    for u, t in zip(found.state, TARGETS, strict=True):
        assert torch.allclose(u, t.clamp_min(0), atol=1e-9)


def test_the_residual_is_how_far_a_step_would_move_the_state():
    """Near rest the state still has 1 − rate · c of its way at each step, so that it halves."""
    found = settle(valley, START, 0.5, 20)
    left = [c * (t - u) for u, t, c in zip(found.state, TARGETS, CURVES, strict=True)]
    square = sum(w.square().sum((2, 3)) for w in left)
    size = sum(t.square().sum((2, 3)) for t in TARGETS)
    # The last step was made from a state twice as far away; the steeper layer is long at rest.
    assert torch.allclose(found.residual, 2 * (square / size).sqrt(), rtol=1e-3)


def test_the_way_is_from_the_state_at_the_end():
    found = settle(valley, START, 0.5, 3)
    for w, expected in zip(found.way, valley(found.state)[1], strict=True):
        assert torch.equal(w, expected)


def test_those_at_rest_stop_and_all_at_rest_end_it():
    start = [u.clone() for u in START]
    for u, t in zip(start, TARGETS, strict=True):
        u[0, 0] = t[0, 0]  # one input is at rest from the start
    found = settle(valley, start, 0.2, 1000, tolerance=1e-3)
    assert float(found.steps[0, 0]) == 1
    assert 1 < float(found.steps.max()) < 100
    assert len(found.energy) == 1 + int(found.steps.max())
    assert float(found.residual.max()) < 1e-3


@pytest.mark.parametrize("shape", SHAPES)
def test_up_is_what_the_forward_pass_does_in_a_layer(shape):
    scene = Scene(rules.get("backprop"), *shape)
    for l in range(2, scene.net.L + 1):
        h = scene.net.up(l, scene.activity.z[l - 2])
        assert torch.allclose(h, scene.activity.h[l - 1], rtol=1e-12, atol=1e-14)

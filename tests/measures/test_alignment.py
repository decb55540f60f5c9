"""Cosines of updates: known angles, nothing where there is no direction."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synaptree import make_spec, train
from synaptree.measures.alignment import cosines


@given(st.floats(0, math.pi), st.floats(-30, 30), st.floats(-30, 30))
def test_a_known_angle_at_any_size(angle, a, b):
    u = torch.zeros(1, 3, 2)
    w = torch.zeros(1, 3, 2)
    u[0, 0, 0] = 10.0**a
    w[0, 0, 0], w[0, 2, 1] = 10.0**b * math.cos(angle), 10.0**b * math.sin(angle)
    assert float(cosines([u], [w])) == pytest.approx(math.cos(angle), abs=1e-6)


def test_each_replica_and_layer_has_its_own():
    u = [torch.randn(2, 3, 4), torch.randn(2, 5)]
    w = [torch.stack([u[0][0], -u[0][1]]), torch.stack([-u[1][0], u[1][1]])]
    assert torch.allclose(cosines(u, w), torch.tensor([[1.0, -1], [-1, 1]]).double())


def test_no_direction_has_no_cosine():
    u, zero = torch.randn(2, 3), torch.zeros(2, 3)
    found = cosines([u, zero, u, None], [zero, u, None, u])
    assert found.shape == (2, 4)
    assert found.isnan().all()


TINY = {"v": 8, "n": 8, "m": 4, "L": 3, "P": 1024, "width": 64, "steps": 60, "evaluations": 3}


def test_a_run_leaves_the_angles_of_each_layer_beside_their_null():
    curves = {
        rule: train(make_spec(rule=rule, **TINY), portrait=False).curve
        for rule in ("backprop", "dfa", "symmetric_direct", "readout_only")
    }
    for rule, curve in curves.items():
        angles, null = torch.tensor(curve.alignment), torch.tensor(curve.null)
        assert angles.shape == null.shape == (3, 3)
        assert null.abs().max() < 0.5
        if rule == "backprop":
            assert angles == pytest.approx(1, abs=1e-6)
        if rule == "readout_only":
            assert angles.isnan().all()
        if rule == "dfa":  # before alignment begins its feedback is as random as the null's
            assert angles[0].abs().max() < 0.5
        if rule == "symmetric_direct":  # nothing is masked above the top layer; below it something
            assert angles[:, -1] == pytest.approx(1, abs=1e-6)
            assert (angles[:, 0] < 0.95).all()
            assert (angles[:, 0] > 0.3).all()


def test_measuring_changes_nothing():
    often, once = (
        train(make_spec(rule="node_perturbation", **TINY | {"evaluations": e}), portrait=False)
        for e in (20, 1)
    )
    assert often.test_error == once.test_error

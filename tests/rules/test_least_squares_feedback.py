"""Least-squares feedback against numpy's least squares on backprop's own signals."""

import numpy as np
import pytest
import torch

from scene import SHAPES, Scene, close, raw_error, slow_chain
from synaptree import rules
from synaptree.rules.shared.chain import chain
from synaptree.training.observation import output_error

RULE = "least_squares_feedback"


def regressed(scene, feedback):
    """B_l from numpy's lstsq, (R, N_l, n, H), or (R, n, H) where positions share one."""
    net, inputs = scene.net, range(scene.x.shape[1])
    signal = slow_chain(scene, "true")
    found = []
    for l in range(1, net.L + 1):
        of_replicas = []
        for r in range(2):
            e = np.stack([raw_error(scene, r, i).numpy() for i in inputs])
            T = [
                np.stack([signal(r, i, l, p).numpy() for i in inputs])
                for p in range(net.positions(l))
            ]
            if feedback == "position":
                B = np.stack([np.linalg.lstsq(e, each, rcond=1e-10)[0] for each in T])
            else:
                B = np.linalg.lstsq(np.tile(e, (len(T), 1)), np.concatenate(T), rcond=1e-10)[0]
            of_replicas.append(torch.as_tensor(B))
        found.append(torch.stack(of_replicas))
    return found


@pytest.mark.parametrize("feedback", ["position", "shared"])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_regression_of_backprops_signal_on_the_error(shape, feedback):
    scene = Scene(rules.get(RULE, feedback=feedback, ridge=1e-12), *shape, objects=9)
    expected = regressed(scene, feedback)
    for T, B in zip(scene.teach().signals, expected, strict=True):
        pattern = "rbc,rnch->rbnh" if feedback == "position" else "rbc,rch->rbh"
        sent = torch.einsum(pattern, scene.error, B)
        sent = sent if feedback == "position" else sent.unsqueeze(2).expand_as(T)
        assert float((T - sent).abs().max() / sent.abs().max()) < 1e-6


def test_its_residual_is_uncorrelated_with_the_error():
    scene = Scene(rules.get(RULE, ridge=1e-12), 2, 3, objects=20)
    true = chain(scene.net, scene.error, scene.activity.place_by_place())
    for T, ours in zip(true[:-1], scene.teach().signals, strict=False):
        left = torch.einsum("rbc,rbnh->rnch", scene.error, T - ours)
        before = torch.einsum("rbc,rbnh->rnch", scene.error, T)
        assert float(left.norm() / before.norm()) < 1e-6
        assert float((T - ours).norm() / T.norm()) > 0.05  # it is not backprop


def test_averages_run_over_batches():
    """Two batches with decay ½: the sums of the first count half."""
    scene = Scene(rules.get(RULE, decay=0.5, ridge=1e-12, feedback="shared"), 2, 2, objects=6)
    state = scene.rule.init(scene.net, scene.generators)
    scene.rule.teach(scene.net, state, scene.batch(), scene.generators)
    before = (scene.error, chain(scene.net, scene.error, scene.activity.place_by_place()))
    scene.x = scene.x.flip(1).roll(1, 2)
    scene.activity = scene.net.activity(scene.x)
    scene.error, _ = output_error(scene.activity.logits, scene.y)
    found = scene.rule.teach(scene.net, state, scene.batch(), scene.generators).signals
    now = (scene.error, chain(scene.net, scene.error, scene.activity.place_by_place()))
    for l in range(2):
        for r in range(2):
            rows, targets = [], []
            for (e, T), weight in ((before, 0.5**0.5), (now, 1.0)):
                for p in range(T[l].shape[2]):
                    rows.append(weight * e[r].numpy())
                    targets.append(weight * T[l][r, :, p].numpy())
            B = np.linalg.lstsq(np.concatenate(rows), np.concatenate(targets), rcond=1e-10)[0]
            sent = scene.error[r] @ torch.as_tensor(B)
            for p in range(found[l].shape[2]):
                assert float((found[l][r, :, p] - sent).abs().max() / sent.abs().max()) < 1e-6


def test_with_one_layer_it_is_backprop():
    """Nothing but the readout lies between the layer and the output."""
    ours = Scene(rules.get(RULE, ridge=1e-13), 2, 1, objects=9)
    backprop = Scene(rules.get("backprop"), 2, 1, objects=9)
    for f, e in zip(ours.updates()[0], backprop.updates()[0], strict=True):
        assert float((f - e).abs().max() / e.abs().max()) < 1e-6


def test_the_size_of_the_error_does_not_matter():
    """B depends on the direction of errors alone, however far they have faded."""
    scene = Scene(rules.get(RULE), 2, 3, objects=9)
    large = scene.teach().signals
    small = scene.teach(error=scene.error * 1e-9).signals
    for a, b in zip(large, small, strict=True):
        close(b * 1e9, a)


def test_no_error_no_update():
    scene = Scene(rules.get(RULE), 2, 3)
    found, _ = scene.updates(error=torch.zeros_like(scene.error))
    assert not any(g.any() for g in found)

"""Direct feedback: each update against the paper's equation, written here as slow loops.

In float64, for both parametrisations, shared and local connections, and two replicas.
"""

import pytest
import torch
from test_battery import NETS, SHAPES, Scene, close, raw_error, seen_by, slow_chain, slow_updates

from synaptree import make_spec, rules
from synaptree.network import Activity, TreeNet
from synaptree.rules import Batch
from synaptree.training import Program, output_error

FEEDBACK = ["position", "shared"]


def hidden(scene, signal):
    """The updates of the hidden weights are those of the signals T_l: ``signal(r, i, l, p)``."""
    found, own = scene.updates()
    expected = slow_updates(scene, signal)
    assert any(e.abs().max() > 1e-6 for e in expected)  # or the test would show nothing
    for f, e in zip(found[: scene.net.L], expected, strict=True):
        close(f, e)
    return own


def at(B, r, p):
    """The feedback matrix (n, H) of one position."""
    return B[r] if B.ndim == 3 else B[r, p]


def one(scene, r, i, l, p):
    return scene.activity.z[l - 1][r, i, p]


# DFA with the sign of the error, DRTP -------------------------------------------------------------


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("shape", SHAPES)
def test_sign_dfa_sends_the_sign_of_the_error(shape, feedback):
    scene = Scene(rules.get("dfa", feedback=feedback, error="sign"), *shape)

    def signal(r, i, l, p):
        signs = [1.0 if e > 0 else -1.0 for e in raw_error(scene, r, i)]
        B = at(scene.state.fixed[f"B{l}"], r, p)
        return sum(sign * B[c] for c, sign in enumerate(signs))

    hidden(scene, signal)


@pytest.mark.parametrize("feedback", FEEDBACK)
@pytest.mark.parametrize("shape", SHAPES)
def test_drtp_sends_the_target(shape, feedback):
    scene = Scene(rules.get("drtp", feedback=feedback), *shape)
    hidden(scene, lambda r, i, l, p: -at(scene.state.fixed[f"B{l}"], r, p)[scene.y[r, i]])


def test_drtp_is_dfa_with_the_target_for_the_error():
    drtp, dfa = Scene(rules.get("drtp"), 2, 3), Scene(rules.get("dfa"), 2, 3)
    target = torch.nn.functional.one_hot(drtp.y, 3).double()
    found = drtp.updates()[0][:3]
    for f, e in zip(found, dfa.updates(error=-target / 4)[0][:3], strict=True):
        close(f, e)


def test_drtp_waits_for_no_output():
    scene = Scene(rules.get("drtp"), 2, 3)
    before = scene.teach().signals
    after = scene.teach(error=torch.zeros_like(scene.error)).signals
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("name", ["dfa", "drtp"])
def test_scale_multiplies_the_feedback(name):
    small, large = (Scene(rules.get(name, scale=scale), 2, 3) for scale in (1.0, 4.0))
    for B, C in zip(small.state.fixed.values(), large.state.fixed.values(), strict=True):
        assert torch.equal(4 * B, C)

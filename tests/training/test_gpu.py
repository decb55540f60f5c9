"""On a GPU every rule does what it does on the CPU. Skipped where there is none."""

import pytest
import torch

from synaptree import rules
from synaptree.training.loop import train
from synaptree.training.spec import make_spec

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
SMALL = {"v": 6, "n": 6, "m": 4, "L": 3, "P": 2048, "width": 64, "steps": 60, "evaluations": 1}


@pytest.mark.parametrize("name", rules.names())
def test_weights_are_those_of_the_cpu_in_float64(name):
    rule = rules.get(name)
    needed = {"views": "sibling,same_class"} if rule.needs_views else {}
    needed |= {"weight_decay": 0.1} if rule.needs_decay else {}
    spec = make_spec(rule=rule, precision="float64", **SMALL, **needed)
    here, there = (train(spec, device=device) for device in ("cpu", "cuda"))
    assert here.test_error == there.test_error
    tensors = there.kept.tensors()
    for key, value in here.kept.tensors().items():
        torch.testing.assert_close(tensors[key].cpu(), value, rtol=0, atol=1e-7)

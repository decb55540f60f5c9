"""What tests of saved and continued runs share."""

import torch

from synaptree import rules

SMALL = {"v": 4, "n": 4, "m": 3, "L": 3, "P": 100, "width": 8, "batch": 16, "tests": 64}


def settings(rule, **changed):
    """Settings that suit a rule; P is no multiple of the batch, so that epochs end in a chunk."""
    rule = rules.get(rule) if isinstance(rule, str) else rule
    views = {"views": "sibling,same_class"} if rule.needs_views else {}
    decay = {"weight_decay": 0.01} if rule.needs_decay else {}
    return SMALL | {"rule": rule} | views | decay | changed


def same_bits(one, two):
    """Whether two results have the same measurements, and trained the same tensors."""
    before, after = one.kept.snapshot.tensors, two.kept.snapshot.tensors
    assert before.keys() == after.keys()
    for name, t in before.items():
        assert t.numpy().tobytes() == after[name].numpy().tobytes(), name
    for name, t in one.kept.tensors().items():
        assert torch.equal(t, two.kept.tensors()[name]), name
    for name in ("steps", "test_error", "train_error", "switches", "curve", "portrait"):
        assert repr(getattr(one, name)) == repr(getattr(two, name)), name  # NaN is itself here

"""Backprop in the mean-field parametrisation is the field's baseline."""

import pytest

from synaptree import make_spec, train_replicas


@pytest.mark.parametrize(("P", "error"), [(512, 0.58), (1024, 0.26), (2048, 0.016)])
def test_backprop_has_the_errors_of_the_rhm_authors_code(P, error):
    """v=n=8, m=4, s=2, L=3: what their later code measured, within 0.06, over 6 grammars."""
    spec = make_spec(
        rule="backprop", v=8, n=8, m=4, L=3, P=P, parametrisation="mean_field", optimizer="sgd",
        steps=8000, stop_loss=1e-3, evaluations=1,
    )  # fmt: skip
    results = train_replicas(spec.replicate(6), portrait=False)
    assert all(result.stopped for result in results)
    assert sum(result.test_error for result in results) / 6 == pytest.approx(error, abs=0.06)

"""The label map of saved networks: which strings have labels, which are tested, what is read."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from synaptree.errors import SynaptreeError
from synaptree.measures.probes import RIDGE
from synaptree.training.data import training_strings
from synaptree.training.label_map import label_map, labels_of
from synaptree.training.loop import train
from synaptree.training.saving import save, save_in
from synaptree.training.spec import make_spec

SPEC = make_spec(
    rule="infonce", views="sibling,movie:0.5", v=4, n=3, m=3, L=2, P=64, width=12, batch=16,
    steps=3, tests=15, seed=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def result():
    return train(SPEC, portrait=False)


def test_rows_are_those_of_the_networks_in_a_folder(result, tmp_path):
    save_in(tmp_path, [result])
    save(result.network, tmp_path / "networks" / "alone")  # of no run, so of no rule
    rows = list(label_map(tmp_path, draws=2))
    assert rows == labels_of(result.network, SPEC, draws=2)
    assert {(r.labels, r.draw, r.shuffled) for r in rows} == {
        (k, draw, shuffled)
        for k in (3, 6, 12, 24, 48, 64)
        for draw in (0, 1)
        for shuffled in (False, True)
    }
    assert len(rows) == 24
    (of,) = {(r.run_id, r.label, r.views, r.tier, r.P, r.seed) for r in rows}
    assert of == (SPEC.run_id, SPEC.rule.label, "sibling,movie:0.5", "T0", 64, 1)


def test_with_all_labels_the_error_is_that_of_scikit_learn_on_strings_that_are_not_trained(result):
    strings = SPEC.source.model.sample(81, seed=0)  # all strings of this grammar
    x = torch.as_tensor(strings.x.astype("int32"))
    z = result.network.activity(x[None]).z[-1][0, :, 0].double().numpy()
    trained = training_strings(SPEC)
    test = SPEC.source.test(SPEC.tests, SPEC.data_seed, trained)
    clips = {tuple(row) for row in trained.x}
    assert not clips & {tuple(row) for row in test.x}
    place = {tuple(row): number for number, row in enumerate(strings.x)}
    own = z[[place[tuple(row)] for row in trained.x]]
    C = 1 / (len(own) * RIDGE * own.var(0).mean())
    fit = LogisticRegression(C=C, tol=1e-10, max_iter=20_000).fit(own, trained.y)
    error = (fit.predict(z[[place[tuple(row)] for row in test.x]]) != test.y).mean()
    (row,) = {r.test_error for r in labels_of(result.network, SPEC, [64]) if not r.shuffled}
    assert row == pytest.approx(error)


def test_a_folder_without_networks_is_refused_in_one_line(tmp_path):
    with pytest.raises(SynaptreeError, match="expected a folder of `synaptree study run --save`"):
        list(label_map(tmp_path))

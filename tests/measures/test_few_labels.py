"""Readouts from few labels: against scikit-learn, and on layers whose answer is known."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from synaptree.measures.few_labels import doubling, few_labels, in_turn
from synaptree.measures.probes import RIDGE


def clusters(P, distance, classes=4, H=6, seed=0):
    """Inputs (P, H) in one cloud for each class, and their classes."""
    g = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, H, generator=torch.Generator().manual_seed(99)) * distance
    y = torch.arange(P) % classes
    return centres[y] + torch.randn(P, H, generator=g), y


def by_sklearn(x, y, test_x, mean_variance):
    """The classes that scikit-learn's logistic regression with the same penalty reads."""
    C = 1 / (len(x) * RIDGE * mean_variance)
    fit = LogisticRegression(C=C, tol=1e-10, max_iter=20_000).fit(x.double().numpy(), y.numpy())
    return fit.predict(test_x.double().numpy())


@pytest.mark.parametrize("distance", [0.7, 3.0])
def test_errors_are_those_of_scikit_learn(distance):
    (z, y), (test_z, test_y) = clusters(300, distance), clusters(1000, distance, seed=1)
    counts = (8, 64, 300)
    found = few_labels(z, y, test_z, test_y, 4, counts, draws=2, seed=5)
    rng = np.random.default_rng([5, 0x1ABE1])
    orders = [in_turn(y.numpy(), rng) for _ in range(2)]
    variance = float(z.double().var(0, unbiased=False).mean())
    for row, k in enumerate(counts):
        for draw, order in enumerate(orders):
            chosen = torch.from_numpy(order[:k])
            read = by_sklearn(z[chosen], y[chosen], test_z, variance)
            error = (read != test_y.numpy()).mean()
            assert float(found.error[row, draw]) == pytest.approx(error, abs=0.01)


def test_one_label_a_class_is_enough_where_classes_are_points():
    z, y = torch.eye(4).repeat(50, 1), torch.arange(4).repeat(50)
    found = few_labels(z, y, z, y, 4, (4, 8, 200))
    assert float(found.error.max()) == 0
    assert found.counts == (4, 8, 200)


def test_with_fewer_points_than_labels_what_was_not_labelled_is_not_known():
    """Each class is two points, as two synonyms that a layer tells apart: four labels show half."""
    points = torch.arange(8).repeat(10)
    z, y = torch.eye(8)[points], points % 4
    found = few_labels(z, y, z, y, 4, (4, 80), draws=100)
    assert float(found.error[1].max()) == 0
    # Of the four points that no label showed, a readout can only guess.
    assert 0.2 < float(found.error[0].mean()) < 0.5


def test_shuffled_labels_are_guessing_and_other_strings_are_tested():
    (z, y), (test_z, test_y) = clusters(200, 3.0), clusters(2000, 3.0, seed=1)
    found = few_labels(z, y, test_z, test_y, 4, (40, 200), draws=20)
    assert float(found.error[1].mean()) < 0.05
    assert found.shuffled.mean(1).tolist() == pytest.approx([0.75, 0.75], abs=0.12)
    noise = torch.randn(200, 250, generator=torch.Generator().manual_seed(3))
    other = torch.randn(200, 250, generator=torch.Generator().manual_seed(4))
    memory = few_labels(noise, y, noise, y, 4, (100,))
    assert float(memory.error.mean()) < 0.5  # those that were labelled are known by heart
    fresh = few_labels(noise, y, other, y, 4, (100,))
    assert float(fresh.error.mean()) == pytest.approx(0.75, abs=0.1)


def test_classes_take_turns_and_every_input_comes_once():
    y = np.array([0] * 50 + [1] * 30 + [2] * 3)
    order = in_turn(y, np.random.default_rng(0))
    assert sorted(order) == list(range(83))
    assert [sorted(y[order[3 * k : 3 * k + 3]]) for k in range(3)] == [[0, 1, 2]] * 3
    assert np.bincount(y[order[:63]]).tolist() == [30, 30, 3]
    again = in_turn(y, np.random.default_rng(1))
    assert order.tolist() != again.tolist()


def test_counts_double_from_one_a_class_to_all():
    assert doubling(8, 100) == (8, 16, 32, 64, 100)
    assert doubling(8, 64) == (8, 16, 32, 64)
    assert doubling(8, 8) == (8,)
    assert doubling(8, 5) == (5,)

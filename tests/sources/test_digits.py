"""The shipped data are scikit-learn's digits, and the study asks every rule about them."""

import runpy
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from synaptree import Dataset, rules
from synaptree.sources.layout import images_of_strings
from synaptree.study.files import read_study
from synaptree.study.search.file import read_search

FOLDER = Path(__file__).parents[2] / "studies" / "digits"


def test_the_file_holds_scikit_learns_digits():
    held = Dataset.load(FOLDER / "digits.npz").arrays
    found = load_digits()
    assert np.array_equal(held.train.y, found.target)
    images = images_of_strings(held.train.x)[..., 0]
    assert np.abs(images - found.images / 16).max() <= 0.501 / 255
    made = runpy.run_path(str(FOLDER / "make_data.py"))["digits"]()
    assert np.array_equal(made["x"], np.round(255 * images))


def test_every_rule_is_searched_and_run():
    asked = read_search(FOLDER / "search.yaml")
    runs = read_study(FOLDER / "run.yaml")
    assert {c.base.rule.name for c in asked.contests} == set(rules.names())
    assert {spec.rule.name for spec in runs} == set(rules.names())
    assert {c.base.P for c in asked.contests} == {1438}
    assert {(spec.s, spec.L, spec.v, spec.n) for spec in runs} == {(4, 3, 1, 10)}
    of_search = {(c.base.rule, c.base.views) for c in asked.contests}
    assert of_search == {(spec.rule, spec.views) for spec in runs}
    assert {spec.data_seed for spec in runs} == set(range(100, 110))

"""A study says that few strings are left to test on, once, and only where errors are coarse."""

import pytest

from synaptree import make_spec
from synaptree.study.check import few_tests

TINY = {"rule": "dfa", "v": 4, "n": 4, "m": 2, "L": 2}  # 4 · 2 · 4 = 32 strings


def test_what_is_left_is_counted():
    few = make_spec(**TINY, P=24, batch=8, tests=256)
    said = "tests: 256 strings asked, but only 8 are left beside P=24 on v=4 n=4 m=2 s=2 L=2"
    assert few_tests([few]) == f"{said}, so that test errors are multiples of 1/8"
    fewer = make_spec(**TINY, P=30, batch=8)
    assert "only 2 are left beside P=30" in few_tests([few, fewer])
    many = make_spec(rule="dfa", v=8, n=8, m=4, L=3, P=64, batch=8)
    assert few_tests([many, few]).endswith("1/8 (so in 1 of 2 runs)")


@pytest.mark.parametrize(
    "spec",
    [
        {**TINY, "P": 24, "batch": 8, "tests": 8},  # as many as were asked
        {"rule": "dfa", "v": 8, "n": 8, "m": 4, "L": 3, "P": 64, "batch": 8},
    ],
)
def test_nothing_is_said_where_nothing_is_lost(spec):
    assert few_tests([make_spec(**spec)]) == ""

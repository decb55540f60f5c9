"""Runs that cannot fit are refused from their sizes, before anything is made."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synaptree import SynaptreeError, make_spec, rules, train, train_replicas
from synaptree.training import memory
from synaptree.training.evaluation import evaluates
from synaptree.training.memory import check_memory, memory_bytes, needed_bytes, replica_bytes

BASE = {"rule": "backprop", "v": 8, "n": 8, "m": 4, "L": 3, "P": 4096}
LARGE = [
    {"width": 10**6},
    {"L": 16},
    {"L": 20, "width": 1},
    {"v": 10**6, "s": 2},
    {"v": 3 * 10**9, "m": 40},
    {"P": 10**12, "L": 6},
    {"batch": 10**6, "P": 10**6, "width": 10**5, "L": 6},
    {"tests": 10**15},
    {"s": 8, "L": 6, "m": 2},
    {"connectivity": "local", "L": 12, "width": 512},
    {"connectivity": "full", "L": 10, "width": 512},
    {"n": 10**15, "v": 2 * 10**9},
]


@pytest.mark.parametrize("change", LARGE, ids=[str(change) for change in LARGE])
def test_sizes_that_cannot_fit_are_refused_at_once_with_the_memory_they_need(change):
    began = time.perf_counter()
    with pytest.raises(SynaptreeError, match=r"^memory: about .* needed .* this cpu has") as e:
        train(make_spec(**BASE | change))
    assert time.perf_counter() - began < 5
    assert len(str(e.value)) <= 300


def test_so_are_replicas_of_which_each_would_fit():
    spec = make_spec(**BASE)
    check_memory(spec, 1)
    with pytest.raises(SynaptreeError, match=r"^memory: "):
        check_memory(spec, 10**9)
    with pytest.raises(SynaptreeError, match="from 1 to 1000000"):
        spec.replicate(10**9)


def test_the_memory_that_is_there_decides(monkeypatch):
    spec = make_spec(**BASE | {"width": 8, "steps": 2, "tests": 8})
    monkeypatch.setattr(memory, "memory_bytes", lambda device: needed_bytes(spec, portrait=False))
    train(spec, portrait=False)
    with pytest.raises(SynaptreeError, match="needed for 2 x v=8"):
        train_replicas(spec.replicate(2), portrait=False)
    with pytest.raises(SynaptreeError, match="needed for 1 x v=8"):
        train(spec)


@pytest.mark.parametrize("rule", rules.names())
def test_a_usual_run_needs_about_what_is_planned(rule):
    views = {"views": "same_class"} if rules.get(rule).needs_views else {}
    decay = {"weight_decay": 0.1} if rules.get(rule).needs_decay else {}
    spec = make_spec(**BASE | views | decay | {"rule": rule})
    assert needed_bytes(spec) == pytest.approx(replica_bytes(spec), rel=0.3)


def test_there_is_some_memory_here():
    assert 0 < memory_bytes() < 2**50


def test_what_takes_long_is_said():
    said = []
    spec = make_spec(**BASE | {"v": 1000, "L": 2, "P": 64, "n": 32, "batch": 32, "width": 2})
    spec = spec.model_copy(update={"steps": 1, "tests": 8})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("synaptree.training.evaluation.portraits", lambda *_, **__: [None])
        patch.setattr("synaptree.training.loop.LONG_TO_MEASURE", 10**10)
        train(spec, progress=lambda p: said.append(p.doing))
        patch.setattr("synaptree.training.loop.LONG_TO_DRAW", 100)
        train(spec, progress=lambda p: said.append(p.doing))
    assert any("v=1000 features" in text for text in said)
    assert any("drawing 64 strings" in text for text in said)
    usual = []
    usual_spec = make_spec(**BASE | {"steps": 1, "tests": 8})
    train(usual_spec, progress=lambda p: usual.append(p.doing), portrait=False)
    assert not any(usual)


@settings(max_examples=200)
@given(steps=st.integers(1, 200), evaluations=st.integers(1, 300))
def test_evaluations_are_spaced_as_if_they_were_listed(steps, evaluations):
    spec = make_spec(**BASE | {"steps": steps, "evaluations": evaluations})
    listed = {-(-steps * k // evaluations) for k in range(1, evaluations + 1)}
    assert {step for step in range(1, steps + 1) if evaluates(spec, step)} == listed


def test_evaluations_beyond_number_take_no_memory():
    spec = make_spec(**BASE | {"steps": 10**12, "evaluations": 10**12})
    assert evaluates(spec, 1)
    assert evaluates(spec, 10**12)

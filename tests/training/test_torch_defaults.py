"""A run is a function of its spec: what a program has set in torch does not change it.

Every rule, a batch of evaluations, portraits and an audit under hostile settings, bit for bit.
"""

import ctypes
import dataclasses
import threading
import warnings
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch

from synaptree import make_spec, rules, train_replicas
from synaptree.audit.matrix import audit
from synaptree.measures.portrait import portraits
from synaptree.network.tree import TreeNet
from synaptree.training.precision import arithmetic
from synaptree.training.process import prepare
from synaptree.training.streams import generator

TINY = {"v": 4, "n": 4, "m": 3, "L": 2, "P": 48, "tests": 32, "width": 8, "batch": 16, "steps": 6}


def settings():
    """All that a program may have set in torch, and what restores each."""
    return [
        (torch.set_default_dtype, torch.get_default_dtype()),
        (torch.set_num_threads, torch.get_num_threads()),
        (torch.set_float32_matmul_precision, torch.get_float32_matmul_precision()),
        (torch.set_deterministic_debug_mode, torch.get_deterministic_debug_mode()),
        (torch.set_flush_denormal, False),
        (lambda on: torch.set_autocast_enabled("cpu", on), torch.is_autocast_enabled("cpu")),
    ]


@contextmanager
def hostile(dtype=torch.float64, inference=True):
    before = settings()
    values = [dtype, 3, "medium", 2, True, True]
    try:
        with ExitStack() as stack:
            for (change, _), value in zip(before, values, strict=True):
                change(value)
            stack.enter_context(torch.device("meta"))
            stack.enter_context(torch.inference_mode(inference))
            stack.enter_context(torch.set_grad_enabled(False))
            stack.enter_context(np.errstate(all="raise"))
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("error")
            yield
    finally:
        for change, value in before:
            change(value)


def measured(results):
    rows = [dataclasses.asdict(result) for result in results]
    for row in rows:
        del row["wall_s"], row["spec"]
    return repr(rows)


FORMS = [rules.get(name) for name in rules.names()] + [
    rules.get("clapp", negative="previous"),
    rules.get("lpl", statistics="running"),
    rules.get("masking", masks="kept:0.5", weights="random"),
    rules.get("masking", masks="mean_jacobian"),
]


HOSTILE = [(torch.float64, True), (torch.bfloat16, False)]


def run_of(rule, **settings):
    extra = {"views": "half_mask:redrawn,same_class"} if rule.needs_views else {}
    if rule.online:
        extra = {"views": "same_class"}
    if rule.needs_decay:
        extra |= {"weight_decay": 0.1}
    return make_spec(rule=rule, **TINY | extra | settings).replicate(2)


@pytest.mark.parametrize("rule", FORMS, ids=[form.label for form in FORMS])
def test_no_setting_of_torch_changes_a_run(rule):
    specs = run_of(rule, evaluations=2, validation=0.1, schedule="sequential")
    plain = measured(train_replicas(specs))
    with hostile(*HOSTILE[FORMS.index(rule) % 2]):
        assert measured(train_replicas(specs)) == plain


def test_a_long_sum_does_not_depend_on_threads_or_products():
    specs = [make_spec(rule="backprop", **TINY | {"width": 256, "batch": 48, "v": 16, "m": 8})]
    plain = measured(train_replicas(specs))
    with hostile():
        assert measured(train_replicas(specs)) == plain


@pytest.mark.parametrize("name", ["dfa", "clapp"])
def test_no_setting_of_torch_changes_an_audit(name):
    plain = audit(rules.get(name))
    with hostile():
        assert audit(rules.get(name)) == plain


def test_a_network_and_its_portrait_are_the_same_under_other_defaults():
    def drawn():
        net = TreeNet(4, 3, 2, 2, 8, [generator("network", 0)])
        grammar = make_spec(rule="backprop", **TINY | {"n": 3}).grammar
        return net.parameters(), repr(portraits(net, [grammar], [1], inputs=96))

    plain, portrait = drawn()
    with torch.device("meta"), torch.inference_mode():
        torch.set_default_dtype(torch.float64)
        try:
            others, again = drawn()
        finally:
            torch.set_default_dtype(torch.float32)
    assert all(map(torch.equal, plain, others))
    assert again == portrait


def test_a_run_leaves_torch_as_it_was():
    with hostile():
        before = [value for _, value in settings()], torch.get_default_device()
        train_replicas(run_of(rules.get("dfa")))
        assert before == ([value for _, value in settings()], torch.get_default_device())
        assert torch.is_inference_mode_enabled()
        assert not torch.is_grad_enabled()


def test_products_that_a_program_set_for_one_processor_are_put_aside_and_return():
    before = torch.get_float32_matmul_precision()
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    try:
        with arithmetic("float32"):
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.backends.mkldnn.matmul.fp32_precision == "bf16"
    finally:
        torch.set_float32_matmul_precision(before)


def test_threads_with_other_products_wait_for_one_another():
    inside, leave, seen = threading.Event(), threading.Event(), []

    def first():
        with arithmetic("bfloat16"):
            inside.set()
            leave.wait(10)
            seen.append(torch.get_float32_matmul_precision())

    def second(precision):
        with arithmetic(precision):
            seen.append(torch.get_float32_matmul_precision())

    before = torch.get_float32_matmul_precision()
    threads = [threading.Thread(target=first)]
    threads += [threading.Thread(target=second, args=(p,)) for p in ("bfloat16", "float32")]
    threads[0].start()
    assert inside.wait(10)
    for thread in threads[1:]:
        thread.start()
    threads[1].join(10)
    threads[2].join(0.2)
    assert seen == ["medium"]
    assert threads[2].is_alive()
    leave.set()
    for thread in threads:
        thread.join(10)
    assert seen == ["medium", "medium", "highest"]
    assert torch.get_float32_matmul_precision() == before


@pytest.mark.parametrize("fault", [TypeError, OSError, AttributeError, ValueError])
def test_a_process_is_prepared_where_no_c_library_answers(monkeypatch, fault):
    def refused(name):
        raise fault

    monkeypatch.setattr(ctypes, "CDLL", refused)
    threads = torch.get_num_threads()
    try:
        prepare.__wrapped__()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)

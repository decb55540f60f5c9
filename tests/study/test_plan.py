"""The plan: what is missing, once; what may be replicas together; shares that add up."""

import subprocess
import sys

import pytest

from synaptree import make_spec
from synaptree.study.estimate import (
    DISPATCH,
    RATE,
    START,
    nominal_step,
    seconds_left,
    steps_beside,
)
from synaptree.study.plan import (
    LEAST_TASKS,
    MEMORY,
    left,
    plan,
    replicas_at_once,
    shard,
    tasks,
)
from synaptree.training.memory import group_bytes, replica_bytes

TINY = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16, "steps": 4, "tests": 16}
LARGE = TINY | {"rule": "backprop", "width": 4096, "P": 200, "v": 8, "n": 8, "L": 4}


def specs(rule="backprop", replicas=2, **changed):
    return make_spec(rule=rule, **TINY | changed).replicate(replicas)


def test_replicas_share_a_group_and_long_groups_go_first():
    short, long = specs(), specs(steps=40)
    groups = plan([*short, *long])
    assert groups == [long, short]


def test_what_is_done_changes_no_group():
    a, b = specs()
    c, d = specs("dfa")
    groups = plan([a, b, c, d])
    assert left(groups, {a.run_id, c.run_id, d.run_id}) == [[a, b]]
    assert left(groups, {spec.run_id for spec in (a, b, c, d)}) == []


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_plan_is_the_same_on_every_machine(device, monkeypatch):
    """For every card, or none; for every order in which a study names its runs."""
    wanted = [*specs(replicas=70, width=512), *specs("dfa", replicas=70, width=512)]
    here = plan(wanted, device)
    assert max(map(len, here)) < 70
    monkeypatch.setattr("torch.cuda.get_device_properties", None)
    monkeypatch.setattr("os.sysconf", None)
    there = plan(wanted[::-1], device)
    assert sorted(map(str, here)) == sorted(map(str, there))


def test_a_group_on_a_gpu_is_bounded_by_sizes_alone():
    small, large = specs(replicas=1)[0], make_spec(**LARGE)
    assert replicas_at_once(small, "cuda") > 100
    assert replicas_at_once(large, "cuda") == 1


def test_shards_are_disjoint_and_complete():
    groups = plan([*specs(), *specs("dfa"), *specs("readout_only"), *specs(steps=9)])
    shares = [shard(groups, part, 3) for part in (1, 2, 3)]
    found = [s.run_id for share in shares for group in share for s in group]
    assert sorted(found) == sorted(s.run_id for group in groups for s in group)


def test_an_estimate_grows_with_the_steps():
    one, ten = (seconds_left([specs(steps=n)]) for n in (1000, 100_000))
    assert 0 < one < ten


def test_an_estimate_counts_portraits_evaluations_the_start_and_the_longest_group(monkeypatch):
    monkeypatch.setattr("synaptree.study.estimate._seconds_a_step", lambda _: 0.5)
    short, long = specs(steps=100), specs(steps=10_000)
    took = [0.5 * (g[0].steps + steps_beside(g[0], 2)) for g in (short, long)]
    assert seconds_left([short, long]) == pytest.approx(START + sum(took))
    assert seconds_left([short, long], workers=2) == pytest.approx(START + took[1])
    assert seconds_left([]) == 0.0
    many = make_spec(**LARGE | {"steps": 200}, evaluations=100)
    assert (
        steps_beside(many, 1)
        > steps_beside(make_spec(**LARGE | {"steps": 200}, evaluations=10), 1) + 180
    )
    without = steps_beside(many, 1, portrait=False)
    assert 1 < steps_beside(many, 1) - without < 300
    assert seconds_left([long], portrait=False) < seconds_left([long])


def test_a_nominal_step_grows_with_its_products():
    """Twice the products above layer 1, which is looked up: weights from 2·H inputs to H units."""
    small = make_spec(**LARGE | {"width": 512})
    products = 6 * small.batch * 512 * (8 * 2 + 7 * 2 * 512)
    assert nominal_step(small, 3) == pytest.approx(DISPATCH + 3 * products / RATE)


def test_tiny_groups_go_out_together_and_long_ones_alone():
    tiny = [specs(steps=n, replicas=1) for n in range(1, 2001)]
    long = [specs(steps=10**6 + n, replicas=1) for n in range(300)]
    handed = tasks(plan([spec for group in [*tiny, *long] for spec in group]))
    assert [group for together in handed for group in together] == list(range(2300))
    assert all(len(together) == 1 for together in handed[:300])
    assert 1 < max(map(len, handed)) <= 2300 // LEAST_TASKS
    assert all(len(together) == 1 for together in tasks(tiny[:LEAST_TASKS]))


def test_replicas_that_would_not_fit_the_memory_train_after_each_other(monkeypatch):
    wanted = specs(replicas=6)
    assert list(map(len, plan(wanted))) == [6]
    monkeypatch.setitem(MEMORY, "cpu", 2 * replica_bytes(wanted[0]))
    assert list(map(len, plan(wanted))) == [2, 2, 2]
    monkeypatch.setitem(MEMORY, "cpu", 1)
    assert list(map(len, plan(wanted))) == [1] * 6
    monkeypatch.undo()
    assert replica_bytes(make_spec(**LARGE)) > MEMORY["cpu"] / 2


MEASURE = """
import re, sys, torch
torch.set_num_threads(1)
from synaptree import make_spec, train_replicas
def peak():  # ru_maxrss would begin with that of the test runner
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
small = make_spec(rule="backprop", v=4, n=4, m=2, L=2, P=16, batch=8, tests=16, steps=2, width=8)
train_replicas([small])
spec = make_spec(**eval(sys.argv[1]), steps=3, evaluations=1)
before = peak()
train_replicas(spec.replicate(4))
print(peak() - before)
"""


@pytest.mark.parametrize(
    "given",
    [
        {"rule": "backprop", "v": 8, "n": 8, "m": 6, "L": 4, "P": 131072},
        {"rule": "clapp", "views": ["same_class"], "v": 8, "n": 8, "m": 6, "L": 4, "P": 16384},
    ],
)  # fmt: skip
def test_the_memory_of_a_group_is_foreseen(given):
    command = [sys.executable, "-c", MEASURE, repr(given)]
    measured = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert group_bytes(make_spec(**given), 4) == pytest.approx(measured, rel=0.3)

"""The time left, on made-up studies whose end is known."""

import heapq
import itertools

import numpy as np
import pytest

from synaptree import make_spec
from synaptree.study.plan import cost, plan, tasks
from synaptree.study.time_left import TimeLeft
from synaptree.study.update import Update

EVERY = 0.5  # seconds between the news of a group
KIND = {"v": 8, "n": 8, "m": 4, "P": 400, "tests": 2048}


def grid(rules=("backprop", "dfa"), L=(2, 3), width=(32, 256), steps=(2000,), replicas=2):
    """Groups of very different cost."""
    axes = itertools.product(rules, L, width, steps)
    views = {"clapp": {"views": "same_class"}}
    return plan(
        [
            spec
            for rule, l, h, count in axes
            for m in (4, 5, 6)
            for spec in make_spec(
                rule=rule, L=l, width=h, steps=count, **KIND | {"m": m}, **views.get(rule, {})
            ).replicate(replicas)
        ]
    )


class Timeline:
    """A study on workers that free themselves for the next task, as the engine hands them out.

    took: the true seconds of a group, of which `portrait` come after its last step.  starts: when
    each worker is there.  clock: what a second of work at a moment takes, for a busy machine.
    """

    def __init__(self, groups, took, starts, portrait=0.2, clock=lambda now: now):
        free = [(start, worker) for worker, start in enumerate(starts)]
        heapq.heapify(free)
        self.news = []
        for together in tasks(groups):
            now, worker = heapq.heappop(free)
            ended, sent = [], -1.0
            for group in together:
                steps, long = groups[group][0].steps, took[group]
                trains = long * (1 - portrait)
                moments = [*np.arange(EVERY, trains, EVERY), long]
                for at in moments:
                    if now + at - sent >= 0.1:
                        step = min(steps, int(steps * at / trains))
                        self.news.append((now + at, Update(groups, group, step, 0.5)))
                        sent = now + at
                now += long
                ended.append((group, steps, long))
            for group, steps, long in ended:
                self.news.append((now, Update(groups, group, steps, failed=0, seconds=long)))
            heapq.heappush(free, (now, worker))
        self.news = [(clock(when), update) for when, update in self.news]
        self.news.sort(key=lambda pair: pair[0])
        self.began, self.ends = min(starts), self.news[-1][0]

    def said(self, groups):
        """What is said at each twentieth of the time, beside what is true."""
        time_left, told = TimeLeft(groups), 0
        for now in np.linspace(self.began, self.ends, 21)[:-1]:
            while self.news[told][0] <= now:
                time_left(self.news[told][1], self.news[told][0])
                told += 1
            yield (
                (now - self.began) / (self.ends - self.began),
                time_left.seconds(now),
                self.ends - now,
            )


def assert_within(groups, timeline, factor=1.5, first=0.1):
    """From a tenth on the time left is within a factor; near the end within 5% of the whole."""
    whole = timeline.ends - timeline.began
    for share, said, true in timeline.said(groups):
        if share >= first:
            assert said is not None, share
            wrong = max(said / true, true / max(said, 1e-9))
            assert wrong <= factor or abs(said - true) < 0.05 * whole, (share, said, true)


def nominal(groups, scale=1.0, **by_rule):
    """What groups take on a machine of another speed, where some rules take longer than said."""
    return [scale * by_rule.get(g[0].rule.name, 1.0) * cost(g) for g in groups]


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("scale", [1.0, 10.0, 100.0])
def test_groups_of_very_different_cost(workers, scale):
    groups = grid()
    assert cost(groups[0]) > 10 * cost(groups[-1])
    assert_within(groups, Timeline(groups, nominal(groups, scale), [0.0] * workers))


@pytest.mark.parametrize("portrait", [0.0, 0.25])
def test_portraits_that_take_more_or_less_than_is_thought(portrait):
    groups = grid()
    timeline = Timeline(groups, nominal(groups, 3.0), [0.0] * 2, portrait=portrait)
    assert_within(groups, timeline)


def test_rules_that_take_longer_than_is_thought():
    groups = grid(("backprop", "dfa", "clapp"))
    took = nominal(groups, 2.0, dfa=1.3, clapp=1.5)
    assert_within(groups, Timeline(groups, took, [0.0] * 2))


def test_workers_that_start_late():
    groups = grid(steps=(2000, 2001, 2002))
    took = nominal(groups, 5.0)
    late = sum(took) / 4 / 25
    assert_within(groups, Timeline(groups, took, [0.0, 0.0, late, 1.2 * late]))


def test_a_busy_start():
    """At first everything takes ten times as long: processes start, and others are at work."""
    groups = grid(steps=(2000, 2001))
    took = nominal(groups, 5.0)
    slow = sum(took) / 2 / 300

    def clock(now):
        return 10 * now if now < slow else now + 9 * slow

    assert_within(groups, Timeline(groups, took, [0.0] * 2, clock=clock), first=0.15)


def test_a_study_that_goes_on_counts_what_is_left_alone():
    groups = grid()[5:]
    assert_within(groups, Timeline(groups, nominal(groups, 2.0), [100.0] * 2))


def test_many_tiny_groups_that_are_handed_out_together():
    groups = grid(steps=range(4, 204), L=(2,), width=(8,))
    assert max(map(len, tasks(groups))) > 3
    assert_within(groups, Timeline(groups, nominal(groups, 2.0), [0.0] * 3))


def test_groups_that_stop_early_or_fail_are_over():
    groups = grid()
    time_left = TimeLeft(groups)
    for number in range(len(groups)):
        time_left(Update(groups, number, 1, None), float(number))
        took = None if number % 2 else 1.0
        time_left(Update(groups, number, 2000, failed=2 * (number % 2), seconds=took), number + 0.5)
    assert time_left.seconds(100.0) == 0.0


def test_nothing_is_said_before_anything_was_measured():
    (group,) = grid(("dfa",), (3,), (128,))[:1]
    groups = [group]
    time_left = TimeLeft(groups)
    for now, step in ((1000.0, 1), (1001.0, 2), (5000.0, 10)):  # ten steps are not made yet
        assert time_left.seconds(now) is None
        time_left(Update(groups, 0, step), now)
    assert time_left.seconds(5000.0) is None
    time_left(Update(groups, 0, 100), 5400.0)
    assert time_left.seconds(5400.0) is not None

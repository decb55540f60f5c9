"""The decisions of a search, on planted problems whose best setting is known."""

import math
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planted
from planted import CHANCE, FILE, distance, played, searched
from synaptree.results.row import failed_row
from synaptree.study.search.outcomes import Outcome, outcome_of
from synaptree.study.search.race import Decisions
from synaptree.training.spec import make_spec

WHOLE_GRID = FILE.replace("settings: {settings}", "settings: 6").replace("{widenings}", "0")


def by_contest(ran):
    """The settings that each rule ran on each kind, with the seeds of each."""
    tried = defaultdict(lambda: defaultdict(set))
    for spec in ran:
        setting = (spec.lr, spec.batch)
        tried[spec.L, spec.rule.name][setting].add(spec.grammar_seed)
    return tried


@pytest.mark.parametrize("best", [0.001, 0.003, 0.01])
@pytest.mark.parametrize("batch", [16, 32])
def test_the_best_setting_of_the_grid_is_found(best, batch):
    winners, _ = played(
        searched(WHOLE_GRID), lambda s: distance(s, best) + 0.1 * (s.batch != batch)
    )
    assert [w.contest.space.setting(w.point) for w in winners] == [{"lr": best, "batch": batch}] * 4
    assert [w.error for w in winners] == pytest.approx([0.02] * 4)


def test_a_best_setting_at_an_edge_is_widened_until_it_is_not():
    search = searched(settings=6, widenings=3)  # the first three have a learning rate each
    winners, _ = played(search, lambda s: distance(s, 0.12))
    for winner in winners:
        assert winner.contest.space.setting(winner.point)["lr"] == 0.111
        # 0.0333, 0.111, 0.37: the last one was worse.
        assert (winner.widened, winner.edges) == (3, {})
        assert winner.verdict == "not at an edge after 3 widenings"
    winners, _ = played(search, lambda s: distance(s, 100))
    assert {w.verdict for w in winners} == {"at an edge after 3 widenings (lr 1.23 was not tried)"}
    winners, _ = played(search, lambda s: distance(s, 1e-4))
    assert {w.contest.space.setting(w.point)["lr"] for w in winners} == {0.000111}


def test_a_rule_that_needs_no_widening_gets_settings_from_the_space_instead():
    search = searched(settings=6, widenings=3)
    error = {"backprop": 0.003, "dfa": 1.0}
    winners, ran = played(search, lambda s: distance(s, error[s.rule.name]))
    widened = {w.contest.rule: w.widened for w in winners}
    assert widened == {"backprop": 0, "dfa": 3}
    grid = {(lr, batch) for lr in (0.001, 0.003, 0.01) for batch in (16, 32)}
    for (_, rule), tried in by_contest(ran).items():
        assert len(tried) == 6
        assert (set(tried) == grid) == (rule == "backprop")


def test_what_cannot_be_run_beyond_an_edge_is_said():
    space = "lr: {{choice: [0.003, 0.01]}}, batch: [16, 32]"
    text = FILE.replace("lr: [0.001, 0.003, 0.01], batch: {{choice: [16, 32]}}", space)
    search = searched(text, settings=4, widenings=2)
    winners, _ = played(search, lambda s: 0.7 - s.batch / 100)
    assert {w.contest.space.setting(w.point)["batch"] for w in winners} == {64}
    verdicts = {w.contest.kind: w.verdict.removeprefix("at an edge after ") for w in winners}
    assert verdicts == {
        "shallow": "1 widening (batch: 128 given, but P is 64; expected at most P)",
        "deep": "1 widening (budget: 960 inputs are no whole number of batches of 128; expected a "
        "multiple, as 1024)",
    }
    assert {w.settings for w in winners} == {4}


@settings(max_examples=40)
@given(st.integers(2, 6), st.data(), st.integers(0, 2**32))
def test_every_rule_tries_as_many_settings_in_as_many_runs(count, data, noise):
    widenings = data.draw(st.integers(0, count - 1))
    search = searched(settings=count, widenings=widenings)

    def error(spec):
        return CHANCE * (hash((noise, spec.lr, spec.batch, spec.rule.name, spec.L)) % 8) / 8

    winners, ran = played(search, error)
    assert len(winners) == len(search.contests) == 4
    assert {w.settings for w in winners} == {count}
    assert {w.runs for w in winners} == {search.runs}
    tried = by_contest(ran)
    assert {len(settings) for settings in tried.values()} == {count}
    assert Counter((s.L, s.rule.name) for s in ran) == dict.fromkeys(tried, search.runs)
    assert {s.steps * s.batch for s in ran} == {9600, 960}
    for winner in winners:
        # Of the settings that ran on all seeds none is better.
        own = tried[winner.contest.base.L, winner.contest.base.rule.name]
        full = [s for s in ran if s.L == winner.contest.base.L
                and s.rule.name == winner.contest.base.rule.name
                and own[s.lr, s.batch] == {0, 1, 2, 3}]  # fmt: skip
        assert winner.error == pytest.approx(min(map(error, full)))
        # At an edge means: the value beyond was not tried with all else alike.
        setting = winner.contest.space.setting(winner.point)
        beyond = winner.contest.space.beyond(winner.point).get("lr")
        was_tried = beyond is None or beyond.values in own
        assert (winner.edges == {}) == was_tried, setting


def test_rungs_promote_the_better_settings_by_their_mean():
    # The first two seeds like a small learning rate, the others a large one.
    text = FILE.replace("widenings: {widenings}", "widenings: 0").replace(
        "kinds:",
        "rungs: [{{seeds: 1}}, {{seeds: 2, settings: 4}}, {{seeds: 4, settings: 2}}]\nkinds:",
    )
    best = {0: 0.001, 1: 0.001, 2: 0.01, 3: 0.01}
    winners, ran = played(searched(text), lambda s: 2 * distance(s, best[s.grammar_seed]))
    for tried in by_contest(ran).values():
        assert Counter(map(len, tried.values())) == {1: 2, 2: 2, 4: 2}
        assert {lr for (lr, _), seeds in tried.items() if len(seeds) == 1} == {0.01}
        assert {lr for (lr, _), seeds in tried.items() if len(seeds) == 4} == {0.001}
    assert {w.contest.space.setting(w.point)["lr"] for w in winners} == {0.001}


def test_a_share_of_the_budget_is_another_run():
    text = FILE.replace("kinds:", "rungs: [{{seeds: 2, budget: 0.1}}, {{seeds: 4}}]\nkinds:")
    search = searched(text)
    _, ran = played(search, lambda s: distance(s, 0.003))
    inputs = Counter(s.steps * s.batch for s in ran if s.L == 2 and s.rule.name == "dfa")
    assert inputs == {960: 4 * 2, 9600: 2 * 4 + 2 * 4}
    assert search.runs == sum(inputs.values())


@pytest.mark.parametrize("error", [0.0, CHANCE, CHANCE - 0.003])
def test_equal_means_are_told_apart_by_the_time_to_solve_then_the_loss_then_the_order(error):
    search = searched(WHOLE_GRID)
    first = search.contests[0].drawn[0]

    def same(spec):  # a thousandth is no difference that the test strings can tell
        return error + 1e-3 * (spec.lr == 0.003)

    (winner, *_), _ = played(search, same)
    assert winner.point == first
    (winner, *_), _ = played(search, same, loss=lambda s: abs(math.log10(s.lr / 0.003)))
    assert winner.contest.space.setting(winner.point)["lr"] == 0.003
    (winner, *_), _ = played(
        search, same, inputs=lambda s: 1 / s.lr, loss=lambda s: abs(math.log10(s.lr / 0.003))
    )
    assert winner.contest.space.setting(winner.point)["lr"] == 0.01


def test_a_run_that_fails_counts_as_guessing():
    search = searched(WHOLE_GRID)
    # The best settings fail on one seed of four; the next one does not.
    specs = [s for c in search.contests for p in c.drawn for s in c.runs(p, search.seeds)]
    lost = {s.run_id for s in specs if s.lr == 0.003 and s.grammar_seed == 1}
    winners, ran = played(search, lambda s: distance(s, 0.003), failed=lost)
    asked = {s.run_id for s in ran}
    for winner in winners:
        assert winner.contest.space.setting(winner.point)["lr"] != 0.003
    assert sum(w.failed for w in winners) == len(lost & asked) > 0
    everything = {s.run_id for s in specs}
    winners, _ = played(search, lambda s: 0.0, failed=everything)
    assert [w.errors for w in winners] == [[CHANCE] * 4] * 4
    assert [w.failed for w in winners] == [search.runs] * 4


SPEC = make_spec(rule="backprop", v=4, n=4, m=3, L=2, P=36, batch=12, steps=100)


def row(errors, loss=0.5, test_error=0.1, **changed):
    steps = [10 * (i + 1) for i in range(len(errors))]
    curve = {"step": steps, "test_error": errors, "train_loss": [1.0] * (len(errors) - 1) + [loss]}
    spec = SPEC.model_dump(mode="json")
    return {"status": "done", "spec": spec, "test_error": test_error, "curve": curve} | changed


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (row([0.7, 0.05, 0.01]), Outcome(0.1, 240, 0.5)),
        (row([0.0, 0.7, 0.01]), Outcome(0.1, 360, 0.5)),  # solved for good from there on
        (row([0.7, 0.01, 0.2]), Outcome(0.1, 1200, 0.5)),
        (row([0.01, 0.01]), Outcome(0.1, 120, 0.5)),
        (row([0.01, None]), Outcome(0.1, 1200, 0.5)),
        (row([0.7], loss=None), Outcome(0.1, 1200, math.inf)),
        (row([0.01], diverged=True, test_error=0.9), Outcome(0.75, 1200, math.inf)),
        (row([0.01], test_error=None), Outcome(0.75, 1200, math.inf)),
        (failed_row(SPEC, "why"), Outcome(0.75, 1200, math.inf, failed=True)),
    ],
)
def test_the_outcome_of_a_row(given, expected):
    assert outcome_of(given) == expected


def test_chance_error_is_that_of_the_planted_search():
    assert searched().contests[0].chance == planted.CHANCE


def test_winners_need_all_rounds():
    decisions = Decisions(searched(), {})
    next(iter(decisions))
    with pytest.raises(KeyError):
        decisions.winners()

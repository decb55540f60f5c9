"""The second registration on hand-made frames: exact values, and what was not asked, and why."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from worlds import (
    BUDGET,
    DEEP,
    PLAIN,
    SEEDS,
    SIZES,
    UNIFORM,
    audit,
    cell,
    curves,
    frame_of,
    portrait,
)

from synaptree.audit.matrix import audit as audit_rule
from synaptree.claims import second
from synaptree.claims.judge import verdicts_of
from synaptree.claims.second.base import judge_study
from synaptree.claims.second.cells import cells
from synaptree.claims.second.chance import Chance, Share, every, some
from synaptree.claims.second.outcome import Endpoint, Part
from synaptree.claims.second.scoreboard import KNOWS, knows, scoreboard
from synaptree.claims.second.study import Study
from synaptree.rules import get

GOOD, FAR = np.full(20, 0.01), np.full(20, 0.7)
CLAIMS = {claim.number: claim for claim in second.CLAIMS}


def some_solved(count, of=20):
    return np.where(np.arange(of) < count, 0.01, 0.7)


def outcome(number, cells_, audits=None):
    (found,) = judge_study(Study(cells_, audits or {}), [CLAIMS[number]])
    return found


def endpoint(number, about, cells_, audits=None):
    (found,) = (e for e in outcome(number, cells_, audits).endpoints if e.about == about)
    return found


def backprop(kind=DEEP, errors=GOOD, **given):
    return cell("backprop", errors, kind, **given)


# Statements ---------------------------------------------------------------------------------------


def test_a_statement_about_all_needs_the_weakest_and_its_contrary_is_corrected():
    three = [Chance(0.001, 1.0), Chance(0.02, 0.9), Chance(0.01, 0.8)]
    assert every(three) == Chance(0.02, 1.0)
    assert every([Chance(0.9, 0.004), Chance(0.001, 1.0)]) == Chance(0.9, 0.008)
    assert some(three) == Chance(pytest.approx(0.003), 1.0)
    assert every([]) == some([]) == Chance(1.0, 1.0)


@pytest.mark.parametrize(
    ("hits", "of", "answer"),
    [
        (15, 20, "yes"),
        (14, 20, "mixed"),
        (6, 20, "mixed"),
        (5, 20, "no"),
        (9, 10, "yes"),
        (6, 6, "yes"),
        (0, 6, "no"),
        (5, 5, "mixed"),
        (0, 5, "mixed"),
        (1, 1, "mixed"),
        (0, 0, "mixed"),
    ],
)
def test_how_many_grammars_solve_a_kind(hits, of, answer):
    assert Share(hits, of).answer == answer


def parts(*chances):
    kinds = [DEEP._replace(m=m) for m in range(2, 2 + len(chances))]
    return [Part(kind, chance) for kind, chance in zip(kinds, chances, strict=True)]


YES, NO, OPEN = Chance(1e-6, 1.0), Chance(1.0, 1e-6), Chance(0.3, 0.6)


@pytest.mark.parametrize(
    ("chances", "verdict"),
    [
        ([YES, YES], "holds"),
        ([YES, NO], "holds within"),
        ([YES, OPEN], "holds within"),
        ([NO, OPEN], "fails"),
        ([NO, NO], "fails"),
        ([OPEN, OPEN], "mixed"),
        ([None, None], "not asked"),
        ([YES, None], "holds"),
    ],
)
def test_a_verdict_follows_from_kinds(chances, verdict):
    assert Endpoint("those", parts(*chances)).verdict == verdict


def test_scope_names_the_kinds_on_which_it_holds():
    found = Endpoint("those", parts(YES, NO, OPEN))
    assert ([k.m for k in found.scope], [k.m for k in found.against]) == ([2], [3])


def test_a_kind_that_was_picked_out_of_several_is_corrected_for_it():
    weak = Chance(0.02, 0.99)
    assert Endpoint("one", parts(weak)).verdict == "holds"
    assert Endpoint("two", parts(weak, OPEN)).verdict == "mixed"
    assert Endpoint("all", parts(weak, weak)).verdict == "holds"  # all of them: nothing was picked


def test_holms_correction_is_over_all_endpoints_in_both_directions():
    # Two-sided: 2 · 0.002, 2 · 0.008, 2 · 0.011, 2 · 0.2. Holm: times 4, 3, 2, 1 against 0.05.
    of = {"a": Chance(0.002, 1.0), "b": Chance(1.0, 0.008), "c": Chance(0.011, 1.0)}
    of["d"] = Chance(0.2, 0.8)
    endpoints = tuple(Endpoint(name, parts(chance)) for name, chance in of.items())
    shown = second.outcome.Outcome("1", "a claim", endpoints, registered=True, seeds=SEEDS)
    (found,) = second.base.corrected([shown])
    assert [e.verdict for e in found.endpoints] == ["holds", "fails", "holds", "mixed"]
    assert [e.times for e in found.endpoints] == [4, 3, 2, 1]
    closer = replace(shown, endpoints=(*endpoints[:1], Endpoint("b", parts(Chance(1.0, 0.009)))))
    several = replace(closer, endpoints=(*closer.endpoints, *endpoints[2:]))
    (found,) = second.base.corrected([several])
    # After the first that decides nothing, no other decides, although 2 · 0.011 · 2 < 0.05.
    assert [e.verdict for e in found.endpoints] == ["holds", "mixed", "mixed", "mixed"]
    assert [e.alone for e in found.endpoints] == ["holds", "fails", "holds", "mixed"]


# From a frame to cells ----------------------------------------------------------------------------


def test_cells_are_what_the_frame_says():
    made = [backprop(), cell("clapp", some_solved(12)), cell("dfa", FAR, P=1024)]
    made[0] = portrait(np.random.default_rng(0), replace(made[0], steps=np.arange(20.0) + 5), 1.0)
    found = {c.rule: c for c in cells(frame_of(made), SEEDS)}
    for one in made:
        other = found[one.rule]
        assert (one.kind, one.P, one.seeds, one.form) == (
            other.kind,
            other.P,
            other.seeds,
            other.form,
        )
        assert (one.subfamily, one.tier, one.views) == (other.subfamily, other.tier, other.views)
        assert np.array_equal(one.errors, other.errors)
        assert one.inputs == other.inputs == 3000 * 128
    assert found["backprop"].steps == pytest.approx(made[0].steps)
    assert np.array_equal(found["backprop"].probe, made[0].probe)
    assert found["clapp"].tier == "T1"
    assert found["clapp"].solved.sum() == 12


def test_a_grammar_is_solved_at_a_tenth_of_chance():
    errors = [0.0875, 0.08751, 0.0]
    (one,) = cells(frame_of([cell("dfa", errors, seeds=(200, 201, 202))]), SEEDS)
    assert one.solved.tolist() == [True, False, True]


def test_other_seeds_are_not_used_and_a_rehearsal_says_so():
    frame = frame_of([backprop(), cell("dfa", FAR)])
    rehearsed = frame.assign(seed=frame["seed"] - 200)
    (registered,) = verdicts_of(frame, {}, [CLAIMS["2c"]])
    assert registered.registered
    assert registered.seeds == SEEDS
    (nothing,) = verdicts_of(rehearsed, {}, [CLAIMS["2c"]])
    assert (nothing.seeds, nothing.verdict) == ((), "not asked")
    (rehearsal,) = verdicts_of(rehearsed, {}, [CLAIMS["2c"]], seeds=range(20))
    assert (rehearsal.registered, rehearsal.seeds) == (False, tuple(range(20)))


def test_settings_are_never_pooled():
    slow = cell("dfa", FAR, settings={"lr": 0.01})
    fast = cell("dfa", GOOD, settings={"lr": 0.1})
    found = cells(frame_of([slow, fast]), SEEDS)
    assert sorted(c.solved.sum() for c in found) == [0, 20]
    assert sorted(c.label for c in found) == ["dfa, lr=0.01", "dfa, lr=0.1"]


def test_rows_that_are_there_twice_count_once():
    frame = frame_of([cell("dfa", some_solved(15))]).assign(run_id=[f"{i:016x}" for i in range(20)])
    (once,) = cells(frame, SEEDS)
    (twice,) = cells(pd.concat([frame, frame]), SEEDS)
    assert len(twice.seeds) == len(once.seeds) == 20


def test_of_several_networks_on_one_grammar_the_first_counts():
    frame = frame_of([cell("dfa", some_solved(15))]).assign(data_seed=0, network_seed=0)
    more = frame.assign(network_seed=1, test_error=0.7)
    for both in (pd.concat([more, frame]), pd.concat([frame, more])):
        (found,) = cells(both, SEEDS)
        assert (len(found.seeds), found.solved.sum()) == (20, 15)


def test_a_diverged_run_and_a_missing_error_are_guesses():
    frame = frame_of([cell("dfa", [0.0, np.nan, 0.01], seeds=(200, 201, 202))])
    frame["diverged"] = [True, False, False]
    (found,) = cells(frame, SEEDS)
    assert found.errors.tolist() == [0.875, 0.875, 0.01]
    assert (found.solved.tolist(), found.diverged) == ([False, False, True], 1)


def test_failed_runs_are_counted_apart():
    frame = frame_of([cell("dfa", GOOD)])
    frame.loc[3, "status"] = "failed"
    (found,) = cells(frame, SEEDS)
    assert (len(found.seeds), found.failed) == (19, 1)


def test_an_empty_frame_asks_nothing():
    frame = frame_of([backprop()])[:0]
    assert {o.verdict for o in verdicts_of(frame, {}, second.CLAIMS)} == {"not asked"}
    assert scoreboard(frame, {}).empty


def test_one_grammar_decides_nothing():
    made = [backprop(errors=[0.0], seeds=(200,)), cell("dfa", [0.8], seeds=(200,))]
    found = verdicts_of(frame_of(made), {}, second.CLAIMS)
    assert {o.verdict for o in found} == {"not asked"}
    assert "is not shown to solve (1 of 1 grammars)" in found[0].why_not[0]


def test_the_same_verdicts_follow_from_a_frame_and_from_cells():
    rng = np.random.default_rng(3)
    made = curves(rng, {"backprop": 8192, "dfa": 60000, "clapp": 9000, "lpl": 30000})
    # Untrained networks: level 1 is read from layer 1, and no other level from its layer.
    untrained = portrait(rng, cell("readout_only", FAR), 1.0)
    untrained.probe[:, range(1, 4), range(1, 4)] = 0.4
    made.append(untrained)
    by_frame = verdicts_of(frame_of(made), {}, second.CLAIMS)
    by_cells = judge_study(Study(made), second.CLAIMS)
    assert [o.verdict for o in by_frame] == [o.verdict for o in by_cells]
    for one, other in zip(by_frame, by_cells, strict=True):
        for a, b in zip(one.endpoints, other.endpoints, strict=True):
            assert [p.chance for p in a.parts] == [p.chance for p in b.parts]
    assert {o.number for o in by_frame if o.verdict != "not asked"} >= {"1b", "3", "4a"}


# What was not asked, and why ----------------------------------------------------------------------


def test_a_kind_that_backprop_does_not_solve_is_not_asked():
    found = endpoint("2c", "random weights, true masks", [backprop(errors=FAR)])
    assert found.verdict == "not asked"
    assert found.why_not == [f"backprop fails (0 of 20 grammars) on {DEEP.name} P={PLAIN}"]


def test_a_kind_with_nothing_to_learn_is_not_asked():
    shallow = [backprop(depth=1), cell("feedback_alignment", GOOD, depth=1)]
    assert "has effective depth 1" in outcome("2c", shallow).why_not[0]
    easy = [backprop(), cell("feedback_alignment", GOOD), cell("readout_only", GOOD)]
    assert "random features solve" in outcome("2c", easy).why_not[0]
    unknown = [backprop(depth=None), cell("feedback_alignment", GOOD, depth=None)]
    assert outcome("2c", unknown).verdict == "holds"
    assert outcome("2c", unknown).endpoints[0].parts[0].depth is None


def test_direct_feedback_needs_backprops_budget_and_four_times_its_data():
    dfa = cell("dfa", FAR)
    about = "fixed direct feedback"
    alone = endpoint("1a", about, [backprop(), dfa])
    assert "no run at P of 262144 or more" in alone.why_not[0]
    few = backprop(P=PLAIN // 4)
    assert endpoint("1a", about, [backprop(), few, dfa]).verdict == "holds"
    long = cell("dfa", FAR, settings={"steps_asked": 15000})
    assert endpoint("1a", about, [backprop(), few, long]).verdict == "not asked"
    # Solving with five times the steps does not contradict it.
    slow = cell("dfa", GOOD, settings={"steps_asked": 15000})
    assert endpoint("1a", about, [backprop(), few, dfa, slow]).verdict == "holds"


def test_every_setting_of_every_rule_must_fail():
    base = [backprop(), backprop(P=PLAIN // 4), cell("dfa", FAR), cell("drtp", FAR)]
    lucky = cell("dfa", GOOD, settings={"lr": 0.3})
    assert endpoint("1a", "fixed direct feedback", base).verdict == "holds"
    found = endpoint("1a", "fixed direct feedback", [*base, lucky])
    assert found.verdict == "fails"
    (part,) = found.parts
    assert (part.said("yes"), part.said("no")) == (["dfa", "drtp"], ["dfa"])
    assert part.best.cell is lucky
    assert part.solved_by_any == Share(20, 20)
    assert part.reference.solved == Share(20, 20)


def test_the_best_rule_is_not_one_that_ran_on_a_single_grammar():
    lone = cell("dfa", [0.0], seeds=(200,))
    most, least = cell("drtp", some_solved(15)), cell("error_broadcast", some_solved(3))
    base = [backprop(), backprop(P=PLAIN // 4), lone, most, least]
    (part,) = endpoint("1a", "fixed direct feedback", base).parts
    assert part.best.cell is most


def test_vector_units_are_judged_where_their_gradient_solves():
    base = [backprop(), backprop(P=PLAIN // 4), cell("global_error_vector", FAR)]
    about = "vector units"
    assert "was not run" in endpoint("1a", about, base).why_not[0]
    fails = cell("global_error_vector", FAR, signal="gradient")
    assert "fails (0 of 20" in endpoint("1a", about, [*base, fails]).why_not[0]
    solves = cell("global_error_vector", GOOD, signal="gradient")
    assert endpoint("1a", about, [*base, solves]).verdict == "holds"


def test_each_family_has_a_verdict_of_its_own():
    base = [backprop(), backprop(P=PLAIN // 4), cell("dfa", FAR), cell("forward_dfa", GOOD)]
    found = outcome("1a", base)
    verdicts = {e.about: e.verdict for e in found.endpoints}
    assert (verdicts["fixed direct feedback"], verdicts["learned direct feedback"]) == (
        "holds",
        "fails",
    )
    assert verdicts["perturbation"] == "not asked"
    assert found.verdict == "holds within"
    assert found.scope == [("fixed direct feedback", [DEEP])]
    assert found.against == [("learned direct feedback", [DEEP])]


def law(rule, need, count=6, seeds=None, **given):
    """A curve without any spread."""
    seeds = SEEDS[:count]
    return [
        cell(rule, np.full(count, 0.875 / (1 + 9 * (P / need) ** 3)), P=P, seeds=seeds, **given)
        for P in SIZES
    ]


def test_appetite_is_told_from_incapacity_by_fresh_strings():
    never = [cell("dfa", np.full(6, 0.7), P=P, seeds=SEEDS[:6]) for P in SIZES]
    base = law("backprop", 8192)
    fresh = {"steps_asked": 1000, "batch": 128}

    def nature(*more):
        return endpoint("1b", "fixed direct feedback", [*base, *more]).parts[0]

    assert nature(*law("dfa", 32768)).nature == "appetite"
    assert nature(*law("dfa", 32768)).entries[0].estimate.value == pytest.approx(4, rel=1e-6)
    assert nature(*never).nature == "not at P=131072, fresh strings not decided"
    last = [replace(never[-1], P=262144, settings=fresh), replace(never[-1], settings=BUDGET)]
    assert nature(*never[:-1], *last).nature == "never"
    helped = [replace(last[0], errors=np.full(6, 0.01), label="dfa, long")]
    assert nature(*never, *helped).nature == "appetite"
    assert "not tried above P=32768" in nature(*never[:-2]).lacking[0]


def test_the_interaction_of_weights_and_masks_and_what_each_is_worth():
    # Errors 0, 0.4, 0.6, 0.8: masks save 0.4 with W and 0.2 with random weights.
    made = [
        backprop(errors=np.zeros(20)),
        cell("symmetric_direct", np.full(20, 0.4)),
        cell("feedback_alignment", np.full(20, 0.6)),
        cell("masking", np.full(20, 0.8), weights="random", masks="none"),
    ]
    found = endpoint("2a", "interaction", made)
    (entry,) = found.parts[0].entries
    assert entry.estimate.value == pytest.approx(0.2)
    assert entry.others["weights"].value == pytest.approx((0.4 + 0.6) / 2)
    assert entry.others["masks"].value == pytest.approx((0.2 + 0.4) / 2)
    assert entry.others["share of weights"].value == pytest.approx(0.5 / 0.8)
    assert entry.others["share of masks"].value == pytest.approx(0.3 / 0.8)
    assert found.verdict == "holds"
    lacking = endpoint("2a", "interaction", made[:3])
    assert lacking.why_not == [
        f"no run with random weights with none masks on {DEEP.name} P={PLAIN}"
    ]
    # The laboratory's corners are the same rules under another name.
    named = [
        cell("masking", np.zeros(20), masks="true"),
        cell("masking", np.full(20, 0.4)),
        cell("masking", np.full(20, 0.6), weights="random", masks="true"),
        made[3],
    ]
    both = endpoint("2a", "interaction", [backprop(errors=np.zeros(20)), *named])
    assert both.parts[0].entries[0].estimate.value == pytest.approx(0.2)
    ungated = cell("masking", np.full(20, 0.8), weights="random", masks="none", own_gate=False)
    assert endpoint("2a", "interaction", [*made[:3], ungated]).verdict == "not asked"


def test_missing_masks_prevent_or_slow():
    def timed(rule, errors, steps, **settings):
        return replace(cell(rule, errors, settings=settings), steps=np.full(20, float(steps)))

    base = timed("backprop", GOOD, 1000)
    long, wide = {"steps_asked": 15000}, {"steps_asked": 15000, "width": 256}

    def part(errors, steps, *settings):
        runs = [timed("symmetric_direct", errors, steps, **each) for each in settings]
        return endpoint("2b", "W without masks", [base, *runs]).parts[0]

    assert part(FAR, np.inf, long, wide).nature == "prevents"
    slows = part(GOOD, 2500, long, wide)
    assert (slows.nature, slows.chance.answer()) == ("slows", "no")
    assert slows.entries[0].others["steps"].value == 2.5
    assert part(GOOD, 1500, long, wide).nature == "neither"
    # That they fail takes the longest and widest runs; that they solve does not.
    narrow, short = part(FAR, np.inf, long), part(FAR, np.inf, {"steps_asked": 3000})
    assert "no run of W without masks with 2 times its width" in narrow.lacking[0]
    assert "5 times backprop's budget" in short.lacking[0]
    assert [(p.chance.answer(), p.nature) for p in (narrow, short)] == [("mixed", "")] * 2
    quick = part(GOOD, 1500, {"steps_asked": 3000})
    assert (quick.chance.answer(), quick.nature) == ("no", "neither")
    mixed = [timed("symmetric_direct", e, 1500, **s) for e, s in ((FAR, long), (FAR, wide),
             (GOOD, {"steps_asked": 3000}))]  # fmt: skip
    assert endpoint("2b", "W without masks", [base, *mixed]).verdict == "fails"
    assert endpoint("2b", "W without masks", [base]).verdict == "not asked"


def test_layerwise_rules_are_told_with_their_tier():
    same = ("same_class",) * 4
    made = [backprop(), cell("clapp", some_solved(2)), cell("clapp", GOOD, views=same)]
    found = outcome("3", made)
    tiers = {e.about: (e.primary, e.verdict) for e in found.endpoints}
    assert tiers["contrastive"] == (True, "holds")
    assert tiers["contrastive, T1"] == (False, "fails")
    assert tiers["contrastive, T2"] == (False, "holds")
    assert tiers["contrastive, T0"] == (False, "not asked")
    assert found.endpoints[0].parts[0].nature == "T2"
    assert found.verdict == "holds within"  # no non-contrastive rule was run
    where = f"within backprop's budget on {DEEP.name} P={PLAIN}"
    assert found.why_not == [f"no non-contrastive rule in T0, T1, T2 {where}"]


def test_layerwise_rules_have_backprops_budget_at_most():
    lavish = cell("clapp", GOOD, settings={"batch": 512})
    thrifty = cell("clapp", GOOD, settings={"steps_asked": 1000})
    assert endpoint("3", "contrastive", [backprop(), lavish]).verdict == "not asked"
    assert endpoint("3", "contrastive", [backprop(), thrifty]).verdict == "holds"


def test_the_least_solving_tier_of_many_rules_needs_holm():
    # 15 of 20 lies above one half (p = 0.0207); one such rule of four decides nothing.
    views = [("same_class",) * 4, (*["sibling"] * 3, "same_class")]
    few = [
        cell(rule, some_solved(8), views=view) for rule in ("clapp", "infonce") for view in views
    ]
    one = endpoint("3", "contrastive", [backprop(), cell("scff", some_solved(15))])
    assert (one.verdict, one.parts[0].entries[0].answer) == ("holds", "yes")
    many = endpoint("3", "contrastive", [backprop(), cell("scff", some_solved(15)), *few])
    assert many.verdict == "mixed"
    assert many.parts[0].said("yes") == ["scff"]


def test_data_are_compared_with_two_references():
    recipe = {"optimizer": "sgd", "parametrisation": "mean_field", "stop_loss": 1e-3}
    made = [
        *law("backprop", 8192, settings={"lr": 0.3}),
        *law("backprop", 16384, settings=recipe),
        *law("clapp", 16384),
    ]
    values = {
        e.about: e.parts[0].entries[0].estimate.value
        for e in outcome("4a", made).endpoints
        if e.asked
    }
    assert values == {
        "contrastive, against the RHM authors' recipe": pytest.approx(1, rel=1e-6),
        "contrastive, against backprop at its best": pytest.approx(2, rel=1e-6),
    }


def test_deep_trees_are_those_that_were_registered():
    shallow = outcome("4b", [*law("backprop", 8192), *law("clapp", 4096)])
    assert shallow.verdict == "not asked"
    assert "no kind with m=4 and L ≥ 5" in shallow.why_not


def test_the_hierarchy_is_beside_backprop_on_the_grammars_that_it_solves():
    rng = np.random.default_rng(0)
    reference = portrait(rng, backprop(errors=some_solved(18)), 1.0)
    clapp = portrait(rng, cell("clapp", GOOD), 1.0)
    (entry,) = endpoint("5", "contrastive", [reference, clapp]).parts[0].entries
    assert entry.counted == Share(18, 18)
    blurred = replace(clapp, sensitivity=clapp.sensitivity + 0.2)
    (entry,) = endpoint("5", "contrastive", [reference, blurred]).parts[0].entries
    assert entry.counted == Share(0, 18)
    assert entry.others["share with probes"].value == 1
    assert entry.others["sensitivity above backprop's"].value == pytest.approx(0.2, abs=0.02)
    # Backprop that is as sensitive is no better.
    moved = replace(reference, sensitivity=reference.sensitivity + 0.15)
    assert endpoint("5", "contrastive", [moved, blurred]).verdict == "holds"
    lost = replace(clapp, probe=np.where(np.eye(4) > 0, clapp.probe - 0.02, clapp.probe))
    assert endpoint("5", "contrastive", [reference, lost]).verdict == "fails"


def test_the_class_is_no_level_of_the_hierarchy_and_diverged_probes_find_nothing():
    rng = np.random.default_rng(0)
    reference, clapp = portrait(rng, backprop(), 1.0), portrait(rng, cell("clapp", GOOD), 1.0)
    clapp.probe[:, 3, 3] = 0.5
    assert endpoint("5", "contrastive", [reference, clapp]).verdict == "holds"
    clapp.probe[:15] = np.nan
    (entry,) = endpoint("5", "contrastive", [reference, clapp]).parts[0].entries
    assert entry.counted == Share(5, 20)
    blank = replace(clapp, probe=None)
    assert "no contrastive rule has probes" in outcome("5", [reference, blank]).why_not[0]
    fails = cell("clapp", FAR)
    assert "no contrastive rule solves" in outcome("5", [reference, fails]).why_not[0]


LOCAL = {"connectivity": "local", "batch": 4}


@pytest.mark.parametrize(
    ("settings", "kept", "note"),
    [
        (LOCAL, {"heard": 1}, "local"),
        (LOCAL | {"connectivity": "shared"}, {"heard": 1}, "shares its weights between positions"),
        (LOCAL, {"heard": 1, "used": ("masks_above",)}, "uses masks_above"),
        # Of two objects a rule that hears the whole batch hears one.
        (LOCAL, {"heard": 5}, "local"),
        (LOCAL | {"batch": 128}, {"heard": 5}, "hears 63 other objects at once"),
        (LOCAL | {"batch": 128}, {"heard": 1}, "local"),
        (LOCAL, {"heard": 0, "of": 0}, "local"),
    ],
)
def test_the_same_form_must_be_local_and_solve(settings, kept, note):
    solving = cell("clapp", GOOD, settings=settings)
    found = endpoint("6", "contrastive", [backprop(), solving], audit("clapp", **kept))
    (entry,) = found.parts[0].entries
    assert entry.note == note
    assert found.verdict == ("holds" if note == "local" else "fails")


def test_what_passes_and_what_solves_must_be_one_form():
    solves = cell("clapp", GOOD, settings={"batch": 128})
    passes = cell("clapp", FAR, settings=LOCAL)
    audits = audit("clapp", heard=1)
    assert endpoint("6", "contrastive", [backprop(), solves, passes], audits).verdict == "fails"
    without = endpoint("6", "contrastive", [backprop(), cell("clapp", GOOD, settings=LOCAL)])
    assert without.verdict == "mixed"
    assert without.why_not == ["no audit of clapp, batch=4 connectivity=local"]
    unknown = [backprop(depth=None), cell("clapp", GOOD, settings=LOCAL, depth=None)]
    assert "is not known: no readout_only run" in outcome("6", unknown, audits).why_not[0]


# Thresholds, and the scoreboard -------------------------------------------------------------------


def test_the_thresholds_are_those_that_were_registered():
    assert {claim.number: dict(claim.thresholds) for claim in second.CLAIMS} == {
        "1a": {"data_at_least_times": 4, "budget_times": 1},
        "1b": {"ratio_above": 2, "tried_up_to": 131072},
        "2a": {"interaction_above": 0.05, "budget_times": 1},
        "2b": {"budget_times": 5, "width_times": 2, "steps_slow_from_times": 2},
        "2c": {"budget_at_most_times": 1},
        "3": {"budget_at_most_times": 1},
        "4a": {"ratio_at_most": 1.5},
        "4b": {"ratio_below": 1, "m": 4, "L_at_least": 5},
        "5": {
            "probe_below_by_at_most": 0.01,
            "sensitivity_above_by_at_most": 0.10,
            "budget_at_most_times": 1,
        },
        "6": {"unknowable_at_most": 0, "other_inputs_at_most": 1, "depth_at_least": 2},
    }
    assert list(second.REGISTERED) == list(range(200, 220))


@pytest.mark.parametrize(("of", "first"), [(20, 18), (10, 10), (6, None)])
def test_how_many_grammars_decide_the_first_of_all_endpoints(of, first):
    study = Study([backprop()])
    count = sum(
        len([e for e in c.collect(study, c.thresholds) if e.primary]) for c in second.CLAIMS
    )
    assert count == 22  # as docs/claims.md says
    deciding = [k for k in range(of + 1) if Share(k, of).chance.answer(count) == "yes"]
    assert min(deciding, default=None) == first


def test_judging_changes_nothing():
    frame = frame_of([backprop(), cell("dfa", FAR)])
    before = frame.copy(deep=True)
    once, again = (verdicts_of(frame, {}, second.CLAIMS) for _ in range(2))
    assert [o.verdict for o in once] == [o.verdict for o in again]
    pd.testing.assert_frame_equal(frame, before)


def test_the_scoreboard_has_a_row_for_each_rule_and_kind():
    rng = np.random.default_rng(0)
    clapp = portrait(rng, cell("clapp", some_solved(19)), 1.0)
    made = [
        replace(backprop(), steps=np.full(20, 500.0)),
        backprop(UNIFORM, FAR),
        cell("dfa", some_solved(10)),
        cell("dfa", some_solved(3), settings={"lr": 0.5}),
        replace(clapp, steps=np.where(np.arange(20) < 8, np.inf, 1000.0)),
    ]
    board = scoreboard(frame_of(made), audit("clapp", heard=1)).set_index(["rule", "kind"])
    assert len(board) == 5
    row = board.loc[("clapp", DEEP.name)]
    assert (row["solved"], row["of"], row["answer"], row["tier"]) == (19, 20, "solves", "T1")
    assert (row["low"], row["high"]) == pytest.approx((0.7513, 0.9987), abs=5e-5)
    assert row["error"] == pytest.approx((19 * 0.01 + 0.7) / 20)
    assert (row["median_error"], row["steps"], row["steps_beside"]) == (0.01, 1000, 2)
    assert (row["levels"], row["of_levels"], row["knows"]) == (4, 4, "nothing global")
    assert (row["budget"], row["inputs"], row["subfamily"]) == (1, 384000, "contrastive")
    assert row["entered"]
    dfa = board.loc[("dfa", DEEP.name)]
    assert dict(zip(dfa["solved"], dfa["best"], strict=True)) == {10: True, 3: False}
    assert set(dfa["knows"]) == {""}
    other = board.loc[("backprop", UNIFORM.name)]
    assert not other["entered"]
    assert "backprop fails" in other["why_not"]


def test_the_scoreboard_says_how_much_data_is_needed():
    made = [*law("backprop", 8192), *law("dfa", 32768), *law("drtp", 10**7)]
    board = scoreboard(frame_of(made), {}).set_index("rule")
    assert board.loc["backprop", "data"] == 1
    assert board.loc["dfa", "data"] == pytest.approx(4, rel=1e-6)
    assert board.loc["drtp", "data_at_least"]
    assert board.loc["drtp", "data_high"] == np.inf
    assert np.isnan(scoreboard(frame_of([backprop()]), {}).loc[0, "data"])


@pytest.mark.parametrize(
    ("used", "heard", "words"),
    [
        ((), 0, "nothing global"),
        (("own", "units", "second_view", "memory"), 1, "nothing global"),
        (("error",), 0, "one broadcast vector"),
        (("error",), 5, "the whole batch"),
        (("weights_above", "error"), 5, "weights of others"),
        (("masks_above", "weights_above"), 0, "masks of others"),
        (("feedback_above",), 0, "weights of others"),
    ],
)
def test_what_a_synapse_must_know_is_one_of_six(used, heard, words):
    (made,) = audit("dfa", heard=heard, used=used).values()
    assert knows(made) == words
    assert words in KNOWS
    scalar = replace(made, needs={**made.needs, "label": "scalar"})
    assert knows(scalar) == ("one broadcast number" if words == KNOWS[0] else words)


def test_a_network_that_settles_through_its_own_transposed_weights_needs_weights_of_others():
    for masks, words in (("none", "weights of others"), ("true", "masks of others")):
        assert knows(audit_rule(get("predictive_coding", masks=masks, steps=3))) == words


def test_a_rule_from_a_file_is_judged_by_the_subfamily_that_its_rows_name():
    frame = frame_of([backprop(), cell("clapp", GOOD)])
    ours = frame["rule"] == "clapp"
    mine = frame.assign(
        rule=frame["rule"].where(~ours, "mine"),
        label=frame["label"].where(~ours, "mine"),
        family=np.where(ours, "layerwise", "reference"),
        subfamily=np.where(ours, "contrastive", "reference"),
        source=np.where(ours, "0123456789abcdef", None),
        rule_options=json.dumps({}),
    )
    (found,) = verdicts_of(mine, {}, [CLAIMS["3"]])
    assert found.endpoints[0].verdict == "holds"

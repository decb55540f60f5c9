"""The claims: an outcome follows from frame, thresholds and audits, and from nothing else."""

import json
import random
from dataclasses import replace

import pandas as pd
import pytest
import torch

from synaptree import rules
from synaptree.analysis.statistics import mean_interval
from synaptree.audit.matrix import Audit
from synaptree.audit.quantities import QUANTITIES
from synaptree.claims import first
from synaptree.claims import judge as judges
from synaptree.claims.first.locality import UNKNOWABLE

DEEP = {"v": 8, "n": 8, "m": 6, "s": 2, "L": 3, "P": 4096}
GOOD = [[1.0, 1.0, 0.9], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
BLIND = [[0.9, 1.0, 1.0], [0.01, 0.9, 1.0], [0.01, 0.01, 0.9]]


def runs(rule, errors, grammar=DEEP, probe=GOOD, sensitivity=BLIND, status="done",
         budget=(100, 128), **options):  # fmt: skip
    return [
        {
            **grammar,
            "rule": rule,
            "label": rules.get(rule, **options).label,
            "seed": seed,
            "test_error": error,
            "probe": probe,
            "sensitivity": sensitivity,
            "rule_options": json.dumps(options),
            "views": "",
            "status": status,
            "steps_asked": budget[0],
            "width": budget[1],
        }
        for seed, error in enumerate(errors)
    ]


def audit(rule, heard=0, of=5, used=(), **options):
    """A made-up audit: what the rule uses, and how many other inputs it hears."""
    needs = {q.key: "yes" if q.key in used else "no" for q in QUANTITIES}
    label = rules.get(rule, **options).label
    form = rule, json.dumps(options)
    return {form: Audit(label, needs, {}, {}, {}, False, "", {}, (heard, of))}


AUDITS = {
    **audit("clapp", heard=1),
    **audit("clapp", of=0, negative="previous"),
    **audit("infonce", heard=5),
    **audit("lpl", heard=5),
    **audit("lpl", of=0, statistics="running"),
    **audit("vicreg", heard=5),
    **audit("vicreg", of=0, statistics="running"),
}


def judge(rows, audits=AUDITS):
    return judges.verdicts_of(pd.DataFrame(rows), audits)


def verdicts(*groups):
    return {o.number: o.verdict for o in judge([r for g in groups for r in g])}


BACKPROP = runs("backprop", [0.010, 0.012, 0.014])


def test_direct_feedback_fails_where_backprop_succeeds():
    assert verdicts(BACKPROP, runs("dfa", [0.70, 0.72, 0.74]))[1] == "reproduced"


def test_direct_feedback_that_learns_contradicts_the_study():
    assert verdicts(BACKPROP, runs("dfa", [0.10, 0.12, 0.14]))[1] == "not reproduced"


def test_an_interval_across_the_threshold_decides_nothing():
    assert verdicts(BACKPROP, runs("dfa", [0.30, 0.42, 0.60]))[1] == "undecided"


def test_where_backprop_fails_direct_feedback_is_not_judged():
    backprop = runs("backprop", [0.30, 0.31, 0.32])
    assert verdicts(backprop, runs("dfa", [0.70, 0.72, 0.74]))[1] == "undecided"


@pytest.mark.parametrize(
    ("none", "other", "true", "verdict"),
    [
        ([0.60, 0.61, 0.62], [0.70, 0.71, 0.72], [0.010, 0.012, 0.014], "reproduced"),
        ([0.01, 0.012, 0.014], [0.70, 0.71, 0.72], [0.010, 0.012, 0.014], "not reproduced"),
        ([0.60, 0.61, 0.62], [0.30, 0.31, 0.32], [0.010, 0.012, 0.014], "not reproduced"),
        ([0.60, 0.61, 0.62], [0.70, 0.71, 0.72], [0.510, 0.512, 0.514], "not reproduced"),
        ([0.02, 0.50, 0.99], [0.70, 0.71, 0.72], [0.010, 0.012, 0.014], "undecided"),
    ],
)
def test_masks_are_judged_on_the_same_grammars(none, other, true, verdict):
    groups = [
        runs("masking", errors, masks=masks)
        for masks, errors in (("none", none), ("other_input", other), ("true", true))
    ]
    assert verdicts(BACKPROP, *groups)[2] == verdict


def test_mask_differences_are_paired_by_grammar():
    # Every error differs from seed to seed by much, their difference by little.
    backprop, none = [0.0, 0.2, 0.4], [0.3, 0.501, 0.702]
    (outcome,) = [
        o
        for o in judge(runs("backprop", backprop) + runs("masking", none[::-1])[::-1])
        if o.number == 2
    ]
    (evidence,) = [e for e in outcome.evidence if e.n]
    mean, low, high = mean_interval([0.702 - 0.0, 0.501 - 0.2, 0.3 - 0.4])
    assert (evidence.value, evidence.low, evidence.high) == pytest.approx((mean, low, high))


def test_layerwise_rules_must_succeed_and_uniform_inputs_have_their_own_limit():
    good = [0.010, 0.012, 0.014]
    assert verdicts(runs("clapp", good), runs("infonce", good))[3] == "reproduced"
    assert verdicts(runs("clapp", good), runs("infonce", [0.5, 0.51, 0.52]))[3] == "not reproduced"
    uniform = DEEP | {"m": 8}
    middling = [0.07, 0.071, 0.072]
    assert verdicts(runs("clapp", middling, uniform))[3] == "reproduced"
    assert verdicts(runs("clapp", middling))[3] == "not reproduced"


def test_the_hierarchy_is_read_on_the_diagonal_below_the_class():
    errors = [0.0, 0.0, 0.0]
    assert verdicts(runs("clapp", errors))[5] == "reproduced"
    bad = [[0.5, 1.0, 1.0], *GOOD[1:]]
    assert verdicts(runs("clapp", errors, probe=bad))[5] == "not reproduced"
    off_diagonal = [[1.0, 0.1, 0.1], [0.1, 1.0, 0.1], [0.1, 0.1, 0.1]]
    assert verdicts(runs("clapp", errors, probe=off_diagonal))[5] == "reproduced"


def test_what_random_layers_hold_is_no_rules_merit():
    first = [[1.0, 0.1, 0.1], [0.1, 0.5, 0.1], [0.1, 0.1, 0.1]]
    both = runs("clapp", [0.0] * 3) + runs("readout_only", [0.8] * 3, probe=first)
    (hierarchy,) = (o for o in judge(both) if o.number == 5)
    read = [e.what for e in hierarchy.evidence if "latents" in e.what]
    assert read == ["clapp: level-2 latents read from layer 2"]


def test_synonyms_below_a_level_must_not_move_its_layer():
    moved = [[0.9, 1.0, 1.0], [0.8, 0.9, 1.0], [0.01, 0.01, 0.9]]
    assert verdicts(runs("clapp", [0.0] * 3, sensitivity=moved))[5] == "not reproduced"


def test_nothing_measured_is_undecided_everywhere():
    assert set(verdicts(BACKPROP).values()) == {"undecided"}
    assert set(verdicts(runs("dfa", [0.7] * 3, status="failed")).values()) == {"undecided"}


def test_one_replica_decides_nothing():
    one = verdicts(runs("backprop", [0.0]), runs("dfa", [0.9]), runs("clapp", [0.0]))
    assert one.pop(6) == "reproduced"  # the audit is exact
    assert set(one.values()) == {"undecided"}


def test_grammars_are_judged_apart():
    other = DEEP | {"L": 4}
    outcomes = judge(BACKPROP + runs("dfa", [0.7] * 3) + runs("dfa", [0.01] * 3, other))
    assert [len(o.evidence) for o in outcomes if o.number == 1] == [1]


def test_the_thresholds_are_those_that_were_registered():
    assert {claim.number: claim.thresholds for claim in first.CLAIMS} == {
        1: {"backprop_at_most": 0.05, "floor_at_least": 0.40, "direct_feedback_at_least": 0.40},
        2: {
            "dfa_at_least": 0.40,
            "rise_without_masks_at_least": 0.05,
            "other_masks_worse_by_at_least": -0.05,
            "true_masks_lose_at_most": 0.0,
        },
        3: {"error_at_most": 0.05, "error_at_most_uniform": 0.10},
        4: {
            "ratio_at_most": 1.5,
            "exponents_differ_by_at_most": 0.5,
            "growth_with_L_at_most": 1.5,
        },
        5: {"probe_at_least": 0.99, "sensitivity_at_most": 0.10},
        6: {"unknowable_at_most": 0, "other_inputs_at_most": 1},
    }


def test_a_claim_is_judged_by_the_thresholds_that_it_has():
    frame = pd.DataFrame(BACKPROP + runs("dfa", [0.70, 0.72, 0.74]))
    strict = replace(
        first.CLAIMS[0],
        thresholds={**first.CLAIMS[0].thresholds, "direct_feedback_at_least": 0.80},
    )
    (outcome,) = judges.verdicts_of(frame, {}, [strict])
    assert (outcome.verdict, outcome.evidence[0].threshold) == ("not reproduced", 0.80)


def test_judging_changes_nothing_outside_and_trains_nothing(monkeypatch):
    monkeypatch.setattr("synaptree.rules.base.Rule.teach", None)
    monkeypatch.setattr("synaptree.training.replicas.Replicas.__init__", None)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch_state, state = torch.get_rng_state(), random.getstate()
    frame = pd.DataFrame(BACKPROP + runs("dfa", [0.7] * 3) + runs("vicreg", [0.0] * 3))
    before = frame.copy(deep=True)
    try:
        once, again = (judges.verdicts_of(frame, AUDITS) for _ in range(2))
        assert once == again
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert random.getstate() == state
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(("values", "half"), [([0.0, 0.0, 0.0], 0.0), ([1.0, 2.0, 3.0], 2.4841377)])
def test_intervals_are_students(values, half):
    # 2.4841 = t(0.975, 2 degrees of freedom) · 1 / √3, from a table.
    mean, low, high = mean_interval(values)
    assert (mean - low, high - mean) == pytest.approx((half, half), abs=1e-6)


def test_an_interval_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        mean_interval([])


def test_more_training_is_judged_by_itself():
    short = runs("dfa", [0.8, 0.81, 0.79])
    long = runs("dfa", [0.1, 0.11, 0.09], budget=(500, 256))
    found = judge(runs("backprop", [0.0, 0.0, 0.0]) + short + long)[0]
    assert found.verdict == "not reproduced"
    held = {e.what: e.holds for e in found.evidence}
    assert held == {
        "test error of dfa, width=128 steps=100": True,
        "test error of dfa, width=256 steps=500": False,
    }


def test_a_question_that_was_not_asked_leaves_the_second_claim_open():
    none = runs("masking", [0.5, 0.51, 0.49], masks="none")
    other = runs("masking", [0.6, 0.61, 0.59], masks="other_input")
    found = judge(none + other)[1]
    assert found.verdict == "undecided"
    assert [(e.n, e.holds) for e in found.evidence] == [(0, None), (3, True), (0, None)]


def test_claim_6_is_the_audit_of_the_rules_that_were_run():
    good = [0.010, 0.012, 0.014]
    assert verdicts(BACKPROP, runs("dfa", good))[6] == "undecided"  # no layerwise rule
    # VICReg hears the whole batch, and has a form that remembers instead.
    assert verdicts(runs("clapp", good), runs("vicreg", good))[6] == "reproduced"
    assert verdicts(runs("clapp", good), runs("infonce", good))[6] == "not reproduced"
    (alone,) = (o for o in judge(runs("clapp", good, negative="previous")) if o.number == 6)
    assert [e.value for e in alone.evidence] == [0, 0]


def test_claim_6_names_what_no_synapse_can_know():
    audits = audit("clapp", heard=1, used=("label", "positions"))
    found = judge(runs("clapp", [0.01, 0.02]), audits)[5]
    assert found.verdict == "not reproduced"
    assert found.effects == ("do not: clapp (label, positions)",)
    assert [e.value for e in found.evidence] == [2, 1]


def test_claim_6_stays_open_where_an_audit_is_missing():
    found = judge(runs("clapp", [0.01, 0.02]) + runs("scff", [0.01, 0.02]))[5]
    assert found.verdict == "undecided"
    assert found.effects == ("pass: clapp (online)", "not audited: scff")
    assert [(e.n, e.holds) for e in found.evidence] == [(1, True), (1, True), (0, None)]


def test_an_online_form_that_hears_as_much_is_not_named():
    audits = {**audit("clapp", heard=1), **audit("clapp", heard=1, negative="previous")}
    assert judge(runs("clapp", [0.01, 0.02]), audits)[5].effects == ("pass: clapp",)


def test_claim_6_names_the_form_that_passes():
    found = judge(runs("vicreg", [0.01, 0.02]))[5]
    assert found.effects == ("pass: vicreg (online)",)
    assert found.evidence[1].what == (
        "vicreg, online with statistics=running (0, not 5): other inputs at once, of 5"
    )


def test_more_data_for_other_rules_do_not_drop_what_masks_and_direct_feedback_did():
    much = DEEP | {"P": 16384}
    masks = [runs("masking", [0.5, 0.51, 0.49], masks=m) for m in ("none", "true", "other_input")]
    asked = [BACKPROP, *masks, runs("dfa", [0.7, 0.7, 0.7])]
    curve = [runs("backprop", [0.0] * 3, much), runs("clapp", [0.0] * 3, much)]
    few, all_ = verdicts(*asked), verdicts(*asked, *curve)
    assert (few[1], few[2]) == (all_[1], all_[2]) == ("reproduced", "not reproduced")
    assert all_[3] == "reproduced"


def test_what_no_synapse_can_know_is_named_by_the_audit():
    assert set(UNKNOWABLE) < {quantity.key for quantity in QUANTITIES}


def test_small_training_sets_do_not_count_against_a_rule():
    few, much = DEEP | {"P": 256}, DEEP
    rows = [runs("clapp", [0.5, 0.6, 0.7], few), runs("clapp", [0.01, 0.012, 0.014], much)]
    assert verdicts(*rows)[3] == "reproduced"


def test_a_task_that_random_layers_solve_says_nothing_of_direct_feedback():
    dfa = runs("dfa", [0.10, 0.12, 0.14])
    assert verdicts(BACKPROP, dfa, runs("readout_only", [0.5, 0.6, 0.7]))[1] == "not reproduced"
    assert verdicts(BACKPROP, dfa, runs("readout_only", [0.2, 0.3, 0.3]))[1] == "undecided"


def test_where_direct_feedback_does_not_fail_there_is_nothing_to_explain():
    masks = [runs("masking", [0.01, 0.012, 0.014], masks=m) for m in ("none", "true")]
    masks += [runs("masking", [0.6, 0.7, 0.8], masks="other_input")]
    assert verdicts(BACKPROP, *masks, runs("dfa", [0.7, 0.7, 0.7]))[2] == "not reproduced"
    assert verdicts(BACKPROP, *masks, runs("dfa", [0.1, 0.1, 0.1]))[2] == "undecided"


def effects(*groups):
    outcomes = judge([run for group in groups for run in group])
    return {o.number: ". ".join(o.effects) for o in outcomes}


def test_of_many_rules_the_effect_tells_the_least_and_the_most():
    two = runs("clapp", [0.01, 0.03]), runs("lpl", [0.2, 0.2])
    assert effects(*two)[3] == "L=3 m=6 P=4096: clapp 2.0%, lpl 20.0%"
    four = *two, runs("vicreg", [0.1, 0.1]), runs("infonce", [0.0, 0.01])
    assert effects(*four)[3] == "L=3 m=6 P=4096: 4 rules, 0.5% (infonce) to 20.0% (lpl)"


def test_effects_tell_the_worst_layer_of_each_rule():
    probe = [[0.98, 1.0, 0.9], [1.0, 0.997, 1.0], [1.0, 1.0, 1.0]]
    moved = [[0.9, 1.0, 1.0], [0.2, 0.9, 1.0], [0.1, 0.5, 0.9]]
    found = effects(runs("clapp", [0.01, 0.01], probe=probe, sensitivity=moved))
    said = "lowest probe: clapp 0.980; moved by synonyms: clapp 0.30"
    assert found[5] == f"L=3 m=6 P=4096: {said}"


def test_effects_leave_out_what_was_not_measured():
    nan = float("nan")
    lost = runs("clapp", [0.01, 0.01], probe=[[nan] * 3] * 3, sensitivity=[[nan] * 3] * 3)
    there = runs("lpl", [0.01, 0.01])
    said = "lowest probe: lpl 1.000; moved by synonyms: lpl 0.01"
    assert effects(lost, there)[5] == f"L=3 m=6 P=4096: {said}"
    partly = [*lost[:1], *runs("clapp", [0.01, 0.01])[1:]]
    assert "clapp 1.000" in effects(partly, there)[5]


def test_a_tree_of_one_level_has_no_hierarchy_to_find():
    flat = DEEP | {"L": 1}
    one = runs("clapp", [0.01, 0.02], grammar=flat, probe=[[1.0]], sensitivity=[[0.9]])
    assert verdicts(one)[5] == "undecided"
    said = "no run of a layerwise rule has probes of a level below the class (see --no-portrait)"
    assert effects(one)[5] == f"not measured: {said}"


def test_what_was_not_measured_says_which_runs_are_missing():
    assert effects(runs("backprop", [0.0, 0.0])) == {
        1: "not measured: no finished run of a direct feedback rule",
        2: "not measured: no finished run of masking",
        3: "not measured: no finished run of a layerwise rule",
        4: "not measured: no finished run of a layerwise rule",
        5: "not measured: no finished run of a layerwise rule",
        6: "not measured: no finished run of a layerwise rule",
    }
    assert effects(runs("clapp", [0.01, 0.02]))[4] == "not measured: no finished run of backprop"
    both = effects(runs("backprop", [0.0, 0.0]), runs("clapp", [0.01, 0.02]))
    assert both[4].startswith("not measured: no kind of grammar has runs of both at several P")


def test_a_rule_from_outside_the_package_is_judged_by_the_family_that_its_rows_name():
    good = [0.010, 0.012, 0.014]
    ours = [row | {"family": "layerwise"} for row in runs("clapp", good)]
    mine = [row | {"rule": "mine", "label": "mine"} for row in ours]
    outcomes = judge(ours + mine)
    assert [e.what for e in outcomes[2].evidence] == ["test error of clapp", "test error of mine"]
    assert outcomes[5].effects == ("pass: clapp (online)", "not audited: mine")


# Runs that diverged -------------------------------------------------------------------------------


def diverged(rows, *seeds):
    return [row | {"diverged": row["seed"] in seeds} for row in rows]


def test_a_claim_that_rests_on_diverged_runs_says_so():
    dfa = runs("dfa", [0.87, 0.88, 0.875])
    sound, lost = (judge(BACKPROP + diverged(dfa, *seeds))[0] for seeds in ((), (0, 1, 2)))
    assert lost.evidence[0].what == "test error of dfa, diverged in 3 of 3 runs"
    assert lost.evidence[0].diverged
    assert lost.effects == (
        *sound.effects,
        "rests on runs that diverged, so that they guess: "
        "test error of dfa, diverged in 3 of 3 runs",
    )
    assert not any("diverged" in effect for effect in sound.effects)


def test_no_rule_fails_for_a_diverged_run_without_a_word():
    clapp = diverged(runs("clapp", [0.01, 0.01, 0.88]), 2)
    outcome = judge(BACKPROP + clapp)[2]
    assert outcome.evidence[0].what == "test error of clapp, diverged in 1 of 3 runs"
    assert "clapp, diverged in 1 of 3 runs" in outcome.effects[-1]
    none = runs("masking", [0.60, 0.61, 0.62], masks="none")
    other = runs("masking", [0.70, 0.71, 0.72], masks="other_input")
    dfa = diverged(runs("dfa", [0.7, 0.7, 0.7]), 0)
    outcome = judge(BACKPROP + dfa + diverged(none, 0, 1) + other)[1]
    assert "backprop, diverged in 2 of 6 runs" in outcome.evidence[0].what
    assert any("dfa, whose failure is explained, diverged in 1 of 3" in e for e in outcome.effects)


def test_a_task_is_not_left_out_without_a_word_because_backprop_diverged():
    backprop = diverged(runs("backprop", [0.01, 0.01, 0.88]), 2)
    outcome = judge(backprop + runs("dfa", [0.7, 0.7, 0.7]))[0]
    assert outcome.verdict == "undecided"
    assert outcome.effects == ("L=3 m=6 P=4096: not judged, backprop diverged in 1 of 3 runs",)


def test_one_diverged_replica_does_not_hide_what_the_others_measured():
    nan = float("nan")
    sound = runs("clapp", [0.01, 0.01, 0.01])
    lost = diverged(runs("clapp", [0.01, 0.01, 0.88], probe=[[nan] * 3] * 3,
                         sensitivity=[[nan] * 3] * 3), 2)  # fmt: skip
    outcome = judge(sound[:2] + lost[2:])[4]
    moved = [e for e in outcome.evidence if "moved" in e.what]
    assert [e.n for e in moved] == [2, 2]
    assert all("diverged in 1 of 3 runs" in e.what for e in moved)


def test_data_that_a_diverged_run_seems_to_need_is_said_to_be_so():
    def curve(rule, errors):
        sizes = zip((512, 1024, 2048, 4096), errors, strict=True)
        return [row for P, e in sizes for row in runs(rule, [e] * 3, DEEP | {"P": P})]

    good = curve("backprop", [0.5, 0.1, 0.02, 0.01])
    clapp = curve("clapp", [0.5, 0.1, 0.02, 0.01])
    lost = [row | {"diverged": row["P"] == 2048 and row["seed"] == 0} for row in clapp]
    outcome = judge(good + lost)[3]
    assert "diverged in 1 of 12 runs" in outcome.evidence[0].what

"""The answer in words: every number in it is rebuilt here from the cells of synthetic worlds."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from test_worlds import AUDITS, CLAIMS, LOCAL, WORLDS
from worlds import DEEP, UNIFORM, backprop, cell, curves, portrait, solver

from synaptree.claims.second.base import judge_study
from synaptree.claims.second.cells import options_of
from synaptree.claims.second.study import Study
from synaptree.report.answer import WORDS, answer, in_full
from synaptree.report.theses import THESES

NOTHING = pd.DataFrame()
# The answer to the question of each claim, where the claim is right, wrong and undecided. Some
# questions are contrary to the claim.
SAYS = dict.fromkeys(("1b", "2a", "2c", "3", "4b", "5", "6"), ("Yes", "No", "Undecided"))
SAYS |= dict.fromkeys(("1a", "2b", "4a"), ("No", "Yes", "Undecided"))
PLACE = {True: 0, False: 1, None: 2}


def judged(cells, number, audits=AUDITS):
    (outcome,) = judge_study(Study(cells, audits), [CLAIMS[number]])
    return outcome


def share(hits, of):
    """A count with the exact interval of scipy, as it must stand in a sentence."""
    low, high = stats.binomtest(int(hits), int(of)).proportion_ci(0.95, "exact")
    return f"{hits} of {of} grammars (95% interval {100 * low:.0f}–{100 * high:.0f}%)"


def hits(cell):
    """How many errors are at most a tenth of those of guessing."""
    return sum(float(e) <= 0.1 * (1 - 1 / cell.kind.n) for e in cell.errors)


def most(cells, n=20):
    return share(max(map(hits, cells)), n)


def of_each_kind(cells, pick):
    kinds = {c.kind for c in cells}
    return share(pick(max(hits(c) for c in cells if c.kind == kind) for kind in kinds), 20)


def found(cells):
    """On how many grammars each rule reads every level below the class as backprop does."""
    (reference,) = (c for c in cells if c.rule == "backprop")
    counts = {}
    for c in cells:
        if c is not reference:
            counts[c.rule] = sum(
                all(own[l, l] >= its[l, l] - 0.01 for l in range(c.kind.L - 1))
                for own, its in zip(c.probe, reference.probe, strict=True)
            )
    return counts


def interaction(cells):
    """The mean over grammars of what masks save with right weights − with random ones."""
    both, weights, masks, neither = (c.errors for c in cells)
    return float(np.mean((weights - both) - (neither - masks)))


def number(value):
    return f"{value:.2f}" if value < 0.995 else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def ratios(outcome):
    """The least ratio of each endpoint, and as it would be said."""
    for endpoint in outcome.primary:
        of = [e.estimate for p in endpoint.asked for e in p.entries if e.estimate]
        if of:
            r = min(of, key=lambda r: r.value)
            interval = f"from {number(r.low)}"
            if np.isfinite(r.high):
                interval = f"{number(r.low)}–{number(r.high)}"
            yield r.value, f"{number(r.value)} times as much (95% interval {interval})"


def obliged(claim, truth, cells, outcome):
    """What the sentence on a world must have, word for word."""
    rules = [c for c in cells if c.rule != "backprop"]
    if claim == "1a":
        said = of_each_kind(rules, min if truth is False else max)
        who = f"the best of {len(FIXED)} rules"
        beside = f", backprop {hits(cells[1])}"
        return [who, said, beside]
    if claim == "2b":
        return [most([c for c in rules if c.inputs == 5 * cells[0].inputs])]
    if claim == "2c":
        return [of_each_kind(rules, min if truth else max)]
    if claim == "3":
        of = {sub: [c for c in rules if c.subfamily == sub] for sub in (SUB, NON)}
        first = most(of[SUB])
        return [first, most(of[NON]).replace(" grammars (95% interval ", " (")]
    if claim == "5":
        counts = found(cells)
        bests = [max(counts["clapp"], counts["infonce"]), counts["lpl"]]
        return [share(min(bests) if truth else max(bests), 20)]
    if claim == "6":
        local = [c for c in rules if c.rule in ("clapp", "lpl")]
        bests = [hits(c) for c in local]
        return [share(min(bests) if truth else max(bests), 20)]
    if claim == "2a":
        saved = 100 * interaction(cells)
        return [f"{abs(saved):.0f} point", "less error" if saved < 0 else "more error"]
    least = min if claim == "1b" or not truth else max  # one rule is enough on each kind
    return [least(ratios(outcome))[1]]


FIXED = ("dfa", "drtp", "pepita")
SUB, NON = "contrastive", "non-contrastive"


@pytest.mark.parametrize("name", WORLDS)
def test_a_sentence_says_the_answer_and_its_numbers(name):
    claim, truth, world, _ = WORLDS[name]
    cells = world(np.random.default_rng(3))
    outcome = judged(cells, claim)
    spoken = answer([outcome], NOTHING)
    (said,), text = spoken.lead, spoken.text
    assert said.asks == THESES[claim].question
    assert re.match(rf"{SAYS[claim][PLACE[truth]]}\b", said.answer), text
    for words in obliged(claim, truth, cells, outcome):
        assert words in text, text
    assert strange(text, outcome, cells) == []


def strange(text, outcome, cells):
    """The numbers in a text that no count, interval, ratio, size or name of the world is."""
    known = {str(n) for c in cells for n in (c.P, c.kind.L, c.kind.m, len(c.seeds))}
    known |= {"95", str(len({c.form for c in cells if c.rule != "backprop"}))}
    for c in cells:
        known |= set(re.findall(r"\d+", share(hits(c), len(c.seeds))))
    for e in (e for x in outcome.primary for p in x.asked for e in p.entries):
        if e.counted:
            known |= set(re.findall(r"\d+", share(e.counted.hits, e.counted.of)))
        for value in [] if not e.estimate else [e.estimate.value, e.estimate.low, e.estimate.high]:
            known |= {number(value), f"{abs(100 * value):.0f}"}
    return [n for n in re.findall(r"\d+(?:\.\d+)?", text) if n not in known]


@pytest.mark.parametrize("claim", ["1a", "3", "4a", "2a", "5"])
def test_a_wrong_number_does_not_pass(claim):
    _, truth, world, _ = WORLDS[f"{claim} true"]
    cells = world(np.random.default_rng(3))
    outcome = judged(cells, claim)
    text = answer([outcome], NOTHING).text
    musts = obliged(claim, truth, cells, outcome)
    for place in [m.start() for m in re.finditer(r"(?<![=\w])\d", text)]:
        if text[place:].startswith("95% interval"):
            continue
        other = text[:place] + str((int(text[place]) + 3) % 10) + text[place + 1 :]
        caught = strange(other, outcome, cells) or any(words not in other for words in musts)
        assert caught, other


def mixture(claim):
    """The world where the claim is true, beside the one where it is false on another kind."""
    rng = np.random.default_rng(1)
    right, wrong = (WORLDS[f"{claim} {truth}"][2](rng) for truth in ("true", "false"))
    return right + [replace(c, kind=c.kind._replace(v=7)) for c in wrong]  # L and m as before


@pytest.mark.parametrize("claim", SAYS)
def test_where_a_claim_holds_on_some_kinds_alone_both_are_said(claim):
    outcome = judged(mixture(claim), claim)
    assert outcome.verdict == "holds within"
    text = in_full(outcome)
    yes, no, _ = SAYS[claim]
    assert re.search(rf"\? {yes}\b.*; {no.lower()}\b", text), text
    assert "v=8" in text
    assert "v=7" in text
    assert "on these" not in text  # nothing before it names kinds
    spoken = answer([outcome], NOTHING)
    (short,) = spoken.lead
    assert len(short.answer.split()) <= len(text.split())
    assert short.answer.startswith(yes)
    assert "v=7" in spoken.text


@pytest.mark.parametrize("claim", SAYS)
def test_nothing_is_said_of_what_was_not_asked(claim):
    outcome = judged([], claim)
    assert outcome.verdict == "not asked"
    assert in_full(outcome) == ""
    said = answer([outcome], NOTHING).text
    assert said == "No run has finished that says anything."
    other = judged(WORLDS["2c true"][2](np.random.default_rng(0)), "2c")
    if claim != "2c":  # the table of claims says it
        assert answer([outcome, other], NOTHING) == answer([other], NOTHING)


def whole(n, seed=0):
    """Every family on two kinds of grammar."""
    rng, seeds, cells = np.random.default_rng(seed), tuple(range(200, 200 + n)), []
    for kind, depth in ((UNIFORM, 2), (DEEP, 3)):
        needs = {"backprop": 8000, "dfa": 90000, "clapp": 8500, "lpl": 9000}
        for c in curves(rng, needs, kind, seeds=seeds):
            cells.append(portrait(rng, replace(c, depth=depth), 0.97 if c.rule != "dfa" else 0))
        chances = {"drtp": 0, "forward_dfa": 0.97, "feedback_alignment": 0.05, "infonce": 0.9}
        cells += [solver(rng, rule, p, kind, seeds=seeds) for rule, p in chances.items()]
        for settings in ({}, {"steps_asked": 15000}, {"steps_asked": 15000, "width": 256}):
            given = {"seeds": seeds, "settings": settings, "masks": "none"}
            cells.append(solver(rng, "masking", 0.97, kind, **given))
        given = {"weights": "random", "masks": "none", "seeds": seeds}
        cells.append(solver(rng, "masking", 0, kind, **given))
        cells += [
            solver(rng, rule, 0.98, kind, seeds=seeds, settings=LOCAL, depth=depth)
            for rule in ("clapp", "lpl")
        ]
    return cells, seeds


@pytest.mark.parametrize("n", [20, 10, 6, 5, 3])
def test_the_whole_answer_fits_and_leaves_nothing_out(n):
    cells, seeds = whole(n)
    outcomes = judge_study(Study(cells, AUDITS), list(CLAIMS.values()), seeds)
    spoken = answer(outcomes, NOTHING)
    assert len(spoken.text.split()) <= WORDS
    assert (f"{n} of the 20 registered grammars" in spoken.text) == (n != 20)
    every = [*spoken.lead, *spoken.more]
    text = " ".join(said.answer for said in every)
    for outcome in outcomes:
        if outcome.verdict == "not asked":
            continue
        asked = {THESES[outcome.number].question, THESES[outcome.number].behind[1]}
        (full, *_) = [said.answer for said in reversed(every) if said.asks in asked]
        assert re.match("Yes|No|Undecided", full)
        told = re.findall(r"\d+ of \d+|\d+\.\d+ times|\d+ points", in_full(outcome))
        assert [words for words in told if words not in full] == []
    assert text.count("95% interval") <= 2  # once in what is shown first, and once in the rest
    numbers = [said for said in spoken.lead if re.search(r"\d", said.answer.split(":")[-1])]
    assert len(numbers) > len(spoken.lead) / 2
    if n == 3:
        assert "cannot decide" in spoken.last


def test_grammars_are_counted_where_no_verdict_is_there():
    cells = {"family": "x", "head": "L=4 m=6", "kind": "v=8 n=8 m=6 s=2 L=4", "P": 9, "depth": 3}
    rows = [
        cells | {"family": family, "name": name, "solved": solved, "of": of}
        for family, name, solved, of in (
            ("backprop and kin", "sign_symmetry", 5, 5),
            ("backprop and kin", "backprop", 4, 5),
            ("direct feedback, fixed", "dfa", 1, 5),
            ("direct feedback, fixed", "drtp", 1, 3),
            ("layerwise, contrastive", "clapp", 1, 1),
            ("layerwise, contrastive", "infonce", 9, 10),
            ("layerwise, non-contrastive", "lpl", 0, 1),
            ("layerwise, non-contrastive", "vicreg", 0, 10),
        )
    ]
    said = answer([judged([], "1a")], pd.DataFrame(rows)).text
    assert said.startswith(
        "Grammars solved by the best rule on L=4 m=6 P=9: backprop 4 of 5, fixed direct feedback "
        "1 of 3, contrastive layerwise rules 9 of 10, non-contrastive ones 0 of 10."
    )


def test_where_no_local_form_was_run_it_is_not_said_to_fail():
    rng = np.random.default_rng(2)
    right = [backprop(rng, kind) for kind in (DEEP, UNIFORM)]
    local = [solver(rng, "lpl", 0.0, kind, settings=LOCAL) for kind in (DEEP, UNIFORM)]
    shared = solver(rng, "lpl", 0.0, UNIFORM)  # weights that positions share are not local
    text = in_full(judged([*right, local[0], shared], "6"))
    assert f"{share(0, 20)} on L=4 m=6; elsewhere none that was run is local" in text
    assert "elsewhere" not in in_full(judged([*right, *local], "6"))


def test_each_kind_says_why_the_need_for_masks_is_undecided():
    rng = np.random.default_rng(2)
    right = [backprop(rng, kind) for kind in (DEEP, UNIFORM)]
    weights = [
        cell("masking", [0.0] * solved + [0.5] * (20 - solved), kind, masks="none")
        for solved, kind in ((15, DEEP), (0, UNIFORM))
    ]
    text = in_full(judged([*right, *weights], "2b"))
    assert "15 of 20 (51–91%; a yes, if it were the only question)" in text
    assert re.search(
        r"0 of 20 grammars \(95% interval 0–17%; the runs with five times the steps", text
    )


def test_nothing_is_said_of_nothing():
    assert answer([], NOTHING).text == "No run has finished that says anything."
    assert answer([], NOTHING).more == ()


def test_theses_are_of_all_claims():
    assert set(THESES) == set(CLAIMS) == set(SAYS)
    assert options_of(whole(2)[0][0]) == {}


def test_a_question_names_what_it_is_about_unless_the_one_before_does():
    rng = np.random.default_rng(0)
    cells = [c for claim in ("2b", "2c", "3", "6") for c in WORLDS[f"{claim} true"][2](rng)]
    study = Study(cells, AUDITS)

    def asked(*claims):
        return [
            said.asks
            for said in answer(judge_study(study, [CLAIMS[c] for c in claims]), NOTHING).lead
        ]

    assert asked("2c", "6") == [
        "Are masks enough, with random feedback weights?",
        "Can layerwise rules be local?",
    ]
    assert asked("2b", "2c")[1] == "Are masks enough, with random weights?"
    assert asked("3", "6")[1] == "Can they be local?"

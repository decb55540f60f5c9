"""What a judged rule most resembles, in words: why a rule that is farther away may come first."""

from synaptree.judgement.honesty import TITLES
from synaptree.judgement.likeness import Likeness, most_like

KEYS = list(TITLES)


def like(name, differs, distance, grammars=3):
    return Likeness(name, tuple(KEYS[:differs]), distance, grammars)


def test_it_says_that_audits_come_first_where_the_order_of_distances_is_another():
    said = most_like([like("dfa", 0, 0.6), like("readout_only", 2, 0.134)])
    assert said == (
        "dfa: the same audit, distance 0.600 on 3 grammars. Next: readout_only, an audit that "
        f"differs in 2 answers ({TITLES[KEYS[0]]} and {TITLES[KEYS[1]]}), distance 0.134 on 3 "
        "grammars. Audits are compared before distances."
    )


def test_it_does_not_where_the_order_is_the_same():
    assert "compared" not in most_like([like("dfa", 0, 0.1), like("drtp", 1, 0.2)])
    assert most_like([like("dfa", 0, 0.1)]) == "dfa: the same audit, distance 0.100 on 3 grammars."


def test_it_counts_all_answers_and_names_three():
    said = most_like([like("a", 1, 0.5, grammars=1), like("b", 5, 0.5)])
    first, second = said.split(" Next: ")
    assert (
        first
        == f"a: an audit that differs in 1 answer ({TITLES[KEYS[0]]}), distance 0.500 on 1 grammar."
    )
    named = ", ".join(TITLES[key] for key in KEYS[:3])
    assert second.startswith(
        f"b, an audit that differs in 5 answers ({named} and 2 more), distance"
    )


def test_a_rule_without_a_common_run_has_no_distance():
    said = most_like([like("a", 0, float("inf"), grammars=0), like("b", 1, 0.2)])
    assert said.startswith("a: the same audit, no run in common. Next: b, ")
    assert most_like([]).startswith("none")

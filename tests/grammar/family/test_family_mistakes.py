"""Each mistake in a variant is one line that says where, what was given and what was expected."""

from functools import partial

import pytest

from synaptree.errors import SynaptreeError
from synaptree.grammar.family import (
    CorrelationFree,
    MixedRules,
    Noise,
    OwnRules,
    Sparse,
    TreeGrammar,
    Zipf,
)
from synaptree.grammar.rhm import RandomHierarchyModel

PLAIN = RandomHierarchyModel(4, 3, 2, 2, 2, 0)
MIXED = MixedRules(4, 3, (2, 3), (2, 3), 2, 0)


def bad_file(folder, content):
    (folder / "rules.json").write_text(content)
    return OwnRules.from_json(folder / "rules.json")


MISTAKES = [
    (partial(TreeGrammar, 3), "grammar source: 3; expected a RandomHierarchyModel"),
    (partial(TreeGrammar, PLAIN, Zipf(1, (3,))), r"zipf levels: 3; the grammar has levels 1\.\.2"),
    (partial(Zipf, -2), "zipf a: -2; expected a number from -1 to 100"),
    (partial(Zipf, float("nan")), "zipf a: nan; expected a number"),
    (partial(Zipf, 1.0, (0,)), "zipf levels: 0; expected an integer >= 1"),
    (partial(TreeGrammar, PLAIN, prior=(0.5, 0.6, 0.1)), "grammar prior: a sum of 1.2; expected"),
    (
        partial(TreeGrammar, PLAIN, prior=(0.5, 0.5)),
        r"grammar prior: shape \(2,\); expected \(3,\)",
    ),
    (partial(TreeGrammar, PLAIN, prior=(-1, 1, 1)), r"grammar prior: -1 at index \(0,\); expected"),
    (
        partial(TreeGrammar, PLAIN, [[[1, 0]] * 4]),
        "grammar probabilities: .*one array for each of 2",
    ),
    (
        partial(TreeGrammar, PLAIN, [[[0.4, 0.5]] * 4, [[1, 0]] * 3]),
        "grammar probabilities level 1: a sum of 0.9; expected probabilities that sum to 1",
    ),
    (partial(Sparse, 0), "sparse jitter: True with s0=0.*expected s0 >= 1"),
    (partial(Sparse, 0, "A", False), "sparse s0: 0; expected an integer from 1"),
    (partial(Sparse, 1, "C"), "sparse form: 'C' is unknown; expected one of A, B"),
    (partial(Sparse, 1, "A", 1), "sparse jitter: 1; expected True or False"),
    (
        partial(TreeGrammar, PLAIN, sparse=Sparse(200, "B")),
        "sparse s0: level 1 has .* ways to place.*expected at most",
    ),
    (partial(TreeGrammar, PLAIN, sparse=1), "grammar sparse: 1; expected Sparse"),
    (
        partial(Noise, 1),
        "noise tokens: 1, which leaves nothing of the grammar; expected 0 <= ε < 1",
    ),
    (partial(Noise, 0, 1.0), "noise rules: 1, which leaves nothing"),
    (partial(Noise, -0.1), "noise tokens: -0.1; expected a number from 0 to 1"),
    (partial(TreeGrammar, PLAIN, noise=Noise(0, 0.1, (4,))), "noise levels: 4; the grammar has"),
    (partial(TreeGrammar, PLAIN, layout="flat"), "layout: 'flat' is unknown"),
    (
        partial(TreeGrammar, PLAIN, sparse=Sparse(1), layout="packed"),
        "layout: 'packed' would remove the blanks of a sparse grammar",
    ),
    (partial(TreeGrammar, MIXED, length=5), "length: 5 with layout='aligned'; expected layout='pa"),
    (
        partial(TreeGrammar, MIXED, layout="packed", length=3),
        "length: 3; expected an integer from 4 to 9",
    ),
    (
        partial(
            TreeGrammar,
            OwnRules([[[[0]], [[1]]], [[[0, 0, 0]], [[1]]]]),
            layout="packed",
            length=2,
        ),
        "length: 2 has probability 0: the rules cannot fill it.*nearest is 1",
    ),
    (partial(MixedRules, 4, 3, (2,), (2,), 2, 0), "mixed m: .*one number for each of two or more"),
    (
        partial(MixedRules, 4, 3, (2, 2), (3, 2), 2, 0),
        r"mixed s: \(3, 2\); expected different sizes",
    ),
    (partial(MixedRules, 4, 3, (5, 2), (2, 3), 2, 0), "grammar m: m=5 needs"),
    (partial(MixedRules, 4, 3, (2, 2), (2, 3), 2, 0, (0.5, 0.6)), "mixed shares: a sum of 1.1"),
    (partial(CorrelationFree, 8, 8, 3, 2, 2, 0), "correlation_free v: 8; .*multiple of b=3.*is 6"),
    (partial(CorrelationFree, 4, 4, 4, 2, 2, 0), "correlation_free v: 4; .*at least 8"),
    (partial(CorrelationFree, 8, 6, 4, 2, 2, 0), "correlation_free n: 6; .*nearest valid n is 4"),
    (
        partial(OwnRules, [[[[0, 1]], [[0, 1]]]]),
        "own rules: ambiguous: class 0 → 0 1 and also class 1 → 0 1; expected one derivation",
    ),
    (
        partial(OwnRules, [[[[0, 1]], [[0, 1]]], [[[0, 1]], [[1, 1]]]]),
        "ambiguous: class 0 → 0 1 → 0 1 0 1 and also class 1 → 1 1 → 0 1 0 1",
    ),
    (partial(OwnRules, []), "own rules: no level"),
    (
        partial(OwnRules, [[[[0, 1], [0, 1]], [[1, 0]]]]),
        "own rules: ambiguous: class 0 → 0 1 in two ways, by equal rules; expected",
    ),
    (partial(OwnRules, [[[[0, 1]]]]), "own rules: 1 class at the top level; expected at least 2"),
    (partial(OwnRules, [[[[0, 1]], []]]), "own rules level 1 feature 1: no rule"),
    (partial(OwnRules, [[[[0, 1]], [[]]]]), "own rules level 1 feature 1: a rule without children"),
    (
        partial(OwnRules, [[[[0, 1]], [[1, -1]]]]),
        "own rules level 1 feature 1: -1; expected an int",
    ),
    (
        partial(OwnRules, [[[[0, 1]], [[1, 0]]], [[[0, 2]], [[1, 1]]]]),
        r"own rules level 2 feature 0: child 2; expected features 0\.\.1 of level 1",
    ),
    (partial(OwnRules, [[[[0, 1]], [[1, 4]]]], tokens=3), r"level 1 feature 1: child 4; .*0\.\.2"),
    (
        partial(OwnRules, [[[[0, 1]], [[1, 0]]]], [[[0.9], [1]]]),
        "own probabilities level 1 feature 0: a sum of 0.9",
    ),
    (partial(PLAIN.__class__, 2, 2, 9, 2, 2, 0), "grammar m"),
    (partial(MixedRules, 2**128, 3, (2, 2), (2, 3), 2, 0), "grammar v: .*expected less than 2"),
    (partial(CorrelationFree, 2**128, 4, 2, 2, 2, 0), "grammar v: .*expected less than 2"),
    (
        partial(OwnRules, [[[[0, 1]], [[1, 0]]]], tokens=2**31 + 1),
        "own rules tokens: 2147483649; expected an integer from 2 to 2147483648",
    ),
    (
        lambda: TreeGrammar(RandomHierarchyModel(2, 2, 2**17, 20, 1, 0)).sample(1, 0),
        "grammar: level 1 has 262144 rules of 20 children; expected at most 4194304 children",
    ),
]


@pytest.mark.parametrize("number", range(len(MISTAKES)))
def test_mistakes_are_one_line_that_says_what_was_expected(number):
    call, message = MISTAKES[number]
    with pytest.raises(SynaptreeError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "own rules rules.json: no JSON"),
        ("[]", r"own rules rules.json: format \[\]; expected 'synaptree-rules/1'"),
        ('{"format": "synaptree-rules/1", "rule": []}', "key 'rule'; expected rules, prob"),
        ('{"format": "synaptree-rules/1", "rules": 3}', "own rules: 3; expected a list"),
    ],
)
def test_a_bad_file_of_rules_is_one_line(content, message, tmp_path):
    with pytest.raises(SynaptreeError, match=message):
        bad_file(tmp_path, content)

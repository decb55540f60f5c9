"""Every field of a run and every option of every rule, with values that people and machines write.

Whatever is given, the outcome is a valid spec or a SynaptreeError of one line.
"""

import math
from typing import Literal, get_args, get_origin

import numpy as np
import pytest

from synaptree import RunSpec, SynaptreeError, make_spec, rules

LONGEST = 300  # characters of a sentence
BASE = {"rule": "backprop", "v": 8, "n": 8, "m": 4, "L": 3, "P": 1024}
WRONG = {
    "nothing": None,
    "yes": True,
    "a word": "spam",
    "an empty text": "",
    "a megabyte": "9" * 10**6,
    "a list": [1, 2],
    "a mapping": {"a": 1},
    "a mapping of numbers": {1: 1},
    "negative": -1,
    "zero": 0,
    "a part": 0.3,
    "nan": math.nan,
    "inf": math.inf,
    "the text inf": "inf",
    "tiny": 1e-320,
    "huge": 1e308,
    "a huge whole number": 10**30,
    "more digits than are printed": 10**5000,
    "control characters": "\x1b]52;c;\a\n",
    "half a character": "\ud800",
    "bytes": b"8",
    "complex": 1j,
    "an array": np.arange(3),
    "an object": object(),
    "a class": rules.DFA,
    "other digits": "٣",
    "digits with a gap": "1_0",
}


def outcome(**settings):
    """A spec, or the one sentence that refuses it."""
    try:
        spec = make_spec(**settings)
    except SynaptreeError as fault:
        sentence = str(fault)
        assert len(sentence) <= LONGEST, sentence
        assert sentence.isprintable(), sentence
        return sentence
    assert len(spec.run_id) == 16
    return spec


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", RunSpec.model_fields)
def test_every_field_takes_or_refuses_every_value_in_one_line(name, value):
    outcome(**BASE | {name: value})


OPTIONS = [
    (rule, option)
    for rule in rules.names()
    for option in rules.rule_class(rule).model_fields
    if option != "name"
]


def run_of(rule, **options):
    views = {"views": "same_class"} if rules.get(rule).needs_views else {}
    decay = {"weight_decay": 0.1} if rules.get(rule).needs_decay else {}
    return outcome(**BASE | views | decay | {"rule": {"name": rule} | options})


@pytest.mark.parametrize(("rule", "option"), OPTIONS)
def test_every_option_takes_or_refuses_every_value_in_one_line(rule, option):
    for value in WRONG.values():
        run_of(rule, **{option: value})


NUMBERS = [name for name, field in RunSpec.model_fields.items() if field.annotation in (int, float)]
NAMES = [
    name for name, field in RunSpec.model_fields.items() if get_origin(field.annotation) is Literal
]


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_is_refused(name):
    for value in (True, None, "on", "", math.nan, [1], b"8", "1_0", "٣"):
        assert isinstance(outcome(**BASE | {name: value}), str), value


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_in_another_spelling_is_the_same_run(name):
    plain = outcome(**BASE)
    number = getattr(plain, name)
    for same in (str(number), f" {number} ", float(number), f"{number:e}", np.float64(number)):
        assert outcome(**BASE | {name: same}).run_id == plain.run_id, same
    if isinstance(number, int):
        assert outcome(**BASE | {name: np.int32(number)}).run_id == plain.run_id
        assert isinstance(outcome(**BASE | {name: number + 0.5}), str)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_another_spelling_is_the_same_run(name):
    for each in get_args(RunSpec.model_fields[name].annotation):
        plain = outcome(**BASE | {name: each})
        for same in (each.upper(), f" {each} ", each.replace("_", "-").title()):
            assert outcome(**BASE | {name: same}) == plain
        assert f"did you mean {each!r}" in outcome(**BASE | {name: f"{each}x"})


@pytest.mark.parametrize("rule", rules.names())
def test_a_rule_in_another_spelling_is_the_same_run(rule):
    for same in (rule.upper(), f" {rule}", rule.replace("_", "-")):
        assert run_of(same).run_id == run_of(rule).run_id
    assert f"did you mean {rule!r}" in outcome(**BASE | {"rule": f"{rule}x"})


def test_views_in_another_spelling_are_the_same_run():
    plain = outcome(**BASE | {"rule": "clapp", "views": "half_mask,same_class"})
    for same in ("half_mask, same_class", " Half-Mask ,SAME_CLASS", ["half_mask", " same_class"]):
        assert outcome(**BASE | {"rule": "CLAPP", "views": same}) == plain


@pytest.mark.parametrize("name", sorted(rules.SYNONYMS))
def test_a_synonym_suggests_its_rule(name):
    assert outcome(**BASE | {"rule": name}).endswith(f"did you mean {rules.SYNONYMS[name]!r}?")
    assert rules.SYNONYMS[name] in rules.names()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("FA", "feedback_alignment"),
        ("greedy_infomax", "infonce"),
        ("forward-forward", "scff"),
        ("random features", "readout_only"),
        ("DKP", "direct_kolen_pollack"),
    ],
)
def test_synonyms_are_known_however_they_are_written(name, meant):
    assert f"did you mean {meant!r}?" in outcome(**BASE | {"rule": name})


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("nt_xent", {"temperature": 1e-320}),
        ("node_perturbation", {"sigma": 1e308}),
        ("dfa", {"scale": True}),
        ("masking", {"masks": "nearest:1.5"}),
        ("masking", {"masks": None}),
        ("masking", {"masks": "kept:nan"}),
    ],
)
def test_an_option_at_the_edge_is_refused(rule, options):
    assert isinstance(run_of(rule, **options), str)


@pytest.mark.parametrize("rule", [{1: 2}, {"name": "dfa", 1: 2}, {"scale": 2}, {"name": ["dfa"]}])
def test_a_mapping_that_is_no_rule_is_refused(rule):
    assert outcome(**BASE | {"rule": rule}).startswith("rule: ")


def test_the_name_of_a_rule_is_no_option():
    with pytest.raises(SynaptreeError, match="option: 'name' is unknown"):
        rules.get("dfa", name="dfa")


@pytest.mark.parametrize("k", ["1000000", "123456789", "9007199254740993"])
def test_whole_numbers_in_an_option_stay_exact(k):
    assert run_of("masking", masks=f"nearest:{k}").rule.masks == f"nearest:{k}"
    assert run_of("masking", masks="kept:0.123456789").rule.masks == "kept:0.123456789"

"""Runs on variants of the grammar: the same bits where nothing is changed, and Bayes' bound."""

import numpy as np
import pytest

from synaptree import SynaptreeError, make_spec, train, train_replicas
from synaptree.grammar.clips import neighbours
from synaptree.grammar.family import MixedRules, TreeGrammar
from synaptree.grammar.family.bayes import bayes_error
from synaptree.grammar.family.tasks import class_of_string
from synaptree.sources.base import Clips
from synaptree.sources.dials import DIALS, Dials, Variant, variant
from synaptree.sources.variants import VariantStrings
from synaptree.training.data import Data, training_strings

KIND = {"v": 4, "n": 4, "m": 2, "s": 2, "L": 2}
SMALL = {**KIND, "P": 24, "width": 16, "batch": 8, "steps": 60, "tests": 200}
VARIANTS = [
    "zipf=1",
    "zipf=0.5,zipf_levels=1",
    "noise=0.1",
    "rule_noise=0.1",
    "noise=0.2,zipf=1",
    "correlation_free",
    "sparse=1",
    "sparse=1,sparse_form=B",
    "mixed=3",
    "mixed=3,noise=0.1",
    "noise=0.1,sparse=1",
    "mixed=3,packed",
    "length=6,mixed=3,packed",
]


def spec(**changed):
    return make_spec(**{"rule": "backprop", **SMALL, **changed})


def grammar(text, seed=0):
    return variant(text, *KIND.values(), seed)


def test_neutral_dials_are_the_plain_grammar_bit_for_bit():
    neutral = {name: neutral for name, (_, neutral) in DIALS.items() if name != "zipf_levels"}
    plain, same = spec(), spec(variant=neutral | {"zipf_levels": "1+2", "sparse_form": "B"})
    assert same.variant == ""
    assert same == plain
    # The id that this run had before there were variants.
    assert plain.run_id == make_spec(rule="backprop", **SMALL).run_id == "0616b5e3bf83cb3c"
    a, b = train(plain), train(same)
    assert a.curve == b.curve
    assert a.portrait == b.portrait
    for name, tensor in a.network.named().items():
        assert np.array_equal(tensor, b.network.named()[name])


def test_a_zipf_of_minus_one_draws_as_the_plain_rules_do():
    # Not by leaving the dial out: a grammar of the family with the rules of the plain one.
    plain = spec().grammar
    family = Dials(noise=1e-12).grammar(*KIND.values(), seed=0)
    drawn = VariantStrings(family).training(2000, 0)
    assert np.array_equal(plain.parse(drawn.x).latents[-1][:, 0], drawn.y)
    assert np.abs(np.bincount(drawn.y) / 2000 - 0.25).max() < 0.05


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ({}, ""),
        ("ZIPF = 1.0", "zipf=1"),
        ({"zipf": "1e0", "noise": 0.05}, "noise=0.05,zipf=1"),
        ({"noise": 0.05, "zipf": 1}, "noise=0.05,zipf=1"),
        ({"zipf": 1, "zipf_levels": [2, 1]}, "zipf=1,zipf_levels=1+2"),
        ("correlation-free", "correlation_free"),
        ({"correlation_free": True}, "correlation_free"),
        ("sparse=1,sparse_form=b", "sparse=1,sparse_form=B"),
    ],
)
def test_a_variant_has_one_spelling(given, kept):
    assert Variant.given(given) == kept
    assert Variant.given(kept) == kept
    assert spec(variant=kept).run_id == spec(variant=given).run_id
    assert (spec(variant=kept).run_id == spec().run_id) == (kept == "")


@pytest.mark.parametrize("text", VARIANTS)
def test_what_the_network_reads_is_known_before_the_grammar_is_made(text):
    run, drawn = spec(variant=text), grammar(text)
    assert set(drawn.places) == {run.places}
    assert drawn.symbols[0] == run.numbers
    strings = training_strings(run)
    assert strings.x.shape == (24, run.places**2)
    assert int(strings.x.max()) < run.numbers


@pytest.mark.parametrize("text", VARIANTS)
def test_the_bayes_error_bounds_a_trained_network_from_below(text):
    # Every string is trained on many times, so that errors are as low as they can be.
    P = 2000 if "noise" in text else 600 if "packed" in text else 24
    batch = 64 if P > 24 else 8
    runs = [
        spec(variant=text, grammar_seed=seed, P=P, steps=400, tests=4000, batch=batch)
        for seed in (0, 1)
    ]
    for run, result in zip(runs, train_replicas(runs, portrait=False), strict=True):
        exact = bayes_error(grammar(text, run.grammar_seed), class_of_string(grammar(text)))
        assert (result.bayes_low, result.bayes_high) == (exact.low, exact.high)
        assert result.bayes_low <= result.bayes_error <= result.bayes_high
        assert (result.bayes_error > 0.02) == ("noise" in text)
        spread = (result.test_error * (1 - result.test_error) / 4000) ** 0.5
        assert result.test_error > result.bayes_low - 4 * spread - 1e-9
        if P > 24:  # the network has learned something, so that the bound is no empty one
            assert result.test_error < 0.4


def test_training_and_test_strings_are_fresh_draws_of_the_seed():
    run = spec(variant="zipf=1", data_seed=5)
    data = Data.draw([run], "cpu")
    assert np.array_equal(data.x[0], grammar("zipf=1").sample(24, 5).x)
    assert np.array_equal(data.test_x[0], grammar("zipf=1").sample(200, 5 + 2**32).x)


@pytest.mark.parametrize("text", ["zipf=1", "correlation_free", "noise=0.3"])
def test_clips_of_a_variant(text):
    strings = VariantStrings(grammar(text)).training(2000, 0, Clips(2, [1.0, 0.0]))
    run = spec(rule="clapp", views="same_latent:1", variant=text)
    few = training_strings(run)  # a larger P continues no sequence: the clips are those of P frames
    assert np.array_equal(few.latents[1][::2], few.latents[1][1::2])
    first = np.arange(0, 2000, 2)
    for level in (1, 2):  # both frames have the same tree from level 1 upwards
        latents = strings.latents[level]
        assert np.array_equal(latents[first], latents[first + 1])
    assert (strings.x[first] != strings.x[first + 1]).any()
    assert np.array_equal(neighbours(4, 2), [1, 0, 3, 2])
    # Rules are as likely as in single strings, in both frames.
    drawn, alone = grammar(text), grammar(text).sample(20_000, 1)
    for frame in (0, 1):
        for symbol in range(drawn.v):
            there = (strings.x[first + frame] == symbol).mean()
            assert abs(there - (alone.x == symbol).mean()) < 0.05
    if text == "noise=0.3":
        assert (strings.x != strings.latents[0]).mean() == pytest.approx(0.3 * 3 / 4, abs=0.03)


def test_nothing_changes_in_a_clip_that_draws_no_rule_anew():
    found = VariantStrings(grammar("zipf=1")).training(64, 0, Clips(16, [0.0, 0.0]))
    assert (found.x.reshape(4, 16, -1) == found.x.reshape(4, 16, -1)[:, :1]).all()


def test_probes_and_synonyms_where_they_are_known():
    sparse = train(spec(variant="sparse=1", steps=5)).portrait
    noisy = train(spec(variant="noise=0.1", steps=5)).portrait
    assert np.isfinite([sparse.probe, sparse.sensitivity, noisy.probe]).all()
    assert np.isnan(noisy.sensitivity).all()  # a noisy string does not show its rules
    strings = VariantStrings(grammar("noise=0.1,zipf=1"))
    drawn = strings.distinct(50, 0)
    assert len(np.unique(drawn.x, axis=0)) == len(drawn.x)


def test_packed_strings_hide_the_shape_of_their_trees():
    run = spec(variant="mixed=3,packed,length=6")
    source = MixedRules(4, 4, (2, 2), (2, 3), 2, 0)
    packed = TreeGrammar(source, layout="packed", length=6)
    assert np.array_equal(training_strings(run).x, packed.sample(24, 0).x)
    assert ((training_strings(run).x < 4).sum(axis=1) == 6).all()
    portrait = train(run).portrait
    probe = np.array(portrait.probe)
    assert np.isnan(probe[:, 0]).all()  # no place of the network is that of one node
    assert np.isfinite(probe[:, 1]).all()  # but the class is that of the string
    assert np.isnan(portrait.sensitivity).all()
    # Bayes' error is that of packed strings: two trees may look alike, which aligned ones do not.
    alike = variant("mixed=3,packed", 3, 3, 2, 2, 2, 2)
    aligned = variant("mixed=3", 3, 3, 2, 2, 2, 2)
    assert VariantStrings(aligned).best().error == 0
    assert VariantStrings(alike).best().error == bayes_error(alike, class_of_string(alike)).error
    assert VariantStrings(alike).best().error > 0.001


@pytest.mark.parametrize("views", ["sibling,same_class", "half_mask,trace:3", "same_class"])
@pytest.mark.parametrize("text", ["sparse=1", "mixed=3", "noise=0.1"])
def test_views_that_need_no_latents(views, text):
    result = train(spec(rule="vicreg", views=views, variant=text, steps=3, P=24), portrait=False)
    assert not result.diverged


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"variant": "zip=1"}, "variant: 'zip' is unknown.*did you mean 'zipf'"),
        ({"variant": "zipf"}, "variant zipf: True given; expected a number"),
        ({"variant": "zipf=x"}, "variant zipf: 'x' given; expected a number"),
        ({"variant": "noise=1"}, "noise tokens: 1, which leaves nothing"),
        ({"variant": "sparse=1.5"}, "variant sparse: '1.5' given; expected a whole number"),
        ({"variant": "sparse=1,sparse_form=C"}, "variant sparse_form: 'C' is unknown"),
        ({"variant": "zipf=1,zipf=2"}, "variant zipf: given twice"),
        ({"variant": "zipf=1,zipf_levels=3"}, "zipf levels: 3; the grammar has levels 1..2"),
        ({"variant": "mixed=2"}, "different sizes"),
        ({"variant": "mixed=3,correlation_free"}, "correlation_free and mixed given"),
        ({"variant": "correlation_free", "s": 3, "m": 3}, "m=3 with s=3.*as 4"),
        ({"variant": "packed"}, "packed: given with rules of one size; expected it with mixed or"),
        (
            {"variant": "mixed=3,length=6"},
            "length: 6 with layout='aligned'; expected layout='packe",
        ),
        ({"variant": "mixed=3,packed,length=3"}, "length: 3; expected an integer from 4 to 9"),
        ({"variant": "mixed=3,packed,sparse=1"}, "'packed' would remove the blanks of a sparse"),
        ({"variant": ["zipf"]}, "expected dials as zipf=1"),
        ({"variant": "correlation_free", "P": 32}, "P: 32 given.*P_max = 32"),
        ({"variant": "sparse=1", "rule": "clapp", "views": "movie:0.1"}, "differ in shape"),
        ({"variant": "mixed=3", "rule": "clapp", "views": "same_latent:1"}, "differ in shape"),
        ({"variant": "rule_noise=0.1", "rule": "clapp", "views": "movie:0.1"}, "broken rules"),
        ({"rule": "clapp", "views": "movie"}, "as movie:0.1, on a grammar"),
    ],
)
def test_mistakes(changed, says):
    with pytest.raises(SynaptreeError, match=says) as fault:
        spec(**changed)
    assert "\n" not in str(fault.value)


def test_the_plain_grammar_is_not_given_for_that_of_a_variant():
    with pytest.raises(SynaptreeError, match="variant zipf=1 given; expected a run on the plain"):
        _ = spec(variant="zipf=1").grammar

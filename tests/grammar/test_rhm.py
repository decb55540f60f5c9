"""Laws of the grammar (arXiv 2307.02129), held for random grammars."""

import random
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from synaptree.errors import SynaptreeError, checked_integer
from synaptree.grammar.integers import first_occurrences, tuple_codes
from synaptree.grammar.rhm import RandomHierarchyModel

quick = settings(max_examples=40)
seeds = st.integers(0, 2**70)


@st.composite
def grammars(draw, least_m=1, most_L=3, most_size=None):
    v, s = draw(st.integers(2, 6)), draw(st.integers(2, 3))
    n, L = draw(st.integers(2, min(8, v**s))), draw(st.integers(1, most_L))
    largest = v**s // max(n, v if L > 1 else n)
    assume(largest >= least_m)
    m = draw(st.integers(least_m, min(largest, 8)))
    model = RandomHierarchyModel(v, n, m, s, L, draw(seeds))
    assume(most_size is None or model.size <= most_size)
    return model


def rows(x):
    return {row.tobytes() for row in np.ascontiguousarray(x)}


def same(a, b):
    return len(a) == len(b) and all(
        p.dtype == q.dtype and np.array_equal(p, q) for p, q in zip(a, b, strict=True)
    )


def generate(model, y, choices):
    """A slow, literal derivation of one string: expand each symbol by its chosen rule."""
    symbols = [int(y)]
    for level in range(model.L, 0, -1):
        symbols = [
            int(child)
            for node, symbol in enumerate(symbols)
            for child in model.rules[level - 1][symbol, choices[level - 1][node]]
        ]
    return symbols


# Rules -------------------------------------------------------------------------------------------


@quick
@given(grammars())
def test_no_two_rules_of_a_level_share_a_tuple(model):
    assert len(model.rules) == model.L
    for level, rules in enumerate(model.rules, start=1):
        owners = model.n if level == model.L else model.v
        assert rules.shape == (owners, model.m, model.s)
        assert rules.dtype == np.uint8
        assert rules.max() < model.v
        assert len({tuple(t) for t in rules.reshape(-1, model.s).tolist()}) == owners * model.m


@quick
@given(grammars(most_L=2), st.integers(2, 8))
def test_rules_depend_on_neither_n_nor_L(model, n):
    v, m, s = model.v, model.m, model.s
    assume(max(n, v) * m <= v**s)
    other = RandomHierarchyModel(v, n, m, s, model.L + 1, model.seed)
    for mine, theirs in zip(model.rules[:-1], other.rules, strict=False):
        assert np.array_equal(mine, theirs)
    k = min(model.n, v)
    assert np.array_equal(model.rules[-1][:k], other.rules[model.L - 1][:k])


def test_rules_of_a_huge_vocabulary_are_distinct_and_a_prefix():
    big = RandomHierarchyModel(256, 10, 30, 4, 2, seed=5)
    small = RandomHierarchyModel(256, 3, 30, 4, 1, seed=5)
    assert len(set(tuple_codes(big.rules[0], 256).ravel().tolist())) == 256 * 30
    assert np.array_equal(big.rules[0][:3], small.rules[0])
    samples = big.sample(500, 1)
    assert same(big.parse(samples.x).latents, samples.latents)
    # Above 2**20 tuples, with all of them in use, and with nine tenths (drawn by rejection).
    full = RandomHierarchyModel(1025, 1025, 1025, 2, 1, seed=0)
    assert len(np.unique(tuple_codes(full.rules[0], 1025))) == 1025**2
    assert np.array_equal(full.parse(full.sample(9, 2).x).latents[1][:, 0], full.sample(9, 2).y)
    dense = RandomHierarchyModel(1025, 472_000, 2, 2, 1, seed=0)
    assert len(np.unique(tuple_codes(dense.rules[0], 1025))) == 944_000


def test_rules_are_uniform_over_all_tuples():
    # 2000 grammars with 6 of 9 tuples each: a tuple is used at level 1 with probability 2/3.
    used = sum(
        np.bincount(
            tuple_codes(RandomHierarchyModel(3, 3, 2, 2, 1, seed).rules[0], 3).ravel(), minlength=9
        )
        for seed in range(2000)
    )
    # Standard deviation of a count: (2000·2/3·1/3)**½ = 21; 9 cells, so 5 of them never happen.
    assert np.abs(used - 2000 * 2 / 3).max() < 5 * (2000 * 2 / 9) ** 0.5


def test_levels_and_seeds_have_rules_of_their_own():
    model = RandomHierarchyModel(8, 8, 4, 2, 3, 0)
    assert not np.array_equal(model.rules[0], model.rules[1])
    assert not np.array_equal(model.rules[0], RandomHierarchyModel(8, 8, 4, 2, 3, 1).rules[0])
    with pytest.raises(ValueError, match="read-only"):
        model.rules[0][0, 0, 0] = 1


# Sampling and parsing ----------------------------------------------------------------------------


@quick
@given(grammars(), seeds, st.integers(1, 300))
def test_parse_inverts_sample(model, seed, P):
    samples = model.sample(P, seed, replace=True)
    assert samples.x.shape == (P, model.d)
    assert [a.shape for a in samples.latents] == [
        (P, model.s ** (model.L - level)) for level in range(model.L + 1)
    ]
    assert np.array_equal(samples.latents[0], samples.x)
    assert np.array_equal(samples.latents[-1][:, 0], samples.y)
    parsed = model.parse(samples.x)
    assert same(parsed.latents, samples.latents)
    again = model.expand(samples.y, parsed.choices)
    assert same(again.latents, samples.latents)
    assert generate(model, samples.y[0], [c[0] for c in parsed.choices]) == samples.x[0].tolist()
    assert same(model.parse(samples.x[0]).choices, [c[:1] for c in parsed.choices])


@quick
@given(grammars(most_size=3000), seeds)
def test_P_max_gives_every_string_once(model, seed):
    x = model.sample(model.size, seed).x
    assert len(rows(x)) == len(x) == model.size
    if model.size <= 300 and (model.d - 1) // (model.s - 1) <= 7:
        counts = [model.s ** (model.L - level) for level in range(1, model.L + 1)]
        everything = set()
        for flat in product(range(model.n), *[range(model.m)] * sum(counts)):
            choices = np.split(np.array(flat[1:]), np.cumsum(counts)[:-1])
            everything.add(bytes(generate(model, flat[0], choices)))
        assert rows(x) == everything
    with pytest.raises(SynaptreeError, match=f"has only {model.size}; expected P <= {model.size}"):
        model.sample(model.size + 1, seed)


def test_P_max_comes_in_random_order():
    model = RandomHierarchyModel(4, 4, 2, 2, 2, 0)
    a, b = model.sample(model.size, 0).x, model.sample(model.size, 1).x
    assert not np.array_equal(a, b)
    assert rows(a) == rows(b)


@quick
@given(grammars(), seeds, st.data())
def test_a_larger_P_continues_the_sequence(model, seed, data):
    most = 9000 if model.size > 2**20 else model.size
    P = data.draw(st.integers(1, most))
    less = data.draw(st.integers(1, P))
    a, b = model.sample(P, seed), model.sample(less, seed)
    assert len(rows(a.x)) == P
    assert same([whole[:less] for whole in a.latents], b.latents)
    c, d = model.sample(P, seed, replace=True), model.sample(less, seed, replace=True)
    assert same([whole[:less] for whole in c.latents], d.latents)


@pytest.mark.parametrize(
    ("sizes", "P"),
    [
        ((4, 4, 2, 2, 3), 200),  # 512 strings: listed
        ((8, 8, 8, 2, 3), 9000),  # a stream with exact keys
        ((8, 8, 8, 2, 7), 5000),  # a stream with hashed keys
        ((3, 2, 3, 2, 4), 9000),  # 2·3**15 strings, a repeat-prone stream
        ((2, 2, 2, 2, 3), 128),  # one half of all
    ],
)
@pytest.mark.parametrize("replace", [False, True])
def test_excluded_strings_never_come_back(sizes, P, replace):
    model = RandomHierarchyModel(*sizes, seed=3)
    train = model.sample(P, 0)
    for exclude in (train, train.x.astype(np.int64)):
        test = model.sample(P, 0, replace=replace, exclude=exclude)  # the same seed, on purpose
        assert len(test.x) == P
        assert not rows(train.x) & rows(test.x)
        assert replace or len(rows(test.x)) == P


def test_exclude_leaves_exactly_the_rest():
    model = RandomHierarchyModel(4, 4, 2, 2, 2, 0)  # 32 strings
    train = model.sample(20, 1)
    doubled = np.concatenate([train.x, train.x])
    rest = model.sample(12, 2, exclude=doubled)
    assert len(rows(train.x) | rows(rest.x)) == model.size == 32
    with pytest.raises(SynaptreeError, match=r"only 12 of 32 that are not excluded.*P <= 12"):
        model.sample(13, 2, exclude=train)
    everything = model.sample(32, 0)
    with pytest.raises(SynaptreeError, match="all 32 strings of the grammar are excluded"):
        model.sample(1, 2, replace=True, exclude=everything)
    valid = rows(everything.x)
    foreign = np.array([t for t in product(range(4), repeat=4) if bytes(t) not in valid])
    assert len(model.sample(32, 2, exclude=foreign).x) == 32  # strings of no tree exclude nothing


def test_more_than_half_of_a_large_language():
    model = RandomHierarchyModel(4, 3, 4, 3, 2, 0)  # 3·4**4 strings: listed
    larger = RandomHierarchyModel(6, 6, 6, 2, 3, 0)  # 6**8 = 1.7 million: above the listing limit
    assert len(rows(model.sample(700, 1).x)) == 700
    P = larger.size * 6 // 10
    x = larger.sample(P, 1).x
    assert len(np.unique(tuple_codes(x, 6))) == P
    few = larger.sample(P // 6, 2, exclude=x).x
    assert not np.isin(tuple_codes(few, 6), tuple_codes(x, 6)).any()


def test_repeats_in_the_stream_are_skipped_and_the_count_stays_exact():
    model = RandomHierarchyModel(3, 2, 3, 2, 4, 0)  # 2·3**15 = 28.7 million strings
    P = 200_000  # P**2 / 2 / size = 697 repeats expected, so some are certain
    x = model.sample(P, 0).x
    assert len(np.unique(tuple_codes(x, 3))) == P
    drawn = model.sample(P, 0, replace=True).x  # the same stream, repeats and all
    codes = tuple_codes(drawn, 3)
    new = np.sort(np.unique(codes, return_index=True)[1])
    assert 500 < P - len(new) < 900
    assert np.array_equal(x[: len(new)], drawn[new])


def test_deep_grammar():
    model = RandomHierarchyModel(8, 8, 8, 2, 7, 0)
    assert model.d == 128
    assert model.size == 8**128
    samples = model.sample(10_000, 0)
    assert len(rows(samples.x)) == 10_000
    assert same(model.parse(samples.x).latents, samples.latents)


@pytest.mark.parametrize(
    ("sizes", "dtypes"),
    [((256, 257, 2, 2, 2), ("u1", "u1", "u2")), ((257, 256, 2, 2, 2), ("u2", "u2", "u1"))],
)
def test_smallest_dtypes(sizes, dtypes):
    model = RandomHierarchyModel(*sizes, seed=0)
    for replace in (False, True):
        samples = model.sample(20, 0, replace)
        assert [a.dtype for a in samples.latents] == [np.dtype(d) for d in dtypes]
        assert samples.y.dtype == samples.latents[-1].dtype
    assert same(model.parse(samples.x.astype(np.int64)).latents, samples.latents)


@pytest.mark.parametrize("sizes", [(5, 5, 3, 2, 2), (5, 3, 3, 2, 4)])  # listed, stream
@pytest.mark.parametrize("replace", [False, True])
def test_classes_and_rules_are_uniform(sizes, replace):
    model = RandomHierarchyModel(*sizes, seed=1)
    P = 50_000 if replace or model.size > 2**20 else 100
    samples = model.sample(P, 4, replace)
    drawn = [(samples.y, model.n)]
    drawn += [(c[:, k], model.m) for c in model.parse(samples.x).choices for k in range(c.shape[1])]
    for values, cells in drawn:
        counts = np.bincount(values, minlength=cells)
        # Binomial counts (fewer without replacement): 5 standard deviations in each of < 60 cells.
        assert np.abs(counts - P / cells).max() < 5 * (P / cells * (1 - 1 / cells)) ** 0.5
    first, second = (values for values, _ in drawn[1:3])  # and independent of each other
    pairs = np.bincount(first.astype(int) * model.m + second, minlength=model.m**2)
    share = 1 / model.m**2
    assert np.abs(pairs - P * share).max() < 5 * (P * share * (1 - share)) ** 0.5


def test_distinct_strings_of_a_listed_grammar_are_equally_likely():
    model = RandomHierarchyModel(2, 2, 2, 2, 1, 0)  # 4 strings, 6 pairs of them
    pairs = [
        bytes(sorted(tuple_codes(model.sample(2, seed).x, 2).tolist())) for seed in range(6000)
    ]
    counts = [pairs.count(pair) for pair in set(pairs)]
    assert len(counts) == 6
    assert max(abs(count - 1000) for count in counts) < 5 * (6000 / 6 * 5 / 6) ** 0.5


# Reproducibility ---------------------------------------------------------------------------------

DIGEST = """
import hashlib
from synaptree.grammar.rhm import RandomHierarchyModel
digest = hashlib.sha256()
for sizes in [(4, 4, 2, 2, 3), (8, 8, 8, 2, 4), (8, 8, 8, 2, 7), (256, 10, 9, 4, 2)]:
    model = RandomHierarchyModel(*sizes, seed=11)
    samples = model.sample(300, 5)
    for array in (*model.rules, *samples.latents, model.synonym(samples.x, 1, 2)):
        digest.update(array.tobytes())
result = digest.hexdigest()
"""


def test_same_bits_in_another_process_and_whatever_the_global_state():
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    before = (random.getstate(), np.random.get_state()[1].tobytes())  # noqa: NPY002
    here = {}
    exec(DIGEST, here)
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == before  # noqa: NPY002
    code = "import numpy, random; numpy.random.seed(7); random.seed(7)" + DIGEST + "print(result)"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here["result"]


def test_the_bits_of_this_version():
    """Journals name runs by their seeds: a change of the streams has to be a decision."""
    here = {}
    exec(DIGEST, here)
    assert here["result"][:16] == "47be8083cb5043b9"


def test_one_seed_serves_each_purpose_and_each_seed_differs():
    model = RandomHierarchyModel(8, 8, 4, 2, 4, 3)
    assert not np.array_equal(model.sample(50, 0).x, model.sample(50, 1).x)
    assert not np.array_equal(model.sample(50, 0).x, model.sample(50, 2**64).x)
    other = RandomHierarchyModel(8, 8, 4, 2, 4, 4)
    assert not np.array_equal(model.sample(50, 0).x, other.sample(50, 0).x)
    x = model.sample(50, 0).x
    assert not np.array_equal(model.synonym(x, 2, 0), model.synonym(x, 2, 1))


def test_imports_neither_torch_nor_scipy():
    code = (
        "import sys, synaptree.grammar.rhm; print({'torch', 'scipy', 'pandas'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


# Synonyms ----------------------------------------------------------------------------------------


@quick
@given(grammars(least_m=2), seeds, seeds, st.data())
def test_a_synonym_changes_the_chosen_nodes_and_nothing_else(model, seed, other, data):
    x = model.sample(20, seed, replace=True).x
    level = data.draw(st.integers(1, model.L))
    count = model.s ** (model.L - level)
    nodes = data.draw(st.none() | st.sets(st.integers(0, count - 1), min_size=1))
    changed = model.synonym(x, level, other, None if nodes is None else list(nodes))
    assert changed.shape == x.shape
    assert changed.dtype == x.dtype
    before, after = model.parse(x), model.parse(changed)
    for upper in range(level, model.L + 1):
        assert np.array_equal(before.latents[upper], after.latents[upper])
    picked = np.isin(np.arange(count), list(range(count) if nodes is None else nodes))
    for index, (old, new) in enumerate(zip(before.choices, after.choices, strict=True)):
        if index == level - 1:
            assert (old[:, picked] != new[:, picked]).all()
            assert np.array_equal(old[:, ~picked], new[:, ~picked])
        else:
            assert np.array_equal(old, new)
    under = np.repeat(picked, model.s**level)
    assert np.array_equal(x[:, ~under], changed[:, ~under])
    for node in np.flatnonzero(picked):
        span = slice(node * model.s**level, (node + 1) * model.s**level)
        assert (x[:, span] != changed[:, span]).any(axis=1).all()
    if nodes is not None:  # a node's exchange does not depend on which others are exchanged
        everywhere = model.synonym(x, level, other)
        assert np.array_equal(everywhere[:, under], changed[:, under])
    assert np.array_equal(model.synonym(x[0], level, other), model.synonym(x[:1], level, other)[0])


def test_synonyms_are_uniform_over_the_other_rules():
    model = RandomHierarchyModel(4, 4, 4, 2, 2, 0)
    x = np.repeat(model.sample(1, 0).x, 30_000, axis=0)
    old, new = (model.parse(z).choices[0] for z in (x, model.synonym(x, 1, 0)))
    for node in range(2):
        counts = np.bincount(new[:, node], minlength=4)
        assert counts[old[0, node]] == 0
        others = np.delete(counts, old[0, node])
        assert np.abs(others - 10_000).max() < 5 * (30_000 * 2 / 9) ** 0.5
    # Two nodes are exchanged independently: 9 equally likely pairs.
    pairs = np.unique(new, axis=0, return_counts=True)[1]
    assert len(pairs) == 9
    assert np.abs(pairs - 30_000 / 9).max() < 5 * (30_000 * 8 / 81) ** 0.5


# A user's mistakes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"v": 1}, r"grammar v: 1; expected an integer >= 2"),
        ({"n": 1}, r"grammar n: 1; expected an integer >= 2"),
        ({"m": 0}, r"grammar m: 0; expected an integer >= 1"),
        ({"s": 1}, r"grammar s: 1; expected an integer >= 2"),
        ({"L": 0}, r"grammar L: 0; expected an integer >= 1"),
        ({"seed": -1}, r"grammar seed: -1; expected an integer >= 0"),
        ({"m": True}, r"grammar m: True; expected an integer"),
        ({"m": 2.0}, r"grammar m: 2\.0; expected an integer"),
        ({"L": "3"}, r"grammar L: '3'; expected an integer"),
        ({"m": 9}, r"grammar m: m=9 needs n\*m=72 .*v\*\*s=64.*largest valid m is 8$"),
        ({"n": 4, "m": 9}, r"m=9 needs m\*v=72 .*largest valid m is 8$"),
        ({"n": 20, "m": 4}, r"m=4 needs n\*m=80 .*largest valid m is 3$"),
        ({"n": 65}, r"grammar n: 65 classes share v\*\*s=64.*largest valid n is 16$"),
        ({"s": 22}, r"v\*\*s > 2\*\*63.*largest valid s is 21$"),
        ({"s": 10**9}, r"largest valid s is 21$"),
        ({"v": 2**40}, r"largest valid v is 3037000499$"),
        ({"L": 21}, r"L=21 with s=2 .*largest valid L is 20$"),
        ({"L": 10**9}, r"largest valid L is 20$"),
    ],
)
def test_impossible_grammars_are_refused(change, message):
    sizes = {"v": 8, "n": 8, "m": 4, "s": 2, "L": 3, "seed": 0}
    RandomHierarchyModel(**sizes)
    with pytest.raises(SynaptreeError, match=message) as error:
        RandomHierarchyModel(**{**sizes, **change})
    assert "\n" not in str(error.value)


@quick
@given(grammars(least_m=1))
def test_the_largest_valid_m_of_the_message_is_valid_and_the_next_is_not(model):
    sizes = (model.v, model.n, model.v**model.s + 1, model.s, model.L, model.seed)
    with pytest.raises(SynaptreeError) as error:
        RandomHierarchyModel(*sizes)
    m = int(str(error.value).rsplit(" ", 1)[1])
    RandomHierarchyModel(model.v, model.n, m, model.s, model.L, 0)
    with pytest.raises(SynaptreeError):
        RandomHierarchyModel(model.v, model.n, m + 1, model.s, model.L, 0)


def test_one_level_is_limited_by_its_classes_only():
    assert RandomHierarchyModel(4, 2, 8, 2, 1, 0).size == 16
    with pytest.raises(SynaptreeError, match="largest valid m is 4"):
        RandomHierarchyModel(4, 2, 8, 2, 2, 0)


def test_numpy_integers_are_integers():
    model = RandomHierarchyModel(*(np.int64(k) for k in (8, 8, 4, 2, 3, 0)))
    assert model == RandomHierarchyModel(8, 8, 4, 2, 3, 0)
    assert hash(model) == hash(RandomHierarchyModel(8, 8, 4, 2, 3, 0))
    assert type(model.size) is int


MODEL = RandomHierarchyModel(4, 4, 2, 2, 3, 0)
X = MODEL.sample(10, 0).x


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MODEL.sample(0, 0), r"^sample P: 0; expected an integer from 1"),
        (lambda: MODEL.sample(2.5, 0), r"^sample P: 2\.5; expected an integer"),
        (lambda: MODEL.sample(1, -1), r"^sample seed: -1; expected an integer >= 0"),
        (lambda: MODEL.sample(1, 0, exclude=X[:, :4]), r"^sample exclude: shape .*= 8$"),
        (lambda: MODEL.parse(X[:, :7]), r"^parse x: shape \(10, 7\); expected \(P, d\).* = 8$"),
        (lambda: MODEL.parse(X[None]), r"^parse x: shape \(1, 10, 8\)"),
        (lambda: MODEL.parse(X * 1.0), r"^parse x: dtype float64; expected integers"),
        (lambda: MODEL.parse(X == 1), r"^parse x: dtype bool; expected integers"),
        (lambda: MODEL.parse(X + 4), r"^parse x: \d at index \(0, 0\); expected integers 0\.\.3"),
        (lambda: MODEL.parse(X.astype(int) - 4), r"^parse x: -\d at index \(0, 0\)"),
        (lambda: MODEL.parse(X[:0]), r"^parse x: empty"),
        (lambda: MODEL.synonym(X, 0, 0), r"^synonym level: 0; expected an integer from 1 to 3"),
        (lambda: MODEL.synonym(X, 4, 0), r"^synonym level: 4; expected an integer from 1 to 3"),
        (lambda: MODEL.synonym(X, 1, -1), r"^synonym seed: -1"),
        (lambda: MODEL.synonym(X, 2, 0, [2]), r"^synonym nodes: 2 at .*integers 0\.\.1"),
        (lambda: MODEL.synonym(X, 2, 0, -1), r"^synonym nodes: -1"),
        (lambda: MODEL.synonym(X, 2, 0, []), r"^synonym nodes: "),
        (lambda: MODEL.expand([4], []), r"^expand y: 4 at index \(0,\); expected integers 0\.\.3"),
        (lambda: MODEL.expand([[1]], []), r"^expand y: shape \(1, 1\); expected \(P,\)"),
        (lambda: MODEL.expand([1], []), r"^expand choices: 0 levels; expected L=3"),
        (
            lambda: MODEL.expand([1], [[[0] * 4], [[0] * 3], [[0]]]),
            r"^expand choices level 2: shape \(1, 3\); expected \(1, 2\)",
        ),
        (
            lambda: MODEL.expand([1], [[[0] * 4], [[0, 2]], [[0]]]),
            r"^expand choices level 2: 2 at index \(0, 1\); expected integers 0\.\.1",
        ),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(SynaptreeError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_one_rule_has_no_synonym():
    model = RandomHierarchyModel(4, 4, 1, 2, 2, 0)
    with pytest.raises(SynaptreeError, match="m=1, so no feature has a synonym; expected m >= 2"):
        model.synonym(model.sample(1, 0).x, 1, 0)


@pytest.mark.parametrize("sizes", [(4, 4, 2, 2, 3), (1100, 4, 2, 2, 3)])  # dense and sorted look-up
@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_string_outside_the_language_is_located(sizes, level):
    model = RandomHierarchyModel(*sizes, seed=0)
    samples = model.sample(10, 0)
    choices = [c.copy() for c in model.parse(samples.x).choices]
    # In string 7, give the last node of this level a tuple that none of its level's rules has.
    known = set(tuple_codes(model.rules[level - 1], model.v).ravel().tolist())
    alien = next(code for code in range(model.v**2) if code not in known)
    patch = [alien // model.v, alien % model.v]
    below = samples.latents[level - 1].copy()
    below[7, -2:] = patch
    for lower in range(level - 1, 0, -1):
        rules = model.rules[lower - 1]
        below = rules[below, choices[lower - 1]].reshape(10, -1)
    node = model.s ** (model.L - level) - 1
    message = (
        rf"string 7 is outside the language: its level-{level} patch {node}"
        rf" is \({patch[0]}, {patch[1]}\)"
    )
    with pytest.raises(SynaptreeError, match=message):
        model.parse(below)


def test_helpers():
    assert first_occurrences(np.array([3, 1, 3, 2, 1, 3])).tolist() == [0, 1, 3]
    assert first_occurrences(np.array([3, 1, 2])).tolist() == [0, 1, 2]
    assert tuple_codes(np.array([[1, 2, 3]], np.uint8), 10).tolist() == [123]
    assert checked_integer("here", np.uint8(3), 1, 3) == 3

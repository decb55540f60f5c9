"""Data sets, splits, files, and the layout of the RHM authors' program."""

import itertools
import json
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from random_variants import grammars, seeds
from torch.utils.data import DataLoader

from synaptree.errors import SynaptreeError
from synaptree.grammar.family import MixedRules, Noise, Sparse, TreeGrammar, Zipf
from synaptree.grammar.family.bayes import all_strings
from synaptree.grammar.family.data import (
    CARD,
    FreshBatches,
    Split,
    TreeDataset,
    card,
    draw_part,
    encoded,
    grammar_of,
    parts_of,
)
from synaptree.grammar.family.layout import (
    load_npz,
    load_parquet,
    rules_from_top,
    samples_from_top,
    save_npz,
    save_parquet,
    trees_from_top,
)
from synaptree.grammar.family.posterior import posterior
from synaptree.grammar.family.tasks import last_token
from synaptree.grammar.rhm import RandomHierarchyModel

GRAMMAR = TreeGrammar(RandomHierarchyModel(8, 8, 4, 2, 3, 0), Zipf(0.5))


SMALL = [[[[0, 1]], [[1, 1]]]]  # two strings
EDGE = (1 - 1e-9, 0, 1e-9)


def rows(x):
    return {row.tobytes() for row in np.ascontiguousarray(x)}


def test_parts_never_overlap_and_have_their_shares():
    shares = (0.6, 0.3, 0.1)
    every = {}
    for seed, part in enumerate(("training", "validation", "test")):
        drawn = draw_part(GRAMMAR, 5000, seed, Split(part, shares))
        assert len(drawn.x) == 5000
        every[part] = rows(drawn.x)
    assert not every["training"] & every["test"]
    assert not every["training"] & every["validation"]
    assert not every["validation"] & every["test"]
    x = np.unique(GRAMMAR.sample(50_000, 9).x, axis=0)
    parts = parts_of(x, shares)
    for part, share in enumerate(shares):
        count = (parts == part).sum()
        assert abs(count - share * len(x)) < 5 * (len(x) * share * (1 - share)) ** 0.5
        # also among strings that share their first half
        half = x[:, 0] == 3
        assert abs((parts[half] == part).mean() - share) < 5 * (0.25 / half.sum()) ** 0.5
    assert np.array_equal(parts, parts_of(x.astype(np.int64), shares))
    assert (parts != parts_of(x, shares, seed=1)).any()
    assert (parts_of(x, (1, 0, 0)) == 0).all()


def test_encodings():
    grammar = TreeGrammar(RandomHierarchyModel(4, 3, 2, 2, 2, 0), sparse=Sparse(1))
    x = grammar.sample(20, 0).x.astype(int)
    x[0, 0] = -1
    hot = encoded(grammar, x, "one-hot").numpy()
    white = encoded(grammar, x, "whitened").numpy()
    assert hot.shape == white.shape == (20, 4, 16)
    for p, place in itertools.product(range(20), range(16)):
        token = x[p, place]
        expected = np.eye(4)[token] if 0 <= token < 4 else np.zeros(4)
        assert np.array_equal(hot[p, :, place], expected)
        centred = (expected - 0.25) / 0.75**0.5 if 0 <= token < 4 else expected
        assert np.allclose(white[p, :, place], centred)
    assert np.array_equal(encoded(grammar, x).numpy(), x)


def test_a_dataset_and_fresh_batches_feed_a_loader():
    data = TreeDataset(GRAMMAR, 100, 0, form="one-hot", split=Split("test"))
    inputs, targets = next(iter(DataLoader(data, batch_size=32)))
    assert inputs.shape == (32, 8, 8)
    assert torch.equal(targets, torch.from_numpy(data.samples.y[:32].astype(np.int64)))
    fresh = FreshBatches(GRAMMAR, 16, 3, last_token(GRAMMAR), split=Split("training"))
    first = list(itertools.islice(DataLoader(fresh, batch_size=None), 4))
    again = list(itertools.islice(iter(fresh), 4))
    for (x, y), (other, targets) in zip(first, again, strict=True):
        assert torch.equal(x, other)
        assert torch.equal(y, targets)
        assert (x[:, -1] == -1).all()
        whole = torch.cat([x[:, :-1], y[:, None]], dim=1).numpy()
        assert (parts_of(whole) == 0).all()


def test_batches_never_come_again_and_workers_take_turns():
    fresh = FreshBatches(GRAMMAR, 4, 0)
    first = [x for x, _ in itertools.islice(iter(fresh), 500)]
    assert len({x.numpy().tobytes() for x in first}) == 500
    shared = DataLoader(fresh, batch_size=None, num_workers=2)
    for mine, (theirs, _) in zip(first[:7], shared, strict=False):
        assert torch.equal(mine, theirs)


@settings(max_examples=20)
@given(grammars(most=1e9), seeds)
def test_files_and_cards_round_trip(tmp_path_factory, grammar, seed):
    samples = grammar.sample(10, seed)
    about = card(grammar, 10, seed, Split("test"))
    folder = tmp_path_factory.mktemp("data")
    save_npz(folder / "data.npz", samples, about)
    save_parquet(folder / "data.parquet", samples, about)
    for loaded, found in (load_npz(folder / "data.npz"), load_parquet(folder / "data.parquet")):
        assert found == json.loads(json.dumps(about))
        assert grammar_of(found) == grammar
        assert np.array_equal(loaded.y, samples.y)
        for one, two in zip(
            (loaded.x, *loaded.latents), (samples.x, *samples.latents), strict=True
        ):
            assert np.array_equal(one, two)
            assert one.dtype == two.dtype
    # What other programs read in the columns.
    frame = pd.read_parquet(folder / "data.parquet")
    names = ["x", "y", *(f"latent_{level}" for level in range(grammar.L + 1))]
    assert list(frame.columns) == names
    assert np.array_equal(np.stack(frame["x"].tolist()), samples.x)
    assert np.array_equal(np.stack(frame["latent_1"].tolist()), samples.latents[1])
    assert frame["y"].tolist() == samples.y.tolist()
    back = samples_from_top(trees_from_top(samples))
    for one, two in zip(back.latents, samples.latents, strict=True):
        assert np.array_equal(one, two)


# Another program's rules -------------------------------------------------------------------------


def rules_as_the_authors_draw_them(v, n, m, s, L, rng):
    tuples = np.array(list(itertools.product(range(v), repeat=s)))
    return {
        level: tuples[rng.permutation(len(tuples))[: owners * m]].reshape(owners, m, s)
        for level, owners in enumerate([n] + [v] * (L - 1))
    }


def strings_as_the_authors_index_them(rules, n, m, s, L):
    """All strings by index: the class is the highest digit, then rules level by level."""
    strings, trees = [], []
    for y in range(n):
        numbers = [s**level for level in range(L)]
        for choices in itertools.product(range(m), repeat=sum(numbers)):
            row, rest, tree = [y], list(choices), [[y]]
            for level in range(L):
                used, rest = rest[: len(row)], rest[len(row) :]
                row = [int(c) for f, k in zip(row, used, strict=True) for c in rules[level][f][k]]
                tree.append(row)
            strings.append((y, row))
            trees.append(tree)
    return strings, trees


def test_rules_of_another_program_give_its_strings_and_trees():
    sizes = (4, 3, 2, 2, 2)
    rules = rules_as_the_authors_draw_them(*sizes, np.random.default_rng(0))
    strings, trees = strings_as_the_authors_index_them(rules, *sizes[1:])
    grammar = TreeGrammar(rules_from_top(rules, tokens=4))
    assert grammar.derivations == len(strings) == 3 * 2**3
    x = np.array([row for _, row in strings])
    assert np.array_equal(all_strings(grammar), np.unique(x, axis=0))
    found = posterior(grammar, x)
    assert found.latents[2][:, 0].argmax(dim=1).tolist() == [y for y, _ in strings]
    for level in (1, 2):
        known = [tree[2 - level] for tree in trees]
        assert found.latents[level].argmax(dim=2).tolist() == known
    drawn = trees_from_top(grammar.sample(200, 0))
    known = {json.dumps(tree) for tree in trees}
    for row in range(200):
        tree = [[int(drawn[0][row])], *(drawn[i][row].tolist() for i in (1, 2))]
        assert json.dumps(tree) in known


def other(path):
    """A Parquet file of something else."""
    pd.DataFrame({"x": [1, 2]}).to_parquet(path.parent / "other.parquet")
    return path.parent / "other.parquet"


def test_without_pyarrow_a_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for call in (lambda p: save_parquet(p, GRAMMAR.sample(1, 0), {}), load_parquet):
        with pytest.raises(SynaptreeError, match="parquet: needs pyarrow; `pip install pyarrow`"):
            call(tmp_path / "data.parquet")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: rules_from_top({0: [[1]], 2: [[1]]}), r"levels \[0, 2\]; expected 0, 1"),
        (
            lambda p: rules_from_top([[[[0.5]]]]),
            r"level 0 from the top: \[\[\[0\.5\]\]\]; expected an array of int",
        ),
        (lambda p: rules_from_top([[[[0, 1], [1]]]]), "expected an array of integers"),
        (lambda p: rules_from_top([[[0, 1]]]), r"level 0 from the top: shape \(1, 2\); expected"),
        (lambda p: samples_from_top([[0, 1], [[0, 1]]]), r"levels of \[1, 2\] trees"),
        (lambda p: Split("train"), "split part: 'train' is unknown.*did you mean 'training'"),
        (lambda p: Split("test", (1, 0, 0)), "split shares: .*expected above 0 for test"),
        (lambda p: Split("test", (1, 1, 0)), "split shares: a sum of 2"),
        (
            lambda p: draw_part(TreeGrammar(rules_from_top(SMALL)), 2, 0, Split("test", EDGE)),
            "draw_part: 0 of .* strings are of the part 'test'; expected 2",
        ),
        (lambda p: encoded(GRAMMAR, np.zeros((1, 8), int), "binary"), "encoded form: 'binary'"),
        (lambda p: load_npz(p), "data bad.npz: .*expected a file that save_npz wrote"),
        (lambda p: load_parquet(p), "data bad.npz: .*expected a file that save_parquet wrote"),
        (lambda p: load_parquet(other(p)), "data other.parquet: .*that save_parquet wrote"),
        (lambda p: grammar_of({}), "card: {}; expected a data card, of format 'synaptree-data/1'"),
        (lambda p: grammar_of({"format": CARD}), "card: .*expected what `card` returns"),
        (lambda p: grammar_of(card(GRAMMAR, 1, 0) | {"prior": [2]}), "grammar prior: shape"),
    ],
)
def test_mistakes_are_named(call, message, tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    with pytest.raises(SynaptreeError, match=message):
        call(tmp_path / "bad.npz")


def test_a_card_names_everything():
    grammar = TreeGrammar(MixedRules(4, 3, (2, 2), (2, 3), 2, 5), noise=Noise(0.1), layout="packed")
    about = card(grammar, 7, 3)
    assert about["source"] == {
        "kind": "MixedRules",
        "v": 4,
        "n": 3,
        "m": (2, 2),
        "s": (2, 3),
        "L": 2,
        "seed": 5,
        "shares": None,
    }
    assert about["noise"] == {"kind": "Noise", "tokens": 0.1, "rules": 0.0, "levels": None}
    assert (about["P"], about["seed"], about["blank"]) == (7, 3, 4)
    assert about["derivations"] == str(grammar.derivations)

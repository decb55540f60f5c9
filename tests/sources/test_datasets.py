"""Data of one's own: their form, their hash, their files, and what is wrong with them."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from synaptree import SynaptreeError, make_spec
from synaptree.sources.dataset import Dataset, depth, least_root
from synaptree.sources.layout import images_of_strings, quad_order, strings_of_images
from synaptree.sources.own import OwnInputs
from synaptree.study.files import read_study
from synaptree.training.data import Data

REPOSITORY = Path(__file__).parents[2]
RNG = np.random.default_rng(0)
X, Y = RNG.integers(5, size=(40, 8)), np.arange(40) % 3
PIXELS = RNG.random((20, 4, 4, 3)).astype(np.float32)
LABELS = np.arange(20) % 2


def quadrants(image):
    """The pixels of an image in the order of its quad-tree, by recursion."""
    side = len(image)
    if side == 1:
        return [image[0, 0]]
    half = side // 2
    parts = [image[a : a + half, b : b + half] for a in (0, half) for b in (0, half)]
    return [pixel for part in parts for pixel in quadrants(part)]


@pytest.mark.parametrize("side", [2, 4, 8, 16])
def test_the_quad_tree_of_an_image_by_recursion(side):
    images = RNG.random((3, side, side, 2))
    slow = np.array([quadrants(image) for image in images])
    assert np.array_equal(strings_of_images(images), slow)
    assert np.array_equal(images_of_strings(slow), images)
    assert sorted(quad_order(side)) == list(range(side**2))


def test_a_unit_of_layer_one_reads_two_by_two_pixels():
    spec = make_spec(rule="backprop", data=Dataset.images(PIXELS, LABELS), width=4, batch=4)
    assert (spec.v, spec.n, spec.m, spec.s, spec.L, spec.P) == (3, 2, 1, 4, 2, 16)
    data = Data.draw([spec], "cpu")
    assert data.x.shape == (1, 16, 16, 3)
    patch = data.x[0, 0].reshape(4, 4, 3)[1]  # the second unit: the upper right square
    squares = PIXELS[:, :2, 2:].reshape(20, 4, 3)
    assert any(np.array_equal(patch, square) for square in squares)


def test_bytes_of_images_are_divided_by_255():
    as_bytes = (255 * PIXELS).astype(np.uint8)
    x = Dataset.images(as_bytes, LABELS).arrays.train.x
    assert np.allclose(images_of_strings(x), as_bytes / 255)


@pytest.mark.parametrize(("d", "s", "L"), [(8, 2, 3), (27, 3, 3), (6, 6, 1), (64, 2, 6), (2, 2, 1)])
def test_the_tree_over_a_sequence(d, s, L):
    assert least_root(d) == s
    assert depth(d, s) == L
    assert depth(d, s + 1) is None or s + 1 == 4
    x = RNG.random((10, d))
    spec = make_spec(rule="backprop", data=Dataset.vectors(x, np.arange(10) % 2), batch=4)
    assert (spec.v, spec.s, spec.L, spec.P) == (1, s, L, 8)


def test_equal_data_have_one_hash_and_other_data_another():
    data = Dataset.tokens(X, Y)
    assert data == Dataset.tokens(X.astype(np.uint8), Y.astype(np.int16), name="another")
    assert data == Dataset.tokens(X.tolist(), Y.tolist())
    flipped = X.copy()
    flipped[3, 5] = (X[3, 5] + 1) % 5
    relabelled = Y.copy()
    relabelled[7] = (Y[7] + 1) % 3
    others = [
        Dataset.tokens(flipped, Y),
        Dataset.tokens(X, relabelled),
        Dataset.tokens(X, Y, v=6),
        Dataset.tokens(X, Y, n=4),
        Dataset.tokens(X, Y, frames=2),
        Dataset.tokens(X, Y, test=(X[:2], Y[:2])),
        Dataset.vectors(X, Y),
        Dataset.tokens(X.reshape(80, 4), np.repeat(Y, 2)),
    ]
    assert len({each.sha256 for each in (data, *others)}) == 9
    ids = {make_spec(rule="dfa", data=each, P=20, batch=4).run_id for each in (data, *others)}
    assert len(ids) == 9


def test_a_file_holds_the_data_and_is_read_again_where_it_changed(tmp_path):
    for data in (
        Dataset.tokens(X, Y, v=7, frames=4, test=(X[:4], Y[:4])),
        Dataset.vectors(PIXELS.reshape(20, 16, 3), LABELS, n=4),
        Dataset.images(PIXELS, LABELS),
    ):
        again = Dataset.load(data.save(tmp_path / "mine.npz"))
        assert again == data
        assert again.name == "mine.npz"
    before = make_spec(rule="dfa", data=tmp_path / "mine.npz", P=8, batch=4)
    packed = pickle.dumps(before)
    assert pickle.loads(packed).data.arrays.train.x.shape == (20, 16, 3)
    Dataset.images(PIXELS + 1, LABELS).save(tmp_path / "mine.npz")
    after = make_spec(rule="dfa", data=tmp_path / "mine.npz", P=8, batch=4)
    assert after.run_id != before.run_id
    with pytest.raises(
        SynaptreeError, match=r"^data mine.npz: changed since \(hash \w+ now, \w+ b"
    ):
        pickle.loads(packed)


def test_files_as_keras_and_cifar_have_them(tmp_path):
    path = tmp_path / "mnist.npz"
    bytes_ = (255 * PIXELS[..., 0]).astype(np.uint8)
    np.savez(path, x_train=bytes_, y_train=LABELS, x_test=bytes_[:5], y_test=LABELS[:5, None])
    held = Dataset.load(path).arrays
    assert (held.form, held.v, held.train.x.shape) == ("images", 1, (20, 16, 1))
    assert held.test.x.shape == (5, 16, 1)
    np.savez(path, x=X, y=Y)
    assert Dataset.load(path) == Dataset.tokens(X, Y)


def test_the_data_seed_holds_out_the_test_set():
    data = Dataset.tokens(np.arange(320).reshape(40, 8), Y)
    source = OwnInputs(data)
    for P in (10, 32):
        drawn = source.training(P, 3)
        test = source.test(100, 3, drawn)
        rows = np.concatenate([drawn.x, test.x])[:, 0] // 8
        assert sorted(rows) == list(range(40))
        assert np.array_equal(Y[rows], np.concatenate([drawn.y, test.y]))
    assert not np.array_equal(source.training(10, 3).x, source.training(10, 4).x)
    assert np.array_equal(source.training(10, 3).x, source.training(32, 3).x[:10])


def test_clips_stay_whole_in_the_split():
    data = Dataset.tokens(np.arange(320).reshape(40, 8), Y, frames=4)
    drawn = OwnInputs(data).training(20, 0)
    rows = (drawn.x[:, 0] // 8).reshape(-1, 4)
    assert (np.diff(rows) == 1).all()
    assert (rows[:, 0] % 4 == 0).all()
    assert not set(rows.ravel()) & set(OwnInputs(data).test(99, 0, drawn).x[:, 0] // 8)


def test_a_test_set_of_its_own_is_the_one_that_is_used():
    data = Dataset.tokens(X, Y, test=(X[::-1][:6], Y[::-1][:6]))
    drawn = OwnInputs(data).training(40, 0)
    assert np.array_equal(OwnInputs(data).test(4, 0, drawn).x, X[::-1][:4])
    assert make_spec(rule="dfa", data=data, batch=4).P == 40


BAD = np.full((4, 4), 1.0)
BAD[2, 1] = np.nan


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Dataset.tokens(X, None), "data tokens: no labels y given"),
        (lambda: Dataset.tokens(X, Y[:-1]), r"labels y of shape \(39,\) given for 40 inputs"),
        (lambda: Dataset.tokens(X, Y - 1), "expected classes 0..n-1"),
        (lambda: Dataset.tokens(X, Y / 2), "expected classes 0..n-1"),
        (lambda: Dataset.tokens(X, ["a"] * 40), "as of np.unique"),
        (lambda: Dataset.tokens(X - 1, Y), "token -1 given; expected tokens from 0"),
        (lambda: Dataset.tokens(X / 2, Y), r"type float64 given; expected whole numbers \(N, d\)"),
        (lambda: Dataset.tokens(X, Y, v=4), "v: 4 given, but token 4 occurs; expected at least 5"),
        (lambda: Dataset.tokens(X, Y, n=2), "n: 2 given, but class 2 occurs; expected at least 3"),
        (lambda: Dataset.tokens(X, Y, frames=3), "frames: 3 given for 40 inputs; expected whole"),
        (lambda: Dataset.tokens(X[:, :1], Y), "at least two places"),
        (lambda: Dataset.tokens("x", Y), "expected an array of numbers"),
        (lambda: Dataset.vectors(BAD, [0, 1, 0, 1]), "not finite, the first in input 2"),
        (lambda: Dataset.vectors(X[0], Y), r"expected \(N, d\) or \(N, d, C\)"),
        (lambda: Dataset.images(np.zeros((2, 28, 28)), [0, 1]), r"28 x 28.*16 \(cut\) or 32 \(pad"),
        (lambda: Dataset.images(np.zeros((2, 3, 8, 8)), [0, 1]), "channels come last"),
        (lambda: Dataset.images(np.zeros((2, 8, 4)), [0, 1]), r"expected \(N, S, S\)"),
        (lambda: Dataset.tokens(X, Y, test=X), r"expected a pair \(x, y\)"),
        (lambda: Dataset.tokens(X, Y, test=(X[:, :4], Y)), r"shape \(4,\) given, but those to tr"),
        (lambda: Dataset.load("nowhere.npz"), "cannot be read .*expected an .npz file"),
    ],
)  # fmt: skip
def test_mistakes_in_data(make, says):
    with pytest.raises(SynaptreeError, match=says) as fault:
        make()
    assert "\n" not in str(fault.value)


FEW = X[:8]


@pytest.mark.parametrize(
    ("y", "test_y", "says"),
    [
        # Classes that only the test set has.
        ([0, 1] * 4, [5, 6] * 4, "test: classes 5, 6 given, which no input to train on has; "
         "expected some of 0, 1"),
        ([1, 3] * 4, [3, 2] * 4, "test: classes 2 given, .* expected some of 1, 3"),
        # Classes that are left out: 0; between others; many.
        ([1, 2, 3, 1] * 2, None, "3 classes up to 3 given, without 0; expected all of 0..n-1, as "
         r"of np.unique\(y, return_inverse=True\)\[1\], or n=4"),
        ([0, 1, 3, 4] * 2, None, "4 classes up to 4 given, without 2; "),
        ([0, 1, 0, 40] * 2, None, "3 classes up to 40 given, without 2, 3, 4, 5, 6, …; "),
        ([0, 2**60] * 4, None, "2 classes up to .*, without some; "),
        ([0, 2] * 4, [0, 2] * 4, r".* without 1; .* as of np.searchsorted\(np.unique\(y\), …\)"),
    ],
)  # fmt: skip
def test_classes_that_nothing_is_trained_on(y, test_y, says, tmp_path):
    test = None if test_y is None else (FEW, test_y)
    with pytest.raises(SynaptreeError, match=f"^data tokens:? {says}") as fault:
        Dataset.tokens(FEW, y, test=test)
    assert "\n" not in str(fault.value)
    more = {} if test_y is None else {"test_x": FEW, "test_y": test_y}
    np.savez(tmp_path / "mine.npz", x=FEW, y=y, **more)
    with pytest.raises(SynaptreeError, match=f"^data mine.npz:? {says}"):
        Dataset.load(tmp_path / "mine.npz")


def test_classes_may_be_left_out_where_their_number_is_given(tmp_path):
    y = [1, 3] * 4
    data = Dataset.tokens(FEW, y, test=(FEW[:2], y[:2]), n=5)
    assert data.arrays.n == 5
    assert Dataset.load(data.save(tmp_path / "five.npz")) == data
    with pytest.raises(SynaptreeError, match="n: 3 given, but class 3 occurs"):
        Dataset.tokens(FEW, y, n=3)
    with pytest.raises(SynaptreeError, match="which no input to train on has"):
        Dataset.tokens(FEW, y, test=(FEW, [1, 2] * 4), n=5)
    # What the message says to do.
    inverse = Dataset.tokens(FEW, np.unique(y, return_inverse=True)[1])
    assert inverse.arrays.n == 2
    assert inverse == Dataset.tokens(FEW, np.searchsorted(np.unique(y), y))


def test_the_committed_data_and_their_runs_keep_their_ids():
    data = REPOSITORY / "studies" / "digits" / "digits.npz"
    assert str(Dataset.load(data)) == "digits.npz@0b6849eeb56134ec"
    ids = [spec.run_id for spec in read_study(data.with_name("run.yaml"))]
    assert ids == (REPOSITORY / "results" / "digits" / "study.ids").read_text().split()


def test_mistakes_in_files(tmp_path):
    path = tmp_path / "bad.npz"
    for arrays, says in (
        ({"x": X}, "data bad.npz: no array y"),
        ({"x": X, "y": Y, "test_x": X}, "no array test_y"),
        ({"x": X, "y": Y, "labels": Y}, "'labels' is unknown"),
        ({"x": X, "y": Y, "form": "text"}, "data bad.npz form: 'text' is unknown"),
        ({"x": X, "y": Y, "frames": 0.5}, "frames: .* expected one whole number"),
        ({"x": np.array([{}]), "y": Y}, "its arrays are Python objects"),
    ):
        np.savez(path, **arrays)
        with pytest.raises(SynaptreeError, match=says) as fault:
            Dataset.load(path)
        assert "\n" not in str(fault.value)
    path.write_bytes(b"no archive")
    with pytest.raises(SynaptreeError, match=r"it is no \.npz file"):
        Dataset.load(path)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"s": 3}, r"inputs of 8 places given for s=3.*as 3 \(cut\) or 9 \(padded\)"),
        ({"L": 2}, "inputs of 8 places given for s=2, L=2"),
        ({"data": Dataset.images(PIXELS, LABELS), "L": 3},
         r"inputs of 16 places \(4 × 4 pixels\) given for s=4, L=3"),
        ({"v": 4}, "v: 4 given, but data tokens has 5 different tokens; expected at least 5$"),
        ({"n": 2}, "n: 2 given, but data tokens has 3 classes; expected at least 3$"),
        ({"data": Dataset.images(PIXELS, LABELS), "v": 4},
         "v: 4 given, but data images has 3 numbers at each place; expected 3, or none$"),
        ({"m": 4}, "m: 4 given with data, which have no rules; expected 1"),
        ({"P": 40}, "P: 40 given.*some must be left to test on; expected at most 39"),
        ({"variant": "zipf=1"}, "variant: zipf=1 given with data"),
        ({"data": 3}, "data: 3 given; expected a Dataset, or the path"),
        ({"rule": "clapp", "views": "movie"}, "are no clips"),
        ({"rule": "clapp", "views": "movie:0.1"}, "no hidden tree is known"),
        ({"rule": "clapp", "views": "same_latent:1"}, "no hidden tree is known"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_the_data(changed, says):
    with pytest.raises(SynaptreeError, match=says) as fault:
        make_spec(**{"rule": "backprop", "data": Dataset.tokens(X, Y), "batch": 4} | changed)
    assert "\n" not in str(fault.value)


def test_more_tokens_and_classes_than_occur_are_no_mistake():
    spec = make_spec(rule="dfa", data=Dataset.tokens(X, Y), v=9, n=5, batch=4)
    assert (spec.v, spec.n) == (9, 5)


def test_data_that_are_only_named_cannot_be_trained_on():
    spec = make_spec(rule="dfa", data=Dataset.tokens(X, Y, name="mine"), batch=4)
    named = spec.model_validate_json(spec.model_dump_json())
    assert named == spec
    assert named.run_id == spec.run_id
    with pytest.raises(SynaptreeError, match=r"mine@\w{16} is not at hand"):
        Data.draw([named], "cpu")

"""A result as a person reads it."""

import math
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import synaptree
from synaptree import Dataset, SynaptreeError, figures, make_spec, measure, train


@pytest.fixture(scope="module")
def result():
    sizes = {"v": 4, "n": 4, "m": 4, "L": 2, "P": 64, "width": 8, "batch": 16}
    return train(make_spec(rule="dfa", **sizes, steps=20, evaluations=2, tests=16))


def test_a_terminal_shows_what_was_measured(result):
    lines = repr(result).splitlines()
    assert lines[0].split() == ["rule", "dfa"]
    assert "64 strings of v=4 n=4 m=4 s=2 L=2, grammar seed 0" in lines[1]
    assert lines[2].split() == ["steps", "20", "of", "20"]
    assert f"{result.test_error:.4f} (guessing: 0.7500)" in lines[3]
    assert [float(a) for a in lines[-1].split()[2:]] == pytest.approx(
        result.portrait.probe[1], abs=5e-4
    )
    assert "probes" not in repr(replace(result, portrait=None))
    unknown = replace(result.portrait, probe=[[math.nan, 0.5]] * 2)
    assert repr(replace(result, portrait=unknown)).splitlines()[-1].split()[2:] == ["–", "0.500"]
    assert "diverged" in repr(replace(result, diverged=True))
    assert "layers 1, 2" in repr(replace(result, collapsed=[1, 2]))


def test_the_inputs_are_named(result):
    def line(**changed):
        spec = make_spec(**dict(result.spec) | changed)
        return repr(replace(result, spec=spec)).splitlines()[1]

    assert "64 strings of v=4 n=4 m=4 s=2 L=2 zipf=1, grammar" in line(variant="zipf=1")
    tokens, classes = np.arange(80).reshape(20, 4) % 3, np.arange(20) % 2
    spec = make_spec(rule="dfa", data=Dataset.tokens(tokens, classes), batch=4, data_seed=3)
    said = repr(replace(result, spec=spec)).splitlines()[1]
    assert said.endswith(f"16 inputs of {spec.data} (n=2 s=2 L=2), data seed 3")


def test_a_movie_shows_each_result_in_turn(result, tmp_path):
    """Cells of the matrix of probes are dark where a level is read, and light where it is not."""
    probes = ([[0.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]])
    results = [replace(result, portrait=replace(result.portrait, probe=probe)) for probe in probes]
    path = figures.movie(results, tmp_path / "new" / "learning.gif", seconds=0.2)
    sheet = result.plot()
    sheet.canvas.draw()
    to_part = sheet.axes[1].transData + sheet.transFigure.inverted()
    with Image.open(path) as film:
        times = []
        for frame, probe in enumerate(probes):
            film.seek(frame)
            times.append(film.info["duration"])
            grey = np.asarray(film.convert("L"), float) / 255
            for layer, level in np.ndindex(2, 2):
                x, y = to_part.transform((level + 0.35, layer + 0.35))  # beside the number
                seen = grey[int((1 - y) * grey.shape[0]), int(x * grey.shape[1])]
                assert (seen < 0.5) == (probe[layer][level] == 1), (frame, layer, level, seen)
        assert times == [200, 200, 800]
        assert film.n_frames == 3


@pytest.mark.parametrize(
    ("results", "path", "said"),
    [([], "a.gif", "list of results"), (None, "a.gif", "list of results"), ([], "a.mp4", ".gif")],
)
def test_a_movie_of_something_else_is_refused(results, path, said):
    with pytest.raises(SynaptreeError, match=said):
        figures.movie(results, path)


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.images, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs))
        else:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_a_notebook_shows_a_table_and_the_figure(result):
    page = Cells()
    page.feed(result._repr_html_())
    assert page.open == []
    assert page.words[:2] == ["rule", "dfa"]
    (image,) = page.images
    assert image["src"].startswith("data:image/png;base64,iVBOR")


def test_the_figure_draws_the_curve_and_the_matrices(result):
    figure = result.plot()
    assert isinstance(figure, Figure)
    curve, probes, synonyms = figure.axes
    test, minibatches = curve.lines[:2]
    assert list(test.get_xdata()) == result.curve.step
    assert list(test.get_ydata()) == result.curve.test_error
    assert list(minibatches.get_ydata()) == result.curve.train_error
    for axis, values in ((probes, result.portrait.probe), (synonyms, result.portrait.sensitivity)):
        assert np.allclose(axis.images[0].get_array(), values)
        assert [text.get_text() for text in axis.texts] == [f"{x:.2f}" for x in np.ravel(values)]
    assert len(replace(result, portrait=None).plot().axes) == 1
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_measures_of_a_module_are_drawn_with_their_layers(result):
    module, grammar = result.network.to_torch(), result.spec.grammar
    found = measure(module, grammar, ["layer1", "layer2"], axes="BNH", inputs=64)
    probes, synonyms = found.plot().axes
    assert [label.get_text() for label in probes.get_yticklabels()] == ["layer1", "layer2"]
    assert np.allclose(probes.images[0].get_array(), found.probe)
    assert np.allclose(synonyms.images[0].get_array(), found.sensitivity)


def test_a_room_with_the_name_of_its_function_can_be_called():
    from synaptree.audit.matrix import audit

    found = synaptree.audit("dfa")
    assert (
        found
        == audit(synaptree.rules.get("dfa"))
        == synaptree.audit(synaptree.rules.rule_class("dfa"))
    )
    assert found.needs["masks_above"] == "no"
    with pytest.raises(synaptree.SynaptreeError, match="did you mean 'dfa'"):
        synaptree.audit("dfaa")

"""Every figure: drawn from its own table, the same bytes for the same results, whatever it is
given."""

import base64
import gzip
import io
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from report_frames import inputs, rich, run, runs, table

from synaptree.report import style
from synaptree.report.figures import FIGURES, named
from synaptree.report.figures.base import packed_csv
from synaptree.rules import names, rule_class

AUDITED = ("backprop", "dfa", "clapp")
STRANGE = ["$x$ and $\\frac{", "汉字 🦜", "a\x00b\x1bc\ud7ff", '<b>&amp;"', "tip:x", "two\nlines"]
each_figure = pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.name)


@pytest.fixture(scope="module")
def tables():
    material = inputs(rich(), AUDITED)
    return {figure.name: figure.data(material) for figure in FIGURES}


@each_figure
def test_the_csv_beside_a_figure_is_what_is_drawn(figure, tables):
    own = tables[figure.name]
    packed = packed_csv(own)
    assert packed == packed_csv(own)
    text = gzip.decompress(base64.b64decode(packed.split(",")[1]))
    again = pd.read_csv(io.BytesIO(text), keep_default_na=False, na_values=[""])
    assert not own.map(lambda value: isinstance(value, list | tuple)).any(axis=None)
    assert figure.svg(again) == figure.svg(own)


@each_figure
def test_marks_say_their_values_and_the_svg_is_small_and_whole(figure, tables):
    text = figure.svg(tables[figure.name])
    root = ElementTree.fromstring(text)
    titles = [e.text for e in root.iter() if e.tag.endswith("title")]
    assert titles
    assert all(titles)
    assert "tip:" not in text
    ids = {e.attrib["id"] for e in root.iter() if "id" in e.attrib}
    assert {i for i in ids if not i.startswith(figure.name)} == set()
    used = {e.attrib["href"][1:] for e in root.iter() if e.attrib.get("href", "").startswith("#")}
    assert ids == used | {figure.name} | {i for i in ids if f"url(#{i})" in text}


@each_figure
def test_no_text_is_below_eleven_pixels(figure, tables):
    text = figure.svg(tables[figure.name])
    (width, box), *_ = re.findall(r'width="([\d.]+)pt"[^>]*viewBox="0 0 ([\d.]+) ', text)
    sizes = map(float, re.findall(r"font-size:([\d.]+)px", text))
    assert min(sizes) * float(width) / float(box) * 96 / 72 >= 11
    assert "font:" not in text  # sizes are not said in another way


@each_figure
@pytest.mark.parametrize("what", ["no runs", "all failed"])
def test_without_runs_there_is_no_figure(figure, what):
    failed = pd.DataFrame(runs("dfa", [np.nan] * 2, status="failed"))
    assert figure.data(inputs(failed[:0] if what == "no runs" else failed)) is None


@each_figure
@pytest.mark.parametrize(
    "rows",
    [
        [run("dfa", 0.5)],
        [run("a rule of mine", 0.5)],
        [run("clapp", 0.5, views="same_class", L=1)],
        runs("backprop", [0.1, 0.2], probe=None, sensitivity=None, curve_step=None, rank=None,
             curve_test_error=None, curve_alignment=None, curve_null=None),
        runs("dfa", [0.1, 0.2], curve_step=[], curve_test_error=[], curve_alignment=[],
             curve_null=[]),
        runs("dfa", [0.1, 0.2], sensitivity=[[None] * 3] * 3, probe=[[None] * 3] * 3),
    ],
    ids=["one run", "own rule", "one layer", "nothing measured", "no steps", "nothing there"],
)  # fmt: skip
def test_poor_data_is_drawn_or_left_out(figure, rows):
    own = table(figure, rows)
    assert own is None or ElementTree.fromstring(figure.svg(own)) is not None


@each_figure
@pytest.mark.parametrize("label", STRANGE)
def test_a_label_may_be_anything(figure, label):
    rows = pd.DataFrame(rich())
    rows["label"] = rows["label"].where(rows["rule"] != "clapp", label)
    own = figure.data(inputs(rows, AUDITED))
    ElementTree.fromstring(figure.svg(own))


def test_figures_are_named_once_and_found_by_name():
    assert len({figure.name for figure in FIGURES}) == len(FIGURES) == 16
    assert named("ladder").name == "ladder"
    with pytest.raises(KeyError):
        named("nothing")


def test_families_are_ordered_and_own_rules_are_marked():
    rows = [run(rule, 0.5) for rule in ("clapp", "mine", "dfa", "backprop", "theirs")]
    rows[-1] |= {"family": "layerwise"}
    assert style.families(inputs(rows).compared) == [
        ("backprop", "reference"),
        ("dfa", "direct feedback"),
        ("clapp", "layerwise"),
        ("theirs (own rule)", "layerwise"),
        ("mine (own rule)", "own"),
    ]
    assert style.colour("a family of mine") == style.COLOURS["own"]
    assert {rule_class(name).facts.family for name in names()} < set(style.COLOURS)


def test_marks_of_a_logarithmic_axis_are_plain_numbers():
    axis = Figure().add_axes((0.1, 0.1, 0.8, 0.8))
    style.by_octaves(axis, "y")
    axis.set_ylim(512, 2**21)
    written = [axis.yaxis.get_major_formatter()(at, 0) for at in (0.5, 512, 131072, 2**21)]
    assert written == ["0.5", "512", "131072", "2.1M"]
    assert [style.plain(at) for at in (1e5, 1e6, 1e7)] == ["100000", "1M", "10M"]

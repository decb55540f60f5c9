"""SVG: small, the same whatever the last digits of a layout, with values under the pointer."""

from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from synaptree.report import style
from synaptree.report.svg import short, short_path, svg, tip


def drawn(shift=0.0):
    figure = Figure(figsize=(3, 3))
    axis = figure.add_axes((0.1 + shift, 0.1, 0.8, 0.8))
    axis.plot([1, 2], [3, 4])
    return svg(figure, "x")


def test_the_last_digits_of_a_layout_change_no_byte():
    assert drawn(0) == drawn(1e-12) == drawn(-1e-9)
    assert 'clip-path="url(#x-3)"' in drawn()
    assert '<clipPath id="x-3">' in drawn()
    assert "<metadata" not in drawn()


@pytest.mark.parametrize(
    ("number", "text"),
    [("12.345", "12.3"), ("-0.5", "-.5"), ("1.234", "1.23"), ("0.0004", "0"), ("-0.0004", "0"),
     ("12.35", "12.4"), ("12.349999999", "12.4"), ("120", "120"), ("-12.0", "-12")],
)  # fmt: skip
def test_places_are_short_and_halves_are_rounded_one_way(number, text):
    assert short(number) == text


def test_steps_of_a_path_do_not_drift():
    points = [(0.123 + 13.377 * i, 100 - 7.773 * i) for i in range(50)]
    text = short_path("M" + " L".join(f"{x} {y}" for x, y in points) + " z")
    assert text.endswith("z")
    numbers = text[1:-1].replace("-", " -").replace("l", " ").split()
    steps = [(float(x), float(y)) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    end = [sum(axis) for axis in zip(*steps, strict=True)]
    assert end == pytest.approx(points[-1], abs=0.1)


def test_curves_of_a_path_stay():
    assert short_path("M 0 2 C 1.5 2.25 -1 .5 20.04 3 L 21 3 z") == "M0 2C1.5 2.25-1 .5 20 3l1 0z"


def test_marks_say_their_own_part_and_their_groups():
    figure = style.sheet(200, 100)
    axis = style.canvas(figure)
    (points,) = axis.plot([10, 20, 30], [5, 6, 7], "o")
    tip(points, '<a>"&', ["one", "two", "<three>"])
    root = ElementTree.fromstring(svg(figure, "x"))
    uses = [e for e in root.iter() if e.tag.endswith("use")]
    assert [use[0].text for use in uses] == ["one", "two", "<three>"]
    assert next(e.text for e in root.iter() if e.tag.endswith("title")) == '<a>"&'


def test_a_part_for_each_mark_is_asked_for():
    figure = style.sheet(200, 100)
    (points,) = style.canvas(figure).plot([10, 20], [5, 6], "o")
    tip(points, "two marks", ["one part"])
    with pytest.raises(ValueError, match="shorter"):
        svg(figure, "x")


def test_a_clip_stays_around_marks_that_say_something():
    figure = Figure(figsize=(3, 3))
    (points,) = figure.add_axes((0.1, 0.1, 0.8, 0.8)).plot([1, 2], [3, 4], "o")
    tip(points, "marks", ["one", "two"])
    assert '<g clip-path="url(#x-3)"><title>marks</title>' in svg(figure, "x")


def test_a_legend_has_room_for_its_lines():
    labels = ["short", "a label that is so long that it must be folded into two lines", *"abcdef"]
    assert style.legend_height([], 500) == 0
    assert style.legend_height(labels, 200) > style.legend_height(labels, 700) > 0

"""Figures, the report and the site have the same colours, and all can be told from their paper.

The thresholds are those of WCAG 2.2 at level AA: 4.5 for words, 3 for lines and marks.
"""

import re
import runpy
from pathlib import Path

import pytest
import question_canvas as canvas
from docs_site import measured

from synaptree import plots
from synaptree.report import style

ROOT = Path(__file__).parents[1]
WORDS, LINES = 4.5, 3.0
LIGHT, DARK = ["#ffffff"], ["#131416", "#1a1c1e"]  # pages and side bars of the site's theme
DRAWN = {name: pair for name, pair in plots.PAIRS.items() if name != "grid"}  # a grid is no news


def luminance(colour):
    """Relative luminance of a colour as #rrggbb."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour, paper):
    low, high = sorted(map(luminance, (colour, paper)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)
    assert contrast("#ff0000", "#ffffff") == pytest.approx(3.998, abs=1e-3)


@pytest.mark.parametrize("name", DRAWN)
def test_lines_are_seen_on_light_and_on_dark_pages(name):
    light, dark = DRAWN[name]
    least = WORDS if name in ("ink", "soft", "faint") else LINES
    assert min(contrast(light, paper) for paper in LIGHT) >= least
    assert min(contrast(dark, paper) for paper in DARK) >= least


def test_every_colour_of_a_family_has_one_for_dark_pages():
    light = {colour for colour, _ in plots.PAIRS.values()}
    assert {*plots.COLOURS.values(), plots.INK, plots.SOFT, plots.FAINT, plots.GRID} <= light
    assert len({dark for _, dark in plots.PAIRS.values()}) == len(plots.PAIRS)
    assert style.COLOURS is plots.COLOURS


@pytest.mark.parametrize("colour", style.INKS)
def test_lines_that_are_of_no_family_are_seen_too(colour):
    assert contrast(colour, "#ffffff") >= LINES


def test_pictures_have_the_colours_of_families_and_words_that_can_be_read():
    drawn = {canvas.GREY, canvas.CONTROL, canvas.ORANGE, canvas.BLUE}
    assert drawn < set(plots.COLOURS.values())
    words = {canvas.WORDS.get(colour, colour) for colour in drawn} | {canvas.INK, canvas.SOFT}
    assert min(contrast(colour, "#ffffff") for colour in words) >= WORDS


def test_words_of_the_report_can_be_read_in_both_modes():
    css = (ROOT / "src" / "synaptree" / "report" / "page.css").read_text("utf-8")
    modes = [dict(re.findall(r"--(\w+): (#\w{6})", each)) for each in css.split("@media")[:2]]
    assert [len(mode) for mode in modes] == [9, 9]
    for mode in modes:
        for name in ("ink", "soft", "good", "bad", "open", "link"):
            assert contrast(mode[name], mode["page"]) >= WORDS, name
            assert contrast(mode[name], mode["card"]) >= WORDS, name


def test_the_site_has_the_colours_of_figures():
    options = runpy.run_path(str(ROOT / "docs" / "conf.py"))["html_theme_options"]
    for number, mode in enumerate(("light_css_variables", "dark_css_variables")):
        expected = {f"figure-{name}": pair[number] for name, pair in plots.PAIRS.items()}
        assert expected.items() <= options[mode].items()
    css = (ROOT / "docs" / "_static" / "site.css").read_text("utf-8")
    used = set(re.findall(r"var\(--figure-([\w-]+)\)", css))
    assert used
    assert used <= set(plots.PAIRS)


def test_the_site_and_the_report_have_the_same_fonts_and_links():
    options = runpy.run_path(str(ROOT / "docs" / "conf.py"))["html_theme_options"]
    css = (ROOT / "src" / "synaptree" / "report" / "page.css").read_text("utf-8")
    links = re.findall(r"--link: (#\w{6})", css)
    (fonts,) = re.findall(r"body {[^}]*font: [\d./px]+ (.*?);", css)
    for mode, link in zip(("light", "dark"), links, strict=True):
        found = options[f"{mode}_css_variables"]
        assert found["font-stack"] == fonts
        assert found["color-brand-content"] == found["color-brand-primary"] == link
    assert min(contrast(links[0], paper) for paper in LIGHT) >= WORDS
    assert min(contrast(links[1], paper) for paper in DARK) >= WORDS
    assert all("system-ui" in text for text in (fonts, canvas._STYLE))


def test_curves_on_a_rules_page_have_no_colour_of_their_own():
    figure = measured.part("masking").split("```{raw} html\n\n")[1].split("\n\n```")[0]
    assert figure.startswith('<figure class="drawn"')
    assert 'role="img" aria-label="Test error against steps' in figure
    assert re.findall(r"#[0-9a-fA-F]{6}\b", figure) == []
    named = set(re.findall(r"var\(--figure-([\w-]+)\)", figure))
    assert {"ink", "soft", "axis", "grid", "reference", "control"} <= named <= set(plots.PAIRS)

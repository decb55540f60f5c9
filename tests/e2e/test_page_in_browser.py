"""The page as a reader meets it, in Debian's chromium."""

import gzip
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import sync_playwright

from synaptree import make_spec, rules, train_replicas
from synaptree.audit.matrix import audit
from synaptree.claims.base import Evidence, Outcome
from synaptree.report.page import write_report
from synaptree.report.tables.runs import COLUMNS
from synaptree.results.journal import Journal
from synaptree.results.row import row_of

CHROMIUM = shutil.which("chromium")
DRAWN = [
    "budget_and_probe",
    "locality",
    "learning_curves",
    "error_against_passes",
    "probe_matrices",
    "sensitivity_matrices",
    "alignment",
]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: see tools/chromium.sh")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
TINY = {"v": 8, "n": 8, "m": 6, "L": 4, "P": 128, "width": 8, "batch": 32, "steps": 4, "tests": 16}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    journal = Journal(folder)
    masked = [{"rule": rules.get("masking", masks=m)} for m in ("none", "other_input")]
    views = [{"rule": r, "views": ["sibling", "same_class"]} for r in ("clapp", "infonce")]
    for given in ({"rule": "backprop"}, {"rule": "dfa"}, *masked, *views):
        for result in train_replicas(make_spec(**TINY, **given).replicate(2)):
            journal.append(row_of(result))
    audits = {(rule, "{}"): audit(rules.get(rule)) for rule in ("backprop", "dfa", "clapp")}
    evidence = Evidence("test error of dfa", "any", 0.5, 0.4, 0.6, 3, "<=", 0.5, None)
    outcomes = [Outcome(1, "A claim", "undecided", ("an effect",), (evidence,))]
    return write_report(folder, outcomes, audits)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_fits_and_asks_for_nothing(browser, page_file, width, scheme):
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("summary").first.click()
    assert page.locator("details").first.get_attribute("open") is not None
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Every figure is there and has a size; every text is on its background.
    sizes = [svg.bounding_box() for svg in page.locator("figure svg").all()]
    assert len(sizes) == len(DRAWN)
    assert all(box["width"] > 100 and box["height"] > 100 for box in sizes)
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert ink != paper
    assert said == []
    assert [url for url in asked if not url.startswith("file:")] == []
    context.close()


def test_figures_can_be_downloaded(browser, page_file):
    page = browser.new_page()
    page.goto(page_file.as_uri())
    names = page.locator("a[download]").evaluate_all("links => links.map(a => a.download)")
    figures = [f"{name}.{kind}" for name in DRAWN for kind in ("csv.gz", "svg")]
    assert sorted(names) == sorted([*figures, "runs.csv.gz", "scoreboard.csv.gz"])
    with page.expect_download() as event:
        page.locator("a[download='scoreboard.csv.gz']").click()
    text = gzip.decompress(event.value.path().read_bytes()).decode()
    with page.expect_download() as event:
        page.locator("a[download='locality.svg']").click()
    drawing = event.value.path().read_text()
    ElementTree.fromstring(drawing)
    assert "the second view" in drawing
    assert text.splitlines()[0].startswith("family,name,title,kind,head,P,depth,solved,of")
    assert len(text.splitlines()) == 1 + 6


@pytest.fixture
def table(browser, page_file):
    """The page, and what its table of runs shows: rows of cells."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(page_file.as_uri())

    def cells():
        return page.locator("#runs-part tbody tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
        )

    yield page, cells
    page.close()


def column(cells, name):
    return [row[list(COLUMNS).index(name)] for row in cells]


def test_runs_are_sorted_by_any_column_numbers_as_numbers(table):
    page, cells = table
    assert len(cells()) == 12
    head = page.get_by_role("button", name="test error")
    head.click()
    errors = [float(e) for e in column(cells(), "test error")]
    assert errors == sorted(errors)
    assert page.locator("th[aria-sort=ascending]").inner_text().strip().startswith("test error")
    head.press("Enter")  # a key does as well
    errors = [float(e) for e in column(cells(), "test error")]
    assert errors == sorted(errors, reverse=True)
    page.get_by_role("button", name="rule").click()
    rules_shown = column(cells(), "rule")
    assert rules_shown == sorted(rules_shown)
    assert page.locator("th[aria-sort]").count() == 1


def test_runs_are_filtered_by_words_that_all_must_be_there(table):
    page, cells = table
    field = page.get_by_role("searchbox")
    field.fill("MASKS another")
    assert set(column(cells(), "rule")) == {"backprop, another input's masks"}
    assert page.locator("#runs-part output").inner_text() == "2 of 12 runs"
    field.fill("rule=backprop")  # a column has just this value
    assert set(column(cells(), "rule")) == {"backprop"}
    field.fill("seed=1 MASKS")
    assert set(column(cells(), "seed")) == {"1"}
    field.fill("no such run")
    assert cells() == []
    field.fill("")
    assert len(cells()) == 12


def test_long_tables_are_shown_in_parts_and_stay_quick(browser, tmp_path):
    result = train_replicas(make_spec(**TINY, rule="dfa").replicate(1))[0]
    row = row_of(result)
    journal = Journal(tmp_path)
    rows = []
    for number in range(5000):
        spec = row["spec"] | {"grammar_seed": number}
        error = (number * 7919 % 5000) / 5000
        rows.append(row | {"run_id": f"{number:016x}", "spec": spec, "test_error": error})
    rows[0]["label"] = "</script><b>x"
    journal.append(*(r | {"portrait": None, "collapsed": None} for r in rows))
    path = write_report(tmp_path, [], {})
    assert path.stat().st_size < 1e6
    page = browser.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(path.as_uri())
    shown = page.locator("#runs-part tbody tr")
    assert shown.count() == 100
    page.get_by_role("button", name="Show more").click()
    assert shown.count() == 1100
    took = page.evaluate(
        """() => { const began = performance.now();
        document.querySelectorAll("#runs-part th button")[10].click();
        return performance.now() - began; }"""
    )
    assert took < 1000  # tens of milliseconds, on a machine that has nothing else to do
    assert shown.first.locator("td").nth(10).inner_text() == "0.0000"
    page.get_by_role("searchbox").fill("</script>")
    assert shown.count() == 1
    assert shown.first.locator("td").first.inner_text() == "</script><b>x"
    assert page.locator("b").count() == 0
    assert faults == []
    page.close()


@pytest.mark.parametrize("width", [1280, 360])
def test_the_pointer_shows_values(browser, page_file, width):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(page_file.as_uri())
    tooltip = page.locator(".tooltip")
    assert tooltip.is_hidden()
    dot = page.locator(".board a[data-tip*='of 2 grammars']").first
    dot.scroll_into_view_if_needed()
    dot.hover(force=True)
    assert tooltip.inner_text() == dot.get_attribute("data-tip")
    box = tooltip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    page.locator("h1").hover()
    assert tooltip.is_hidden()
    page.close()


@pytest.fixture(scope="module")
def laptop_file():
    return Path(__file__).parents[2] / "results" / "laptop" / "report.html"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_first_screen_has_the_answer_and_the_scoreboard(browser, laptop_file, width, height):
    assert laptop_file.stat().st_size < 2e6
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(laptop_file.as_uri())
    for part in (page.locator(".lead"), page.locator(".board")):
        box = part.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    families = page.locator(".board tbody")
    shown = page.locator(".board tbody tr:visible")
    if width < 500:  # a row a family; the others are one touch away
        assert shown.count() == families.count()
        page.locator(".board label").first.click()
        assert shown.count() > families.count()
    else:
        assert shown.count() > 20
    page.close()


def test_a_disc_leads_to_its_runs_and_a_name_to_all_settings(table):
    page, cells = table
    page.locator(".board a[data-tip^='clapp,']").click()
    assert set(column(cells(), "rule")) == {"clapp"}
    assert len(cells()) == 2
    assert page.url.endswith("#runs")
    page.locator(".board a[data-filter]", has_text="another input").click()
    assert set(column(cells(), "rule")) == {"backprop, another input's masks"}


def test_without_scripts_the_page_is_whole(browser, page_file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.get_by_text("The table needs JavaScript").is_visible()
    assert page.locator("#runs-part").is_hidden()
    assert page.locator("figure svg").count() == len(DRAWN)
    context.close()


def test_contents_lead_to_every_part(browser, page_file):
    page = browser.new_page()
    page.goto(page_file.as_uri())
    links = page.locator("nav a").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert len(links) > len(DRAWN)
    assert [link for link in links if not page.locator(link).count()] == []
    page.close()

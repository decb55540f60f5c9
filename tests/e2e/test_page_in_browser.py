"""The page as a reader meets it, in Debian's chromium."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

from synaptree import load, make_spec, rules, train_replicas
from synaptree.report.page import write_report
from synaptree.study.claims import evaluate
from synaptree.study.journal import Journal, row_of

CHROMIUM = shutil.which("chromium")
DRAWN = [
    "budget_and_probe",
    "locality",
    "error_by_rule",
    "learning_curves",
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
    return write_report(folder, evaluate(load(folder)))


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
    assert sorted(names) == sorted(f"{name}.{kind}" for name in DRAWN for kind in ("csv", "svg"))
    with page.expect_download() as event:
        page.locator("a[download='error_by_rule.csv']").click()
    text = event.value.path().read_text()
    assert text.splitlines()[0] == "label,v,n,m,s,L,P,seed,test_error"
    assert len(text.splitlines()) == 13

"""The documentation site as `make docs` builds it, and as a browser shows it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

import synaptree
from synaptree import rules

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LARGEST = 20e6  # bytes
LOADED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=\"([^\"]+)\"")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    where = ["-d", str(folder / "doctrees"), str(ROOT / "docs"), str(folder / "html")]
    done = subprocess.run([sys.executable, *build, *where], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder / "html"


def test_the_site_is_whole_and_small_and_loads_nothing_from_elsewhere(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < LARGEST
    pages = list(site.rglob("*.html"))
    assert {f"{name}.html" for name in rules.names()} <= {page.name for page in pages}
    for page in pages:
        for address in LOADED.findall(page.read_text("utf-8")):
            path = re.split("[?#]", address)[0]
            assert "//" not in address, f"{page}: {address}"
            assert address.startswith("data:") or (page.parent / path).exists(), f"{page}: {path}"


def test_links_within_the_site_lead_to_a_place(site):
    texts = {page: page.read_text("utf-8") for page in site.rglob("*.html")}
    places = {page: {*re.findall(r'\bid="([^"]+)"', text)} for page, text in texts.items()}
    for page, text in texts.items():
        if page.name in ("search.html", "report.html"):  # filled by a script; another page
            continue
        for link in re.findall(r'<a\b[^>]*?href="([^"]+)"', text):
            path, _, anchor = link.partition("#")
            if re.match(r"\w+:", link):
                continue
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page}: {link}"
            assert not anchor or anchor in places[target], f"{page}: {link}"


def test_every_public_name_has_a_place_in_the_reference(site):
    text = (site / "reference" / "python.html").read_text("utf-8")
    for name in {*synaptree.__all__} - {"figures", "rules", "audit"}:
        assert f'id="synaptree.{name}"' in text, name


# Of every text in a figure of a page, how many pixels high it is drawn.
TEXTS = """() => [...document.querySelectorAll("article svg text")].map(text => {
    const {a, b} = text.getScreenCTM();
    return parseFloat(getComputedStyle(text).fontSize) * Math.hypot(a, b); })"""
IMAGES = """() => [...document.querySelectorAll("article img")].map(
    image => [image.src, image.getBoundingClientRect().width])"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: see tools/chromium.sh")
def test_words_in_figures_can_be_read_and_the_scoreboards_best(site):
    smallest: dict[str, float] = {}
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        folders = (site, site / "findings", site / "question", site / "rules")
        for path in sorted(path for folder in folders for path in folder.glob("*.html")):
            page.goto(path.as_uri())
            for source, width in page.evaluate(IMAGES):
                if source.endswith(".svg"):
                    text = Path(source.removeprefix("file://")).read_text("utf-8")
                    box = float(re.findall(r'viewBox="0 0 ([\d.]+) ', text)[0])
                    sizes = re.findall(r"font(?:-size)?:(?:\d+ )?([\d.]+)px", text)
                    smallest[source.rpartition("/")[2]] = min(map(float, sizes)) * width / box
            if drawn := page.evaluate(TEXTS):
                smallest[path.stem] = min(drawn)
        browser.close()
    assert len(smallest) > 50
    assert {name: size for name, size in smallest.items() if size < 10.9} == {}
    assert smallest["scoreboard.svg"] >= 11.9


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: see tools/chromium.sh")
@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_pages_without_a_fault_and_finds_words(site, width):
    heard: list[str] = []
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda fault: heard.append(str(fault)))
        page.on("request", lambda r: r.url.startswith(("file:", "data:")) or heard.append(r.url))
        for path in sorted(site.rglob("*.html")):
            if "files" in path.parts:  # source code and reports
                continue
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.goto(f"file://{site}/search.html?q=dendritic")
        page.wait_for_selector("#search-results li a")
        found = page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.href)")
        assert any("dendritic_microcircuits" in address for address in found)
        browser.close()
    assert heard == []

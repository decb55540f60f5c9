"""The README says what the results say, and its code runs."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text("utf-8")


def test_the_readme_is_what_the_results_make_of_it():
    made = runpy.run_path(str(ROOT / "tools" / "readme.py"))
    assert made["readme"](TEXT) == TEXT
    assert made["FIGURE"].read_text("utf-8") == made["figure"]()


def test_links_lead_somewhere():
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page}: {link}"


@pytest.mark.parametrize("page", ["README.md", "docs/own-rule.md"])
def test_code_runs_as_it_stands(page, monkeypatch, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "quick").symlink_to(ROOT / "results" / "quick")
    monkeypatch.chdir(tmp_path)
    code = "\n".join(
        re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    )
    assert code
    found: dict[str, object] = {}
    exec(compile(re.sub(r"P=4096(, steps=\d+)?", "P=256, steps=20", code), page, "exec"), found)
    assert 0 <= found["result"].test_error <= 1

"""The code of the documentation runs, and prints what the pages show."""

import re
from contextlib import chdir
from pathlib import Path

import pages
import pytest

import synaptree

ROOT = Path(__file__).parent.parent
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_and_prints_what_it_shows(path, tmp_path):
    with chdir(tmp_path):
        pages.Page().run(path)
    for picture in pages.pictures(path.read_text("utf-8")):
        assert (tmp_path / picture).stat().st_size > 0, picture


OTHERS = [
    "README",
    *(f"docs/{name}" for name in ("own-rule", "networks", "own-data", "measure", "api")),
]


@pytest.mark.parametrize("name", OTHERS)
def test_the_code_of_another_page_runs_with_fewer_steps(name, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "quick").symlink_to(ROOT / "results" / "quick-1")
    page = tmp_path / "page.md"
    text = (ROOT / f"{name}.md").read_text("utf-8")
    page.write_text(re.sub(r"P=4096(, steps=\d+)?", "P=256, steps=20", text), "utf-8")
    with chdir(tmp_path):
        found = pages.Page().run(page)
    for rule in tmp_path.glob("my_*.py"):
        assert synaptree.check_rule(str(rule)) == []
    if "result" in found:
        assert 0 <= found["result"].test_error <= 1


PAGE = """
```yaml
runs: []
```
```python
# half.py
half = 0.5
```
First
```python
from synaptree import SynaptreeError
from half import half
print("the error is", half / 2, "after", 3, "steps")
```
which prints
```text
the error is 0.26 after
3 steps
```
and
```bash
cat half.py
false
```
```text
# half.py
...0.5
```
<!-- skip: next -->
```bash
sbatch half.sh
```
```python
raise SynaptreeError("rule: dfaa is unknown")
```
```text
SynaptreeError: rule: dfaa is ...
```
"""


@pytest.fixture
def found(tmp_path, monkeypatch):
    """What the code of a page with this text has defined."""
    monkeypatch.syspath_prepend(tmp_path)

    def run(text):
        page = tmp_path / "page.md"
        page.write_text(text, "utf-8")
        with chdir(tmp_path):
            return pages.Page().run(page)

    return run


def test_blocks_share_what_they_define_and_files_are_written(found):
    assert found(PAGE)["half"] == 0.5


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("error is 0.26", "error is 0.36"),  # another number
        ("0.26 after\n3", "0.26 after\n4"),  # another whole number
        ("the error is 0.26", "an error is 0.26"),  # another word
        ("```text\n# half.py\n...0.5\n```", ""),  # a command fails, and nothing is shown
        ("dfaa is ...", "drtp is ..."),  # another message
        ("SynaptreeError(", "KeyError("),  # no message for a user
        ("<!-- skip: next -->", ""),  # a command that is not there
    ],
)
def test_a_page_that_is_not_true_is_found(now, then, found):
    assert PAGE.count(now) == 1
    with pytest.raises((AssertionError, KeyError)):
        found(PAGE.replace(now, then))


def test_output_is_written_anew_where_it_is_not_true(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nprint(1.5)\n```\n```text\n1.51\n```\n```python\nprint(2)\n```\n```text\n3\n```\n"
    )
    assert pages.written(page) == page.read_text().replace("\n3\n", "\n2\n")

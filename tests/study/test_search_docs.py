"""What the documentation says of searches is what they do."""

import re
from pathlib import Path

from synaptree.study.search.file import parse_search, read_search

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "studies.md").read_text("utf-8")


def test_the_example_is_the_file_that_it_names_and_costs_what_is_printed():
    text = PAGE.split("## Searches")[1].split("```yaml\n")[1].split("```")[0]
    shown, faults = parse_search(text)
    assert faults == []
    search = read_search(ROOT / "studies" / "search.yaml")
    assert shown.contests == search.contests
    assert (shown.rungs, shown.seeds) == (search.rungs, search.seeds)
    first = f"each tries {search.settings} settings in {search.runs} runs"
    assert first in PAGE
    assert f"{search.runs * len(search.contests)} runs, " in PAGE


def test_the_rungs_that_are_written_out_can_be_read():
    rungs = re.search(r"`(rungs: \[.*?\])`", PAGE)[1]
    text = (ROOT / "studies" / "search.yaml").read_text("utf-8")
    text += f"{rungs}\n"
    assert parse_search(text)[1] == []
    cut = text.replace("{seeds: 1}", re.search(r"`({seeds: 1, budget: .*?})`", PAGE)[1])
    assert parse_search(cut)[1] == []

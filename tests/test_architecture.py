"""Imports go one way: a newcomer can read a room without knowing the rooms above it."""

import ast
from pathlib import Path

import pytest

import synaptree

ROOT = Path(synaptree.__file__).parent
# What each room may know of ours. `synaptree.errors` is for everybody.
MAY = {
    "errors": set(),
    "version": set(),
    "grammar": {"grammar"},
    "network": set(),
    "rules": {"rules", "network"},
    "spec": {"rules", "network", "grammar"},
    "measures": {"measures", "network", "grammar"},
    "training": {"spec", "rules", "network", "grammar", "measures"},
    "study": {"study", "training", "spec", "rules", "measures", "version"},
    "report": {"report", "study", "rules", "measures", "grammar"},
    "cli": {"report", "study", "training", "spec", "rules", "grammar"},
}


def room(name):
    return name.split(".")[1] if name.count(".") else ""


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            if node.module == "synaptree":
                yield from (f"synaptree.{alias.name}" for alias in node.names)
            else:
                yield str(node.module)


FILES = [p for p in sorted(ROOT.rglob("*.py")) if p != ROOT / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(ROOT)) for p in FILES])
def test_imports_go_one_way(path):
    here = path.relative_to(ROOT).parts[0].removesuffix(".py")
    known = {room(name) for name in imports(path) if name.startswith("synaptree")}
    assert known - {"errors"} <= MAY[here]


def test_every_rule_is_one_file_of_one_screen_or_two():
    helpers = {"__init__", "base", "prediction"}
    files = {p.stem: p for p in (ROOT / "rules").glob("*.py") if p.stem not in helpers}
    assert set(files) == set(synaptree.rules.names())
    assert all(len(p.read_text().splitlines()) <= 120 for p in files.values())


def test_public_names_are_all_there():
    for name in synaptree.__all__:
        assert getattr(synaptree, name) is not None
    assert set(dir(synaptree)) >= set(synaptree.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = synaptree.nothing

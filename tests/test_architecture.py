"""Imports go one way: a newcomer can read a room without knowing the rooms above it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import synaptree

ROOT = Path(synaptree.__file__).parent
# What each room may know of ours. `synaptree.errors` and `synaptree.safely` are for everybody.
MAY = {
    "errors": set(),
    "safely": set(),
    "bars": set(),
    "plots": set(),  # the look of figures
    "version": set(),
    "grammar": {"grammar"},
    "views": {"views", "grammar"},
    "network": {"network"},
    "sources": {"sources", "grammar"},
    "rules": {"rules", "network", "views"},
    "measures": {"measures", "network", "sources", "grammar", "plots"},
    "training": {
        *("training", "bars", "plots", "measures", "rules", "network", "views", "sources"),
        *("grammar", "version"),
    },
    "audit": {"audit", "training", "rules", "network"},
    # Whether a rule keeps to the contract: it is trained and audited, so this stands above both.
    "check": {"check", "audit", "training", "rules", "network"},
    "results": {"results", "training", "rules", "sources", "version"},
    "analysis": {"analysis", "results", "training", "measures"},
    "study": {"study", "bars", "results", "training", "measures", "rules", "sources", "claims"},
    "data_needs": {"data_needs", "study", "analysis", "results", "training"},
    "claims": {"claims", "audit", "analysis", "results", "rules", "training"},
    "bench": {"study", "training"},
    "report": {
        *("report", "study", "claims", "audit", "analysis", "results"),
        *("rules", "views", "grammar", "training", "plots"),
    },
    "figures": {"report", "claims", "audit", "training"},
    # What a stranger's rule gets: all that the package does for its own.
    "judgement": {
        *("judgement", "report", "check", "study", "claims", "audit", "analysis", "results"),
        *("rules", "training"),
    },
    "reproduction": {"report", "claims", "study", "results", "audit"},
    "__main__": {"cli"},
    "cli": {
        *(
            "cli",
            "reproduction",
            "judgement",
            "data_needs",
            "bench",
            "report",
            "study",
            "claims",
            "check",
            "audit",
            "analysis",
            "results",
        ),
        *("training", "rules", "views", "grammar", "version"),
    },
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
    assert known - {"errors", "safely"} <= MAY[here]


def test_every_rule_is_one_file_of_one_screen_or_two():
    helpers = {"__init__", "base", "checks", "conditions", "facts", "loading", "registry", "source"}
    files = {p.stem: p for p in (ROOT / "rules").glob("*.py") if p.stem not in helpers}
    assert set(files) == set(synaptree.rules.names(former=True))
    # The laboratory is a rule and its controls; every other file is one rule.
    for name, path in files.items():
        assert len(path.read_text().splitlines()) <= LONGER.get(name, 135), name


# Rules with many forms, or with a circuit of their own.
LONGER = {
    "masking": 156,
    "predictive_coding": 165,
    "dendritic_microcircuits": 200,
    "equilibrium_propagation": 235,
}


@pytest.mark.parametrize("name", synaptree.rules.names(former=True))
def test_a_rule_is_found_in_the_file_of_its_name_with_its_source(name):
    rule = synaptree.rules.rule_class(name)
    path = ROOT / "rules" / f"{name}.py"
    assert rule.__module__ == f"synaptree.rules.{name}"
    classes = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef)]
    assert [c.name for c in classes] == [rule.__name__]
    assert rule.__mro__[1] is synaptree.rules.Rule  # two levels of inheritance at most
    assert "facts" in vars(rule)
    assert any(year in rule.facts.citation for year in map(str, range(1940, 2030)))
    assert "=" in rule.facts.equation


def test_no_rule_names_the_tables_of_patches():
    for path in (ROOT / "rules").rglob("*.py"):
        words = path.read_text().replace("tables and figures", "")
        assert "tables" not in words, path


def test_no_room_is_entered_by_a_back_door():
    # Which find rules by name, and in files.
    doors = [ROOT / "rules" / f"{name}.py" for name in ("registry", "loading")]
    for path in FILES:
        if path in doors:
            continue
        words = {n.id for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name)}
        assert not words & {"import_module", "__import__", "eval", "exec"}, path


def test_the_command_line_loads_nothing_heavy():
    code = "import sys, synaptree.cli; print(sys.modules.keys() & {'torch', 'pandas', 'scipy'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_public_names_are_all_there():
    for name in synaptree.__all__:
        assert getattr(synaptree, name) is not None
    assert set(dir(synaptree)) >= set(synaptree.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = synaptree.nothing

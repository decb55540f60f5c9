"""What a release promises: one version, valid metadata, licences, and complete archives."""

import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import licences
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = ROOT / "CITATION.cff"
INSTALL = (ROOT / "docs" / "install.md").read_text("utf-8")


def test_one_version_stands_everywhere():
    citation = yaml.safe_load(CITATION.read_text("utf-8"))
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    found = {citation["version"], citation["preferred-citation"]["version"], newest[1]}
    assert found == {PROJECT["version"]} == {version("synaptree")}


def valid(citation: Path) -> bool:
    command = ["--builtin-schema", "vendor.citation-file-format", "--default-filetype", "yaml"]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *command, str(citation)], capture_output=True
    )
    return done.returncode == 0


def test_the_citation_keeps_to_its_schema(tmp_path):
    assert valid(CITATION)
    wrong = tmp_path / "CITATION.cff"
    wrong.write_text(CITATION.read_text("utf-8").replace("date-released", "date-of-release"))
    assert not valid(wrong)


# Licences and extras


def in_the_page(title):
    part = licences.PAGE.read_text("utf-8").split(f"## {title}\n")[1].partition("\n## ")[0]
    return dict(
        re.findall(r"^\| ([a-z][\w.-]+) \| (.+) \|$", part.replace("| package |", ""), re.M)
    )


def titles():
    extras = {f"The extra `{name}`": name for name in PROJECT["optional-dependencies"]}
    return {"Always installed": None, **extras}


@pytest.mark.parametrize("title", titles())
def test_the_page_of_licences_names_every_package_that_we_ask_for(title):
    extra = titles()[title]
    lines = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    names = {canonicalize_name(Requirement(line).name) for line in lines} - {"synaptree"}
    listed = in_the_page(title)
    assert set(listed) == names
    assert "not named" not in listed.values()
    for name, licence in listed.items():
        assert licences.licence(name) == licence


def test_what_packages_bring_is_listed_once():
    brought = in_the_page("What these bring")
    direct = set().union(*(in_the_page(title) for title in titles()))
    assert {"click", "cffi", "dask"} <= set(brought)
    assert not direct & set(brought)


def test_every_extra_is_explained():
    rows = re.findall(r"^\| `(\w+)` \|", INSTALL, re.M)
    assert set(rows) == set(PROJECT["optional-dependencies"])


def test_every_python_that_was_tried_is_a_classifier_and_no_other():
    named = {c.rpartition(" :: ")[2] for c in PROJECT["classifiers"] if "Python :: 3." in c}
    assert set(re.findall(r"^\| (3\.\d+) \|", INSTALL, re.M)) == named


# The files of a release


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    return folder


def test_the_wheel_has_all_files_of_the_package_and_nothing_else(built):
    (path,) = built.glob("*.whl")
    wheel = zipfile.ZipFile(path)
    names = set(wheel.namelist())
    package = {
        file.relative_to(ROOT / "src").as_posix()
        for file in (ROOT / "src" / "synaptree").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    about = f"synaptree-{PROJECT['version']}.dist-info"
    assert {name for name in names if not name.startswith(about)} == package
    assert "synaptree/py.typed" in names
    assert wheel.read(f"{about}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert b"synaptree = synaptree.cli:main" in wheel.read(f"{about}/entry_points.txt")


def test_the_source_archive_has_what_the_tests_and_pages_read(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    tops = {name.partition("/")[0] for name in names}
    assert {"tests", "tools", "docs", "studies", "results", "benchmarks", "src"} <= tops
    assert {"Makefile", "constraints.txt", "CITATION.cff", "LICENSE", "pyproject.toml"} <= names
    assert "results/laptop/study.yaml" in names
    assert not {".git", ".venv", "site", "runs", "dist"} & tops
    assert path.stat().st_size < 20e6


# Completion


def in_bash(script):
    done = subprocess.run(
        ["bash", "--norc", "-c", f'PATH="{Path(sys.executable).parent}:$PATH"; {script}; true'],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("synaptree stu", ["study"]), ("synaptree study s", ["search", "status"])],
)
def test_bash_completes_commands(typed, expected):
    words = json.dumps(typed.split()).strip("[]").replace(",", "")
    out = in_bash(
        'eval "$(synaptree --show-completion)"; '
        f"COMP_WORDS=({words}); COMP_CWORD={len(typed.split()) - 1}; "
        '_synaptree_completion synaptree; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    assert sorted(out.split()) == expected

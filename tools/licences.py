"""Write docs/licences.md, the licence of every package that synaptree uses.

python tools/licences.py    # in the environment of `make test`, where all extras are installed

What a package says of itself is read from its metadata. The last table holds what the packages
named in pyproject.toml bring with them, on this system and this Python.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
SPDX = re.compile(r"[\w.+-]+(?: (?:AND|OR|WITH) [\w.+-]+)*")
# The same licence under the names that packages give it.
NAMES = {
    "mit license": "MIT",
    "bsd license": "BSD",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd": "BSD",
    "new bsd": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "apache software license": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "isc license (iscl)": "ISC",
    "isc license": "ISC",
}
HEAD = """# Licences

synaptree has the MIT licence (the file `LICENSE`). These are the licences of the packages that it \
uses, as the packages name them. `python tools/licences.py` writes this page.

None of them is part of synaptree's own files: pip installs each from its own source. The default \
build of torch for Linux also brings libraries of NVIDIA, under NVIDIA's own licences. The build \
for CPUs brings none of them, and this page was written with it.
"""


def asked() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for: under "" always, and under the name of an extra with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        extra: [each for each in map(Requirement, lines) if each.name != "synaptree"]
        for extra, lines in lists.items()
    }


def licence(name: str) -> str:
    """The licence that an installed package names, or else its first line."""
    about = distribution(name).metadata
    if expression := about.get("License-Expression"):
        return expression
    given = next(iter((about.get("License") or "").strip().splitlines()), "").strip()
    given = "" if given == "UNKNOWN" else given
    classes = [
        line.rpartition(" :: ")[2]
        for line in about.get_all("Classifier") or []
        if line.startswith("License :: ") and not line.endswith("OSI Approved")
    ]
    lines = (given, *classes, *_first_line(name))
    found = [NAMES.get(line.lower(), line) for line in lines if line]
    return next((each for each in found if SPDX.fullmatch(each)), next(iter(found), "not named"))


def _first_line(name: str) -> Iterator[str]:
    """The first line of the licence itself, where an installed package comes with it."""
    for file in distribution(name).files or []:
        if file.name.upper().startswith("LICEN") and ".dist-info" in file.parts[0]:
            yield next(iter(file.read_text().strip().splitlines()), "").strip()


def brought(requirements: Iterable[Requirement], known: set[str]) -> Iterator[str]:
    """The packages that requirements bring here, beside the known ones, which grow."""
    for each in requirements:
        try:
            needed = [Requirement(line) for line in distribution(each.name).requires or []]
        except PackageNotFoundError:
            continue  # an optional part for another system
        extras = ["", *each.extras]
        for need in needed:
            wanted = need.marker is None or any(need.marker.evaluate({"extra": e}) for e in extras)
            name = canonicalize_name(need.name)
            if wanted and name not in known:
                known.add(name)
                yield name
                yield from brought([need], known)


def page() -> str:
    """The page as it should be."""
    parts, known = [HEAD], {"synaptree"}
    for extra, requirements in asked().items():
        names = sorted({canonicalize_name(each.name) for each in requirements})
        known.update(names)
        title = f"The extra `{extra}`" if extra else "Always installed"
        parts.append(_table(title, names))
    rest = sorted(brought([r for each in asked().values() for r in each], known))
    parts.append(_table("What these bring", rest))
    return "\n".join(parts)


def _table(title: str, names: Iterable[str]) -> str:
    rows = "".join(f"| {name} | {licence(name)} |\n" for name in names)
    return f"## {title}\n\n| package | licence |\n|---|---|\n{rows}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")

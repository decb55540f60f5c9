"""Pages and files that the site shows though they are not in `docs`.

Pages such as the README of an experiment stay where the repository has them, and so links between
Markdown files are true in both.  A file that a page links to is shown as a page of source code.
"""

import inspect
import os
import shutil
from collections.abc import Callable, Iterator
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.project import Project
from sphinx.transforms import SphinxTransform
from sphinx.util.osutil import relative_uri

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Links to these lead to a page that says the same to a reader of the site.
SAME = {ROOT / "README.md": "index", DOCS / "rules": "rules"}
AS_THEY_ARE = {".html", ".svg", ".png", ".gif", ".gz"}  # a browser shows or saves these


def outside() -> dict[str, Path]:
    """The pages from elsewhere in the repository, by their names in the site."""
    pages = {"changelog": ROOT / "CHANGELOG.md", "benchmarks": ROOT / "benchmarks" / "RESULTS.md"}
    for path in sorted((ROOT / "studies").glob("*/*.md")):
        part = "" if path.stem == "README" else f"-{path.stem}"
        pages[f"experiments/{path.parent.name}{part}"] = path
    return pages | {"experiments/index": ROOT / "studies" / "README.md"}


def take_in_neighbours() -> None:
    """Let Sphinx find the pages from elsewhere beside those in `docs`."""
    discover = Project.discover

    def discover_all(self: Project, *patterns: Any, **more: Any) -> set[str]:
        discover(self, *patterns, **more)
        for name, path in outside().items():
            self.docnames.add(name)
            self._docname_to_path[name] = Path(os.path.relpath(path, DOCS))
            self._path_to_docname[path] = name
        self._path_to_docname |= SAME
        return self.docnames

    Project.discover = discover_all  # type: ignore[method-assign]


class Links(SphinxTransform):
    """Links to folders lead to their pages, and links to files to a page with what is in them."""

    default_priority = 400

    def apply(self, **_: Any) -> None:
        """Change the links of one page."""
        for link in list(self.document.findall(addnodes.pending_xref)):
            if link["reftype"] == "myst" and not link["refdomain"]:
                self._to_folder(link)
        for link in list(self.document.findall(addnodes.download_reference)):
            link.replace_self(self._to_file(link))

    def _path(self, link: nodes.Element) -> Path:
        return Path(self.env.relfn2path(link["reftarget"].partition("#")[0])[1])

    def _to_folder(self, link: addnodes.pending_xref) -> None:
        path = self._path(link)
        known = self.env.project._path_to_docname
        if (name := known.get(path) or known.get(path / "README.md")) is not None:
            link.attributes.update(refdomain="doc", reftarget=name, reftargetid=None)
        elif path.is_dir() and path.is_relative_to(ROOT):
            # The repository has more than the site: the words stay, without a link.
            link.replace_self(link.children)

    def _to_file(self, link: addnodes.download_reference) -> nodes.reference:
        path = self._path(link)
        self.env.metadata[self.env.docname].setdefault("files", []).append(path)
        here = self.env.docname + ".html"
        return nodes.reference("", "", *link.children, refuri=relative_uri(here, _address(path)))


def source_of(app: Sphinx) -> Callable[[str, dict[str, str]], str | None]:
    """A function that says where the site shows the code of a name (for linkcode)."""

    def address(_: str, name: dict[str, str]) -> str | None:
        thing: Any = import_module(name["module"])
        try:
            for part in name["fullname"].split("."):
                thing = getattr(thing, part)
            thing = inspect.unwrap(getattr(thing, "fget", None) or thing)
            path = Path(inspect.getsourcefile(thing) or "")
            line = inspect.getsourcelines(thing)[1]
        except (AttributeError, TypeError, OSError):  # an attribute, which has no code of its own
            return None
        here = app.env.current_document.docname
        app.env.metadata[here].setdefault("files", []).append(path)
        return f"{relative_uri(f'{here}.html', _address(path))}#L-{line}"

    return address


def _address(path: Path) -> str:
    """Where the site shows a file of the repository."""
    suffix = "" if path.suffix in AS_THEY_ARE else ".html"
    return f"files/{path.relative_to(ROOT).as_posix()}{suffix}"


def _linked(app: Sphinx) -> list[Path]:
    """The files of the repository that pages link to."""
    return sorted({path for about in app.env.metadata.values() for path in about.get("files", [])})


def source_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, str], str]]:
    """A page for each file that a page links to, with its lines numbered."""
    show = HtmlFormatter(linenos="inline", lineanchors="L", cssclass="highlight source")
    for path in _linked(app):
        if path.suffix not in AS_THEY_ARE:
            name = path.relative_to(ROOT).as_posix()
            body = highlight(path.read_text("utf-8"), get_lexer_for_filename(path.name), show)
            head = f"<h1><code>{escape(name)}</code></h1>"
            yield f"files/{name}", {"title": name, "body": head + body}, "page.html"


def copy_files(app: Sphinx, fault: Exception | None) -> None:
    """Put the files that a browser shows by itself into the site."""
    if fault is None and app.builder.format == "html":
        for path in _linked(app):
            if path.suffix in AS_THEY_ARE:
                target = Path(app.outdir) / _address(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)

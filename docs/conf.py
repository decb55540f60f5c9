"""The documentation site: `make docs` builds it, and nothing is fetched while it is built."""

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "src")]

from docs_site import docstrings, measured, neighbours, pictures, reference, typeset  # noqa: E402

from synaptree.plots import FONTS, LINK, PAIRS  # noqa: E402

project = "synaptree"
author = "the synaptree authors"
release = metadata.version("synaptree")
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "sphinx_copybutton",
]
exclude_patterns = ["_static"]
smartquotes = False  # --views is an option, not a dash

# Markdown as the code forge reads it.
myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
myst_update_mathjax = False
suppress_warnings = ["myst.header"]

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
default_role = "literal"
add_module_names = False

html_theme = "furo"
html_title = "synaptree"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_show_search_summary = False  # a page from a disk may not read others
LOOK = [
    {"font-stack": FONTS, "color-brand-primary": LINK[mode], "color-brand-content": LINK[mode]}
    | {f"figure-{name}": pair[mode] for name, pair in PAIRS.items()}
    for mode in (0, 1)
]
html_theme_options = {
    "top_of_page_buttons": [],
    "light_css_variables": LOOK[0],
    "dark_css_variables": LOOK[1],
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def setup(app: Any) -> None:
    """What the site has beside its pages."""
    neighbours.take_in_neighbours()
    app.add_transform(neighbours.Links)
    app.config.linkcode_resolve = neighbours.source_of(app)
    app.connect("html-collect-pages", neighbours.source_pages)
    app.connect("build-finished", neighbours.copy_files)
    app.connect("source-read", measured.add)
    app.add_transform(typeset.RuleEquations)
    app.add_transform(pictures.Figures)
    app.add_html_math_renderer("mathml", (typeset.visit_math, None), (typeset.visit_block, None))
    app.connect("autodoc-process-docstring", docstrings.as_fields)
    app.connect("autodoc-process-signature", docstrings.short_signature)
    for name, directive in reference.DIRECTIVES.items():
        app.add_directive(name, directive)

"""Figures of reports on pages: in the size in which they were drawn, wherever there is room."""

from docutils import nodes
from sphinx.transforms import SphinxTransform

from docs_site.neighbours import ROOT

RESULTS = ROOT / "results"


class Figures(SphinxTransform):
    """Pictures from a folder of results have a class of their own, which the style sheet knows."""

    default_priority = 400

    def apply(self, **_: object) -> None:
        """Mark the pictures of one page."""
        for image in self.document.findall(nodes.image):
            path = self.env.relfn2path(image["uri"])[1]
            if RESULTS in ROOT.joinpath(path).resolve().parents:
                image["classes"].append("wide")

"""Write tables and figures of the README and of docs, so that no number is typed.

Most come from results; those of the reference come from the code.

python tools/readme.py            # after `python tools/keep.py NAME`, or a change to a docstring
"""

from collections.abc import Callable
from pathlib import Path

import findings_appetite
import findings_confirm
import findings_depth
import findings_error
import findings_hierarchy
import findings_labels
import findings_layers
import findings_local
import findings_network
import findings_others
import findings_settling
import findings_variants
import pandas as pd
import tables
from docs_site import fields, messages

from synaptree import load
from synaptree.audit.kept import audits
from synaptree.claims.judge import rule_forms
from synaptree.report import figures
from synaptree.report.inputs import Inputs

ROOT = Path(__file__).parent.parent
RESULTS = tables.RESULTS
END = "<!-- end -->\n"
HEADLINE = "laptop"  # the preset whose run the README shows

# Families of the scoreboard, as the pages divide them.
LAYERWISE = ("layerwise, contrastive", "layerwise, non-contrastive")
WITH_ERROR = (
    *("backprop and kin", "direct feedback, fixed", "direct feedback, learned"),
    *("perturbation", "vector units", "controls"),
)

# The parts of a page that are written, by where they come from: a folder of results, or the code.
PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {
        f"results/{HEADLINE}": lambda: tables.headline(HEADLINE),
        "results/depth-needs": lambda: _in_short("docs/"),
    },
    "docs/answer.md": {
        "results/depth-needs": lambda: _in_short(),
        f"results/{HEADLINE}": lambda: tables.verdicts(HEADLINE),
    },
    "docs/direct-feedback.md": {
        f"results/{HEADLINE}": lambda: tables.registered(HEADLINE, *WITH_ERROR),
        "results/direct-feedback": tables.direct_feedback,
        "results/backprop-reference": tables.backprop_reference,
    },
    "docs/findings/direct-feedback.md": {f"results/{HEADLINE}": findings_error.direct_feedback},
    "docs/findings/masks.md": {f"results/{HEADLINE}": findings_error.masks},
    "docs/findings/layerwise.md": {f"results/{HEADLINE}": findings_layers.layerwise},
    "docs/findings/hierarchy.md": {f"results/{HEADLINE}": findings_hierarchy.hierarchy},
    "docs/findings/local.md": {f"results/{HEADLINE}": findings_local.local},
    "docs/findings/depth.md": {
        "results/depth-needs": findings_depth.depth,
        "results/depth-needs-confirm": findings_confirm.confirmed,
        "results/depth-needs-appetite": findings_appetite.appetite,
        "results/depth-width": findings_network.network,
    },
    "docs/findings/labels.md": {"results/depth-label-map.csv.gz": findings_labels.labels},
    "docs/findings/images.md": {"results/digits": findings_others.digits},
    "docs/findings/settling.md": {"results/settling": findings_settling.settling},
    "docs/findings/variants.md": {"results/variants": findings_variants.variants},
    "docs/layerwise.md": {
        f"results/{HEADLINE}": lambda: tables.registered(HEADLINE, *LAYERWISE),
        "results/layerwise": tables.layerwise,
        "results/sample-complexity": tables.data_needed,
        "results/original-setting": tables.original_setting,
        "results/online": tables.online,
    },
    "docs/reference/columns.md": {"docstrings": lambda: fields.frame_columns() + "\n"},
    "docs/reference/errors.md": {"messages": lambda: messages.messages() + "\n"},
    "docs/reference/study-files.md": {"docstrings": lambda: fields.study_fields() + "\n"},
    "studies/sample-complexity/README.md": {"results/sample-complexity": tables.data_needed},
    "studies/depth/README.md": {"results/depth-*": findings_depth.hours},
    "studies/online/README.md": {"results/online": tables.online},
}
# The figures of the report that pages show, as FOLDER/NAME; some join other folders.
FIGURES = (
    f"{HEADLINE}/scoreboard",
    f"{HEADLINE}/needs_beside_backprop",
    "masking-phase/phase_diagram",
    "masking-layers/masks_above",
    "masking-layers/alignment",
    "masking-ladder/ladder",
    "layerwise/budget_and_probe",
    "digits/other_kinds",
    "variants/other_kinds",
    "depth-needs-appetite/data_against_depth",
    "settling/error_against_passes",
)
JOINED = {
    "depth-needs-appetite": ("depth-untrained", "depth-fresh"),
    "settling": ("settling-masks",),
}


def _in_short(folder: str = "") -> str:
    """What the studies after the registrations say, in a line each."""
    parts = (
        findings_depth,
        findings_confirm,
        findings_appetite,
        findings_labels,
        findings_settling,
    )
    return "".join(part.in_short(folder) for part in parts)


def page(name: str, text: str) -> str:
    """A page's text with its generated parts written again."""
    for source, part in PARTS[name].items():
        begin = f"<!-- {source}: written by tools/readme.py -->\n"
        before, rest = text.split(begin)
        text = before + begin + part() + END + rest.split(END, 1)[1]
    return text


def figure(path: str) -> str:
    """A figure on a white card, so that it is legible on a dark page too."""
    folder, name = path.split("/")
    shown = figures.named(name)
    folders = [RESULTS / each for each in (folder, *JOINED.get(folder, ()))]
    frame = pd.concat([load(each) for each in folders], ignore_index=True)
    kept = audits(None, rule_forms(frame)) if name == "scoreboard" else {}
    table = shown.data(Inputs.of(frame, kept))
    assert table is not None, f"{path}: nothing to draw"
    return _card(shown.svg(table))


def label_map() -> str:
    """The map of labels on such a card, from its readouts."""
    return _card(findings_labels.picture())


def _card(svg: str) -> str:
    return svg.replace("<svg", '<svg style="background: white"', 1) + "\n"


if __name__ == "__main__":
    for name in PARTS:
        path = ROOT / name
        path.write_text(page(name, path.read_text("utf-8")), "utf-8")
    for name in FIGURES:
        (RESULTS / f"{name}.svg").write_text(figure(name), "utf-8")
    (RESULTS / "depth-label-map.svg").write_text(label_map(), "utf-8")

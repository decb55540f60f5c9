"""Write tables and figures of the README and of docs from results, so that no number is typed.

python tools/readme.py            # after copying a run's journal to results/NAME/journal
"""

from collections.abc import Callable
from pathlib import Path

import tables

from synaptree import load
from synaptree.report import figures
from synaptree.report.inputs import Inputs

ROOT = Path(__file__).parent.parent
RESULTS = tables.RESULTS
END = "<!-- end -->\n"
HEADLINE = "laptop"  # the preset whose run the README shows


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {f"results/{HEADLINE}": lambda: tables.headline(HEADLINE)},
    "docs/type1.md": {"results/type1": tables.type1, "results/backprop": tables.backprop},
    "docs/type2.md": {
        "results/type2": tables.type2,
        "results/efficiency": tables.efficiency,
        "results/authors": tables.authors,
        "results/online": tables.online,
    },
}
FIGURES = {  # files in results, and the figures of the report that they are
    f"{HEADLINE}/error_by_rule": "error_by_rule",
    f"{HEADLINE}/error_against_P": "error_against_P",
    f"{HEADLINE}/needs_beside_backprop": "needs_beside_backprop",
    f"{HEADLINE}/growth": "growth",
    "phase/phase_diagram": "phase_diagram",
    "masks-above/masks_above": "masks_above",
    "masks-above/alignment": "alignment",
    "ladder/ladder": "ladder",
    "type2/signal_budget": "budget_and_probe",
}


def page(name: str, text: str) -> str:
    """A page's text with its generated parts put in anew."""
    for source, part in PARTS[name].items():
        begin = f"<!-- {source}: written by tools/readme.py -->\n"
        before, rest = text.split(begin)
        text = before + begin + part() + END + rest.split(END, 1)[1]
    return text


def figure(name: str) -> str:
    """A figure on a white card, legible on a dark page too."""
    shown = figures.named(FIGURES[name])
    table = shown.data(Inputs.of(load(RESULTS / name.split("/")[0]), {}))
    assert table is not None, f"{name}: nothing to draw"
    text = shown.svg(table)
    return text.replace("<svg", '<svg style="background: white"', 1) + "\n"


if __name__ == "__main__":
    for name in PARTS:
        path = ROOT / name
        path.write_text(page(name, path.read_text("utf-8")), "utf-8")
    for name in FIGURES:
        (RESULTS / f"{name}.svg").write_text(figure(name), "utf-8")

"""Write the README's figure and tables from results/quick, so that no number is typed by hand.

python tools/readme.py            # after copying a run's journal to results/quick/journal
"""

from pathlib import Path

from synaptree import load
from synaptree.report.figures import error_by_rule, svg
from synaptree.study.claims import evaluate

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results" / "quick"
FIGURE = RESULTS / "error_by_rule.svg"
BEGIN, END = "<!-- results/quick: written by tools/readme.py -->\n", "<!-- end -->\n"


def block() -> str:
    """The generated part of the README."""
    frame = load(RESULTS)
    seeds = sorted({int(seed) for seed in frame["seed"]})
    lines = [
        f"![Test error of every rule on two grammars]({FIGURE.relative_to(ROOT)})",
        "",
        f"What the quick run found ({len(frame)} runs, grammar seeds {seeds[0]}–{seeds[-1]}, "
        "settings chosen on seeds 0–9, thresholds written down before):",
        "",
        "| | claim | outcome | effect |",
        "|---|---|---|---|",
    ]
    lines += [f"| {o.number} | {o.claim} | **{o.verdict}** | {o.effect} |" for o in evaluate(frame)]
    return "\n".join(lines) + "\n"


def readme(text: str) -> str:
    """The README's text with the generated part put in anew."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + block() + END + rest.split(END)[1]


def figure() -> str:
    """The headline figure on a white card, legible on a dark page too."""
    text = svg(error_by_rule(load(RESULTS)), "error_by_rule")
    return text.replace("<svg", '<svg style="background: white"', 1) + "\n"


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(readme(path.read_text("utf-8")), "utf-8")
    FIGURE.write_text(figure(), "utf-8")

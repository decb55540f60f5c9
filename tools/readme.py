"""Write tables and figures of the README and of docs from results, so that no number is typed.

python tools/readme.py            # after copying a run's journal to results/NAME/journal
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synaptree import load
from synaptree.measures.statistics import mean_interval
from synaptree.report import laboratory
from synaptree.report.figures import error_by_rule, labels, svg
from synaptree.report.runs import short_views
from synaptree.study.claims import evaluate
from synaptree.study.journal import by_grammar

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"
END = "<!-- end -->\n"


def quick() -> str:
    """The README's part: what the quick run found."""
    frame = load(RESULTS / "quick")
    lines = [
        "![Test error of every rule on two grammars](results/quick/error_by_rule.svg)",
        "",
        f"What the quick run found ({len(frame)} runs, grammar seeds {seeds(frame)}, "
        "settings chosen on seeds 0–9, thresholds written down before):",
        "",
        "| | claim | outcome | effect |",
        "|---|---|---|---|",
    ]
    lines += [f"| {o.number} | {o.claim} | **{o.verdict}** | {o.effect} |" for o in evaluate(frame)]
    return "\n".join(lines) + "\n"


def type1() -> str:
    """Every rule with an output error at its best, and with more steps and width."""
    frame = load(RESULTS / "type1")
    lines: list[str] = []
    least, most = frame["steps_asked"].min(), frame["steps_asked"].max()
    for name, runs in by_grammar(frame):
        lines += [
            f"**{name}**",
            "",
            f"| rule | family | {least} steps, grammar seeds {seeds(runs)} | {most} steps, twice "
            "the width |",
            "|---|---|---|---|",
        ]
        for label, family in labels(runs):
            of_rule = runs[runs["label"] == label]
            budgets = [of_rule[of_rule["steps_asked"] == steps] for steps in (least, most)]
            lines.append(f"| {label} | {family} | {' | '.join(map(shown, budgets))} |")
        lines.append("")
    return "\n".join(lines)


def type2() -> str:
    """Every layerwise rule at its best, beside backprop, DFA and the floors."""
    frame = load(RESULTS / "type2")
    lines: list[str] = []
    for name, runs in by_grammar(frame):
        lines += [
            f"**{name}**, grammar seeds {seeds(runs)}",
            "",
            "| rule | views | test error | level l read from layer l, from below | collapsed |",
            "|---|---|---|---|---|",
        ]
        for label, _ in labels(runs):
            for views, own in runs[runs["label"] == label].groupby("views", sort=False):
                probe = np.array(own["probe"].tolist(), float).mean(0)
                read = ", ".join(f"{probe[l, l]:.3f}" for l in range(len(probe)))
                lost = int(own["collapsed"].map(len).gt(0).sum())
                cells = [label, short_views(str(views)), shown(own), read]
                lines.append(f"| {' | '.join(cells)} | {f'{lost} of {len(own)}' if lost else ''} |")
        lines.append("")
    return "\n".join(lines)


def shown(runs: pd.DataFrame) -> str:
    """Mean test error with its 95% interval and the number of seeds."""
    if runs.empty:
        return "–"
    mean, low, high = mean_interval(runs["test_error"].tolist())
    interval = f" [{100 * max(low, 0):.1f}, {100 * min(high, 1):.1f}]" if len(runs) > 1 else ""
    return f"{100 * mean:.1f}%{interval} ({len(runs)})"


def seeds(frame: pd.DataFrame) -> str:
    found = sorted({int(seed) for seed in frame["seed"]})
    return f"{found[0]}–{found[-1]}"


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"results/quick": quick},
    "docs/type1.md": {"results/type1": type1},
}
FIGURES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "quick/error_by_rule": error_by_rule,
    "phase/phase_diagram": laboratory.phase_diagram,
    "masks-above/masks_above": laboratory.masks_above,
    "masks-above/alignment": laboratory.alignment,
    "ladder/ladder": laboratory.ladder,
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
    folder, drawn = name.split("/")
    text = svg(FIGURES[name](load(RESULTS / folder)), drawn)
    return text.replace("<svg", '<svg style="background: white"', 1) + "\n"


if __name__ == "__main__":
    for name in PARTS:
        path = ROOT / name
        path.write_text(page(name, path.read_text("utf-8")), "utf-8")
    for name in FIGURES:
        (RESULTS / f"{name}.svg").write_text(figure(name), "utf-8")

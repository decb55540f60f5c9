"""The tables that `tools/readme.py` writes into README and docs, each from a folder of results."""

from collections.abc import Hashable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synaptree import load
from synaptree.analysis.data_curves import (
    data_curves,
    learned_at,
    needs_said,
    ratio_said,
    references,
)
from synaptree.analysis.sample_complexity import first_crossing, sample_complexity
from synaptree.analysis.settings import apart, short_views
from synaptree.analysis.statistics import mean_interval
from synaptree.audit.kept import audits
from synaptree.claims.judge import rule_forms
from synaptree.claims.second.outcome import Share
from synaptree.report import registrations
from synaptree.report.answer import answer
from synaptree.report.figures import scoreboard
from synaptree.report.inputs import labels
from synaptree.report.theses import THESES
from synaptree.report.words import INTERVAL, count_said, error_said
from synaptree.reproduction import Judged, judged
from synaptree.results.columns import by_kind, states
from synaptree.results.sessions import sessions
from synaptree.study.progress import duration
from synaptree.training.solved import solved_at

RESULTS = Path(__file__).parent.parent / "results"


def headline(preset: str) -> str:
    """The README's part: the scoreboard and the answer, and how long the runs took."""
    conclusion = concluded(preset)
    frame, history = conclusion.frame, sessions(RESULTS / preset)
    wall = sum(session["wall_s"] for session in history)
    spoken = answer(conclusion.second, conclusion.board)
    took = ""
    if history:
        first = history[0]
        gpu = f" and one {first['gpu']}" if "gpu" in first else ""
        took = f", {duration(wall)} on {first['cores']} cores{gpu}"
    if (replaced := sum(session["runs"] for session in history) - len(frame)) > 0:
        took += f" with {replaced} runs that others have replaced since"
    lines = [
        f"![{scoreboard.FIGURE.title}](results/{preset}/scoreboard.svg)",
        "",
        f"**The answer**, from {len(frame)} runs of `synaptree reproduce --preset {preset}`{took}. "
        f"{spoken.first}",
        "",
        *(f"- **{said.asks}** {said.answer}" for said in spoken.lead),
        "",
        *([spoken.last, ""] if spoken.last else []),
        f"Each claim in both registrations, each figure and run: [the report]"
        f"(results/{preset}/report.html). How to read the picture, and what was asked: "
        "[docs/answer.md](docs/answer.md).",
    ]
    return "\n".join(lines) + "\n"


def verdicts(preset: str) -> str:
    """Both registrations side by side, a row for each claim of the second."""
    conclusion = concluded(preset)
    rows = registrations.beside(conclusion.outcomes, conclusion.second)
    lines = ["| | about | first registration | second registration |", "|---|---|---|---|"]
    for row in rows:
        topic = THESES[row.second.number].topic
        of_first = f"{row.first.verdict} ({row.first.tally})" if row.first and row.span else ""
        lines.append(f"| {row.second.number} | {topic} | {of_first} | {row.second.verdict} |")
    said = registrations.judged_on(conclusion.second)
    lines += ["", f"Second registration: {said}. What it says of each claim:", ""]
    for row in rows:
        claim = f"- **{row.second.number}** *{row.second.claim}*: **{row.second.verdict}**"
        why = "; ".join(row.second.why_not)
        lines.append(
            f"{claim}, {why}." if row.second.verdict == "not asked" else f"{claim}. {row.said}"
        )
    return "\n".join(lines) + "\n"


def registered(preset: str, *families: str) -> str:
    """How many grammars each rule of the scoreboard's families solves, a column a kind."""
    board = concluded(preset).board
    kinds = board.drop_duplicates("kind").sort_values("head")
    heads = [f"{kind.head}, P={kind.P}" for kind in kinds.itertuples()]
    lines = [f"| rule | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    rows = board[board["family"].isin(families) | (board["name"] == "backprop")]
    for name, own in rows.groupby("name", sort=False):
        cells = []
        for kind in kinds["kind"]:
            here = own[own["kind"] == kind].to_dict("records")
            cells.append(", ".join(map(solved_said, here)) or "–")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def solved_said(cell: Mapping[Hashable, Any]) -> str:
    """A cell of the scoreboard, as ``12 of 20 (36–81%), 11%``."""
    solved = count_said(Share(int(cell["solved"]), int(cell["of"])))
    return f"{solved.replace(f' grammars ({INTERVAL}', ' (')}, {error_said(cell)}"


@cache
def concluded(preset: str) -> Judged:
    """What a folder of results says; nothing is written."""
    frame = load(RESULTS / preset)
    return judged(frame, audits(None, rule_forms(frame)))


def direct_feedback() -> str:
    """Every rule with an output error, at its best settings and with more steps and width."""
    frame = load(RESULTS / "direct-feedback")
    lines: list[str] = []
    least, most = frame["steps_asked"].min(), frame["steps_asked"].max()
    for name, runs in by_kind(frame):
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


def backprop_reference() -> str:
    """P* of our backprop beside that of a training written from scratch."""
    ours = load(RESULTS / "backprop-reference").assign(training="synaptree", grammars="ours")
    other = pd.read_csv(RESULTS / "backprop-reference" / "independent.csv").assign(
        training="from scratch"
    )
    both = pd.concat([ours, other])
    lines = [
        "| v = n | training | grammars (seeds 0–9) | P* of their mean error, 95% interval | of "
        "single grammars |",
        "|---|---|---|---|---|",
    ]
    for (v, drawn, training), runs in both.groupby(["v", "grammars", "training"], sort=False):
        table = runs.pivot_table(index="seed", columns="P", values="test_error")
        threshold = solved_at(int(v))
        errors = [row[None] for row in table.to_numpy()]
        needs = sample_complexity(list(table.columns), errors, threshold)
        single = first_crossing(list(table.columns), table.to_numpy(), threshold)
        lines.append(
            f"| {v} | {training} | {drawn} | {needs.value:.0f} [{needs.low:.0f}, {needs.high:.0f}] "
            f"| {single.min():.0f} – {single.max():.0f} |"
        )
    published = pd.read_csv(RESULTS / "backprop-reference" / "published.csv")
    for v, needs in published.itertuples(index=False):
        lines.append(f"| {v} | the RHM authors' code | theirs, not known which | {needs} | |")
    return "\n".join(lines) + "\n"


def layerwise() -> str:
    """Every layerwise rule at its best settings, beside backprop, DFA and the floors."""
    frame = load(RESULTS / "layerwise")
    lines: list[str] = []
    for name, runs in by_kind(frame):
        lines += [
            f"**{name}**, grammar seeds {seeds(runs)}",
            "",
            "| rule | views | test error | level l read from layer l, from below |",
            "|---|---|---|---|",
        ]
        for label, _ in labels(runs):
            for views, own in runs[runs["label"] == label].groupby("views", sort=False):
                probe = np.array(own["probe"].tolist(), float).mean(0)
                read = ", ".join(f"{probe[l, l]:.3f}" for l in range(len(probe)))
                cells = [label, short_views(str(views)), shown(own), read]
                lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def data_needed() -> str:
    """Sample complexity of each rule beside that of backprop at its best."""
    frame = apart(load(RESULTS / "sample-complexity"))
    lines: list[str] = []
    all_curves = data_curves(frame)
    for kind, reference in references(all_curves).items():
        here = [c for c in all_curves if tuple(c.kind.values()) == kind]
        sizes = ", ".join(map(str, reference.sizes))
        lines += [
            f"**{reference.name}**, grammar seeds {seeds(frame)}, P = {sizes}; n·m**L = "
            f"{reference.predicted['n·m**L']}",
            "",
            "| rule | P*, 95% interval | over backprop's |",
            "|---|---|---|",
        ]
        for curve in sorted(here, key=lambda c: c.needs().value):
            over = "" if curve is reference else ratio_said(curve, reference)
            lines.append(f"| {curve.label} | {needs_said(curve)} | {over} |")
        lines.append("")
    return "\n".join(lines)


def original_setting() -> str:
    """The study's own setting: contrastive rules under each view, beside rules without views."""
    frame = load(RESULTS / "original-setting")
    short = frame["views"].map(lambda v: ", ".join(dict.fromkeys(str(v).split(","))))
    views = [view for view in dict.fromkeys(short) if view]
    lines = []
    for name, runs in by_kind(frame):
        with_views = runs["views"] != ""
        beside = runs[~with_views].groupby("label", sort=False)
        without = "; ".join(f"{label} {shown(own)}" for label, own in beside)
        lines += [f"**{name}**: {without}", ""]
        lines += [f"| rule | {' | '.join(views)} |", "|---" * (len(views) + 1) + "|"]
        for label, own in runs[with_views].groupby("label", sort=False):
            cells = [shown(own[short[own.index] == view]) for view in views]
            lines.append(f"| {label} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def online() -> str:
    """One object a step beside batches: the error reached, after how many steps and inputs."""
    frame = load(RESULTS / "online")
    lines = [
        "| rule | batch | steps | test error | steps to 10% of chance | inputs seen by then |",
        "|---|---|---|---|---|---|",
    ]
    for label, runs in frame.groupby("label", sort=False):
        reached = learned_at(runs)
        batch, steps = runs["batch"].iloc[0], runs["steps_asked"].iloc[0]
        there = [step for step in reached if np.isfinite(step)]
        when = inputs = "not reached"
        if len(there) == len(reached):
            when = f"{np.mean(there):.0f} ({min(there):.0f} – {max(there):.0f})"
            inputs = f"{np.mean(there) * batch:.0f}"
        elif there:
            when, inputs = f"in {len(there)} of {len(reached)} runs", ""
        lines.append(f"| {label} | {batch} | {steps} | {shown(runs)} | {when} | {inputs} |")
    return "\n".join(lines) + "\n"


def shown(runs: pd.DataFrame) -> str:
    """Mean test error with its 95% interval, the number of seeds, and what became of the runs."""
    if runs.empty:
        return "–"
    mean, low, high = mean_interval(runs["test_error"].tolist())
    interval = f" [{100 * max(low, 0):.1f}, {100 * min(high, 1):.1f}]" if len(runs) > 1 else ""
    became = f", {text}" if (text := states(runs)) else ""
    return f"{100 * mean:.1f}%{interval} ({len(runs)}){became}"


def seeds(frame: pd.DataFrame) -> str:
    """The grammar seeds of a frame, first and last."""
    return f"{frame['seed'].min()}–{frame['seed'].max()}"

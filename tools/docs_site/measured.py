"""What each rule has learned, as a part of its page: its rows of the scoreboard, and its curves.

Both are made from the committed results while the site is built, by the package's own functions.
Curves stand in the page itself, so that they have its colours, on a light page and on a dark one.
"""

import re
from functools import cache
from html import escape
from typing import Any

import pandas as pd
from readme import HEADLINE

import synaptree
from docs_site.neighbours import ROOT
from docs_site.tables import cell, table
from synaptree.claims.second.cells import cells
from synaptree.claims.second.scoreboard import scoreboard
from synaptree.plots import PAIRS
from synaptree.report.row_names import row_name
from synaptree.report.svg import svg
from synaptree.results.columns import GRAMMAR, finished

FOLDERS = (HEADLINE, "settling")  # a rule's runs are those of the first that has it
SIDE_BY_SIDE = {
    HEADLINE: "[The answer](../answer.md) has all rules",
    "settling": (
        "A form with `masks=none` has the settings that are best with masks. "
        "[What does a long convergence buy?](../findings/settling.md) has these rules"
    ),
}
BESIDE = {  # the best and the least that is expected
    "backprop": "backprop",
    "readout_only": "an untrained network (`readout_only`)",
}
WEIGHTS = {"shared": "shared", "local": "unshared", "full": "full"}
FEWEST = 5  # runs of the rule on a kind of grammar that is drawn


@cache
def results(folder: str = HEADLINE) -> pd.DataFrame:
    """The finished runs of a folder of results."""
    return finished(synaptree.load(ROOT / "results" / folder))


@cache
def board(folder: str) -> pd.DataFrame:
    """Their scoreboard, with a row for each form of a rule, in its best settings.

    A form has options and a connectivity: weights that positions share, or weights of their own.
    """
    frame = results(folder)
    seeds = sorted(set(frame["seed"]))
    weights = {
        (cell.kind.name, cell.P, cell.label): cell.setting("connectivity")
        for cell in cells(frame, seeds)
    }
    found = scoreboard(frame, {}, seeds=seeds)
    keys = found[["kind", "P", "label"]].itertuples(index=False, name=None)
    found = found.assign(connectivity=[weights[key] for key in keys])
    order = found.sort_values(["solved", "error"], ascending=[False, True], kind="stable")
    return order.drop_duplicates(["kind", "rule", "options", "connectivity"]).sort_index()


def part(name: str) -> str:
    """The part of a rule's page, in Markdown; empty for a rule that was not run."""
    folder = next((each for each in FOLDERS if name in set(board(each)["rule"])), None)
    if folder is None:
        return ""
    rows = board(folder)[board(folder)["rule"] == name]
    text = [
        "## What it learned",
        f"These are its runs in `results/{folder}`, in its best settings on each kind of "
        "grammar. A grammar is solved if the test error is at most a tenth of that of guessing. "
        "*Weights* says whether positions of a layer share theirs, or each has its own. "
        "*Levels* says how many levels of the tree a linear reader finds in their own layers. "
        f"{SIDE_BY_SIDE[folder]} side by side.",
        table(
            ("form", "weights", "kind of grammar", "P", "solved", "mean test error", "levels"),
            (_row(row) for row in rows.to_dict("records")),
        ),
    ]
    return "\n\n".join([*text, *_curves(name, results(folder))])


def _row(row: dict[Any, Any]) -> tuple[str, ...]:
    form, _ = row_name(row["rule"], row["options"])
    levels = "–" if pd.isna(row["levels"]) else f"{row['levels']:g} of {row['of_levels']}"
    solved = f"{row['solved']} of {row['of']}"
    where = cell(WEIGHTS[row["connectivity"]]), cell(row["kind"]), f"{row['P']}"
    return cell(form), *where, solved, f"{row['error']:.3f}", levels


def _curves(name: str, frame: pd.DataFrame) -> list[str]:
    """Its learning curves beside backprop and an untrained network, where these were run."""
    kind = [*GRAMMAR, "P"]
    own = frame[frame["rule"] == name]
    many = own.groupby(kind)["run_id"].transform("size") >= FEWEST
    kinds = pd.MultiIndex.from_frame(own.loc[many, kind])
    there = pd.MultiIndex.from_frame(frame[kind]).isin(kinds)
    drawn = frame[frame["rule"].isin({name, *BESIDE}) & there]
    if drawn.empty:
        return []
    beside = [said for rule, said in BESIDE.items() if rule in set(drawn["rule"])]
    alt = f"Test error against steps: {name}, {' and '.join(beside)}, one panel for each kind"
    return [
        f"Learning curves beside {' and '.join(beside)}, on the kinds with at least five grammars. "
        "Lines are means, and bands go from the lowest to the highest run.",
        "```{raw} html",
        in_page(svg(synaptree.figures.learning_curves(drawn), name), alt),
        "```",
    ]


def in_page(figure: str, alt: str) -> str:
    """A figure of the package as a part of a page, in the colours of the page."""
    for name, (light, _) in PAIRS.items():
        figure = re.sub(rf"{light}\b", f"var(--figure-{name})", figure, flags=re.IGNORECASE)
    said = escape(alt, quote=True)
    drawn = figure.replace("<svg", f'<svg role="img" aria-label="{said}"', 1)
    return f'<figure class="drawn" tabindex="0" aria-label="{said}">{drawn}</figure>'


def add(_app: Any, page: str, source: list[str]) -> None:
    """Put the part at the end of a rule's page (an event of Sphinx)."""
    folder, _, name = page.rpartition("/")
    if folder == "rules":
        source[0] = f"{source[0].rstrip()}\n\n{part(name)}\n"

"""The report: one self-contained HTML page, drawn from a folder of results and nothing else."""

import base64
import gc
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from synaptree.claims.base import Audits, Outcome
from synaptree.claims.second.outcome import Outcome as SecondOutcome
from synaptree.report import elsewhere, first_page, registrations
from synaptree.report.answer import answer
from synaptree.report.board import columns
from synaptree.report.figures import FIGURES, Figure
from synaptree.report.figures.base import packed_csv
from synaptree.report.figures.scoreboard import FIGURE as SCOREBOARD
from synaptree.report.first_page import FirstPage
from synaptree.report.inputs import Inputs
from synaptree.report.scoreboard import families
from synaptree.report.svg import UNPRINTABLE
from synaptree.report.tables import TABLES, Table, runs
from synaptree.report.tables.grammars import grammars
from synaptree.report.tables.sessions import commands, facts
from synaptree.report.tables.settings import settings
from synaptree.results.columns import states
from synaptree.results.frame import load
from synaptree.results.sessions import sessions
from synaptree.safely import write

DRAWN = [figure for figure in FIGURES if figure is not SCOREBOARD]  # which is a table in the page


@dataclass(frozen=True)
class Section:
    """A part of the page: a figure where there is one, and the tables beside it."""

    figure: Figure | None = None
    svg: str = ""
    csv: str = ""
    tables: list[tuple[Table, Any]] = field(default_factory=list[tuple[Table, Any]])


def write_report(
    folder: Path,
    outcomes: Sequence[Outcome],
    audits: Audits,
    frame: pd.DataFrame | None = None,
    second: Sequence[SecondOutcome] = (),
    first: Sequence[FirstPage] = (),
) -> Path:
    """Write ``report.html`` into a folder of results, whole or not at all, and return its path.

    frame: all runs of the folder, where the caller has loaded them; otherwise they are loaded.
    outcomes, second: of the two registrations.  first: the pages of judged rules.
    Raises SynaptreeError where the folder holds no results or cannot be written.
    """
    frame = load(folder) if frame is None else frame
    gc.freeze()  # a frame is many small lists, which every collection would go through
    try:
        page = render(frame, outcomes, audits, sessions(folder), second, first)
    finally:
        gc.unfreeze()
    return write(folder, "report.html", page)


def render(
    frame: pd.DataFrame,
    outcomes: Sequence[Outcome],
    audits: Audits,
    made: Sequence[dict[str, Any]] = (),
    second: Sequence[SecondOutcome] = (),
    first: Sequence[FirstPage] = (),
) -> str:
    """The page for the runs of `load`'s frame.

    outcomes, second: of the claims of both registrations on these runs.  audits: of their rules.
    made: the sessions that made the runs.  first: the first pages of judged rules.
    """
    inputs = Inputs.of(frame, audits)
    script = _part("page.js")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    others = elsewhere.compared(inputs) if elsewhere.mostly_others(inputs.runs) else pd.DataFrame()
    board = None if len(others) else SCOREBOARD.data(inputs)
    page = environment.get_template("page.html.j2").render(
        style=Markup(_part("page.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        first=first,
        kind_heads=first_page.KIND_HEADS,
        looks=first_page.LOOKS,
        signs=first_page.SIGNS,
        outcomes=outcomes,
        title=elsewhere.title(others) if len(others) else "",
        answer=elsewhere.answer(others) if len(others) else answer(second, inputs.board),
        board=[] if board is None else families(board),
        kinds=[] if board is None else columns(board),
        board_csv="" if board is None else Markup(packed_csv(board)),
        registrations=registrations,
        beside=registrations.beside(outcomes, second),
        own_rules=[] if first else registrations.own_rules(frame),
        judged_on=registrations.judged_on(second) if second else "",
        first_judged_on=registrations.first_judged_on(second),
        became=states(inputs.runs),
        sections=[section for figure in DRAWN if (section := _section(figure, inputs))],
        tables=_tables("", inputs),
        columns=runs.COLUMNS,
        runs_csv=Markup(packed_csv(runs.table(inputs))),
        grammars=grammars(inputs),
        settings=settings(inputs),
        made=[facts(session) for session in made],
        commands=commands(made),
        versions=", ".join(sorted({str(c) for c in frame["code_version"].dropna()})) or "–",
        finished=len(inputs.runs),
        all=len(frame),
    )
    return UNPRINTABLE.sub("", page)


def _section(figure: Figure, inputs: Inputs) -> Section | None:
    """A figure with the tables beside it; None where there is nothing to show."""
    tables = _tables(figure.name, inputs)
    table = figure.data(inputs)
    if table is not None:
        return Section(figure, Markup(figure.svg(table)), Markup(packed_csv(table)), tables)
    return Section(tables=tables) if tables else None


def _tables(beside: str, inputs: Inputs) -> list[tuple[Table, Any]]:
    """The tables beside a figure that have rows."""
    return [
        (table, groups)
        for table in TABLES
        if table.beside == beside and (groups := table.groups(inputs))
    ]


def _part(name: str) -> str:
    return resources.files("synaptree.report").joinpath(name).read_text("utf-8")

"""The scoreboard as HTML: what the template needs of each row."""

from collections.abc import Mapping
from itertools import groupby
from math import cos, pi, sin
from typing import Any

import pandas as pd
from markupsafe import Markup

from synaptree.claims.second.scoreboard import KNOWS
from synaptree.report.board import SHORT, Line, columns, knows_place, lines
from synaptree.report.row_names import OWN, usual_name
from synaptree.report.words import cell_said, error_said


def families(table: pd.DataFrame) -> list[tuple[str, list[dict[str, Any]]]]:
    """The rows of `board`'s table by family."""
    if table.empty:
        return []
    kinds = [str(kind["kind"]) for kind in columns(table)]
    return [
        (family, [_row(line, kinds) for line in own])
        for family, own in groupby(lines(table), lambda line: line.family)
    ]


def _row(line: Line, kinds: list[str]) -> dict[str, Any]:
    place = knows_place(line.knows)
    settings = [str(cell["all_settings"]).split("\n") for cell in line.cells.values()]
    every = list(dict.fromkeys(label for labels in settings for label in labels))
    return {
        "title": line.title,
        "own": line.name.endswith(OWN),
        "name": usual_name(line.title),
        "runs": filter_of(every),
        "cells": [_cell(line, cell) if (cell := line.cells.get(k)) else None for k in kinds],
        "data": line.data,
        "steps": line.steps,
        "passes": line.passes,
        "levels": boxes(line.about["levels"], int(line.about["of_levels"])) if line.levels else "",
        "labels": line.labels,
        "known": line.knows,
        "knows": "" if place is None else boxes(place, len(KNOWS) - 1),
        "short": "" if place is None else SHORT[place],
    }


def _cell(line: Line, cell: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "runs": f"{filter_of([str(cell['settings'])])} {cell['kind']} P={cell['P']}",
        "said": cell_said(line.name, cell),
        "wedge": wedge(cell["solved"] / cell["of"]),
        "error": error_said(cell),
    }


def filter_of(labels: list[str]) -> str:
    """What finds the runs with one of these labels in the table of runs."""
    return f'rule="{"|".join(labels)}"'


def wedge(share: float) -> Markup:
    """The part of a disc that is filled, clockwise from the top."""
    if share <= 0:
        return Markup("")
    if share >= 1:
        return Markup('<circle class="full" cx="6" cy="6" r="5"/>')
    x, y = 6 + 5 * sin(2 * pi * share), 6 - 5 * cos(2 * pi * share)
    return Markup(f'<path d="M6 6V1A5 5 0 {int(share > 0.5)} 1 {x:.1f} {y:.1f}z"/>')


def boxes(filled: float, of: int) -> Markup:
    """Boxes beside each other, the first of them filled."""
    looks = [' class="full"' if place + 1 <= filled else "" for place in range(of)]
    parts = "".join(
        f'<rect x="{8 * place + 1}" y="1" width="6" height="6"{look}/>'
        for place, look in enumerate(looks)
    )
    words = f"{filled:g} of {of}"
    return Markup(
        f'<svg class="boxes" viewBox="0 0 {8 * of} 8" width="{8 * of}" role="img" '
        f'aria-label="{words}">{parts}</svg>'
    )

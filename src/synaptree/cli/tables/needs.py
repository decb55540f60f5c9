"""What `synaptree needs` prints: a line for one rule, a table for several, or JSON."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from rich.console import Console
from rich.table import Table

from synaptree.analysis.data_curves import bounded
from synaptree.analysis.paired import Estimate
from synaptree.cli.words import cell, say, show
from synaptree.data_needs.find import DataNeeds
from synaptree.results.columns import GRAMMAR, kind_name
from synaptree.study.write import fields_of
from synaptree.training.spec import SEEDS


def print_needs(found: Sequence[DataNeeds], console: Console) -> None:
    """Print P* of one rule in a line, or of several in a table."""
    if len(found) == 1:
        (one,) = found
        say(
            f"{one.spec.rule.label} · {kind_name(dict(one.spec))}: P* {one.said}, {one.why}; "
            f"{one.runs} runs of {one.grid} on a grid, {one.steps} steps"
        )
        _say_few_tests(found)
        return
    names = _names(found)
    kinds = {_kind(one) for one in found}
    table = Table(title="P* with its 95% interval", title_justify="left")
    for name in (
        "rule",
        "P*",
        f"over {names[0]}" if len(kinds) == 1 else "over the first of its kind",
        "runs",
        "of a grid",
        "steps",
        "what it rests on",
    ):
        words = name in ("rule", "what it rests on")
        table.add_column(cell(name), justify="left" if words else "right")
    for name, one in zip(names, found, strict=True):
        first = _first(one, found)
        over = _said(one.over(first)) if first is not None and first is not one else ""
        numbers = (one.said, over, str(one.runs), str(one.grid), str(one.steps))
        table.add_row(cell(name), *numbers, cell(one.why))
    show(table, console)
    _say_few_tests(found)


def _say_few_tests(found: Sequence[DataNeeds]) -> None:
    """Say where errors rest on so few strings that they are coarse."""
    for few in dict.fromkeys(one.few_tests for one in found if one.few_tests):
        say(few)


def needs_json(found: Sequence[DataNeeds]) -> list[dict[str, Any]]:
    """The JSON of each rule.  What is infinite is null; `errors` are means over `grammars` runs.

    over_first: P* over that of the first rule on the same kind of grammar; null on other grammars.
    """
    return [
        {
            "name": name,
            "settings": {k: v for k, v in fields_of(one.spec).items() if k != "P"},
            "seeds": list(one.seeds),
            "P_star": _number(one.value),
            "low": one.low,
            "high": _number(one.high),
            "above": one.known.sizes[-1] if not one.known.needs.reached else None,
            "at_most": one.known.sizes[0] if one.known.needs.at_once else None,
            "over_first": _ratio(one, _first(one, found)),
            "runs": one.runs,
            "grid_runs": one.grid,
            "steps": one.steps,
            "failed": one.failed,
            "sizes": [one.known.sizes[place] for place in one.known.measured],
            "grammars": [one.known.counts[place] for place in one.known.measured],
            "errors": [float(error) for error in one.known.means],
            "why": one.why,
            "few_tests": one.few_tests or None,
        }
        for name, one in zip(_names(found), found, strict=True)
    ]


def _kind(one: DataNeeds) -> str:
    return kind_name(dict(one.spec))


def _first(one: DataNeeds, found: Sequence[DataNeeds]) -> DataNeeds | None:
    """The first rule on the same kind of grammar, if it was run on the same grammars."""
    first = next(each for each in found if _kind(each) == _kind(one))
    return first if first.seeds == one.seeds else None


def _names(found: Sequence[DataNeeds]) -> list[str]:
    """What each is called: its rule, the kind of grammar where there are several, and the settings
    that tell it apart from others of its rule."""
    settings = [dict(one.spec) | {"views": ",".join(one.spec.views)} for one in found]
    labels = [one.spec.rule.label for one in found]
    names: list[str] = []
    for label, own in zip(labels, settings, strict=True):
        alike = [other for name, other in zip(labels, settings, strict=True) if name == label]
        differ = [
            f"{field}={own[field]}"
            for field in own
            if field not in ("rule", "P", *SEEDS)
            and any(
                other[field] != own[field] for other in (settings if field in GRAMMAR else alike)
            )
        ]
        names.append(f"{label}, {' '.join(differ)}" if differ else label)
    return names


def _said(ratio: Estimate) -> str:
    if ratio.at_least and ratio.at_most:
        return "?"
    side = "≥ " * ratio.at_least + "≤ " * ratio.at_most
    return side + bounded(ratio.value, ratio.low, ratio.high, digits=2)


def _ratio(one: DataNeeds, first: DataNeeds | None) -> dict[str, Any] | None:
    if first is None:
        return None
    ratio = one.over(first)
    return {
        "value": ratio.value,
        "low": ratio.low,
        "high": _number(ratio.high),
        "at_least": ratio.at_least,
        "at_most": ratio.at_most,
    }


def _number(value: float) -> float | None:
    return value if isfinite(value) else None

"""The scoreboard: every rule on every kind of grammar, as a tidy frame."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from synaptree.analysis.depth import READ
from synaptree.analysis.settings import short_views
from synaptree.audit.compare import SEVERITY, Need
from synaptree.audit.matrix import Audit
from synaptree.claims.base import Audits
from synaptree.claims.second.appetite import steps_ratio
from synaptree.claims.second.base import REGISTERED
from synaptree.claims.second.cells import Cell, cells
from synaptree.claims.second.plasticity import heard
from synaptree.claims.second.study import Curve, Ground, Study, share

# What a synapse must know, the least first, and the quantities of the audit that say so.
KNOWS = (
    "nothing global",
    "one broadcast number",
    "one broadcast vector",
    "the whole batch",
    "weights of others",
    "masks of others",
)


def scoreboard(
    frame: pd.DataFrame, audits: Audits, seeds: Collection[int] = REGISTERED
) -> pd.DataFrame:
    """A row for each rule in each of its settings on each kind of grammar, at one P a kind.

    Columns: kind (its name), L, P, depth, entered (whether rules are judged on the kind) and why
    not; subfamily, family, rule, options, label, views, tier; solved, of, low, high (the share of
    solved grammars with its 95% interval), answer (solves, fails, mixed); error, median_error;
    data, data_low, data_high, data_at_least, data_at_most (P* over that of backprop at its best;
    NaN where no curve says it); steps (median until solved, infinite where most never are),
    steps_beside (over backprop's), inputs (the budget), budget (over backprop's), passes (of each
    input through the weights in an update; NaN for a rule that is not known), width; levels (how
    many levels l are read from layer l, a median over grammars) and of_levels; knows (one of
    `KNOWS`, empty without an audit); best (whether these are the rule's best settings here);
    failed, diverged (runs).
    """
    study = Study(cells(frame, seeds), audits)
    rows: list[dict[str, Any]] = []
    for kind in study.kinds:
        ground = study.grounds[kind]
        for cell in study.of(kind, ground.P or max((c.P for c in study.of(kind)), default=0)):
            rows.append(_row(study, ground, cell))
    board = pd.DataFrame(rows)
    if board.empty:
        return board
    order = board.sort_values(["error", "inputs"], kind="stable").sort_values(
        "solved", ascending=False, kind="stable"
    )
    first = order.drop_duplicates(["kind", "rule", "options"]).index
    return board.assign(best=board.index.isin(first))


def _row(study: Study, ground: Ground, cell: Cell) -> dict[str, Any]:
    solved, backprop = share(cell), ground.backprop
    steps = None if backprop is None else steps_ratio(cell, backprop)
    audit = study.audits.get((cell.rule, cell.options))
    levels = levels_read(cell)
    return {
        "kind": cell.kind.name,
        "L": cell.kind.L,
        "P": cell.P,
        "depth": np.nan if ground.depth is None else ground.depth,
        "entered": not ground.why_not,
        "why_not": ground.why_not,
        "family": cell.family,
        "subfamily": cell.subfamily,
        "rule": cell.rule,
        "options": cell.options,
        "label": cell.label,
        "views": short_views(",".join(cell.views)),
        "tier": cell.tier,
        "solved": solved.hits,
        "of": solved.of,
        "low": solved.low,
        "high": solved.high,
        "answer": {"yes": "solves", "no": "fails", "mixed": "mixed"}[solved.answer],
        "error": float(np.mean(cell.errors)),
        "median_error": float(np.median(cell.errors)),
        **_data(study, cell),
        "steps": np.nan if cell.steps is None else float(np.median(cell.steps)),
        "steps_beside": np.nan if steps is None else steps.value,
        "inputs": cell.inputs,
        "budget": np.nan if backprop is None else cell.inputs / backprop.inputs,
        "passes": cell.passes,
        "width": int(cell.setting("width")),
        "levels": np.nan if levels is None else levels,
        "of_levels": cell.kind.L,
        "knows": "" if audit is None else knows(audit, cell),
        "failed": cell.failed,
        "diverged": cell.diverged,
    }


def _data(study: Study, cell: Cell) -> dict[str, Any]:
    """P* over that of backprop at its best, of the curve that the cell is on."""
    reference = study.best_curve(cell.kind)
    own: list[Curve] = [c for c in study.curves[cell.kind] if cell in c.cells]
    ratio = own[0].beside(reference) if own and reference is not None else None
    return {
        "data": np.nan if ratio is None else ratio.value,
        "data_low": np.nan if ratio is None else ratio.low,
        "data_high": np.nan if ratio is None else ratio.high,
        "data_at_least": ratio is not None and ratio.at_least,
        "data_at_most": ratio is not None and ratio.at_most,
    }


def levels_read(cell: Cell) -> float | None:
    """How many levels l a probe reads from layer l, the class included: a median over grammars."""
    if cell.probe is None or np.isnan(cell.probe).all():
        return None
    read = np.diagonal(cell.probe, axis1=1, axis2=2) >= READ  # NaN, of a diverged run, is not
    return float(np.median(read.sum(1)))


def knows(audit: Audit, cell: Cell | None = None) -> str:
    """The most that a synapse must know that is not at its place, one of `KNOWS`.

    With a cell, the other inputs of its batch count, which may be fewer than those of the audit.
    """

    def needs(least: Need, *keys: str) -> bool:
        asked = (audit.needs.get(key, "none") for key in keys)  # some only in rules that settle
        found = [need for need in asked if need != "unclear"]
        return any(SEVERITY.index(need) >= SEVERITY.index(least) for need in found)

    others = audit.others[0] if cell is None else heard(cell, audit)
    found = {
        "masks of others": needs("yes", "masks_above"),
        "weights of others": needs("vector", "weights_above", "weights_below")
        or needs("yes", "feedback_above", "own_of_others", "both_ways"),
        "the whole batch": others > 1,
        "one broadcast vector": needs("vector", "label", "error"),
        "one broadcast number": needs("scalar", "label", "error"),
    }
    return next((name for name, yes in found.items() if yes), KNOWS[0])

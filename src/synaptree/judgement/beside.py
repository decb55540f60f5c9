"""The results that a judged rule stands beside, and the places on which these compare rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pandas as pd

from synaptree.audit.kept import audits
from synaptree.claims.base import Audits
from synaptree.claims.judge import rule_forms
from synaptree.claims.second.base import judged_seeds
from synaptree.claims.second.cells import Cell, Kind, cells
from synaptree.claims.second.study import Study
from synaptree.errors import SynaptreeError
from synaptree.report.board import columns
from synaptree.report.inputs import board_of
from synaptree.results.columns import ASKED
from synaptree.results.frame import load
from synaptree.results.journal import rows
from synaptree.training.spec import SEEDS

COMMITTED = Path(__file__).parent / "committed"  # by tools/committed.py
SEARCH = "search.yaml"


@dataclass(frozen=True)
class Place:
    """A kind of grammar on which rules are compared.

    head: its name in short.  P: of the comparison.  sizes: the P at which at least half as many
    rules were run as at that one; together they are a data curve.
    """

    kind: Kind
    head: str
    P: int
    sizes: tuple[int, ...]

    @property
    def name(self) -> str:
        """As ``L=3 m=8 P=16384``."""
        return f"{self.head} P={self.P}"


@dataclass(frozen=True, eq=False)
class Beside:
    """The results of a folder, with the audits of their rules."""

    folder: Path
    frame: pd.DataFrame
    audits: Audits

    @cached_property
    def seeds(self) -> list[int]:
        """The grammar seeds that rules are judged on."""
        return judged_seeds(self.frame)

    @cached_property
    def study(self) -> Study:
        """The cells of these grammars."""
        return Study(cells(self.frame, self.seeds), self.audits)

    @cached_property
    def places(self) -> Sequence[Place]:
        """The kinds of grammar that the scoreboard shows, shallow ones first."""
        table = board_of(self.frame, self.audits)
        if table.empty:
            raise SynaptreeError(
                f"beside: {str(self.folder)!r} compares no rules; expected results of runs on "
                "the plain grammar"
            )
        return [self._place(str(c["kind"]), str(c["head"]), int(c["P"])) for c in columns(table)]

    def _place(self, name: str, head: str, P: int) -> Place:
        kind = next(kind for kind in self.study.kinds if kind.name == name)
        rules: dict[int, set[str]] = {}
        for cell in self.study.of(kind):
            rules.setdefault(cell.P, set()).add(cell.rule)
        many = sorted(size for size in rules if 2 * len(rules[size]) >= len(rules[P]))
        return Place(kind, head, P, tuple(many))

    def seeds_of(self, cell: Cell) -> list[dict[str, int]]:
        """The three seeds of the runs of a cell, one of each grammar."""
        runs = self._runs(cell)
        names = {name: ASKED[name] for name in SEEDS if ASKED[name] in runs}
        return [
            {name: int(run[column]) for name, column in names.items()}
            for run in cast(list[Mapping[Any, Any]], runs.to_dict("records"))
        ]

    def seconds(self, cell: Cell) -> float:
        """How many seconds of a core a run of a cell took."""
        runs = self._runs(cell)
        return float((runs["wall_s"] / runs["replicas"]).mean())

    def _runs(self, cell: Cell) -> pd.DataFrame:
        """The runs of a cell's rule there, one of each of its grammars."""
        wanted = {**cell.kind._asdict(), "P": cell.P, "rule": cell.rule, "status": "done"}
        wanted |= {"rule_options": cell.options}
        wanted |= {name: value for name, value in cell.settings.items() if name in self.frame}
        runs = self.frame[self.frame["seed"].isin(cell.seeds)]
        for name, value in wanted.items():
            runs = runs[runs[name] == value]
        order = [ASKED[name] for name in SEEDS]
        return runs.sort_values(order, kind="stable").drop_duplicates("seed")


def beside_of(folder: str | Path | None) -> Beside:
    """The results of a folder; by default those that ship with the package.

    Raises SynaptreeError where the folder holds none.
    """
    path = COMMITTED if folder is None else Path(folder)
    if folder is not None and next(rows(path, curves=False), None) is None:
        raise SynaptreeError(f"beside: {str(path)!r} holds no results; expected a folder of runs")
    frame = load(path)
    return Beside(path, frame, audits(path, rule_forms(frame), write_new=False))

"""What figures and tables of a report are made from."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from synaptree.analysis.data_curves import DataCurve, data_curves, foremost, references
from synaptree.analysis.other_kinds import other_kinds
from synaptree.analysis.settings import apart
from synaptree.claims.base import Audits
from synaptree.claims.second.base import judged_seeds
from synaptree.claims.second.scoreboard import scoreboard
from synaptree.report.board import board
from synaptree.report.row_names import OWN
from synaptree.report.style import COLOURS, families
from synaptree.results.columns import finished, one_a_grammar
from synaptree.rules import names, rule_class


@dataclass(frozen=True)
class Inputs:
    """Finished runs, those of them that compare rules side by side, and audits.

    frame: all runs, failed ones too, with labels that tell settings apart, a `family`, and `own`:
    whether the rule is one of the user's.  Its rows are in the order in which rules are listed.
    """

    frame: pd.DataFrame
    audits: Audits

    @classmethod
    def of(cls, frame: pd.DataFrame, audits: Audits) -> "Inputs":
        """The inputs made from a frame of results."""
        return cls(_arranged(_with_families(apart(frame))), audits)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The runs that ended without an error."""
        return finished(self.frame)

    @cached_property
    def compared(self) -> pd.DataFrame:
        """The runs that compare rules side by side: the kinds with most rules, at their largest
        P, and one run on each grammar."""
        return _arranged(one_a_grammar(foremost(self.runs)))

    @cached_property
    def board(self) -> pd.DataFrame:
        """The scoreboard, on the grammars that the second registration is judged on."""
        return board_of(self.frame, self.audits)

    @cached_property
    def other_kinds(self) -> pd.DataFrame:
        """Errors on variants and on data of one's own; empty where there are none."""
        return other_kinds(self.frame)

    @cached_property
    def curves(self) -> list[DataCurve]:
        """The data curve of each rule on each kind."""
        return data_curves(self.runs)

    @cached_property
    def references(self) -> dict[tuple[int, ...], DataCurve]:
        """Backprop's data curve on each kind on which its P* is known."""
        return references(self.curves)

    @cached_property
    def families(self) -> dict[str, str]:
        """The family of each label, in the order in which rules are listed."""
        pairs = self.frame[["label", "family"]].drop_duplicates("label")
        return dict(zip(pairs["label"], pairs["family"], strict=True))

    def listed(self, rows: list[dict[str, object]]) -> pd.DataFrame | None:
        """Rows that have a label as a table in the order in which rules are listed, each with its
        family; None where there are no rows."""
        if not rows:
            return None
        place = {label: number for number, label in enumerate(self.families)}
        rows = sorted(rows, key=lambda row: place[str(row["label"])])
        return pd.DataFrame(
            [
                {"label": row["label"], "family": self.families[str(row["label"])], **row}
                for row in rows
            ]
        )


def board_of(frame: pd.DataFrame, audits: Audits | None = None) -> pd.DataFrame:
    """The scoreboard of `load`'s frame."""
    if frame.empty:  # the share of a driver that had nothing to do
        return pd.DataFrame()
    return board(scoreboard(frame, audits or {}, judged_seeds(frame)))


def labels(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Each label of a frame with its family, in the order in which rules are listed."""
    return families(_arranged(_with_families(frame)))


def _with_families(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a family for each run, and the user's own rules marked."""
    own = ~frame["rule"].isin(names(former=True))
    known = {name: rule_class(name).facts.family for name in names(former=True)}
    family = frame["rule"].map(known)
    if "family" in frame:
        family = family.fillna(frame["family"])
    label = frame["label"].astype(str)
    label = label.where(~own, label + OWN)
    return frame.assign(label=label, family=family.fillna("own"), own=own)


def _arranged(frame: pd.DataFrame) -> pd.DataFrame:
    """Runs in the order in which rules are listed: by family, then as the package lists them."""
    place: dict[Any, int] = {name: number for number, name in enumerate(names(former=True))}
    known: dict[Any, int] = {family: number for number, family in enumerate(COLOURS)}
    keys = pd.DataFrame(
        {
            "known": [known.get(family, len(known)) for family in frame["family"]],
            "family": frame["family"].astype(str).tolist(),
            "rule": [place.get(rule, len(place)) for rule in frame["rule"]],
            "label": frame["label"].tolist(),
        }
    )
    order = keys.sort_values(["known", "family", "rule", "label"], kind="stable").index
    return frame.iloc[order]

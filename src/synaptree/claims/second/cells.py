"""Cells: the runs of one rule in one set of settings, on one kind of grammar at one P.

Everything that the second registration says is said of cells. Two sets of settings are two cells,
whatever they are called, so that no verdict pools settings.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synaptree.analysis.depth import with_depth
from synaptree.analysis.sample_complexity import Array, first_crossing
from synaptree.analysis.settings import TELL_APART, apart
from synaptree.results.columns import DEFAULTS, kind_name, plain
from synaptree.results.frame import passes_in
from synaptree.rules import names, rule_class
from synaptree.rules.facts import label_tier, members
from synaptree.training.solved import chance_error, solved_at


class Kind(NamedTuple):
    """A kind of grammar."""

    v: int
    n: int
    m: int
    s: int
    L: int

    @property
    def name(self) -> str:
        """As ``v=8 n=8 m=4 s=2 L=3``."""
        return kind_name(self._asdict())

    @property
    def solved_below(self) -> float:
        """The largest test error with which a grammar of this kind counts as solved."""
        return solved_at(self.n)


@dataclass(frozen=True, eq=False)
class Cell:
    """One rule in one set of settings on one kind of grammar at one P.

    label: the rule's, with the settings that tell it apart from others of its kind in the frame.
    settings: by column; settings that the frame lacks have their defaults.  depth: the effective
    depth of the kind for this network, None where the frame does not say.  seeds: of the grammars,
    ascending; all arrays below have an entry for each.  errors: test errors, those of guessing
    where a run diverged or has no error.  steps: until the test error on the learning curve was
    that of a solved grammar, infinite where it never was; NaN without a curve.  probe, sensitivity:
    (grammars, layers, levels), NaN where not measured.  failed: how many runs ended in an error and
    are in none of this.  passes: of each input of an update, NaN where not known.
    """

    kind: Kind
    P: int
    rule: str
    label: str
    seeds: tuple[int, ...]
    errors: Array
    options: str = "{}"
    source: str = ""
    family: str = ""
    subfamily: str = ""
    views: tuple[str, ...] = ()
    tier: str | None = None
    depth: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    steps: Array | None = None
    probe: Array | None = None
    sensitivity: Array | None = None
    failed: int = 0
    diverged: int = 0
    passes: float = np.nan

    @cached_property
    def solved(self) -> NDArray[np.bool_]:
        """Which grammars the rule solves. One whose run diverged is not among them."""
        return self.errors <= self.kind.solved_below

    def errors_on(self, seeds: Sequence[int]) -> Array:
        """The errors on those of these grammars that the cell has."""
        return self.errors if (*seeds,) == self.seeds else self.errors[np.isin(self.seeds, seeds)]

    @property
    def form(self) -> tuple[str, str, str]:
        """The rule with its options and its source."""
        return self.rule, self.options, self.source

    def setting(self, name: str) -> Any:
        """A setting; its default where the frame does not say."""
        return self.settings.get(name, DEFAULTS.get(name))

    @property
    def inputs(self) -> int:
        """The budget: how many inputs are seen, all views counted."""
        return int(self.setting("steps_asked")) * int(self.setting("batch"))

    @property
    def objects(self) -> int:
        """How many objects a batch has."""
        return int(self.setting("batch")) // members(self.views)

    @property
    def fresh(self) -> bool:
        """Whether no string is seen twice, so that more data would be more steps."""
        return bool(self.settings.get("fresh")) or self.inputs <= self.P


def cells(frame: pd.DataFrame, seeds: Collection[int]) -> list[Cell]:
    """The cells of `load`'s frame on grammars with these seeds, shallow kinds first.

    Of several runs of one cell on one grammar, which differ in data or network, the one with the
    lowest seeds counts, so that every grammar has the same weight. Rows that are there twice count
    once. Claims are about plain grammars alone.
    """
    frame = _completed(plain(frame[frame["seed"].isin(list(seeds))]))
    if frame.empty:
        return []
    found: list[Cell] = []
    keys = ["L", "v", "n", "m", "s", "P", "rule", "rule_options"]
    present = [name for name in TELL_APART if name in frame]
    for key, runs in frame.groupby([*keys, *present], dropna=False, sort=True):
        L, v, n, m, s, P, rule, options, *settings = cast(tuple[Any, ...], key)
        done = runs[runs["status"] == "done"].drop_duplicates("seed")
        failed = set(runs["seed"]) - set(done["seed"])
        found.append(
            _cell(
                *(Kind(int(v), int(n), int(m), int(s), int(L)), int(P), str(rule), str(options)),
                dict(zip(present, settings, strict=True)),
                done.sort_values("seed"),
                runs.iloc[0],
                len(failed),
            )
        )
    return found


def _completed(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs with all columns that a cell reads, in the order in which replicas are preferred."""
    if "run_id" in frame:
        frame = frame.drop_duplicates("run_id")
    missing = {"rule_options": "{}", "status": "done", "views": ""}
    frame = frame.assign(**{name: text for name, text in missing.items() if name not in frame})
    if frame.empty:
        return frame
    facts = {
        name: rule_class(name).facts
        for name in frame["rule"].unique()
        if name in names(former=True)
    }
    for column in ("family", "subfamily"):
        if column not in frame:
            said = {name: getattr(own, column) for name, own in facts.items()}
            frame = frame.assign(**{column: frame["rule"].map(said).astype(object).fillna("")})
    order = [name for name in ("data_seed", "network_seed") if name in frame]
    frame = frame.sort_values(order, kind="stable") if order else frame
    frame = with_depth(frame).reset_index(drop=True)
    return apart(frame)


def _cell(
    kind: Kind,
    P: int,
    rule: str,
    options: str,
    settings: dict[str, Any],
    done: pd.DataFrame,
    first: pd.Series,
    failed: int,
) -> Cell:
    diverged = np.array(
        [value is True for value in done.get("diverged", [False] * len(done))], bool
    )
    guess = chance_error(kind.n)
    errors = done["test_error"].to_numpy(float)
    views = tuple(name for name in str(first["views"]).split(",") if name)
    source = first.get("source")
    depth = first["depth"]
    tier = first["tier"] if "tier" in first else label_tier(views)
    return Cell(
        kind=kind,
        P=P,
        rule=rule,
        label=str(first["label"]),
        seeds=tuple(int(seed) for seed in done["seed"]),
        errors=np.where(diverged | np.isnan(errors), guess, errors),
        options=options,
        source=source if isinstance(source, str) else "",
        family=str(first["family"]),
        subfamily=str(first["subfamily"]),
        views=views,
        tier=None if _missing(tier) else tier,
        depth=None if pd.isna(depth) else int(depth),
        settings={name: value for name, value in settings.items() if not _missing(value)},
        steps=_steps(done, kind),
        probe=_matrices(done, "probe", kind.L),
        sensitivity=_matrices(done, "sensitivity", kind.L),
        failed=failed,
        diverged=int(diverged.sum()),
        passes=passes_in(first.to_dict()),
    )


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _matrices(runs: pd.DataFrame, column: str, L: int) -> Array | None:
    """A measure of each layer at each level, (runs, layers, levels)."""
    if column not in runs:
        return None
    blank = np.full((L, L), np.nan)
    given = [blank if _missing(value) else np.array(value, float) for value in runs[column]]
    return np.stack(given) if given else None


def _steps(runs: pd.DataFrame, kind: Kind) -> Array | None:
    """The steps until each run's test error was that of a solved grammar."""
    if "curve_step" not in runs or "curve_test_error" not in runs:
        return None
    return np.array(
        [
            _first(steps, errors, kind.solved_below)
            for steps, errors in zip(runs["curve_step"], runs["curve_test_error"], strict=True)
        ]
    )


def _first(steps: Any, errors: Any, threshold: float) -> float:
    if _missing(steps) or _missing(errors) or not len(steps):
        return np.nan
    error = np.nan_to_num(np.array(errors, float), nan=1.0)
    return round(float(first_crossing(steps, error, threshold)), 3)  # logarithms round


def options_of(cell: Cell) -> dict[str, Any]:
    """The options of a cell's rule."""
    return json.loads(cell.options)

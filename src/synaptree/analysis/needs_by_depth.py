"""How much data each rule needs, by how many levels are left to learn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from synaptree.analysis.data_curves import LEAST_SIZES, SHARE
from synaptree.analysis.depth import with_depth
from synaptree.analysis.paired import Estimate, Needs, needs_estimate
from synaptree.analysis.sample_complexity import chance_error
from synaptree.analysis.settings import TELL_APART
from synaptree.results.columns import BY_DEPTH, DEFAULTS, finished

OF_RULE = ("rule", "rule_options", "source", "views")


@dataclass(frozen=True)
class AtDepth:
    """One rule, with its best settings, on one kind of grammar.

    label, kind: of the rule and of the grammar.  depth: effective, for the network of these
    settings.  needs: P*; None where fewer than three sizes were run.  sizes: that were run.  fresh:
    the mean error where no string was seen twice, and after how many inputs; None where no such run
    is there.
    """

    label: str
    kind: dict[str, int]
    depth: int
    needs: Estimate | None
    sizes: tuple[int, ...]
    grammars: int
    fresh: tuple[float, int] | None

    @property
    def fresh_solved(self) -> bool | None:
        """Whether fresh strings were enough; None where they were not tried."""
        if self.fresh is None:
            return None
        return self.fresh[0] <= SHARE * chance_error(self.kind["n"])


def needs_by_depth(frame: pd.DataFrame) -> list[list[AtDepth]]:
    """For each rule what it needs on each kind of grammar, in ascending order of depth.

    Depths come from the frame's own `readout_only` runs.  At each kind the settings with the least
    P* count, and those with the lowest error on fresh strings.  Grammars need not be the same at
    each P, as after a bisection.
    """
    done = with_depth(finished(frame))
    done = done[done["depth"].notna() & (done["rule"] != "readout_only")]
    keys = [name for name in OF_RULE if name in done]
    lines: list[list[AtDepth]] = []
    for _, of_rule in done.groupby(keys, sort=False, dropna=False):
        points = [_at(kind, runs) for kind, runs in _kinds(of_rule)]
        lines.append(sorted(points, key=lambda point: (point.depth, point.kind["L"])))
    return lines


def _kinds(runs: pd.DataFrame) -> Iterator[tuple[dict[str, int], pd.DataFrame]]:
    for values, own in runs.groupby(list(BY_DEPTH)):
        yield dict(zip(BY_DEPTH, map(int, cast(tuple[Any, ...], values)), strict=True)), own


def _at(kind: dict[str, int], runs: pd.DataFrame) -> AtDepth:
    """The best of the settings that a rule was run with on a kind."""
    steps = _column(runs, "steps_asked", runs["steps"])
    inputs = (steps * _column(runs, "batch", DEFAULTS["batch"])).astype(int)
    fresh = inputs <= runs["P"]
    settings = [name for name in TELL_APART if name in runs]
    ladder = runs[~fresh]
    parts = [own for _, own in ladder.groupby(settings, dropna=False)] if settings else [ladder]
    found = [each for own in parts if (each := _ladder(own, kind["n"])) is not None]
    needs, sizes, grammars, best = min(
        found, key=lambda each: each[0].value, default=(None, (), 0, runs)
    )
    errors = runs[fresh].groupby(inputs[fresh])["test_error"].mean()
    return AtDepth(
        label=min(map(str, runs["label"].unique()), key=len),
        kind=kind,
        depth=int(best["depth"].iloc[0]),
        needs=needs,
        sizes=sizes,
        grammars=grammars,
        fresh=None if errors.empty else (float(errors.min()), int(cast(Any, errors.idxmin()))),
    )


def _column(runs: pd.DataFrame, name: str, default: object) -> pd.Series:
    return runs[name] if name in runs else pd.Series(default, index=runs.index)


def _ladder(
    runs: pd.DataFrame, n: int
) -> tuple[Estimate, tuple[int, ...], int, pd.DataFrame] | None:
    """P* of runs whose settings are alike, with what it rests on."""
    errors = runs.pivot_table(index="seed", columns="P", values="test_error")
    if errors.shape[1] < LEAST_SIZES:
        return None
    sizes = tuple(map(int, errors.columns))
    threshold = SHARE * chance_error(n)
    needs = Needs.of(sizes, errors.to_numpy(np.float64), threshold)
    return needs_estimate(needs), sizes, len(errors), runs

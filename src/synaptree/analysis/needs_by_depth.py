"""How much data each rule needs, by how many levels are left to learn, or by L."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from synaptree.analysis.data_curves import LEAST_SIZES
from synaptree.analysis.depth import with_depth
from synaptree.analysis.paired import Estimate, Needs, needs_estimate
from synaptree.analysis.settings import TELL_APART
from synaptree.results.columns import BY_DEPTH, DEFAULTS, finished, plain
from synaptree.training.solved import solved_at

SAME_AT_EACH_L = ("v", "n", "m", "s")


@dataclass(frozen=True)
class AtDepth:
    """One rule, with its best settings, on one kind of grammar.

    label, kind: of the rule and of the grammar.  words: the rule's options that are no numbers.
    views: each once, from the lowest layer up.  depth: effective, for the network of these
    settings, or L.  needs: P*; None where fewer than three sizes were run.  sizes, seeds: of the
    runs that it rests on.  fresh: the mean error where no string was seen twice, and after how many
    inputs; None where no such run is there.
    """

    label: str
    rule: str
    words: str
    views: tuple[str, ...]
    kind: dict[str, int]
    depth: int
    needs: Needs | None
    sizes: tuple[int, ...]
    seeds: tuple[int, ...]
    fresh: tuple[float, int] | None

    @property
    def grammars(self) -> int:
        """How many grammars P* rests on."""
        return len(self.seeds)

    @property
    def known(self) -> bool:
        """Whether P* is more than a bound."""
        return self.needs is not None and self.needs.reached and not self.needs.at_once

    @property
    def estimate(self) -> Estimate | None:
        """P* with its interval; None where it was not sought."""
        return None if self.needs is None else needs_estimate(self.needs)

    @property
    def fresh_solved(self) -> bool | None:
        """Whether fresh strings were enough; None where they were not tried."""
        if self.fresh is None:
            return None
        return self.fresh[0] <= solved_at(self.kind["n"])


def needs_by_depth(frame: pd.DataFrame, levels: bool = False) -> list[list[AtDepth]]:
    """For each rule what it needs on each kind of grammar, in ascending order of depth.

    Depths come from the frame's own `readout_only` runs.  levels: L is the depth instead, and kinds
    that differ in more than L make lines of their own.

    At each kind the settings with the least P* count, and those with the lowest error on fresh
    strings.  Numbers among a rule's options are settings; words make another rule of it.  Grammars
    need not be the same at each P, as after a bisection.
    """
    done = plain(finished(frame))
    done = done.assign(depth=done["L"]) if levels else with_depth(done)
    done = done[done["depth"].notna() & (done["rule"] != "readout_only")]
    if done.empty:
        return []
    done = done.assign(
        words=done["rule_options"].map(_words),
        compared=done["views"].map(_each_once),
    )
    keys = ["rule", "words", "compared", *(["source"] if "source" in done else [])]
    lines: list[list[AtDepth]] = []
    for _, of_rule in done.groupby(
        [*keys, *(SAME_AT_EACH_L if levels else ())], sort=False, dropna=False
    ):
        points = [_at(kind, runs) for kind, runs in _kinds(of_rule)]
        lines.append(sorted(points, key=lambda point: (point.depth, point.kind["L"])))
    return lines


def depths_known(frame: pd.DataFrame) -> bool:
    """Whether the frame has untrained networks for the kinds and networks of all its rules."""
    done = with_depth(plain(finished(frame)))
    return bool(done["depth"][done["rule"] != "readout_only"].notna().all())


def _words(options: str) -> str:
    """A rule's options that are no numbers, as JSON."""
    given: dict[str, Any] = json.loads(options)
    return json.dumps({k: value for k, value in given.items() if isinstance(value, str | bool)})


def _each_once(views: str) -> tuple[str, ...]:
    """The names of views, from the lowest layer up."""
    return tuple(dict.fromkeys(filter(None, views.split(","))))


def _kinds(runs: pd.DataFrame) -> Iterator[tuple[dict[str, int], pd.DataFrame]]:
    for values, own in runs.groupby(list(BY_DEPTH)):
        yield dict(zip(BY_DEPTH, map(int, cast(tuple[Any, ...], values)), strict=True)), own


def _at(kind: dict[str, int], runs: pd.DataFrame) -> AtDepth:
    """The best of the settings that a rule was run with on a kind."""
    steps = _column(runs, "steps_asked", runs["steps"])
    inputs = (steps * _column(runs, "batch", DEFAULTS["batch"])).astype(int)
    fresh = inputs <= runs["P"]
    settings = [name for name in (*TELL_APART, "rule_options") if name in runs]
    parts = [own for _, own in runs[~fresh].groupby(settings, dropna=False)]
    found = [each for own in parts if (each := _ladder(own, kind["n"])) is not None]
    needs, seeds, best = min(found, key=lambda each: each[0].value, default=(None, (), runs))
    errors = runs[fresh].groupby(inputs[fresh])["test_error"].mean()
    first = runs.iloc[0]
    return AtDepth(
        label=min(map(str, runs["label"].unique()), key=len),
        rule=str(first["rule"]),
        words=str(first["words"]),
        views=first["compared"],
        kind=kind,
        depth=int(best["depth"].iloc[0]),
        needs=needs,
        sizes=() if needs is None else needs.sizes,
        seeds=seeds,
        fresh=None if errors.empty else (float(errors.min()), int(cast(Any, errors.idxmin()))),
    )


def _column(runs: pd.DataFrame, name: str, default: object) -> pd.Series:
    return runs[name] if name in runs else pd.Series(default, index=runs.index)


def _ladder(runs: pd.DataFrame, n: int) -> tuple[Needs, tuple[int, ...], pd.DataFrame] | None:
    """P* of runs whose settings are alike, with its grammars and these runs."""
    errors = runs.pivot_table(index="seed", columns="P", values="test_error")
    if errors.shape[1] < LEAST_SIZES:
        return None
    sizes = tuple(map(int, errors.columns))
    needs = Needs.of(sizes, errors.to_numpy(np.float64), solved_at(n))
    return needs, tuple(map(int, errors.index)), runs

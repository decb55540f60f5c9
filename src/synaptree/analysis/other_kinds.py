"""Test errors where inputs are no strings of a plain grammar: on variants of it, and on data of
one's own. The claims are not about these; here rules are compared with backprop and with what is
possible."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from scipy import stats

from synaptree.analysis.paired import Estimate, mean_of
from synaptree.analysis.sample_complexity import Array
from synaptree.analysis.settings import TELL_APART
from synaptree.results.columns import BY_DEPTH, ORIGIN, finished, is_other, kind_name
from synaptree.training.solved import chance_error

SURE = 0.025  # in each direction: the share of wrong ones among those that are said to differ
FEWEST = 6  # units: of fewer, which all agree, a sign test has no p-value that is small enough
REFERENCE = "backprop"
PLAIN = "plain grammar"
FORM = ["rule", "rule_options", "source", "views"]  # what makes a row of the table


def other_kinds(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each rule on each kind, plain grammars of the same runs included; empty where all
    runs are on plain grammars.

    A kind counts at its largest P.  Of several settings of a rule those with the lowest mean error
    are shown.  The unit is a grammar, or a split of the data, and its networks are averaged.

    Columns: kind (its name), head (the same in short), P, guessing (error by guessing);
    bayes_error, bayes_low, bayes_high (the Bayes-optimal error, a mean over grammars; NaN where it
    is not known); label, rule, options, family, views; error, low, high (mean test error, 95%
    interval), units, tried (how many settings), diverged (runs); worse, worse_low, worse_high
    (error minus backprop's on the same units, with its interval), beside (``more``, ``less`` or
    ``open``: whether the rule errs more than backprop; ``few`` for fewer than `FEWEST` units; empty
    without backprop).  Of those said to differ at most one in 20 is expected to be wrong, by the
    correction of Benjamini & Hochberg 1995 over the rules on the kind.
    """
    done = finished(frame)
    if done.empty or not is_other(done).any():
        return pd.DataFrame()
    keys = [*BY_DEPTH, *(name for name in ORIGIN if name in done)]
    rows = [
        row
        for kind, runs in done.groupby(keys, dropna=False, sort=True)
        for row in _of_kind(dict(zip(keys, cast(tuple[Any, ...], kind), strict=True)), runs)
    ]
    rows.sort(key=lambda row: row["head"] != PLAIN)
    found = pd.DataFrame(rows)
    alike = found.groupby("head")["kind"].transform("nunique") > 1
    sizes = [
        row["kind"]  # two files of one name are told apart by their hashes
        if "@" in row["kind"]
        else f"{row['head']}, L={row['L']} m={row['m']} v={row['v']} n={row['n']}"
        for row in rows
    ]
    return found.assign(head=found["head"].where(~alike, sizes))


@dataclass(frozen=True)
class _Chosen:
    """A rule in its best settings: one of their runs, and the error on each grammar or split."""

    run: Mapping[str, Any]
    units: Sequence[int]
    errors: Array
    tried: int
    diverged: int

    def minus(self, other: "_Chosen | None") -> Estimate | None:
        """The errors minus another's on the same units; None where that is not known."""
        if other is None or other is self:
            return None
        theirs = dict(zip(other.units, other.errors, strict=True))
        both = [e - theirs[u] for u, e in zip(self.units, self.errors, strict=True) if u in theirs]
        return mean_of(np.array(both, float)) if len(both) > 1 else None


def _of_kind(kind: dict[str, Any], runs: pd.DataFrame) -> Iterator[dict[str, Any]]:
    runs = runs[runs["P"] == runs["P"].max()]
    data, variant = (kind.get(name) or "" for name in ("data", "variant"))
    best = {
        name: runs[name].astype(float).mean() if name in runs else np.nan
        for name in ("bayes_error", "bayes_low", "bayes_high")
    }
    about = {
        "kind": kind_name(kind),
        "head": str(data or variant or PLAIN).partition("@")[0],
        **{name: kind[name] for name in BY_DEPTH},
        "P": int(runs["P"].iloc[0]),
        "guessing": chance_error(int(kind["n"])),
        **best,
    }
    unit = "data_seed" if data and "data_seed" in runs else "seed"
    forms = [name for name in FORM if name in runs]
    chosen = [_best(own, unit) for _, own in runs.groupby(forms, dropna=False, sort=False)]
    reference = next((each for each in chosen if each.run["rule"] == REFERENCE), None)
    worse = [each.minus(reference) for each in chosen]
    for each, more, said in zip(chosen, worse, _said(worse), strict=True):
        mean, one = mean_of(each.errors), len(each.errors) < 2
        yield {
            **about,
            "label": each.run["label"],
            "rule": each.run["rule"],
            "options": each.run.get("rule_options", "{}"),
            "family": each.run["family"],
            "views": each.run.get("views", ""),
            "error": mean.value,
            "low": np.nan if one else max(mean.low, 0.0),
            "high": np.nan if one else min(mean.high, 1.0),
            "units": len(each.errors),
            "tried": each.tried,
            "diverged": each.diverged,
            "worse": np.nan if more is None else more.value,
            "worse_low": np.nan if more is None else more.low,
            "worse_high": np.nan if more is None else more.high,
            "beside": said,
        }


def _best(runs: pd.DataFrame, unit: str) -> _Chosen:
    """The settings with the lowest mean error, of those that were tried on enough units."""
    settings = [name for name in TELL_APART if name in runs and name not in (*ORIGIN, *FORM)]
    parts = [runs]
    if settings:
        parts = [own for _, own in runs.groupby(settings, dropna=False, sort=False)]
    most = runs[unit].nunique()
    means = [
        (own, own.groupby(unit)["test_error"].mean())
        for own in parts
        if 2 * own[unit].nunique() >= most
    ]
    best, errors = min(means, key=lambda pair: float(pair[1].mean()))
    return _Chosen(
        cast(dict[str, Any], best.iloc[0].to_dict()),
        errors.index.tolist(),
        np.array(errors, float),
        len(parts),
        sum(value is True for value in best.get("diverged", [])),
    )


def _said(worse: Sequence[Estimate | None]) -> list[str]:
    """Whether each difference is certain, and in which direction."""
    asked = [each for each in worse if each is not None]
    more = iter(_sure([each.above(0) for each in asked]))
    less = iter(_sure([each.below(0) for each in asked]))
    words = {(True, False): "more", (False, True): "less", (False, False): "open"}
    said = ["" if each is None else words[next(more), next(less)] for each in worse]
    few = [each is not None and each.grammars < FEWEST for each in worse]
    return ["few" if is_few else word for word, is_few in zip(said, few, strict=True)]


def _sure(p: list[float]) -> list[bool]:
    return (stats.false_discovery_control(p) <= SURE).tolist() if p else []

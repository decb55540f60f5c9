"""Data curves: how much data each rule needs, and how that compares with backprop."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synaptree.analysis.sample_complexity import (
    SampleComplexity,
    first_crossing,
    ratio,
    sample_complexity,
)
from synaptree.analysis.settings import TELL_APART
from synaptree.results.columns import BECAME, BY_DEPTH, RULE, finished, kind_name, states
from synaptree.training.solved import solved_at

LEAST_SIZES = 3  # a curve has at least so many P


@dataclass(frozen=True)
class DataCurve:
    """Test errors of one rule on one kind of grammar, at several P.

    options: the rule's own, as JSON.  sizes: P, ascending.  errors: by grammar seed,
    (replicas, sizes).  source: the hash of the rule's file, None for a rule of the package.
    became: what became of its runs, as `states` says it.
    """

    label: str
    rule: str
    options: str
    views: str
    kind: dict[str, int]
    sizes: tuple[int, ...]
    errors: dict[int, NDArray[np.float64]]
    source: str | None = None
    became: str = ""

    @property
    def name(self) -> str:
        """The kind of grammar, as ``v=8 n=8 m=4 s=2 L=3``."""
        return kind_name(self.kind)

    def needs(self, seeds: list[int] | None = None) -> SampleComplexity:
        """P*, over these grammars or over all."""
        return self._over_all if seeds is None else self._bootstrapped(seeds)

    @cached_property
    def _over_all(self) -> SampleComplexity:  # every figure, table and claim asks for it
        return self._bootstrapped(sorted(self.errors))

    def _bootstrapped(self, seeds: list[int]) -> SampleComplexity:
        errors = [self.errors[seed] for seed in seeds]
        return sample_complexity(self.sizes, errors, solved_at(self.kind["n"]))

    @property
    def known(self) -> bool:
        """Whether P* lies between sizes that were run, so that it is more than a bound."""
        needs = self.needs()
        return not needs.censored and not needs.below

    @property
    def predicted(self) -> dict[str, int]:
        """How theory says that P* grows: as n·m**L with labels (arXiv 2307.02129), and as v·m³,
        whatever L, where siblings are compared (arXiv 2406.00048)."""
        k = self.kind
        return {"n·m**L": k["n"] * k["m"] ** k["L"], "v·m³": k["v"] * k["m"] ** 3}


def data_curves(frame: pd.DataFrame) -> list[DataCurve]:
    """The data curves of all rules (by label) that were run at three or more P, shallow first.

    A grammar counts where it was run at every P.  Where settings change along P, the curve is made
    of the runs whose settings were run at most P.
    """
    curves: list[DataCurve] = []
    done = finished(frame)
    settings = [name for name in TELL_APART if name in done]
    alike = done.groupby(settings, dropna=False).ngroup() if settings else 0
    columns = (*BY_DEPTH, *RULE, *BECAME, "views", "P", "seed", "test_error")
    narrow = done[[name for name in columns if name in done]].assign(alike=alike)
    for key, of_label in narrow.groupby([*BY_DEPTH, "label"]):
        *kind, label = cast(tuple[Any, ...], key)
        widest = of_label.groupby("alike")["P"].nunique().idxmax()
        runs = of_label[of_label["alike"] == widest]
        sizes = sorted(runs["P"].unique().tolist())
        errors = _errors(runs, sizes)
        if len(sizes) >= LEAST_SIZES and errors:
            first = runs.iloc[0]
            source = first.get("source")
            curves.append(
                DataCurve(
                    label=str(label),
                    rule=first["rule"],
                    options=first["rule_options"],
                    views=first["views"],
                    kind=dict(zip(BY_DEPTH, map(int, kind), strict=True)),
                    sizes=tuple(map(int, sizes)),
                    errors=errors,
                    source=source if isinstance(source, str) else None,
                    became=states(runs),
                )
            )
    return curves


def _errors(runs: pd.DataFrame, sizes: list[int]) -> dict[int, NDArray[np.float64]]:
    """By grammar seed the test errors, (replicas, sizes), of grammars that were run at every P."""
    by_seed: dict[int, dict[int, list[float]]] = {}
    for seed, P, error in zip(runs["seed"], runs["P"], runs["test_error"], strict=True):
        by_seed.setdefault(int(seed), {}).setdefault(int(P), []).append(float(error))
    errors: dict[int, NDArray[np.float64]] = {}
    for seed, at in sorted(by_seed.items()):
        replicas = min(len(at.get(P, [])) for P in sizes)
        if replicas:
            errors[seed] = np.stack([np.array(at[P][:replicas], float) for P in sizes], 1)
    return errors


def largest(frame: pd.DataFrame, rules: Collection[str] | None = None) -> pd.DataFrame:
    """The runs with the largest P of each kind of grammar.

    rules: the largest P at which one of these was run.
    """
    sizes = frame["P"] if rules is None else frame["P"].where(frame["rule"].isin(rules))
    most = sizes.groupby([frame[name] for name in BY_DEPTH]).transform("max")
    return frame[frame["P"] == most]


def foremost(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs at the largest P on the kinds of grammar that compare rules side by side.

    These are the kinds on which at least half as many rules were run as on any; on the others a few
    rules were followed over many sizes.  Cells inside the dials of the masking laboratory are left
    out where most runs are others: they are no rules, and the phase diagram shows them.
    """
    most = largest(frame)
    dials = most["rule_options"].astype(str).str.contains('"(?:random|interpolated|kept)')
    cells = most["rule"].eq("masking") & dials
    if 2 * cells.sum() < len(most):
        most = most[~cells]
    if most.empty:
        return most
    rules = most.groupby(list(BY_DEPTH))["label"].transform("nunique")
    return most[2 * rules >= rules.max()]


def references(curves: list[DataCurve]) -> dict[tuple[int, ...], DataCurve]:
    """For each kind of grammar (the values of `DataCurve.kind`) backprop's curve with the least P*.

    Backprop may have been run with several settings.  Kinds where it never got there are left out.
    """
    reached = [c for c in curves if c.rule == "backprop" and not c.needs().censored]
    ordered = sorted(reached, key=lambda c: c.needs().value)
    return {tuple(c.kind.values()): c for c in reversed(ordered)}


def compared(a: DataCurve, b: DataCurve) -> tuple[float, float, float, int]:
    """P*(a)/P*(b) with its 95% interval, and the number of grammars that both were run on.

    Where P*(a) was not reached, the largest P that was tried stands for it and the interval has no
    upper end; where the least P was enough, that stands for it and there is no lower end.  Without
    a grammar in common: NaN.
    """
    seeds = sorted(set(a.errors) & set(b.errors))
    if not seeds:
        return np.nan, -np.inf, np.inf, 0
    return *ratio(a.needs(seeds), b.needs(seeds), len(seeds), a.sizes), len(seeds)


def needs_said(curve: DataCurve) -> str:
    """P* with its interval as text, or a bound where P* lies outside the sizes that were run."""
    needs = curve.needs()
    if needs.censored:
        return f"> {curve.sizes[-1]}"
    return "≤ " * needs.below + bounded(needs.value, needs.low, needs.high)


def ratio_said(curve: DataCurve, reference: DataCurve) -> str:
    """P* over that of a reference whose P* was reached, with its interval, or a bound, as text."""
    own, other = curve.needs(), reference.needs()
    if own.censored:
        return f"> {curve.sizes[-1] / other.value:.2f}"
    if own.below and other.below:
        return "?"
    side = "≤ " * own.below + "≥ " * other.below
    return side + bounded(*compared(curve, reference)[:3], digits=2)


def bounded(value: float, low: float, high: float, digits: int = 0) -> str:
    """A value with its interval as text; "?" stands for an end that is infinite."""
    above = f"{high:.{digits}f}" if np.isfinite(high) else "?"
    below = f"{low:.{digits}f}" if np.isfinite(low) else "?"
    return f"{value:.{digits}f} [{below}, {above}]"


def learned_at(runs: pd.DataFrame) -> list[float]:
    """For each run with a learning curve the steps until its test error was a tenth of chance.

    Infinite where it never was.  runs: at least one, all with the same n.
    """
    drawn = runs[runs["curve_step"].notna() & runs["curve_test_error"].notna()]
    drawn = drawn[drawn["curve_step"].map(len) > 0]
    threshold = solved_at(int(runs["n"].iloc[0]))
    steps, errors = drawn["curve_step"], drawn["curve_test_error"]
    return [
        float(first_crossing(at, np.array(error, float), threshold))
        for at, error in zip(steps, errors, strict=True)
    ]

"""How much data each rule needs: P* from the runs of a study, beside theory and beside backprop."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synaptree.analysis.sample_complexity import (
    PowerLaw,
    SampleComplexity,
    chance_error,
    first_crossing,
    power_law,
    ratio,
    sample_complexity,
)
from synaptree.analysis.settings import SETTINGS

KIND = ("L", "v", "n", "m", "s")
SHARE = 0.1  # of chance error, below which the task counts as learned


@dataclass(frozen=True)
class DataCurve:
    """Test errors of one rule on one kind of grammar, at several P.

    options: the rule's own, as JSON.  sizes: P, ascending.  errors: by grammar seed,
    (replicas, sizes).
    """

    label: str
    rule: str
    options: str
    views: str
    kind: dict[str, int]
    sizes: tuple[int, ...]
    errors: dict[int, NDArray[np.float64]]

    @property
    def name(self) -> str:
        """The kind of grammar, as ``v=8 n=8 m=4 s=2 L=3``."""
        return " ".join(f"{k}={self.kind[k]}" for k in "vnmsL")

    def needs(self, seeds: list[int] | None = None) -> SampleComplexity:
        """P*, over these grammars or all."""
        return self._of_all if seeds is None else self._bootstrapped(seeds)

    @cached_property
    def _of_all(self) -> SampleComplexity:  # asked for again by every figure, table and claim
        return self._bootstrapped(sorted(self.errors))

    def _bootstrapped(self, seeds: list[int]) -> SampleComplexity:
        errors = [self.errors[seed] for seed in seeds]
        return sample_complexity(self.sizes, errors, SHARE * chance_error(self.kind["n"]))

    @property
    def known(self) -> bool:
        """Whether P* lies between sizes that were run, and is no mere bound."""
        needs = self.needs()
        return not needs.censored and not needs.below

    @property
    def predicted(self) -> dict[str, int]:
        """What theory says P* grows as: n·m**L with labels (arXiv 2307.02129), and v·m³, whatever
        L, where siblings are compared (arXiv 2406.00048)."""
        k = self.kind
        return {"n·m**L": k["n"] * k["m"] ** k["L"], "v·m³": k["v"] * k["m"] ** 3}


def curves(frame: pd.DataFrame) -> list[DataCurve]:
    """The curves of all rules (by label) that were run at three or more P, grammars shallow first.

    A grammar counts where it was run at every P; where settings change along P, those that were run
    at most P are the curve.
    """
    found: list[DataCurve] = []
    done = frame[frame["status"] == "done"]
    settings = [name for name in SETTINGS if name in done]
    setting = done.groupby(settings, dropna=False).ngroup() if settings else 0
    needed = [*KIND, "label", "rule", "rule_options", "views", "P", "seed", "test_error"]
    for (values, label), every in _groups(done[needed].assign(setting=setting)):
        widest = every.groupby("setting")["P"].nunique().idxmax()
        runs = every[every["setting"] == widest]
        sizes = sorted(runs["P"].unique().tolist())
        errors: dict[tuple[int, int], list[float]] = {}
        for seed, P, error in zip(runs["seed"], runs["P"], runs["test_error"], strict=True):
            errors.setdefault((int(seed), int(P)), []).append(float(error))
        by_seed: dict[int, NDArray[np.float64]] = {}
        for seed in sorted({seed for seed, _ in errors}):
            each = [errors.get((seed, P), []) for P in sizes]
            replicas = min(map(len, each))
            if replicas:
                by_seed[seed] = np.stack([np.array(e[:replicas], float) for e in each], 1)
        if len(sizes) > 2 and by_seed:
            first = runs.iloc[0]
            kind: dict[str, int] = dict(zip(KIND, map(int, values), strict=True))
            told = (label, first["rule"], first["rule_options"], first["views"])
            found.append(DataCurve(*told, kind, tuple(map(int, sizes)), by_seed))
    return found


def _groups(done: pd.DataFrame) -> list[tuple[tuple[Any, str], pd.DataFrame]]:
    groups = done.groupby([*KIND, "label"])
    return [((cast(Any, key)[:-1], str(cast(Any, key)[-1])), runs) for key, runs in groups]


def largest(frame: pd.DataFrame, rules: Collection[str] | None = None) -> pd.DataFrame:
    """The runs with the largest P of each kind of grammar (at which one of these rules was run):
    there data is not what is missing."""
    sizes = frame["P"] if rules is None else frame["P"].where(frame["rule"].isin(rules))
    most = sizes.groupby([frame[name] for name in KIND]).transform("max")
    return frame[frame["P"] == most]


def foremost(frame: pd.DataFrame) -> pd.DataFrame:
    """Of these the kinds on which at least half as many rules were run as on any: where rules are
    compared, and not followed over many sizes.

    Cells within the dials of the masking laboratory are left out where most runs are others: they
    are no rules, and have the phase diagram.
    """
    most = largest(frame)
    dials = most["rule_options"].astype(str).str.contains('"(?:random|interpolated|kept)')
    cells = most["rule"].eq("masking") & dials
    if 2 * cells.sum() < len(most):
        most = most[~cells]
    if most.empty:
        return most
    rules = most.groupby(list(KIND))["label"].transform("nunique")
    return most[2 * rules >= rules.max()]


def references(found: list[DataCurve]) -> dict[tuple[int, ...], DataCurve]:
    """Of each kind of grammar the curve of backprop that needs least, where P* is known: backprop
    may be there with several settings."""
    known = [c for c in found if c.rule == "backprop" and not c.needs().censored]
    ordered = sorted(known, key=lambda c: c.needs().value)
    return {tuple(c.kind.values()): c for c in reversed(ordered)}


def compared(a: DataCurve, b: DataCurve) -> tuple[float, float, float, int]:
    """P*(a)/P*(b) with its 95% interval, and over how many grammars, those that both were run on.

    Where P*(a) was not reached, the largest P that was tried stands for it and the interval has no
    upper end; where the least P was enough, that stands for it, and there is no lower end.  Without
    a grammar in common: NaN.
    """
    seeds = sorted(set(a.errors) & set(b.errors))
    if not seeds:
        return np.nan, -np.inf, np.inf, 0
    return *ratio(a.needs(seeds), b.needs(seeds), len(seeds), a.sizes), len(seeds)


def needs_said(curve: DataCurve) -> str:
    """P* with its interval; where it was not reached, or already at the least P, a bound alone."""
    needs = curve.needs()
    if needs.censored:
        return f"> {curve.sizes[-1]}"
    return "≤ " * needs.below + bounded(needs.value, needs.low, needs.high)


def ratio_said(curve: DataCurve, reference: DataCurve) -> str:
    """P* over that of a reference whose P* is known, with its interval, or a bound alone."""
    own, other = curve.needs(), reference.needs()
    if own.censored:
        return f"> {curve.sizes[-1] / other.value:.2f}"
    if own.below and other.below:
        return "?"
    side = "≤ " * own.below + "≥ " * other.below
    return side + bounded(*compared(curve, reference)[:3], digits=2)


def bounded(value: float, low: float, high: float, digits: int = 0) -> str:
    """A value with its interval, "?" where that has no bound."""
    above = f"{high:.{digits}f}" if np.isfinite(high) else "?"
    below = f"{low:.{digits}f}" if np.isfinite(low) else "?"
    return f"{value:.{digits}f} [{below}, {above}]"


def growth(found: list[DataCurve], seeds: list[int], by_level: bool = False) -> PowerLaw:
    """The power law of P* in m, through curves that differ in m alone; or, `by_level`, in e**L: its
    exponent is then the logarithm of what each level multiplies P* by."""
    at = {float(np.exp(c.kind["L"])) if by_level else float(c.kind["m"]): c for c in found}
    return power_law({x: c.needs(seeds) for x, c in at.items()}, len(seeds))


def lines(found: list[DataCurve], along: str) -> list[tuple[str, list[DataCurve]]]:
    """The curves of each rule along m, or along L, whose P* is known, ascending, and what else
    these grammars have in common, as ``v=8 n=8 s=2 L=3``.

    A rule is compared with itself at its best: of each grammar the curve that needs least counts,
    whatever its settings.  Views of another kind (siblings, inputs of one class) are another line.
    """
    least: dict[tuple[object, ...], dict[int, DataCurve]] = {}
    for curve in found:
        if not curve.known:
            continue
        rest = " ".join(f"{k}={curve.kind[k]}" for k in "vnmsL" if k != along)
        views = tuple(dict.fromkeys(curve.views.split(",")))  # the same at every depth
        at, here = least.setdefault((rest, curve.rule, curve.options, views), {}), curve.kind[along]
        if here not in at or curve.needs().value < at[here].needs().value:
            at[here] = curve
    return [(str(rest), [at[x] for x in sorted(at)]) for (rest, *_), at in least.items()]


def line_name(line: list[DataCurve]) -> str:
    """The rule of a line, and what it compares, as ``clapp · sibling, same_class``."""
    rule = min((c.label for c in line), key=len).split(", views=")[0]
    views = ", ".join(dict.fromkeys(line[0].views.split(",")))
    return f"{rule} · {views}" if views else rule


def shared_seeds(found: list[DataCurve]) -> list[int]:
    """The grammars that all of these curves were run on."""
    return sorted(set.intersection(*(set(c.errors) for c in found))) if found else []


def learned_at(runs: pd.DataFrame) -> list[float]:
    """Of each run with a curve the steps after which its test error was a tenth of chance's;
    infinite where it never was.  runs: at least one, of one n."""
    there = runs[runs["curve_step"].notna() & runs["curve_test_error"].notna()]
    there = there[there["curve_step"].map(len) > 0]
    threshold = SHARE * chance_error(int(runs["n"].iloc[0]))
    return [
        float(
            first_crossing(row["curve_step"], np.array(row["curve_test_error"], float), threshold)
        )
        for row in there.to_dict("records")
    ]

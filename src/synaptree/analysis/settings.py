"""Settings: runs of one rule told apart by theirs, and the best settings of each rule."""

from itertools import groupby

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synaptree.results.columns import GRAMMAR, ORIGIN, SETTINGS, by_kind, finished, states

TELL_APART = (*SETTINGS, "source")  # two versions of a rule's file are two rules
# Settings whose values say what they are.
_VALUE_ALONE = ("parametrisation", "optimizer", "connectivity", "lr_schedule", "precision")
_SHORT = {"steps_asked": "steps"}


def apart(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with labels that tell runs of one rule on one kind of grammar apart.

    Where all runs have the same settings, the label stays as it is; else it names the settings that
    differ, as in ``dfa, width=256 steps=15000``.  A setting that differs at one P is named at every
    P, so that a data curve has one label; a setting that only changes with P is not named.
    """
    present = [name for name in TELL_APART if name in frame]
    labels = frame["label"].to_numpy(object, copy=True)
    keys = [*GRAMMAR, *(name for name in ORIGIN if name in frame), "label"]
    present = [name for name in present if name not in ORIGIN]  # which the kind says
    at_each_P = frame.groupby([*keys, "P"], sort=False, dropna=False)[present].nunique(dropna=False)
    varied = (at_each_P > 1).groupby(level=keys, sort=False, dropna=False).any()
    rows = frame.groupby(keys, sort=False, dropna=False).indices
    for key, varies in varied[varied.any(axis=1)].iterrows():
        names = [name for name in present if varies[name]]
        runs = frame.iloc[rows[key]]
        differ = zip(*(runs[name] for name in names), strict=True)
        labels[rows[key]] = [
            f"{label}, {' '.join(map(_shown, names, values))}"
            for label, values in zip(runs["label"], differ, strict=True)
        ]
    return frame.assign(label=pd.Series(labels, frame.index, dtype=object))


def best_settings(frame: pd.DataFrame) -> pd.DataFrame:
    """For each grammar and rule (by label) the settings with the lowest mean test error.

    One row each: grammar, label, rule, settings (those that vary in the frame and are not 0 or
    none, as text), test_error (mean over the replicas), lowest, highest, replicas, tried (how many
    settings), diverged (how many of those lost a replica), state (what became of the chosen
    runs, as `states` says it).  Failed runs are left out.
    """
    done = finished(frame)
    present = [name for name in TELL_APART if name in done]
    several = [name for name in present if done[name].nunique(dropna=False) > 1]
    varied = [name for name in several if name not in ORIGIN]  # which the kind says
    best: list[dict[str, object]] = []
    for grammar, runs in by_kind(done):
        for label, of_rule in runs.groupby("label", sort=False):
            number = of_rule.groupby([*present, "rule_options"], dropna=False).ngroup()
            chosen = of_rule.iloc[_best(of_rule["test_error"], number)]
            lost = [value is True for value in of_rule.get("diverged", [])]
            errors, first = chosen["test_error"], chosen.iloc[0]
            settings = (_shown(name, first[name]) for name in varied if first[name])
            best.append(
                {
                    "grammar": grammar,
                    "label": label,
                    "rule": first["rule"],
                    "settings": " ".join(settings),
                    "test_error": errors.mean(),
                    "lowest": errors.min(),
                    "highest": errors.max(),
                    "replicas": len(errors),
                    "tried": number.nunique(),
                    "diverged": number[lost].nunique() if lost else 0,
                    "state": states(chosen),
                }
            )
    return pd.DataFrame(best)


def _best(errors: "pd.Series[float]", number: "pd.Series[int]") -> NDArray[np.intp]:
    """The places of the runs of the settings with the lowest mean error; of several such settings
    those with most runs, and of these the first."""
    means = errors.groupby(number).mean()
    places = errors.groupby(number).indices
    # Many settings are averaged at once, which rounds differently, so near ones are looked at.
    near = means.index[~(means > means.min() + 1e-12)]
    best = min(near, key=lambda n: (errors.iloc[places[n]].mean(), -len(places[n])))
    return np.asarray(places[best])


def _shown(name: str, value: object) -> str:
    if name in _VALUE_ALONE:
        return str(value)
    if name == "views":
        return f"views={short_views(str(value))}"
    short = _SHORT.get(name, name)
    return f"{short}={value:g}" if isinstance(value, float) else f"{short}={value}"


def short_views(views: str) -> str:
    """Views from the lowest layer up, with repetitions counted: ``sibling × 3, same_class``."""
    runs = [(name, len(list(same))) for name, same in groupby(views.split(",")) if name]
    return ", ".join(name if count == 1 else f"{name} × {count}" for name, count in runs)

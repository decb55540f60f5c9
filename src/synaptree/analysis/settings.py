"""What settings are worth: runs of one rule told apart, and of each rule the best."""

from itertools import groupby

import pandas as pd

from synaptree.results.columns import by_kind

SEEDS = ("seed", "data_seed", "network_seed")
SETTINGS = (
    "views", "width", "parametrisation", "connectivity", "optimizer", "lr", "momentum",
    "lr_schedule", "schedule", "weight_decay", "batch", "steps_asked", "readout_steps", "stop_loss",
    "validation", "precision",
)  # fmt: skip


def apart(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with labels that tell runs of one rule on one grammar apart by their settings.

    Where all have the same, the label stays as it is; else it says those that differ, as in
    ``dfa, width=256 steps=15000``. What differs at one P is said at every P, for a curve over P is
    of one label; what only goes with P is not.
    """
    present = [name for name in SETTINGS if name in frame]
    labels = frame["label"].astype(object).copy()
    at_each_P = frame.groupby([*"vnmsL", "label", "P"], sort=False)[present].nunique(dropna=False)
    varied = (at_each_P > 1).groupby(level=[*"vnmsL", "label"], sort=False).any()
    varied = varied[varied.any(axis=1)]
    groups = frame.groupby([*"vnmsL", "label"], sort=False).indices
    for key, differs in varied.iterrows():
        names = [name for name in present if differs[name]]
        runs = frame.iloc[groups[key]]
        for row, *values in zip(runs.index, *(runs[name] for name in names), strict=True):
            said = map(_shown, names, values)
            labels[row] = f"{labels[row]}, {' '.join(said)}"
    return frame.assign(label=labels)


def best_settings(frame: pd.DataFrame) -> pd.DataFrame:
    """For each grammar and rule (by label) the settings with the lowest mean test error.

    One row each: grammar, label, rule, settings (those that vary in the frame and are not 0 or
    none, as text), test_error (mean over the replicas), lowest, highest, replicas, tried (how many
    settings), diverged (how many of those lost a replica).  Failed runs are left out.
    """
    done = frame[frame["status"] == "done"]
    present = [name for name in SETTINGS if name in done]
    varied = [name for name in present if done[name].nunique(dropna=False) > 1]
    found: list[dict[str, object]] = []
    for grammar, runs in by_kind(done):
        for label, of_rule in runs.groupby("label", sort=False):
            groups = list(of_rule.groupby([*present, "rule_options"], dropna=False))
            best = min((g for _, g in groups), key=lambda g: (g["test_error"].mean(), -len(g)))
            errors, first = best["test_error"], best.iloc[0]
            lost = [g for _, g in groups if "diverged" in g and (g["diverged"] == True).any()]  # noqa: E712
            found.append(
                {
                    "grammar": grammar,
                    "label": label,
                    "rule": first["rule"],
                    "settings": " ".join(
                        _shown(name, first[name]) for name in varied if first[name]
                    ),
                    "test_error": errors.mean(),
                    "lowest": errors.min(),
                    "highest": errors.max(),
                    "replicas": len(errors),
                    "tried": len(groups),
                    "diverged": len(lost),
                }
            )
    return pd.DataFrame(found)


def _shown(name: str, value: object) -> str:
    short = {"steps_asked": "steps", "lr_schedule": "schedule"}.get(name, name)
    if name in ("parametrisation", "optimizer", "connectivity", "lr_schedule", "precision"):
        return str(value)
    if name == "views":
        return f"views={short_views(str(value))}"
    return f"{short}={value:g}" if isinstance(value, float) else f"{short}={value}"


def short_views(views: str) -> str:
    """Views from below, with repetitions counted: ``sibling × 3, same_class``."""
    runs = [(name, len(list(same))) for name, same in groupby(views.split(",")) if name]
    return ", ".join(name if count == 1 else f"{name} × {count}" for name, count in runs)

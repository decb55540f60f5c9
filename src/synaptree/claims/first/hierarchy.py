"""Claim 5: layer l holds the latents of level l, and ignores synonyms below that level."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synaptree.claims.base import (
    Claim,
    Evidence,
    Findings,
    Results,
    Thresholds,
    by_label,
    compare,
)
from synaptree.claims.effects import kind_and_size, mean, span
from synaptree.results.columns import by_kind

Array = NDArray[np.float64]
FAMILY = "layerwise"
THRESHOLDS = {
    # level l read from layer l, for l < L
    "probe_at_least": 0.99,
    # layer l moves under exchanges below level l, against other inputs
    "sensitivity_at_most": 0.10,
}


def collect(results: Results, limits: Thresholds) -> Findings:
    """Compare probes and synonym sensitivity of every layerwise rule with the thresholds."""
    evidence: list[Evidence] = []
    effects: list[str] = []
    runs = results.largest(FAMILY)
    for grammar, of_kind in by_kind(runs[runs["probe"].notna()]):
        lowest: dict[str, Array] = {}
        most_moved: dict[str, Array] = {}
        random = _random_probe(of_kind)
        for label, of_rule in by_label(of_kind, FAMILY):
            probe = np.array(of_rule["probe"].tolist(), dtype=float)  # (replicas, layers, levels)
            moved = np.array(of_rule["sensitivity"].tolist(), dtype=float)
            own = [probe[:, l, l] for l in range(probe.shape[1] - 1)]
            if not own:
                continue  # a single layer holds no level but that of the label
            lowest[label] = min(own, key=mean)
            least = limits["probe_at_least"]
            for l, values in enumerate(own, start=1):
                if random is None or random[l - 1, l - 1] < least:
                    what = f"{label}: level-{l} latents read from layer {l}"
                    evidence.append(compare(what, grammar, values, ">=", least, of_rule))
            below = dict(_moved_from_below(moved))
            for l, values in below.items():
                what = f"{label}: layer {l} moved by synonyms below level {l}"
                most = limits["sensitivity_at_most"]
                evidence.append(compare(what, grammar, values, "<=", most, of_rule))
            if below:
                most_moved[label] = max(below.values(), key=mean)
        spans = {
            "lowest probe": span(lowest, "{:.3f}"),
            "moved by synonyms": span(most_moved, "{:.2f}"),
        }
        if words := "; ".join(f"{what}: {text}" for what, text in spans.items() if text):
            effects.append(f"{kind_and_size(of_kind)}: {words}")
    return Findings(evidence, effects)


def _random_probe(runs: pd.DataFrame) -> Array | None:
    """Mean probes of untrained layers, (layers, levels): what they hold is no rule's merit."""
    probes = runs[runs["rule"] == "readout_only"]["probe"].tolist()
    return np.mean(np.array(probes, dtype=float), 0) if probes else None


def _moved_from_below(moved: Array) -> Iterator[tuple[int, Array]]:
    """For each layer l > 1, how far synonyms below level l move it, a number a replica.

    moved: (replicas, layers, levels). Layers that were measured in no replica are left out.
    """
    for l in range(2, moved.shape[1] + 1):
        below = moved[:, l - 1, : l - 1].mean(1)
        if np.isfinite(below).any():
            yield l, below


CLAIM = Claim(
    5,
    "The hidden hierarchy is found: layer l holds the latents of level l",
    THRESHOLDS,
    collect,
    (FAMILY,),
    "no run of a layerwise rule has probes of a level below the class (see --no-portrait)",
)

"""Frames of made-up results that figures and tables are tested on."""

import json
from functools import cache

import numpy as np
import pandas as pd

from synaptree import rules
from synaptree.audit.matrix import audit
from synaptree.report.inputs import Inputs
from synaptree.training.solved import chance_error

SIZES = [2**k for k in range(5, 17)]
CHANCE = chance_error(8)


def run(rule, error, options=None, **changed):
    """A row of a frame: a finished run of a rule with its options."""
    of = rules.get(rule, **options or {}) if rule in rules.names() else None
    L = changed.get("L", 3)
    dump = of.model_dump(mode="json", exclude={"name"}) if of else {}
    same = {
        "rule": rule, "label": of.label if of else rule, "rule_options": json.dumps(dump),
        "views": "", "status": "done", "v": 8, "n": 8, "m": 4, "s": 2, "L": 3, "P": 64, "seed": 0,
        "test_error": error, "train_error": error / 2, "steps": 30, "wall_s": 6.0, "replicas": 3,
        "error": None, "code_version": "x", "collapsed": None, "stopped": False, "diverged": False,
        "curve_step": [10, 20, 30], "curve_test_error": [0.7, 0.5, error],
        "curve_alignment": np.full((3, L), 0.5).tolist(),
        "curve_null": [[-0.1] * L, [0.1] * L, [0.0] * L],
        "probe": np.full((L, L), 0.5).tolist(), "sensitivity": np.full((L, L), 0.25).tolist(),
        "rank": [3.0] * L, "dead": [0.1] * L, "spread": [1.0] * L,
    }  # fmt: skip
    return {**same, **changed}


def runs(rule, errors, options=None, **changed):
    """A run for each error, on grammars of their own."""
    return [run(rule, e, options, seed=100 + i, **changed) for i, e in enumerate(errors)]


def curve(rule, need, m=4, L=3, seeds=range(4), **changed):
    """Runs at many P whose errors fall to a tenth of chance at `need` strings."""
    return [
        run(rule, CHANCE / (1 + 9 * (P / need) ** 3), m=m, L=L, P=P, seed=seed, **changed)
        for seed in seeds
        for P in SIZES
    ]


@cache
def audit_of(rule):
    return audit(rules.get(rule))


def inputs(rows, audits=()):
    """What a report of these rows is made from."""
    frame = pd.DataFrame(rows) if isinstance(rows, list) else rows
    return Inputs.of(frame, {(rule, "{}"): audit_of(rule) for rule in audits})


def table(figure, rows):
    return figure.data(inputs(rows))


def drawn(figure, rows):
    """The figure's drawing of these rows."""
    return figure.draw(table(figure, rows))


def svg(figure, rows):
    return figure.svg(table(figure, rows))


def rich():
    """Rows from which every figure can be drawn."""
    views = {"views": "sibling,sibling,same_class"}
    rows = [r for m in (4, 8) for r in curve("backprop", 64 * m, m)]
    rows += [r for m in (4, 8) for r in curve("clapp", 80 * m, m, **views)]
    rows += curve("dfa", 10**9) + curve("dfa", 10**9, m=8)
    for m in (4, 8):
        same = {"m": m, "P": SIZES[-1]}
        read = np.diag([0.5 if m == 4 else 0.0, 0, 0]) + 0.5  # one level less to learn at m=4
        rows += runs("readout_only", [0.8, 0.7], probe=read.tolist(), **same)
        for weights in ("random", "transpose"):
            for masks in ("none", "true", "nearest:1"):
                if masks != "nearest:1" or weights == "transpose":
                    rows += runs(
                        "masking", [0.4, 0.3], {"weights": weights, "masks": masks}, **same
                    )
    for variant, best in (("noise=0.1", 0.1), ("zipf=1", 0.0)):
        of = {"variant": variant, "bayes_error": best, "bayes_low": best, "bayes_high": best}
        rows += runs("backprop", [0.2, 0.3], **of) + runs("dfa", [0.6, 0.5], **of)
    return [{"variant": "", "data": "", **row} for row in rows]

"""Signal and noise of each rule's update beside the errors with which the rules end.

python studies/depth/signal-to-noise.py OUT.csv [KIND …] [--strings N] [--seeds 0,1,2,3]

Prints a table rule × layer for each kind of grammar, at the start and after some steps of backprop,
and the rank correlation with the errors in results/laptop-1 where these hold the kind.  What stands
in the file already is not measured again.
"""

import sys
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from synaptree import load, make_spec, rules
from synaptree.training.process import prepare
from synaptree.training.signal import signal_to_noise

ROOT = Path(__file__).parent.parent.parent
FIELD = {"v": 8, "n": 8, "parametrisation": "mean_field", "lr_schedule": "cosine", "steps": 3000}
# Settings of backprop, as in the first laptop preset, and after how many of its steps is measured.
KINDS = {
    "L4m4": (FIELD | {"L": 4, "m": 4, "P": 16384, "lr": 0.03}, (0, 300)),
    "L4m6": (FIELD | {"L": 4, "m": 6, "P": 131072, "lr": 0.03}, (0, 300)),
    "L3m8": (FIELD | {"L": 3, "m": 8, "P": 16384, "lr": 0.1}, (0, 100)),
}


# What may order the rules.
SCORES = {
    "ratio": "signal/noise",
    "apart": "signal/noise × share of features",
    "cosine": "the cosine",
    "useful": "signal/noise × cosine × |cosine|",
}


def measured() -> list[rules.Rule]:
    """Rules whose errors stand in results/laptop-1, and the controls that were never trained."""
    masking = [
        *({"masks": masks} for masks in ("kept:0.25", "nearest:1", "none", "other_input")),
        *({"masks": masks} for masks in ("fresh", "frozen")),
        {"weights": "interpolated:0.9", "masks": "none"},
        {"weights": "interpolated:0.5", "masks": "none"},
        {"weights": "random", "masks": "none"},
    ]
    others = ("sign_symmetry", "least_squares_feedback", "forward_dfa", "direct_kolen_pollack")
    return [
        rules.get("backprop"),
        *(rules.get("masking", **options) for options in masking),
        rules.get("symmetric_direct", feedback="mean_jacobian"),
        *(rules.get(name) for name in (*others, "dfa", "feedback_alignment")),
    ]


def errors(settings: dict[str, object]) -> pd.Series:
    """The mean test error of each rule on this kind in results/laptop-1, by label."""
    runs = load(ROOT / "results" / "laptop-1")
    same = (runs[["v", "n", "m", "L", "P"]] == [settings[k] for k in "vnmLP"]).all(axis=1)
    return runs[same & (runs["status"] == "done")].groupby("label")["test_error"].mean()


def rank_correlation(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Spearman's, with the 95% interval of a bootstrap over rules."""
    rng = np.random.default_rng(0)

    def of(index: np.ndarray) -> float:
        x, y = (pd.Series(t[index]).rank().to_numpy() for t in (a, b))
        return float(np.corrcoef(x, y)[0, 1]) if x.std() and y.std() else np.nan

    drawn = [of(rng.integers(len(a), size=len(a))) for _ in range(4000)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return of(np.arange(len(a))), float(low), float(high)


def show(kind: str, rows: pd.DataFrame, error: pd.Series) -> None:
    """Print the tables of one kind."""
    for step, at in rows.groupby("step"):
        print(f"\n{kind}, after {step} steps of backprop; {at['seed'].nunique()} grammars")
        columns = ("ratio", "cosine", "features", "synonyms")
        means = {c: at.pivot_table(index="rule", columns="layer", values=c) for c in columns}
        noise = at.groupby("layer")[["features_of_noise", "synonyms_of_noise"]].mean()
        print("| rule | 1000 × signal/noise | cosine with backprop | % features | % synonyms |")
        print("|---|---|---|---|---|")
        for rule in at["rule"].unique():
            cells = (
                " ".join(f"{scale * x:{form}}" for x in means[c].loc[rule])
                if rule in means[c].index
                else "–"
                for c, scale, form in (
                    ("ratio", 1000, ".3g"),
                    ("cosine", 1, ".2f"),
                    ("features", 100, ".0f"),
                    ("synonyms", 100, ".0f"),
                )
            )
            print(f"| {rule} | {' | '.join(cells)} |")
        of_noise = (" ".join(f"{100 * x:.0f}" for x in noise[c]) for c in noise)
        print(f"| the noise | | | {' | '.join(of_noise)} |")
        layers = sorted(at["layer"].unique())
        for name, chosen in (("layer 1", layers[:1]), ("all layers but the top", layers[:-1])):
            of_rule = at[at["layer"].isin(chosen)].groupby("rule")[list(SCORES)].mean()
            for column, words in SCORES.items():
                score = of_rule[column].dropna()
                both = [rule for rule in score.index if rule in error.index]
                if len(both) > 4:
                    rho, low, high = rank_correlation(
                        score[both].to_numpy(), -error[both].to_numpy()
                    )
                    print(
                        f"rank correlation of {words} in {name} with accuracy, {len(both)} rules: "
                        f"{rho:.2f} [{low:.2f}, {high:.2f}]"
                    )


def main() -> None:
    """Measure and print; rows are kept in the file that is named first."""
    words = sys.argv[1:]
    options = dict(pairwise(words))
    strings, seeds = int(options.get("--strings", 2**17)), options.get("--seeds", "0,1,2,3")
    kinds = [word for word in words[1:] if word in KINDS] or list(KINDS)
    prepare()
    out = Path(words[0])
    rows = pd.read_csv(out) if out.exists() else pd.DataFrame(columns=["kind", "seed", "strings"])
    for kind in kinds:
        settings, steps = KINDS[kind]
        for seed in map(int, seeds.split(",")):
            if len(rows.query("kind == @kind and seed == @seed and strings == @strings")):
                continue
            spec = make_spec(
                rule="backprop",
                **settings,
                **dict.fromkeys(("grammar_seed", "data_seed", "network_seed"), seed),
            )
            found = signal_to_noise(spec, measured(), steps=steps, strings=strings)
            new = pd.DataFrame(map(asdict, found)).assign(kind=kind, strings=strings)
            rows = pd.concat([rows, new]) if len(rows) else new
            rows.to_csv(out, index=False)
        of_kind = rows.query("kind == @kind and strings == @strings")
        of_kind = of_kind.assign(
            apart=of_kind["ratio"] * of_kind["features"],
            useful=of_kind["ratio"] * of_kind["cosine"] * of_kind["cosine"].abs(),
        )
        show(kind, of_kind, errors(settings))


if __name__ == "__main__":
    main()

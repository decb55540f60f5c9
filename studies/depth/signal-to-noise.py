"""Signal and noise of each rule's update beside the errors with which the registered runs ended.

python studies/depth/signal-to-noise.py FILE.csv.gz [KIND …] [--strings N] [--seeds 0,1,2,3]

Kinds, rules, errors and backprop's settings are those of results/laptop. Prints a table rule ×
layer for each kind of grammar, at the start and while backprop trains, and how well each score
orders the rules. What the file has already is not measured again.
"""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from synaptree import RunSpec, load, rules
from synaptree.network.tree import TreeNet
from synaptree.study.files import read_study
from synaptree.training.company import Company, FreshStrings
from synaptree.training.process import prepare
from synaptree.training.signal import signal_to_noise

REGISTERED = Path(__file__).parent.parent.parent / "results" / "laptop"
SIZES = ("v", "n", "m", "s", "L", "P")


@dataclass(frozen=True)
class Kind:
    """A kind of the scoreboard: its sizes, after how many steps of backprop and on how many strings
    is measured."""

    sizes: tuple[int, ...]
    steps: tuple[int, ...]
    strings: int


KINDS = {
    "uniform": Kind((6, 6, 6, 2, 3, 12960), (0, 75), 2**16),
    "deep": Kind((8, 8, 4, 2, 4, 8192), (0, 75), 2**15),
    "deeper": Kind((8, 8, 6, 2, 4, 32768), (0, 300), 2**15),
}
# Their update is more than a teaching signal times activity; the weights must fade; none.
LEFT_OUT = ("oja", "soft_hebb", "kolen_pollack", "readout_only")
CONTROLS = ("mean_jacobian", "fresh", "frozen")  # masks that no registered run has

# What may order the rules.
SCORES = {
    "ratio": "signal/noise",
    "apart": "signal/noise × share of features",
    "cosine": "cosine with backprop",
    "useful": "signal/noise × cosine × |cosine|",
}


@cache
def registered(kind: str) -> list[RunSpec]:
    """The runs of the scoreboard on a kind, with shared weights."""
    runs = [run for run in read_study(REGISTERED / "study.yaml") if run.connectivity == "shared"]
    return [run for run in runs if tuple(getattr(run, k) for k in SIZES) == KINDS[kind].sizes]


def backprop(kind: str, seed: int) -> RunSpec:
    """Backprop with its settings on a kind, on a grammar of our own."""
    (first, *_) = (run for run in registered(kind) if run.rule.name == "backprop")
    return first.model_copy(
        update=dict.fromkeys(("grammar_seed", "data_seed", "network_seed"), seed)
    )


def measured(kind: str) -> list[rules.Rule]:
    """Rules of the scoreboard that have an update of single strings, and controls."""
    own = {run.rule.label: run.rule for run in registered(kind)}
    asked = [
        rule
        for rule in own.values()
        if rule.name not in LEFT_OUT and not rule.needs_views and rule.network is TreeNet
    ]
    return [*asked, *(rules.get("masking", masks=masks) for masks in CONTROLS)]


@cache
def errors(kind: str) -> pd.Series:
    """The mean test error of each rule in the registered runs on a kind, by label."""
    runs = load(REGISTERED, curves=False)
    runs = runs[runs["status"].eq("done") & runs["connectivity"].eq("shared")]
    same = (runs[list(SIZES)] == list(KINDS[kind].sizes)).all(axis=1)
    return runs[same].groupby("label")["test_error"].mean()


def errors_on_the_way(spec: RunSpec, steps: tuple[int, ...]) -> dict[int, float]:
    """The error of the network that is measured, on 4096 fresh strings, after each of the steps."""
    company = Company([spec], [], "cpu")
    fresh, found = FreshStrings(company.specs, "cpu"), {}
    for step in steps:
        company.train_to(step)
        wrong = []
        for (strings,) in fresh.batches(2**12):
            x = torch.from_numpy(strings.x.astype(np.int64))[None]
            wrong.append(company.net.read(x).logits[0].argmax(1).numpy() != strings.y)
        found[step] = float(np.mean(wrong))
    return found


def rank_correlation(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Spearman's, with the 95% interval of a bootstrap over rules."""
    rng = np.random.default_rng(0)

    def of(index: np.ndarray) -> float:
        x, y = (pd.Series(t[index]).rank().to_numpy() for t in (a, b))
        return float(np.corrcoef(x, y)[0, 1]) if x.std() and y.std() else np.nan

    drawn = [of(rng.integers(len(a), size=len(a))) for _ in range(4000)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return of(np.arange(len(a))), float(low), float(high)


def table(at: pd.DataFrame, error: pd.Series) -> Iterator[str]:
    """A row a rule, in the order of the errors; rules that were not registered at the end."""
    yield "| rule | error | 1000 × signal/noise | cosine with backprop | % features | % synonyms |"
    yield "|---|---|---|---|---|---|"
    columns = {"ratio": (1000, ".3g"), "cosine": (1, ".2f"), "features": (100, ".0f"),
               "synonyms": (100, ".0f")}  # fmt: skip
    means = at.groupby(["rule", "layer"])[list(columns)].mean()
    for rule in sorted(at["rule"].unique(), key=lambda rule: error.get(rule, 2)):
        cells = [
            "–"
            if means.loc[rule][name].isna().all()
            else " ".join(f"{scale * x:{form}}" for x in means.loc[rule][name])
            for name, (scale, form) in columns.items()
        ]
        yield f"| {rule} | {error.get(rule, np.nan):.1%} | {' | '.join(cells)} |".replace(
            "nan%", "–"
        )
    noise = at.groupby("layer")[["features_of_noise", "synonyms_of_noise"]].mean()
    of_noise = (" ".join(f"{100 * x:.0f}" for x in noise[name]) for name in noise)
    yield f"| the noise | | | | {' | '.join(of_noise)} |"


def orders(at: pd.DataFrame, error: pd.Series) -> Iterator[str]:
    """How well each score orders the rules, and which rules it places worst."""
    yield "| score | of | rank correlation with accuracy | rules | worst placed |"
    yield "|---|---|---|---|---|"
    layers = sorted(at["layer"].unique())
    for name, chosen in (("layer 1", layers[:1]), ("layers below the top", layers[:-1])):
        of_rule = at[at["layer"].isin(chosen)].groupby("rule")[list(SCORES)].mean()
        for column, words in SCORES.items():
            score = of_rule[column].dropna()
            score = score[score.index.isin(error.index)]
            accuracy = -error[score.index]
            rho, low, high = rank_correlation(score.to_numpy(), accuracy.to_numpy())
            apart = accuracy.rank() - score.rank()
            worst = apart.abs().sort_values(ascending=False, kind="stable").index[:3]
            said = ", ".join(f"{rule} ({apart[rule]:+.0f})" for rule in worst)
            yield (
                f"| {words} | {name} | {rho:.2f} [{low:.2f}, {high:.2f}] | {len(score)} | {said} |"
            )


def shown(kind: str, rows: pd.DataFrame) -> str:
    """The tables of one kind."""
    rows = rows.assign(
        apart=rows["ratio"] * rows["features"],
        useful=rows["ratio"] * rows["cosine"] * rows["cosine"].abs(),
    )
    text: list[str] = []
    for step, at in rows.groupby("step"):
        of_network = at.groupby("seed")["network_error"].first()
        text += [
            f"### {kind}, after {step} steps of backprop",
            f"{len(of_network)} grammars, on which this network's error is "
            f"{of_network.min():.0%} to {of_network.max():.0%}.",
            "\n".join(table(at, errors(kind))),
            "\n".join(orders(at, errors(kind))),
        ]
    return "\n\n".join(text)


def main() -> None:
    """Measure and print; rows are kept in the file that is named first."""
    words = sys.argv[1:]
    options = dict(pairwise(words))
    seeds = [int(seed) for seed in options.get("--seeds", "0,1,2,3").split(",")]
    kinds = [word for word in words[1:] if word in KINDS] or list(KINDS)
    prepare()
    out = Path(words[0])
    rows = pd.read_csv(out) if out.exists() else pd.DataFrame(columns=["kind", "seed", "strings"])
    for kind in kinds:
        strings, steps = int(options.get("--strings", KINDS[kind].strings)), KINDS[kind].steps
        for seed in seeds:
            if len(rows.query("kind == @kind and seed == @seed and strings == @strings")):
                continue
            spec = backprop(kind, seed)
            found = signal_to_noise(spec, measured(kind), steps=steps, strings=strings)
            new = pd.DataFrame(map(asdict, found)).assign(kind=kind, strings=strings)
            new["network_error"] = new["step"].map(errors_on_the_way(spec, steps))
            rows = pd.concat([rows, new]) if len(rows) else new
            packing = {"method": "gzip", "mtime": 0}  # the same rows are the same bytes
            rows.to_csv(out, index=False, float_format="%.6g", compression=packing)
        print(shown(kind, rows.query("kind == @kind and strings == @strings")), end="\n\n")


if __name__ == "__main__":
    main()
